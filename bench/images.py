#!/usr/bin/env python3
"""Times pulls from Debian's docker-registry on loopback against `gunzip` and `tar -x` of the same layer on the same disk,
alternating. Run it through scripts/bench-images, in a network namespace of its own."""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = Path(os.environ.get("COMPOSE_BINARY", ROOT / "build" / "release" / "compose"))
REGISTRY = "127.0.0.1:5000"


def run(*argv, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
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


def push(work, layout, name, layers):
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


class Bench:
    def __init__(self, work):
        self.work = work
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work), "COMPOSE_STATE_DIR": str(work / "state"),
                    "COMPOSE_RUN_DIR": str(work / "run")}

    def pull(self, *names):
        """Seconds and the most memory in KB, from an empty store."""
        shutil.rmtree(self.work / "state", ignore_errors=True)
        os.sync()
        seconds, memory = 0.0, 0
        for name in names:
            started = time.perf_counter()
            child = subprocess.Popen([str(COMPOSE), "image", "pull", "-q", f"{REGISTRY}/{name}:1"], env=self.env,
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
        return seconds, memory

    def unpack(self, blob):
        target = self.work / "unpacked"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        os.sync()
        started = time.perf_counter()
        run("sh", "-c", f"gunzip -c {blob} | tar -x -C {target}")
        return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=170, help="megabytes, unpacked")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="compose-bench-"))
    registry = None
    try:
        (work / "registry").mkdir()
        (work / "registry.yml").write_text(f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: "
                                           f"{{filesystem: {{rootdirectory: {work}/registry}}}}\nhttp: {{addr: {REGISTRY}}}\n")
        registry = subprocess.Popen(["docker-registry", "serve", str(work / "registry.yml")], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        layout = work / "layout"
        (layout / "blobs" / "sha256").mkdir(parents=True)
        paths = files_of_this_machine(options.size << 20)
        time.sleep(1)
        one = make_layer(layout, paths)
        push(work, layout, "one", [one])
        share = -(-len(paths) // 8)
        eight = [make_layer(layout, paths[i * share:(i + 1) * share]) for i in range(8)]
        push(work, layout, "eight", eight)
        for i, layer in enumerate(eight):
            push(work, layout, f"part{i}", [layer])

        bench = Bench(work)
        figures = {"pull": [], "unpack": [], "eight": [], "parts": [], "memory": []}
        for _ in range(options.rounds):
            figures["unpack"].append(bench.unpack(one[2]))
            seconds, memory = bench.pull("one")
            figures["pull"].append(seconds)
            eight_seconds, eight_memory = bench.pull("eight")
            figures["eight"].append(eight_seconds)
            figures["parts"].append(bench.pull(*[f"part{i}" for i in range(8)])[0])
            figures["memory"].append(max(memory, eight_memory) / 1024)
    finally:
        if registry:
            registry.kill()
            registry.wait()
        shutil.rmtree(work, ignore_errors=True)

    mid = {name: statistics.median(values) for name, values in figures.items()}
    rows = [(f"pull of {options.size} MB in one layer, against gunzip and tar ({mid['pull']:.2f} / {mid['unpack']:.2f} s)",
             mid["pull"] / mid["unpack"], "x", 1.3),
            (f"pull of 8 layers, against one by one ({mid['eight']:.2f} / {mid['parts']:.2f} s)",
             mid["eight"] / mid["parts"], "x", 0.7),
            ("memory while pulling", mid["memory"], "MB", 64)]
    width = max(len(name) for name, *_ in rows)
    for name, value, unit, limit in rows:
        print(f"{name:<{width}}  {value:>7.2f} {unit:<3} <= {limit:<4}  {'met' if value <= limit else 'MISSED'}", file=sys.stderr)
    print(json.dumps({"rounds": options.rounds, "figures": mid, "raw": figures}))


if __name__ == "__main__":
    main()
