#!/usr/bin/env python3
"""Times the engine in a network namespace of its own and, alternating with it, the floor: a program that makes the same
kernel objects and nothing else. See README.md beside this file for what each figure means."""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from builds import Builds  # noqa: E402: beside this file
from by_hand import ByHand  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
FLOOR_SOURCE = ROOT.parent / "shared" / "bench" / "floor.cpp"
COMPOSE = ROOT / "build" / "release" / "compose"


def config_file(services):
    """A file of many services with what services have: environment, ports, volumes, a health check, a dependency."""
    lines = ["services:"]
    for i in range(services):
        lines += [f"  svc{i:04}:", f"    image: registry.example/team/app{i % 17}:1.{i}",
                  "    environment:", "      LOG_LEVEL: ${LOG_LEVEL:-info}", f"      SERVICE_ID: {i}", "      DATABASE_URL: postgres://db/app",
                  "      FEATURE_A: 'true'", f'    ports: ["{10000 + i}:80", "127.0.0.1:{20000 + i}:443/tcp"]',
                  f'    volumes: ["data{i % 50}:/var/lib/data", "./conf/{i}:/etc/app:ro"]', "    healthcheck:",
                  "      test: [CMD, curl, -f, http://localhost/health]", "      interval: 30s", "      timeout: 5s", "      retries: 3",
                  "    restart: unless-stopped", "    networks: [front, back]", f"    labels: {{team: t{i % 9}, tier: web}}"]
        if i:
            lines += ["    depends_on:", f"      svc{i - 1:04}: {{condition: service_healthy}}"]
    lines += ["networks: {front: {}, back: {}}", "volumes:"] + [f"  data{i}:" for i in range(50)]
    return "\n".join(lines) + "\n"


class Bench:
    def __init__(self, work, services):
        self.work, self.services = work, services
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work), "COMPOSE_STATE_DIR": str(work / "state"),
                    "COMPOSE_RUN_DIR": str(work / "run")}
        self.rootfs = work / "rootfs"
        (self.rootfs / "bin").mkdir(parents=True)
        for folder in ("proc", "sys", "dev", "etc", "tmp"):
            (self.rootfs / folder).mkdir()
        shutil.copy("/bin/busybox", self.rootfs / "bin" / "busybox")
        for name in ("sh", "sleep", "true", "rm"):
            os.link(self.rootfs / "bin" / "busybox", self.rootfs / "bin" / name)
        self.project = work / "project"
        self.project.mkdir()
        lines = ["name: bench", "services:"]
        for i in range(services):
            lines += [f"  s{i:03}:", "    image: bench", "    command: [sleep, '100000']"]
        (self.project / "compose.yaml").write_text("\n".join(lines) + "\n")

    def compose(self, *arguments, check=True):
        started = time.perf_counter()
        done = subprocess.run([str(COMPOSE), *arguments], cwd=self.project, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        elapsed = (time.perf_counter() - started) * 1000
        if check and done.returncode != 0:
            sys.exit(f"bench: compose {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return elapsed, done

    def config(self, services, rounds):
        path = self.work / f"config-{services}.yaml"
        path.write_text(config_file(services))
        return self.median_of(rounds, "-f", str(path), "config")

    def import_image(self):
        tar = self.work / "image.tar"
        subprocess.run(["tar", "-C", str(self.rootfs), "-cf", str(tar), "."], check=True)
        self.compose("image", "import", str(tar), "bench")

    def build_floor(self):
        if not FLOOR_SOURCE.exists():
            return None
        floor = self.work / "floor"
        subprocess.run(["g++", "-O2", "-std=c++20", str(FLOOR_SOURCE), "-o", str(floor)], check=True)
        return floor

    def median_of(self, count, *arguments):
        return statistics.median(self.compose(*arguments)[0] for _ in range(count))

    def resident_kb(self):
        """PSS of keeper and supervisor, in kB, by process title."""
        total, names = 0, []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if not re.match(r"compose: (keeper|supervisor) \[bench\]", title):
                    continue
                total += int(re.search(r"^Pss:\s+(\d+)", (entry / "smaps_rollup").read_text(), re.M).group(1))
                names.append(title.split()[1])
            except OSError:
                continue
        if sorted(names) != ["keeper", "supervisor"]:
            sys.exit(f"bench: expected one keeper and one supervisor, found {names}")
        return total


def only_by_hand(bench, work):
    hands = ByHand(bench, COMPOSE)
    try:
        bench.import_image()
        hands.measure(lambda *row: print(*row, flush=True))
    finally:
        hands.clean_up()
        shutil.rmtree(work, ignore_errors=True)


def main():
    global COMPOSE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compose", type=Path, default=COMPOSE, help="the program to time (default: the release build)")
    parser.add_argument("--by-hand", action="store_true", help="only single containers; prints its rows")
    options = parser.parse_args()
    COMPOSE = options.compose.resolve()
    work = Path(tempfile.mkdtemp(prefix="compose-bench-"))
    bench = Bench(work, options.services)
    if options.by_hand:
        return only_by_hand(bench, work)
    small, large = bench.config(500, 15), bench.config(5000, 5)
    figures = {"up": [], "down": [], "floor_up": [], "floor_down": [], "pss": [], "ps": [], "noop": [], "exec": []}
    rows = []

    def row(name, value, unit, limit, ok):
        rows.append({"figure": name, "value": round(value, 2), "unit": unit, "target": limit, "met": ok})

    hands = ByHand(bench, COMPOSE)
    try:
        floor = bench.build_floor()
        bench.import_image()
        Builds(bench, COMPOSE).measure(row)
        hands.measure(row)
        hands.clean_up()
        for _ in range(options.rounds):
            if floor:
                out = subprocess.run([str(floor), str(options.services), str(bench.rootfs)], check=True, capture_output=True,
                                     text=True)
                result = json.loads(out.stdout)
                figures["floor_up"].append(result["up_ms"])
                figures["floor_down"].append(result["down_ms"])
            figures["up"].append(bench.compose("up", "-d")[0])
            listed = bench.compose("ps", "-q")[1].stdout.split()
            if len(listed) != options.services:
                sys.exit(f"bench: {len(listed)} containers run, not {options.services}")
            figures["pss"].append(bench.resident_kb())
            figures["ps"].append(bench.median_of(7, "ps"))
            figures["noop"].append(bench.median_of(5, "up", "-d"))
            figures["exec"].append(bench.median_of(9, "exec", "-T", "s000", "true"))
            figures["down"].append(bench.compose("down", "-t", "0")[0])
        version = bench.median_of(15, "version")
    finally:
        if (work / "state").exists():
            hands.clean_up()
            bench.compose("down", "-t", "0", check=False)
        shutil.rmtree(work, ignore_errors=True)

    mid = {name: statistics.median(values) if values else None for name, values in figures.items()}
    n = options.services
    if mid["floor_up"]:
        up, down = mid["up"] / mid["floor_up"], mid["down"] / mid["floor_down"]
        row(f"up -d of {n}, against the floor ({mid['up']:.0f} / {mid['floor_up']:.0f} ms)", up, "x", "<= 2.0", up <= 2.0)
        row(f"down -t 0, against the floor ({mid['down']:.0f} / {mid['floor_down']:.0f} ms)", down, "x", "<= 3", down <= 3)
    else:
        row(f"up -d of {n} (no floor program here)", mid["up"], "ms", "", None)
        row("down -t 0 (no floor program here)", mid["down"], "ms", "", None)
    row(f"memory of keeper and supervisor, {n} running", mid["pss"] / 1024, "MB", "<= 12", mid["pss"] / 1024 <= 12)
    row(f"ps with {n} containers", mid["ps"], "ms", "<= 15", mid["ps"] <= 15)
    row("up -d with nothing to do", mid["noop"], "ms", "<= 60", mid["noop"] <= 60)
    row("version", version, "ms", "<= 3", version <= 3)
    row("exec -T SERVICE true", mid["exec"], "ms", "<= 15", mid["exec"] <= 15)

    row("config of 500 services", small, "ms", "<= 40", small <= 40)
    row("config of 5,000 services, against ten times that", large / (10 * small), "x", "<= 1.2", large <= 12 * small)

    width = max(len(r["figure"]) for r in rows)
    for r in rows:
        verdict = "" if r["met"] is None else "met" if r["met"] else "MISSED"
        print(f"{r['figure']:<{width}}  {r['value']:>9.2f} {r['unit']:<3} {r['target']:>7}  {verdict}", file=sys.stderr)
    print(json.dumps({"services": n, "rounds": options.rounds, "figures": rows, "raw": figures}))


if __name__ == "__main__":
    main()
