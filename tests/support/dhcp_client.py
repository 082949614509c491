"""Asks a DHCP server for addresses as booting machines do, and prints what it gives.

Usage: dhcp_client.py INTERFACE MAC/ARCHITECTURE…
Prints a JSON list: for each machine a map of what was given, or null where nobody answered.
"""
import json
import socket
import struct
import sys
import time

COOKIE = b"\x63\x82\x53\x63"
WAIT = 6
# What boot ROMs ask for: netmask, router, name servers, host name, broadcast, time servers, server, file.
WANTED = bytes([1, 3, 6, 12, 28, 42, 66, 67])


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(mac, architecture, transaction, offered, more=b""):
    """A DHCPDISCOVER, or with an offer the DHCPREQUEST that takes it. `more` is further options."""
    options = bytes([53, 1, 3 if offered else 1, 93, 2]) + struct.pack("!H", architecture)
    for number, address in [(50, "ip"), (54, "by")] if offered else []:
        options += bytes([number, 4]) + socket.inet_aton(offered[address])
    options += bytes([55, len(WANTED)]) + WANTED + more + b"\xff"
    head = struct.pack("!BBBBIHH16x", 1, 1, 6, 0, transaction, 0, 0x8000)
    payload = head + mac + bytes(10) + bytes(192) + COOKIE + options
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4x4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\xff" * 4)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def packet_of(frame, transaction):
    """The DHCP reply in a frame, or None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    udp = 14 + (frame[14] & 15) * 4
    dhcp = frame[udp + 8 :]
    if frame[udp : udp + 4] != struct.pack("!HH", 67, 68) or dhcp[4:8] != struct.pack("!I", transaction):
        return None
    return dhcp


def given(dhcp):
    """What a reply gives."""
    options = parse_options(dhcp[240:])
    address = lambda data: ".".join(map(str, data))
    text = lambda data: data.rstrip(b"\0").decode()
    found = {"type": options[53][0], "ip": address(dhcp[16:20]), "next-server": address(dhcp[20:24])}
    for number, name, show in [
        (1, "netmask", address), (3, "router", address), (6, "dns", address), (12, "name", text),
        (28, "broadcast", address), (42, "time", address), (54, "by", address), (66, "server", text), (67, "file", text),
    ]:
        if number in options:
            found[name] = show(options[number])
    return found


def parse_options(data):
    options, position = {}, 0
    while position < len(data) and data[position] != 255:
        if data[position] == 0:
            position += 1
            continue
        length = data[position + 1]
        options[data[position]] = data[position + 2 : position + 2 + length]
        position += 2 + length
    return options


def exchange(link, mac, architecture, transaction, offered=None, more=b"", read=given):
    """Sends a request, and reads the answer to it; None where there is none."""
    link.send(request(mac, architecture, transaction, offered, more))
    end = time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            packet = packet_of(link.recv(4096), transaction)
        except TimeoutError:
            break
        found = packet and read(packet)
        if found and found["type"] == (5 if offered else 2):
            return found
    return None


def ask(interface, machine, transaction):
    mac, architecture = machine.split("/")
    mac, architecture = bytes.fromhex(mac.replace(":", "")), int(architecture)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)) as link:
        link.bind((interface, 0))
        offered = exchange(link, mac, architecture, transaction)
        return offered and exchange(link, mac, architecture, transaction, offered)


if __name__ == "__main__":
    json.dump([ask(sys.argv[1], machine, 0x1000 + n) for n, machine in enumerate(sys.argv[2:])], sys.stdout)
