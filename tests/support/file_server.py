#!/usr/bin/env python3
"""A web server for builds: file_server.py FOLDER writes its port to FOLDER/port and each path asked for to FOLDER/log.

/files/NAME is a file of FOLDER; /to/PORT/HOST/PATH redirects to http://HOST:PORT/PATH; /loop redirects to itself;
/short promises more than it sends.
"""
import http.server
import os
import sys

FOLDER = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def redirect(self, where):
        self.send_response(302)
        self.send_header("location", where)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        with open(FOLDER + "/log", "a") as log:
            log.write(self.path + "\n")
        parts = self.path.lstrip("/").split("/")
        file = os.path.join(FOLDER, os.path.basename(self.path))
        if parts[0] == "to":
            return self.redirect(f"http://{parts[2]}:{parts[1]}/{'/'.join(parts[3:])}")
        if parts[0] == "loop":
            return self.redirect("/loop")
        if parts[0] != "short" and not (parts[0] == "files" and os.path.isfile(file)):
            return self.send_error(404)
        body = b"half" if parts[0] == "short" else open(file, "rb").read()
        self.send_response(200)
        self.send_header("content-length", str(len(body) + (10 if parts[0] == "short" else 0)))
        self.send_header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
with open(FOLDER + "/port.part", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(FOLDER + "/port.part", FOLDER + "/port")
server.serve_forever()
