#!/usr/bin/env python3
"""A name server whose answers never fit into a datagram: cut_dns.py FOLDER ADDRESS

Listens on port 53 of 127.0.0.1. Every name has ADDRESS, which only those hear who ask over TCP. Makes FOLDER/ready, and
writes "udp" or "tcp" to FOLDER/log for each question.
"""
import os
import socket
import struct
import sys
import threading

FOLDER, ADDRESS = sys.argv[1:3]
UDP = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
UDP.bind(("127.0.0.1", 53))
TCP = socket.create_server(("127.0.0.1", 53))


def answer(question, cut):
    is_v4 = question[-4:-2] == b"\0\1"
    count = 0 if cut or not is_v4 else 1
    record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(ADDRESS)
    flags = 0x8380 if cut else 0x8180
    return question[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question[12:] + record * count


def log(text):
    with open(os.path.join(FOLDER, "log"), "a") as out:
        out.write(text + "\n")


def serve_tcp():
    while True:
        client, _ = TCP.accept()
        with client, client.makefile("rb") as stream:
            question = stream.read(struct.unpack(">H", stream.read(2))[0])
            log("tcp")
            reply = answer(question, False)
            client.sendall(struct.pack(">H", len(reply)) + reply)


threading.Thread(target=serve_tcp, daemon=True).start()
open(os.path.join(FOLDER, "ready"), "w").close()
while True:
    question, sender = UDP.recvfrom(4096)
    log("udp")
    UDP.sendto(answer(question, True), sender)
