#!/usr/bin/env python3
"""A web server for builds: file_server.py FOLDER writes its port to FOLDER/port and each path asked for to FOLDER/log.

/files/NAME is a file of FOLDER; /to/PORT/HOST/PATH redirects to http://HOST:PORT/PATH; /loop redirects to itself;
/short promises more than it sends. /auth/... is the same for the user "user" with the password "hunter2"; whoever sends
a password elsewhere is written to FOLDER/leaks. /git/REPOSITORY is one of FOLDER by git's own server, and FOLDER/ps
holds the command lines of the git programs that were running when it was asked.
"""
import base64
import http.server
import os
import subprocess
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

    def git(self, path):
        with open(FOLDER + "/ps", "ab") as out:
            for entry in os.listdir("/proc"):
                try:
                    line = open(f"/proc/{entry}/cmdline", "rb").read().replace(b"\0", b" ")
                except OSError:
                    continue
                if b"git" in line.split(b" ")[0]:
                    out.write(line + b"\n")
        path, _, query = path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": FOLDER, "GIT_HTTP_EXPORT_ALL": "1",
                       "PATH_INFO": "/" + path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                       "CONTENT_TYPE": self.headers.get("content-type", ""), "REMOTE_ADDR": "x", "HOME": FOLDER,
                       "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""), "GIT_CONFIG_COUNT": "1",
                       "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        self.send_response(int(dict(fields).get("Status", "200").split()[0]))
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def may_pass(self, parts):
        word = self.headers.get("authorization")
        if parts[0] == "auth" and word != "Basic " + base64.b64encode(b"user:hunter2").decode():
            self.send_response(401)
            self.send_header("www-authenticate", "Basic realm=x")
            self.send_header("content-length", "0")
            self.end_headers()
            return False
        if parts[0] != "auth" and word:
            with open(FOLDER + "/leaks", "a") as out:
                out.write(f"{self.path} {word}\n")
        return True

    def do_POST(self):
        self.do_GET()

    def do_GET(self):
        with open(FOLDER + "/log", "a") as log:
            log.write(self.path + "\n")
        parts = self.path.lstrip("/").split("/")
        if not self.may_pass(parts):
            return None
        if parts[0] == "auth":
            parts = parts[1:]
        if parts[0] == "git":
            return self.git("/".join(parts[1:]))
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
