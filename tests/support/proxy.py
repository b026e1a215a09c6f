#!/usr/bin/env python3
"""A web proxy for tests: proxy.py FOLDER ADDRESS [USER:PASSWORD]

Writes its port to FOLDER/port and a line "METHOD TARGET" for each request to FOLDER/log. CONNECT and plain requests, one
request a connection; those without the password, if there is one, are turned away with 407.
"""
import base64
import http.client
import os
import socket
import sys
import threading

FOLDER, ADDRESS = sys.argv[1:3]
WANTED = "Basic " + base64.b64encode(sys.argv[3].encode()).decode() if len(sys.argv) > 3 else ""


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def pass_on(client, method, target, fields):
    """A request without a body."""
    authority, _, path = target.removeprefix("http://").partition("/")
    server = http.client.HTTPConnection(authority)
    server.request(method, "/" + path, headers=dict(field.split(": ", 1) for field in fields))
    answer = server.getresponse()
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.getheaders())]
    client.sendall("\r\n".join([*lines, "Connection: close"]).encode() + b"\r\n\r\n" + answer.read())
    server.close()


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(65536)
        if not data:
            return
        head += data
    head, _, rest = head.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split()
    with open(os.path.join(FOLDER, "log"), "a") as log:
        log.write(f"{method} {target}\n")
    fields = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection:"))]
    given = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("proxy-authorization:")]
    if WANTED and WANTED not in given:
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    if method != "CONNECT":
        return pass_on(client, method, target, fields)
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        server.sendall(rest)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)


def run(client):
    with client:
        try:
            serve(client)
        except (OSError, ValueError):
            pass


listener = socket.create_server((ADDRESS, 0))
with open(os.path.join(FOLDER, "port.tmp"), "w") as out:
    out.write(str(listener.getsockname()[1]))
os.rename(os.path.join(FOLDER, "port.tmp"), os.path.join(FOLDER, "port"))
while True:
    threading.Thread(target=run, args=(listener.accept()[0],), daemon=True).start()
