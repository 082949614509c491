"""Asks a DHCPv6 server for an address, and prints it, or nothing where nobody answers.

Usage: dhcp6_client.py INTERFACE MAC
"""
import socket
import struct
import sys

ALL_SERVERS = "ff02::1:2"
WAIT = 10
ANSWER, REPLY = 2, 7
SOLICIT, REQUEST = 1, 3


def option(number, data):
    return struct.pack("!HH", number, len(data)) + data


def options(data):
    found = {}
    while len(data) >= 4:
        number, length = struct.unpack("!HH", data[:4])
        found[number] = data[4 : 4 + length]
        data = data[4 + length :]
    return found


interface, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
# A DUID of the MAC (RFC 8415, section 11.4), and one association of addresses.
own = option(1, struct.pack("!HH", 3, 1) + mac) + option(3, struct.pack("!III", 1, 0, 0)) + option(8, b"\0\0")
index = socket.if_nametoindex(interface)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as link:
    link.bind(("::", 546, 0, index))
    link.settimeout(WAIT)
    chosen = b""
    for kind, expected in [(SOLICIT, ANSWER), (REQUEST, REPLY)]:
        link.sendto(bytes([kind, 0, 0, kind]) + own + chosen, (ALL_SERVERS, 547, 0, index))
        try:
            packet = link.recv(4096)
        except TimeoutError:
            sys.exit()
        assert packet[0] == expected, packet
        answer = options(packet[4:])
        chosen = option(2, answer[2])
addresses = options(answer[3][12:])
if 5 in addresses:
    print(socket.inet_ntop(socket.AF_INET6, addresses[5][:16]))
