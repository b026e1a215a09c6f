"""Answers each question at port 80 of TCP and 81 of UDP with the word that it was given."""

import socketserver
import sys
import threading
import time

WORD = sys.argv[1].encode()


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(10)
        time.sleep(0.02)
        self.request.sendall(WORD)


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(WORD, self.client_address)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


threading.Thread(target=socketserver.UDPServer(("", 81), Datagram).serve_forever, daemon=True).start()
Server(("", 80), Connection).serve_forever()
