#!/usr/bin/env python3
"""A registry that lies: the last part of the repository's name says how.

  hostile_registry.py STATE_DIR

Listens on two free ports of 127.0.0.1 and writes "PORT_A PORT_B" to STATE_DIR/ports. Every request is appended to
STATE_DIR/log as one JSON line: {"server": "a" or "b", "method", "path", "authorization"}. B stands for someone else's
host: whatever it hears of passwords is a leak.
"""
import gzip
import hashlib
import io
import json
import os
import socket
import struct
import sys
import tarfile
import threading
import time

STATE = sys.argv[1]
PORTS = {}
COUNTS = {}
LOCK = threading.Lock()

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_tar(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def entry(name, data=b"x", kind=tarfile.REGTYPE, link="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info, data if kind == tarfile.REGTYPE else b""


# Enough that a connection can be cut in the middle, and not compressible.
NOISE = b"".join(hashlib.sha256(struct.pack(">I", i)).digest() for i in range(40000))
GOOD_TAR = make_tar([entry("file", NOISE)])


class Image:
    """A manifest, its config and its layers; scenario code changes what it wants to."""

    def __init__(self, tars=None):
        self.tars = tars or [GOOD_TAR]
        self.layers = [gzip.compress(tar, 1, mtime=0) for tar in self.tars]
        self.diff_ids = [digest(tar) for tar in self.tars]
        self.config_extra = {}
        self.manifest_extra = {}
        self.media_type = OCI_MANIFEST
        self.patch = None
        self.overrides = {}  # digest -> other bytes

    def config(self):
        value = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
                 "rootfs": {"type": "layers", "diff_ids": self.diff_ids}, **self.config_extra}
        return json.dumps(value).encode()

    def manifest(self):
        config = self.config()
        value = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                 "config": {"mediaType": OCI_CONFIG, "digest": digest(config), "size": len(config)},
                 "layers": [{"mediaType": OCI_LAYER, "digest": digest(x), "size": len(x)} for x in self.layers],
                 **self.manifest_extra}
        if self.patch:
            self.patch(value)
        return json.dumps(value).encode()

    def blobs(self):
        out = {digest(x): x for x in self.layers + [self.config()]}
        out.update(self.overrides)
        return out


def image_for(name):
    image = Image()
    first = image.layers[0]

    def layer(**changes):
        def patch(value):
            value["layers"][0].update(changes)
        image.patch = patch

    if name == "bad-layer":
        image.overrides[digest(first)] = first[:-1] + b"!"
    elif name == "bad-config":
        image.overrides[digest(image.config())] = image.config().replace(b"amd64", b"amd65")
    elif name == "garbage-gzip":
        image.layers = [b"\x1f\x8b\x08\x00" + NOISE[:100000]]
    elif name == "truncated-gzip":
        image.layers = [first[:-100000]]
    elif name == "wrong-diff-id":
        image.diff_ids = ["sha256:" + "0" * 64]
    elif name == "diff-ids-missing":
        image.diff_ids = []
    elif name == "digest-path":
        layer(digest="sha256:../../../../etc/passwd")
    elif name == "digest-md5":
        layer(digest="md5:" + "a" * 32)
    elif name == "digest-upper":
        layer(digest="sha256:" + "A" * 64)
    elif name == "digest-short":
        layer(digest="sha256:" + "a" * 63)
    elif name == "size-negative":
        layer(size=-1)
    elif name == "size-huge":
        layer(size=2 ** 63 - 1)
    elif name == "size-text":
        layer(size="12")
    elif name == "size-small":
        layer(size=len(first) - 1)
    elif name == "size-large":
        layer(size=len(first) + 1)
    elif name == "layer-type":
        layer(mediaType="application/x-secret-sauce")
    elif name == "layer-encrypted":
        layer(mediaType=OCI_LAYER + "+encrypted")
    elif name == "config-type":
        image.patch = lambda value: value["config"].update(mediaType="application/vnd.cncf.helm.config.v1+json")
    elif name == "both-kinds":
        image.manifest_extra = {"manifests": []}
    elif name == "schema1":
        image.manifest_extra = {"schemaVersion": 1}
    elif name == "schema3":
        image.manifest_extra = {"schemaVersion": 3}
    elif name == "schema-text":
        image.manifest_extra = {"schemaVersion": "2"}
    elif name == "many-layers":
        image.patch = lambda value: value.update(layers=value["layers"] * 10000)
    elif name == "no-layers":
        image.layers, image.diff_ids = [], []
    elif name == "media-mismatch":
        image.media_type = DOCKER_MANIFEST
    elif name == "env-strange":
        image.config_extra = {"config": {"Env": [12], "Cmd": ["/x"]}}
    elif name == "entrypoint-strange":
        image.config_extra = {"config": {"Entrypoint": {"a": 1}}}
    elif name == "volumes-climb":
        image.config_extra = {"config": {"Volumes": {"../../etc": {}}, "Cmd": ["/x"]}}
    elif name == "wrong-machine":
        image.config_extra = {"architecture": "s390x"}
    elif name == "tar-climbs":
        image = Image([make_tar([entry("../../../canary", b"climbed"), entry("/canary2", b"absolute"),
                                 entry("a", kind=tarfile.SYMTYPE, link="/"), entry("a/canary3", b"through"),
                                 entry("b", kind=tarfile.LNKTYPE, link="../../../etc/passwd"), entry("fine")])])
    elif name == "zeros":
        image = Image([make_tar([entry("zeros", bytes(200 << 20))])])
    return image


IMAGES = {}


def get_image(name):
    with LOCK:
        if name not in IMAGES:
            IMAGES[name] = image_for(name)
        return IMAGES[name]


class Client:
    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.file = sock.makefile("rb")

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
                                  "authorization": headers.get("authorization", "")}) + "\n")
        return line[0], line[1], headers, body

    def send(self, data):
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
    b = f"127.0.0.1:{PORTS['b']}"
    a = f"127.0.0.1:{PORTS['a']}"
    wanted = {
        "auth-loop": 'Basic realm="x"',
        "realm-file": 'Bearer realm="file:///etc/passwd"',
        "realm-empty": "Bearer",
        "realm-metadata": 'Bearer realm="http://169.254.169.254/latest"',
        "realm-userinfo": f'Bearer realm="http://user:pw@{a}/token"',
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
    if name in ("redirect-auth", "push-elsewhere") and authorization.startswith("Basic "):
        return False
    client.answer(401, b"{}", [("WWW-Authenticate", wanted)])
    return True


def token(client, kind):
    b = f"127.0.0.1:{PORTS['b']}"
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
    b = f"127.0.0.1:{PORTS['b']}"
    body, kind = image.manifest(), image.media_type
    headers = []
    if name == "html":
        body, kind = b"<html>captive portal</html>", "text/html"
    elif name == "not-json":
        body = b"\xef\xbb\xbf{]"
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
    elif name in ("index-none", "index-loop", "index-nested", "index-lies", "index-good"):
        if reference == "1":
            value = {"digest": digest(body), "size": len(body), "mediaType": kind,
                     "platform": {"os": "linux", "architecture": "amd64"}}
            other = {**value, "platform": {"os": "linux", "architecture": "s390x"}}
            entries = {"index-none": [other], "index-lies": [{**value, "size": len(body) + 1}],
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
    b = f"127.0.0.1:{PORTS['b']}"
    if name in ("redirect-auth", "redirect-blob"):
        return client.answer(307, b"", [("Location", f"http://{b}/stored/" + name)])
    if name == "length-plus":
        return client.answer(200, data, [("Content-Length", len(data) + 1)])
    if name == "length-minus":
        return client.answer(200, data[:-1], [("Content-Length", len(data) - 1)])
    if name == "longer":
        return client.answer(200, b"%x\r\n" % (len(data) + 5) + data + b"extra\r\n0\r\n\r\n",
                             [("Transfer-Encoding", "chunked")], length=False)
    if name == "always-cut":
        client.answer(200, data[:1000], [("Content-Length", len(data))])
        return client.reset()
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
    client.answer(200, data)


def handle_a(client):
    while True:
        request = client.read_request()
        if request is None:
            return
        method, path, headers, body = request
        parts = path.split("?")[0].strip("/").split("/")
        if parts[0] == "token":
            token(client, parts[1])
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
        image = get_image(name)
        if method in ("POST", "PUT", "PATCH"):
            push(client, name, method, reference, body, headers)
        elif kind == "manifests":
            serve_manifest(client, name, reference, image)
        elif kind == "blobs" and method == "HEAD":
            client.answer(404, b"", head=True)
        elif kind == "blobs" and reference in image.blobs():
            data = image.blobs()[reference]
            if reference == digest(image.layers[0]) if image.layers else False:
                serve_layer(client, name, data, headers)
            else:
                client.answer(200, data)
        elif kind == "tags":
            client.answer(200, json.dumps({"tags": ["1"]}).encode(),
                          [("Link", f"<http://127.0.0.1:{PORTS['b']}/v2/x/tags/list>; rel=\"next\"")])
        else:
            client.answer(404, b"{}")


def push(client, name, method, reference, body, headers):
    b = f"127.0.0.1:{PORTS['b']}"
    if method == "POST":
        location = {"push-elsewhere": f"http://{b}/upload", "push-file": "file:///tmp/x", "push-nowhere": None}.get(
            name, f"/v2/x/{name}/blobs/uploads/1")
        return client.answer(202, b"", [("Location", location)] if location else [])
    if method == "PUT" and name == "push-broken-commit":
        return client.answer(500, b"{}")
    if method == "PUT" and name == "push-too-large" and len(body) > 100000:
        return client.answer(413, b"{}")
    if method == "PATCH":
        return client.answer(202, b"", [("Location", f"/v2/x/{name}/blobs/uploads/1"), ("Range", "0-99999999999")])
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


def run(server, listener, handler):
    def one(sock):
        try:
            handler(Client(server, sock))
        except (OSError, ValueError):
            pass
        finally:
            sock.close()

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=one, args=(sock,), daemon=True).start()


def main():
    listeners = {}
    for server in ("a", "b"):
        listeners[server] = socket.create_server(("127.0.0.1", 0), backlog=64)
        PORTS[server] = listeners[server].getsockname()[1]
    with open(os.path.join(STATE, "ports.tmp"), "w") as out:
        out.write(f"{PORTS['a']} {PORTS['b']}\n")
    os.rename(os.path.join(STATE, "ports.tmp"), os.path.join(STATE, "ports"))
    threading.Thread(target=run, args=("b", listeners["b"], handle_b), daemon=True).start()
    run("a", listeners["a"], handle_a)


if __name__ == "__main__":
    main()
