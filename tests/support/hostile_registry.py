#!/usr/bin/env python3
"""A registry that lies: the last part of the repository's name says how.

  hostile_registry.py STATE_DIR ADDRESS

Listens on two free ports of ADDRESS, "a" and "b", and for each STATE_DIR/certs/NAME.crt with its NAME.key on another one
that speaks TLS and is otherwise like "a". (If there is a NAME.ca, clients must show a certificate by it.) Writes lines
"NAME PORT" to STATE_DIR/ports. Every request is appended to STATE_DIR/log as one JSON line: {"server": NAME, "method",
"path", "authorization", "range", "if-range"}, every layer that was sent to STATE_DIR/served: {"name", "start", "size"}.
"b" stands for someone else's host: whatever it hears of passwords is a leak.
"""
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

from hostile_images import LOCK, NOISE, OCI_INDEX, digest, get_image

STATE, ADDRESS = sys.argv[1:3]
PORTS = {}
COUNTS = {}
UPLOADS = {}  # repository -> what has come of a blob
BLOBS = set()  # what was pushed


def host_of(server):
    return f"{ADDRESS}:{PORTS[server]}"


class Limit:
    """For repositories called several-N: after N bytes nothing more is sent until the test says so."""
    known = {}

    def __init__(self, name, left):
        self.name, self.left, self.layer_bytes = name, left, 0

    @staticmethod
    def of(name):
        with LOCK:
            parts = name.split("-")
            if parts[0] != "several" or len(parts) < 2:
                return None
            return Limit.known.setdefault(name, Limit(name, int(parts[1])))

    def take(self, size, of_layer):
        """How many of so many bytes may go out."""
        with LOCK:
            size = min(size, self.left)
            self.left -= size
            if of_layer:
                self.layer_bytes += size
            return size

    def is_over(self):
        with LOCK:
            with open(os.path.join(STATE, "stopped-" + self.name), "w") as out:
                out.write(str(self.layer_bytes))
        return os.path.exists(os.path.join(STATE, "go-" + self.name))


class Client:
    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.file = sock.makefile("rb")
        self.limit, self.in_layer = None, False

    def read_request(self):
        if self.file.peek(1)[:1] == b"\x16":  # a TLS hello
            self.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return None
        line = self.file.readline(65536).decode("latin-1").split()
        if len(line) < 2:
            return None
        headers = {}
        while True:
            header = self.file.readline(65536).decode("latin-1").strip()
            if not header:
                break
            key, _, value = header.partition(":")
            headers[key.lower()] = value.strip()
        body = self.file.read(int(headers.get("content-length", 0)))
        with LOCK, open(os.path.join(STATE, "log"), "a") as log:
            log.write(json.dumps({"server": self.server, "method": line[0], "path": line[1],
                                  "authorization": headers.get("authorization", ""),
                                  "range": headers.get("range", ""), "if-range": headers.get("if-range", "")}) + "\n")
        headers["target"] = line[1]
        return line[0], line[1], headers, body

    def send(self, data):
        while self.limit and data:
            size = self.limit.take(len(data), self.in_layer)
            self.sock.sendall(data[:size])
            data = data[size:]
            if not data:
                return
            if self.limit.is_over():
                break
            self.sock.settimeout(0.02)
            try:
                if self.sock.recv(1, socket.MSG_PEEK) == b"":
                    raise ConnectionError
            except TimeoutError:
                pass
            self.sock.settimeout(None)
        self.sock.sendall(data)

    def answer(self, status, body=b"", headers=(), length=True, head=False):
        lines = [f"HTTP/1.1 {status} X"] + [f"{k}: {v}" for k, v in headers]
        if length and not any(k.lower() == "content-length" for k, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head else body))

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.file.close()
        self.sock.close()
        raise ConnectionError


def count(key):
    with LOCK:
        COUNTS[key] = COUNTS.get(key, 0) + 1
        return COUNTS[key]


def challenge(client, name, headers):
    """True when the request was turned away."""
    a = host_of("a")
    wanted = {
        "auth-loop": 'Basic realm="x"',
        "realm-file": 'Bearer realm="file:///etc/passwd"',
        "realm-empty": "Bearer",
        "realm-metadata": 'Bearer realm="http://169.254.169.254/latest"',
        "realm-userinfo": f'Bearer realm="http://user:pw@{a}/token"',
        "realm-http": f'Bearer realm="http://{a}/token/good",service="s"',
        "realm-link-local": 'Bearer realm="https://169.254.169.254/latest"',
        "realm-loopback": 'Bearer realm="https://127.0.0.1/token"',
        "realm-number": 'Bearer realm="https://2130706433/token"',
        "token-forever": f'Bearer realm="http://{a}/token/forever",service="s"',
        "token-expires": f'Bearer realm="http://{a}/token/short",service="s"',
        "identity": f'Bearer realm="http://{a}/token/identity",service="s"',
        "helper-broken": 'Basic realm="x"',
        "token-empty": f'Bearer realm="http://{a}/token/empty",service="s"',
        "token-huge": f'Bearer realm="http://{a}/token/huge",service="s"',
        "token-crlf": f'Bearer realm="http://{a}/token/crlf",service="s"',
        "token-html": f'Bearer realm="http://{a}/token/html",service="s"',
        "token-redirect": f'Bearer realm="http://{a}/token/redirect",service="s"',
        "token-good": f'Bearer realm="http://{a}/token/good",service="s",scope="repository:x/token-good:pull"',
        "redirect-auth": 'Basic realm="x"',
        "push-elsewhere": 'Basic realm="x"',
    }.get(name)
    if not wanted:
        return False
    authorization = headers.get("authorization", "")
    if name == "token-good" and authorization == "Bearer good-token":
        return False
    if name == "token-forever" and authorization == "Bearer forever":
        return False
    if name == "identity" and authorization == "Bearer by-identity":
        return False
    if name == "token-expires" and authorization == f"Bearer short-{COUNTS.get('short', 0)}" and count("uses") % 2:
        return False
    if name in ("redirect-auth", "push-elsewhere") and authorization.startswith("Basic "):
        return False
    client.answer(401, b"{}", [("WWW-Authenticate", wanted)])
    return True


def token(client, kind, body):
    b = host_of("b")
    if kind == "forever":
        return client.answer(200, b'{"token": "forever", "expires_in": 1000000000000000000}')
    if kind == "short":
        return client.answer(200, json.dumps({"token": f"short-{count('short')}", "expires_in": 1}).encode())
    if kind == "identity":
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != "the-identity":
            return client.answer(401, b"{}")
        return client.answer(200, b'{"access_token": "by-identity"}')
    if kind == "good":
        return client.answer(200, b'{"token": "good-token", "expires_in": -1}')
    if kind == "empty":
        return client.answer(200, b'{"token": ""}')
    if kind == "huge":
        return client.answer(200, json.dumps({"token": "a" * (2 << 20)}).encode())
    if kind == "crlf":
        return client.answer(200, b'{"token": "a\\r\\nX-Evil: 1"}')
    if kind == "redirect":
        return client.answer(302, b"", [("Location", f"http://{b}/steal")])
    client.answer(200, b"<html>hello</html>", [("Content-Type", "text/html")])


def serve_manifest(client, name, reference, image):
    b = host_of("b")
    body, kind = image.manifest(), image.media_type
    headers = []
    if name.startswith("foreign"):
        body = body.replace(b"OTHER", host_of("b").encode())
    if name == "html":
        body, kind = b"<html>captive portal</html>", "text/html"
    elif name == "not-json":
        body = b"\xef\xbb\xbf{]"
    elif name == "nul-json":
        body = body.replace(b"{", b"{\0", 1)
    elif name == "duplicate-keys":  # of two, the last counts, as everywhere
        body = b'{"layers": [{"digest": "sha256:no", "size": -1}],' + body[1:]
    elif name == "deep-json":
        body = b"[" * 100000 + b"]" * 100000
    elif name == "manifest-5m":
        body = body[:-1] + b" " * (5 << 20) + b"}"
    elif name == "manifest-endless":
        client.answer(200, b"", [("Content-Type", kind), ("Transfer-Encoding", "chunked")], length=False)
        while True:
            client.send(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
    elif name == "content-digest":
        headers.append(("Docker-Content-Digest", "sha256:" + "1" * 64))
    elif name in ("index-none", "index-loop", "index-nested", "index-lies", "index-good", "index-types",
                  "tag-moves"):
        if reference == "1":
            value = {"digest": digest(body), "size": len(body), "mediaType": kind,
                     "platform": {"os": "linux", "architecture": "amd64"}}
            other = {**value, "platform": {"os": "linux", "architecture": "s390x"}}
            entries = {"index-none": [other], "index-lies": [{**value, "size": len(body) + 1}],
                       "index-types": [{**value, "platform": "linux"}], "tag-moves": [value, other] * count(name),
                       "index-good": [other, value, {**value, "platform": {"os": "unknown", "architecture": "unknown"},
                                                     "annotations": {"vnd.docker.reference.type": "attestation"}}]}
            if name in entries:
                body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries[name]}).encode()
            else:
                for _ in range(50):
                    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
                        {"digest": digest(body), "size": len(body), "mediaType": OCI_INDEX,
                         "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
                    image.overrides[digest(body)] = body
            kind = OCI_INDEX
        elif reference in image.overrides:
            body, kind = image.overrides[reference], OCI_INDEX
    elif name == "redirect-loop":
        return client.answer(307, b"", [("Location", f"/v2/x/{name}/manifests/{reference}")])
    elif name.startswith("redirect-chain"):
        hop = int(reference) if reference.isdigit() else 1
        if hop < int(name[15:]):
            return client.answer(307, b"", [("Location", str(hop + 1))])
    elif name == "redirect-unix":
        return client.answer(307, b"", [("Location", "unix:///run/docker.sock")])
    elif name == "redirect-metadata":
        return client.answer(307, b"", [("Location", "http://169.254.169.254/latest")])
    elif name == "redirect-plain":
        return client.answer(307, b"", [("Location", f"http://{b}/stored/x")])
    elif name == "redirect-file":
        return client.answer(307, b"", [("Location", "file:///etc/passwd")])
    elif name == "redirect-nowhere":
        return client.answer(307, b"")
    elif name == "header-huge":
        headers.append(("X-Long", "a" * (1 << 20)))
    elif name == "headers-many":
        headers += [(f"X-{i}", "a") for i in range(10000)]
    elif name == "header-nul":
        headers.append(("X-Nul", "a\0b"))
    elif name == "interim-flood":
        client.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 10000)
    elif name == "continue-endless":
        while True:
            client.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    elif name == "two-lengths":
        return client.answer(200, body, [("Content-Type", kind), ("Content-Length", "10"),
                                         ("Content-Length", str(len(body)))], length=False)
    elif name == "length-and-chunked":
        return client.answer(200, b"5\r\nhello\r\n0\r\n\r\n", [("Content-Type", kind), ("Content-Length", "5"),
                                                              ("Transfer-Encoding", "chunked")], length=False)
    elif name == "no-http":
        client.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        return client.reset()
    elif name == "silent":
        time.sleep(30)
        return client.reset()
    elif name == "busy-once" and count(name) == 1:
        return client.answer(429, b"{}", [("Retry-After", "-1")])
    elif name == "busy-date" and count(name) == 1:
        return client.answer(429, b"{}", [("Retry-After", "Fri, 31 Dec 2999 23:59:59 GMT")])
    elif name == "busy-huge" and count(name) == 1:
        return client.answer(429, b"{}", [("Retry-After", "1000000000")])
    elif name == "broken-once" and count(name) == 1:
        return client.answer(503, b"{}")
    elif name == "gone":
        return client.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
    elif name == "denied":
        return client.answer(403, b'{"errors":[{"code":"DENIED","message":"\\u001b[31mdenied"}]}')
    client.answer(200, body, [("Content-Type", kind)] + headers)


def serve_layer(client, name, data, headers):
    """The layer's bytes, or what this registry makes of them. True when it was answered."""
    start = 0
    if headers.get("range", "").startswith("bytes="):
        start = int(headers["range"][6:].split("-")[0])
    b = host_of("b")
    if name in ("redirect-auth", "redirect-blob"):
        return client.answer(307, b"", [("Location", f"http://{b}/stored/" + name)])
    if name == "length-plus":
        return client.answer(200, data, [("Content-Length", len(data) + 1)])
    if name == "length-minus":
        return client.answer(200, data[:-1], [("Content-Length", len(data) - 1)])
    if name == "longer":
        return client.answer(200, b"%x\r\n" % (len(data) + 5) + data + b"extra\r\n0\r\n\r\n",
                             [("Transfer-Encoding", "chunked")], length=False)
    if name == "chunks-cut":
        client.answer(200, b"%x\r\n" % len(data) + data[:1000], [("Transfer-Encoding", "chunked")], length=False)
        return client.reset()
    if name == "always-cut":
        client.answer(200, data[:1000], [("Content-Length", len(data))])
        return client.reset()
    if name == "cut-validated":  # resumes only for those who name the version that they have begun
        etag = [("ETag", f'"{digest(data)}"')]
        if count(name) == 1:
            client.answer(200, data[:40000], [("Content-Length", len(data))] + etag)
            time.sleep(0.05)
            return client.reset()
        if headers.get("if-range", "") != etag[0][1]:
            return client.answer(400, b"{}")
        return client.answer(206, data[start:],
                             [("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")] + etag)
    if name in ("cut-resume", "cut-whole", "cut-wrong-range", "cut-416", "cut-other-bytes", "cut-often"):
        tries = count(name)
        if tries == 1 or (name == "cut-often" and tries < 30):
            part = data[start:start + 40000]
            client.answer(206 if start else 200, part, [("Content-Length", len(data) - start)] +
                          ([("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")] if start else []))
            time.sleep(0.05)
            return client.reset()
        if name == "cut-whole" or start == 0:
            return client.answer(200, data)
        if name == "cut-wrong-range":
            return client.answer(206, data[10:], [("Content-Range", f"bytes 10-{len(data) - 1}/{len(data)}")])
        if name == "cut-416":
            return client.answer(416, b"")
        rest = data[start:]
        if name == "cut-other-bytes":
            rest = bytes(len(rest))
        return client.answer(206, rest, [("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")])
    if name == "encoded":
        return client.answer(200, data, [("Content-Encoding", "gzip")])
    if name == "drip":
        client.answer(200, b"", [("Content-Length", len(data))])
        for i in range(200):
            client.send(data[i:i + 1])
            time.sleep(0.2)
        return client.reset()
    if name == "slow":  # for tests that kill the client half-way
        client.answer(200, b"", [("Content-Length", len(data) - start)] ) if not start else client.answer(
            206, b"", [("Content-Length", len(data) - start), ("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")])
        for at in range(start, len(data), 65536):
            client.send(data[at:at + 65536])
            time.sleep(0.15)
        return
    if name.startswith("several"):
        with LOCK, open(os.path.join(STATE, "served"), "a") as out:
            out.write(json.dumps({"name": name, "start": start, "size": len(data)}) + "\n")
        client.answer(206 if start else 200, b"", [("Content-Length", len(data) - start)] + (
            [("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")] if start else []))
        client.in_layer = True
        client.send(data[start:])
        client.in_layer = False
        return
    client.answer(200, data)


def handle_a(client):
    while True:
        request = client.read_request()
        if request is None:
            return
        method, path, headers, body = request
        parts = path.split("?")[0].strip("/").split("/")
        if parts[0] == "token":
            token(client, parts[1], body)
            continue
        if path == "/v2/":
            client.answer(200, b"{}")
            continue
        if len(parts) < 4:
            client.answer(404, b"{}")
            continue
        name, kind, reference = parts[2], parts[3], parts[4] if len(parts) > 4 else ""
        if challenge(client, name, headers):
            continue
        client.limit = Limit.of(name)
        image = get_image("several" if client.limit else name)
        if method in ("POST", "PUT", "PATCH"):
            push(client, name, method, reference, body, headers)
        elif kind == "manifests":
            serve_manifest(client, name, reference, image)
        elif kind == "blobs" and method == "HEAD":
            client.answer(200 if (name, reference) in BLOBS else 404, b"", head=True)
        elif kind == "blobs" and reference == "uploads":
            client.answer(204, b"", [("Range", f"0-{max(len(UPLOADS[name]) - 1, 0)}")])
        elif kind == "blobs" and reference in image.blobs():
            data = image.blobs()[reference]
            if reference != digest(image.config()):
                serve_layer(client, name, data, headers)
            else:
                client.answer(200, data)
        elif kind == "tags":
            tags(client, name, path)
        else:
            client.answer(404, b"{}")


def tags(client, name, path):
    following = {"tags-elsewhere": f"http://{host_of('b')}/v2/x/tags/list", "tags-self": path,
                 "tags-loop": "/v2/x/tags-loop/tags/list?page=" + ("b" if path.endswith("a") else "a")}.get(name)
    client.answer(200, json.dumps({"tags": ["1"]}).encode(),
                  [("Link", f"<{following}>; rel=\"next\"")] if following else [])


def push(client, name, method, reference, body, headers):
    b = host_of("b")
    place = f"/v2/x/{name}/blobs/uploads/1"
    if method == "POST":
        UPLOADS[name] = bytearray()
        location = {"push-elsewhere": f"http://{b}/upload", "push-file": "file:///tmp/x", "push-nowhere": None,
                    "push-relative": "1", "push-link-local": "http://169.254.169.254/upload"}.get(name, place)
        least = [("OCI-Chunk-Min-Length", "99999999")] if name == "push-chunk-min" else []
        return client.answer(202, b"", ([("Location", location)] if location else []) + least)
    if method == "PUT" and name == "push-broken-commit":
        return client.answer(500, b"{}")
    if name in ("push-too-large", "push-chunks", "push-short", "push-chunk-min") and method == "PUT" and len(body) > 100000:
        return client.answer(413, b"{}")
    if method == "PATCH" and name == "push-too-large":
        return client.answer(202, b"", [("Location", place), ("Range", "0-99999999999")])
    if method == "PATCH":
        first = int(headers.get("content-range", "0-0").split("-")[0])
        if first != len(UPLOADS[name]) or (name == "push-chunks" and count("refused") == 1):
            # Also once for no reason: whoever is told so asks how far things have come.
            return client.answer(416, b"", [("Location", place), ("Range", f"0-{len(UPLOADS[name]) - 1}")])
        UPLOADS[name] += body[:50000 + len(body) // 3] if name == "push-short" else body
        return client.answer(202, b"", [("Location", place), ("Range", f"0-{len(UPLOADS[name]) - 1}")])
    found = re.search("digest=([^&]+)", headers["target"])
    if found:
        wanted = urllib.parse.unquote(found[1])
        if name.startswith("push-") and digest(bytes(UPLOADS.pop(name, b"")) + body) != wanted:
            return client.answer(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "digest invalid"}]}')
        BLOBS.add((name, wanted))
    if reference and method == "PUT":
        return client.answer(201, b"", [("Docker-Content-Digest", "sha256:" + "2" * 64)] if name == "push-other" else [])
    client.answer(201, b"")


def handle_b(client):
    while True:
        request = client.read_request()
        if request is None:
            return
        method, path = request[0], request[1]
        if path.startswith("/stored/"):
            client.answer(200, get_image(path.split("/")[2]).layers[0])
        elif path.startswith("/upload"):
            client.answer(201, b"")
        else:
            client.answer(401, b"{}", [("WWW-Authenticate", 'Basic realm="b"')])


def run(server, listener, handler, context=None):
    def one(sock):
        try:
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            handler(Client(server, sock))
        except (OSError, ValueError):
            pass
        finally:
            sock.close()

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=one, args=(sock,), daemon=True).start()


def tls_context(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path + ".crt", path + ".key")
    if os.path.exists(path + ".ca"):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(path + ".ca")
    return context


def main():
    certs = os.path.join(STATE, "certs")
    contexts = {name[:-4]: tls_context(os.path.join(certs, name[:-4]))
                for name in (os.listdir(certs) if os.path.isdir(certs) else []) if name.endswith(".crt")}
    listeners = {}
    for server in ["a", "b", *contexts]:
        listeners[server] = socket.create_server((ADDRESS, 0), backlog=64)
        PORTS[server] = listeners[server].getsockname()[1]
    with open(os.path.join(STATE, "ports.tmp"), "w") as out:
        out.writelines(f"{name} {port}\n" for name, port in PORTS.items())
    os.rename(os.path.join(STATE, "ports.tmp"), os.path.join(STATE, "ports"))
    for server, listener in listeners.items():
        if server != "a":
            threading.Thread(target=run, args=(server, listener, handle_b if server == "b" else handle_a,
                                               contexts.get(server)), daemon=True).start()
    run("a", listeners["a"], handle_a)


if __name__ == "__main__":
    main()
