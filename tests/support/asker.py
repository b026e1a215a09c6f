"""Asks servers over and over, each address by a client of its own, until the file named first is there.

asker.py STOP tcp:127.0.0.1:80 udp:[::1]:81 ...   prints one JSON object: address -> {"seen": [...], "failed": [...]}
TCP is a connection for each question. UDP asks from one and the same port all the time. STOP.begun appears when each has heard something.
"""

import json
import os
import socket
import sys
import threading
import time

WAIT = 5


def ask_tcp(host, port):
    with socket.create_connection((host, port), timeout=WAIT) as connection:
        connection.sendall(b"?")
        answer = b""
        while piece := connection.recv(100):
            answer += piece
    if not answer:
        raise OSError("no answer")
    return answer.decode()


def udp_asker(host, port):
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(0.5)
    client.connect((host, port))

    def ask():
        client.send(b"?")
        return client.recv(100).decode()

    return ask


def main():
    stop, addresses = sys.argv[1], sys.argv[2:]
    told = {}

    def run(address):
        protocol, rest = address.split(":", 1)
        host, port = rest.rsplit(":", 1)
        host, port = host.strip("[]"), int(port)
        ask = udp_asker(host, port) if protocol == "udp" else lambda: ask_tcp(host, port)
        mine = told[address] = {"asked": 0, "seen": [], "failed": []}
        left = 3  # questions after the end: the last one must have an answer
        while left > 0:
            ending = os.path.exists(stop)
            left -= ending
            try:
                answer = ask()
                if not mine["seen"] or mine["seen"][-1] != answer:
                    mine["seen"].append(answer)
                if ending:
                    break
            except OSError as error:
                mine["failed"].append(repr(error))
            mine["asked"] += 1
            time.sleep(0.002)

    threads = [threading.Thread(target=run, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    while any(not told.get(address, {}).get("seen") for address in addresses) and not os.path.exists(stop):
        time.sleep(0.01)
    open(stop + ".begun", "w").close()
    for thread in threads:
        thread.join()
    print(json.dumps(told))


main()
