"""Asks a PXE server beside the DHCP server what to boot, as firmware does that has an address already.

Usage: pxe_client.py INTERFACE MAC ADDRESS ARCHITECTURE [ipxe]
Prints a JSON map: `offer` is the answer to a broadcast, `boot` what that server then says on its port 4011; null where
nobody answered. iPXE needs the first alone.
"""
import json
import socket
import struct
import sys

# Tests leave nothing beside their sources.
sys.dont_write_bytecode = True
from dhcp_client import COOKIE, exchange, parse_options

PXE_PORT = 4011
WAIT = 6


def option(number, data):
    return bytes([number, len(data)]) + data


def who(architecture, is_ipxe):
    """What PXE clients say of themselves (PXE 2.1, section 2.2.1)."""
    firmware = option(60, b"PXEClient:Arch:%05d:UNDI:003000" % architecture)
    firmware += option(97, bytes(17)) + option(94, bytes([1, 3, 0]))
    return firmware + (option(175, bytes.fromhex("b10501808610d3")) if is_ipxe else b"")


def answer(packet):
    options = parse_options(packet[240:])
    text = lambda data: data.split(b"\0")[0].decode()
    vendor = parse_options(options.get(43, b""))
    return {
        "type": options[53][0],
        "kind": text(options.get(60, b"")),
        "server": socket.inet_ntoa(packet[20:24]),
        "file": text(packet[108:236]),
        "menu": vendor.get(9, b"")[3:].decode(),
        "item": int.from_bytes(vendor.get(9, b"\0\0")[:2], "big"),
        "by": socket.inet_ntoa(options[54]),
    }


def discover(interface, mac, architecture, more):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)) as link:
        link.bind((interface, 0))
        return exchange(link, mac, architecture, 0x2000, more=more, read=answer)


def ask(mac, address, architecture, offered, more):
    """A DHCPREQUEST to the PXE server, for the item of its menu where it has one."""
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x2001, 0, 0)
    packet = head + socket.inet_aton(address) + bytes(12) + mac + bytes(10) + bytes(192) + COOKIE
    packet += option(53, b"\3") + option(93, struct.pack("!H", architecture)) + more
    if offered["menu"]:
        packet += option(43, option(71, struct.pack("!HH", offered["item"], 0)) + b"\xff")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 68))
        server.settimeout(WAIT)
        server.sendto(packet + b"\xff", (offered["by"], PXE_PORT))
        try:
            return answer(server.recv(4096))
        except TimeoutError:
            return None


interface, mac, address, architecture = sys.argv[1:5]
mac, architecture, is_ipxe = bytes.fromhex(mac.replace(":", "")), int(architecture), "ipxe" in sys.argv
said = who(architecture, is_ipxe)
offer = discover(interface, mac, architecture, said)
boot = None if is_ipxe or not offer else ask(mac, address, architecture, offer, said)
json.dump({"offer": offer, "boot": boot}, sys.stdout)
