"""Times what flows through a running stack: bytes of a published port and a bridge, DNS answers, log lines. Used by bench.py."""
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "load.cpp"
GIGABYTE = 10 ** 9
SECONDS = "1"
PROJECT = """name: streams
services:
  server:
    image: bench
    command: [load, serve, "7000"]
    ports: ["17000:7000"]
  client:
    image: bench
    command: [sleep, "100000"]
"""
WRITER = """name: writer
services:
  writer:
    image: bench
    command: [load, lines, "{bytes}", "100"]
    logging: {{driver: json-file, options: {{max-size: 3g, max-file: "1"}}}}
"""
PROBED = """name: probed
services:
  first:
    image: bench
    command: [sleep, "100000"]
    healthcheck: {test: [CMD, "true"], interval: 50ms, start_period: 10s}
  second:
    image: bench
    command: [sleep, "100000"]
    depends_on: {first: {condition: service_healthy}}
"""


def compile_load(folder):
    """The load program, linked statically so that it runs in the image too."""
    program = folder / "load"
    subprocess.run(["g++", "-O2", "-std=c++20", "-static", str(SOURCE), "-o", str(program)], check=True)
    return program


class BareVeth:
    """The same server in a network namespace of its own, on nothing but a veth."""

    def __init__(self, load):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "100000"])
        self.server = None
        deadline = time.monotonic() + 5
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == own and time.monotonic() < deadline:
            time.sleep(0.01)
        self.inside = ["nsenter", "-t", str(self.holder.pid), "-n"]
        for command in ("ip link add bare0 type veth peer name bare1", f"ip link set bare1 netns {self.holder.pid}",
                        "ip addr add 10.213.7.1/24 dev bare0", "ip link set bare0 up"):
            subprocess.run(command.split(), check=True)
        for command in ("ip addr add 10.213.7.2/24 dev bare1", "ip link set bare1 up"):
            subprocess.run(self.inside + command.split(), check=True)
        self.server = subprocess.Popen(self.inside + [str(load), "serve", "7000"])

    def close(self):
        for process in (self.server, self.holder):
            if process:
                process.kill()
                process.wait()


class Streams:
    def __init__(self, bench, compose):
        self.bench, self.compose_path, self.load = bench, compose, bench.work / "load"
        self.files = {}
        for name, text in (("streams", PROJECT), ("writer", WRITER.format(bytes=GIGABYTE)), ("probed", PROBED)):
            self.files[name] = bench.work / f"{name}.yaml"
            self.files[name].write_text(text)

    def compose(self, name, *arguments, **options):
        return self.bench.compose("-f", str(self.files[name]), *arguments, **options)

    def rate(self, command):
        done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, env=self.bench.env)
        return float(done.stdout.split()[0])

    def measure_throughput(self, row):
        bare = BareVeth(self.load)
        rates = {"bare": [], "port": [], "bridge": []}
        inside = [self.compose_path, "-f", self.files["streams"], "exec", "-T", "client", "load", "fetch"]
        try:
            for _ in range(5):
                rates["bare"].append(self.rate([self.load, "fetch", "10.213.7.2", "7000", SECONDS]))
                rates["port"].append(self.rate([self.load, "fetch", "10.213.7.1", "17000", SECONDS]))
                rates["bridge"].append(self.rate([*inside, self.address, "7000", SECONDS]))
        finally:
            bare.close()
        mid = {name: statistics.median(values) for name, values in rates.items()}
        for name, what in (("port", "published port"), ("bridge", "bridge, container to container")):
            ratio = mid[name] / mid["bare"]
            row(f"{what}, against a bare veth ({mid[name] / 1e9:.1f} / {mid['bare'] / 1e9:.1f} GB/s)", ratio, "x", ">= 0.95",
                ratio >= 0.95)

    def measure_dns(self, row):
        found = []
        for _ in range(3):
            done = self.compose("streams", "exec", "-T", "client", "load", "dns", "127.0.0.11", "server", "2", "64")[1]
            found.append([float(part) for part in done.stdout.split()])
        rate, slow = (statistics.median(values) for values in zip(*found))
        row("DNS answers a second from one supervisor", rate / 1000, "k/s", ">= 60", rate >= 60000)
        row("99th percentile of their time under that load", slow / 1000, "ms", "<= 2", slow <= 2000)

    def measure_logs(self, row):
        capture, read, peak = [], [], 0
        for _ in range(3):
            started = time.perf_counter()
            self.compose("writer", "up", "-d")
            pid = self.supervisor("writer")
            self.compose("writer", "wait", "writer")
            capture.append(GIGABYTE / 1e6 / (time.perf_counter() - started))
            peak = max(peak, int(re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1)))
            started = time.perf_counter()
            with open(self.bench.work / "lines", "wb") as out:
                subprocess.run([str(self.compose_path), "-f", str(self.files["writer"]), "logs", "--no-color", "--no-log-prefix"],
                               check=True, stdout=subprocess.DEVNULL, env=self.bench.env)
            read.append(GIGABYTE / 1e6 / (time.perf_counter() - started))
            self.compose("writer", "down", "-t", "0")
        rate = statistics.median(capture)
        row("capture of 1 GB of log lines, start to exit", rate, "MB/s", ">= 250", rate >= 250)
        row("memory of the supervisor meanwhile (VmHWM)", peak / 1024, "MB", "<= 16", peak / 1024 <= 16)
        rate = statistics.median(read)
        row("logs of that, read back", rate, "MB/s", ">= 250", rate >= 250)

    def supervisor(self, project):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (entry / "cmdline").read_bytes().startswith(f"compose: supervisor [{project}]".encode()):
                        return entry.name
                except OSError:
                    pass
        raise SystemExit(f"bench: {project} has no supervisor")

    def measure_probe(self, row):
        """From the end of the first probe that passes to the start of who waits for it, as inspect has them."""
        gaps = []
        for _ in range(5):
            self.compose("probed", "up", "-d")
            first, second = (json.loads(self.bench.compose("container", "inspect", f"probed-{name}-1")[1].stdout)[0]["State"]
                             for name in ("first", "second"))
            passed = next(probe["End"] for probe in first["Health"]["Log"] if probe["ExitCode"] == 0)
            gaps.append((stamp(second["StartedAt"]) - stamp(passed)) * 1000)
            self.compose("probed", "down", "-t", "0")
        gap = statistics.median(gaps)
        row("from a passing probe to the dependent's start", gap, "ms", "<= 10", gap <= 10)

    def measure(self, row):
        try:
            self.compose("streams", "up", "-d")
            self.address = self.compose("streams", "exec", "-T", "server", "ip", "-4", "-o", "addr", "show", "eth0")[1].stdout
            self.address = re.search(r"inet ([0-9.]+)", self.address).group(1)
            self.measure_throughput(row)
            self.measure_dns(row)
            self.compose("streams", "down", "-t", "0")
            self.measure_logs(row)
            self.measure_probe(row)
        finally:
            for name in self.files:
                self.compose(name, "down", "-t", "0", check=False)


def stamp(text):
    """Seconds of the day, since what is compared is never a day apart."""
    hour, minute, second = re.search(r"T(\d+):(\d+):([0-9.]+)Z", text).groups()
    return int(hour) * 3600 + int(minute) * 60 + float(second)
