"""The images of hostile_registry.py: a sound one, and what the scenarios make of it."""
import gzip
import hashlib
import io
import json
import struct
import subprocess
import tarfile
import threading

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
        self.gone = set()  # digests that are not served
        self.empty_config = False

    def config(self):
        if self.empty_config:
            return b""
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
        return {key: value for key, value in out.items() if key not in self.gone}


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
    elif name == "digest-long":
        layer(digest="sha256:" + "a" * 65)
    elif name == "layer-types":
        image.patch = lambda value: value.update(layers=["layer"])
    elif name == "config-empty":
        image.empty_config = True
    elif name == "same-layer":
        image = Image([make_tar([entry("small")])] * 200)
    elif name == "foreign-urls":
        layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["http://OTHER/stored/x"])
    elif name == "foreign-gone":
        layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["http://OTHER/stored/x"])
        image.gone = {digest(first)}
    elif name == "data-field":
        layer(data="bm90IHRoZSBsYXllcg==")
    elif name == "history-long":
        image.config_extra = {"history": [{"created_by": f"step {i}"} for i in range(50)]}
    elif name == "history-strange":
        image.config_extra = {"history": "none"}
    elif name == "packed-twice":
        image.layers = [gzip.compress(first, 1, mtime=0)]
    elif name == "zstd":
        image.layers = [subprocess.run(["zstd", "-qc"], input=tar, stdout=subprocess.PIPE, check=True).stdout
                        for tar in image.tars]
        layer(mediaType="application/vnd.oci.image.layer.v1.tar+zstd")
    elif name.startswith("several"):
        # Five layers of different sizes, 600 kB in all, none of which can be compressed.
        image = Image([make_tar([entry(f"layer{i}", NOISE[i * 70000:i * 70000 + 40000 + i * 40000])])
                       for i in range(5)])
    return image


IMAGES = {}


def get_image(name):
    with LOCK:
        if name not in IMAGES:
            IMAGES[name] = image_for(name)
        return IMAGES[name]
