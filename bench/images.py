"""Times pulls from Debian's docker-registry on loopback against `gunzip` and `tar -x` of the same layer on the same disk,
alternating."""
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from pathlib import Path

REGISTRY = "127.0.0.1:5000"


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, argv))} failed:\n{done.stderr[-3000:]}")
    return done


def files_of_this_machine(limit):
    """Paths below /usr, in order, until they make `limit` bytes: much like a Debian image."""
    total, paths = 0, []
    for folder, folders, names in os.walk("/usr"):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            size = os.lstat(path).st_size
            if size > 20 << 20 or not (os.path.isfile(path) or os.path.islink(path)):
                continue
            if total + size > limit:
                return paths
            total += size
            paths.append(path)
    return paths


def make_layer(layout, paths):
    """A gzip layer of the files; returns (descriptor, diff id, path)."""
    plain = layout.parent / "layer.tar"
    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            tar.add(path, arcname=path[1:], recursive=False)
    diff = hashlib.sha256(plain.read_bytes()).hexdigest()
    run("gzip", "-f", "-n", str(plain))
    data = (layout.parent / "layer.tar.gz").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    blob = layout / "blobs" / "sha256" / digest
    blob.write_bytes(data)
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + digest,
            "size": len(data)}, "sha256:" + diff, blob


def write_json(layout, value, kind):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}


def push(layout, name, layers):
    config = write_json(layout, {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]},
                                 "rootfs": {"type": "layers", "diff_ids": [diff for _, diff, _ in layers]}},
                        "application/vnd.oci.image.config.v1+json")
    manifest = write_json(layout, {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                   "config": config, "layers": [layer for layer, _, _ in layers]},
                          "application/vnd.oci.image.manifest.v1+json")
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {**manifest, "annotations": {"org.opencontainers.image.ref.name": "x"}}]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    run("skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout}:x", f"docker://{REGISTRY}/{name}:1")


class Images:
    def __init__(self, bench, compose, megabytes=170):
        self.work, self.compose, self.megabytes = bench.work / "images", compose, megabytes
        self.work.mkdir()
        self.env = {**bench.env, "COMPOSE_STATE_DIR": str(self.work / "state"), "COMPOSE_RUN_DIR": str(self.work / "run")}

    def start_registry(self):
        (self.work / "registry").mkdir()
        config = self.work / "registry.yml"
        config.write_text(f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: "
                          f"{{rootdirectory: {self.work}/registry}}}}\nhttp: {{addr: {REGISTRY}}}\n")
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return process

    def fill_registry(self):
        """One image of one layer, the same files as eight layers, and each of those alone. Returns the one layer."""
        layout = self.work / "layout"
        (layout / "blobs" / "sha256").mkdir(parents=True)
        paths = files_of_this_machine(self.megabytes << 20)
        one = make_layer(layout, paths)
        push(layout, "one", [one])
        share = -(-len(paths) // 8)
        eight = [make_layer(layout, paths[i * share:(i + 1) * share]) for i in range(8)]
        push(layout, "eight", eight)
        for i, layer in enumerate(eight):
            push(layout, f"part{i}", [layer])
        return one[2]

    def pull(self, *names):
        """Seconds and the most memory in MB, into an empty store."""
        shutil.rmtree(self.work / "state", ignore_errors=True)
        os.sync()
        seconds, memory = 0.0, 0
        for name in names:
            started = time.perf_counter()
            child = subprocess.Popen([str(self.compose), "image", "pull", "-q", f"{REGISTRY}/{name}:1"], env=self.env,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # Not ru_maxrss: that remembers the size of this program, from which the child was forked.
            status = Path(f"/proc/{child.pid}/status")
            while child.poll() is None:
                for line in status.read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        memory = max(memory, int(line.split()[1]))
                time.sleep(0.01)
            seconds += time.perf_counter() - started
            if child.returncode != 0:
                sys.exit(f"bench: pull {name} failed: {child.stderr.read().decode()}")
        return seconds, memory / 1024

    def unpack(self, blob):
        target = self.work / "unpacked"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        os.sync()
        started = time.perf_counter()
        run("sh", "-c", f"gunzip -c {blob} | tar -x -C {target}")
        return time.perf_counter() - started

    def measure(self, row, rounds=3):
        registry = self.start_registry()
        unpack, one, eight, parts, memory = [], [], [], [], []
        try:
            blob = self.fill_registry()
            for _ in range(rounds):
                unpack.append(self.unpack(blob))
                for times, names in ((one, ["one"]), (eight, ["eight"]), (parts, [f"part{i}" for i in range(8)])):
                    seconds, size = self.pull(*names)
                    times.append(seconds)
                    memory.append(size)
        finally:
            registry.kill()
            registry.wait()
            shutil.rmtree(self.work, ignore_errors=True)
        whole, gunzip = statistics.median(one), statistics.median(unpack)
        value = whole / gunzip
        row(f"pull of {self.megabytes} MB in one layer, against gunzip and tar ({whole:.2f} / {gunzip:.2f} s)", value, "x",
            "<= 1.3", value <= 1.3)
        together, apart = statistics.median(eight), statistics.median(parts)
        value = together / apart
        row(f"pull of 8 layers, against one by one ({together:.2f} / {apart:.2f} s)", value, "x", "<= 0.7", value <= 0.7)
        row("memory while pulling", max(memory), "MB", "<= 64", max(memory) <= 64)
