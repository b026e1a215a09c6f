#!/usr/bin/env python3
"""Times the engine in a network namespace of its own and, alternating with it, the floor: a program that makes the same
kernel objects and nothing else. See README.md beside this file for what each figure means."""
import argparse
import json
import os
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
from stack import Stack  # noqa: E402
from streams import Streams, compile_load  # noqa: E402

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
    def __init__(self, work):
        self.work = work
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work), "COMPOSE_STATE_DIR": str(work / "state"),
                    "COMPOSE_RUN_DIR": str(work / "run")}
        self.rootfs = work / "rootfs"
        (self.rootfs / "bin").mkdir(parents=True)
        for folder in ("proc", "sys", "dev", "etc", "tmp"):
            (self.rootfs / folder).mkdir()
        shutil.copy("/bin/busybox", self.rootfs / "bin" / "busybox")
        for name in ("sh", "sleep", "true", "rm", "ip"):
            os.link(self.rootfs / "bin" / "busybox", self.rootfs / "bin" / name)
        shutil.copy(compile_load(work), self.rootfs / "bin" / "load")

    def compose(self, *arguments, check=True):
        started = time.perf_counter()
        done = subprocess.run([str(COMPOSE), *arguments], cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        elapsed = (time.perf_counter() - started) * 1000
        if check and done.returncode != 0:
            sys.exit(f"bench: compose {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return elapsed, done

    def median_of(self, count, *arguments):
        return statistics.median(self.compose(*arguments)[0] for _ in range(count))

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


def measure_config(bench, row):
    small, large = bench.config(500, 15), bench.config(5000, 5)
    row("config of 500 services", small, "ms", "<= 40", small <= 40)
    row("config of 5,000 services, against ten times that", large / (10 * small), "x", "<= 1.2", large <= 12 * small)
    version = bench.median_of(15, "version")
    row("version", version, "ms", "<= 3", version <= 3)


def measure_by_hand(bench, row):
    hands = ByHand(bench, COMPOSE)
    try:
        hands.measure(row)
    finally:
        hands.clean_up()


def parse_arguments(parts):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, nargs="+", default=[100, 500], help="sizes of the stacks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compose", type=Path, default=COMPOSE, help="the program to time (default: the release build)")
    parser.add_argument("--only", choices=parts, action="append", help="not all parts; may be given several times")
    return parser.parse_args()


def show(rows):
    width = max(len(r["figure"]) for r in rows)
    for r in rows:
        verdict = "" if r["met"] is None else "met" if r["met"] else "MISSED"
        print(f"{r['figure']:<{width}}  {r['value']:>9.2f} {r['unit']:<4} {r['target']:>7}  {verdict}", file=sys.stderr)


def main():
    global COMPOSE
    rows = []

    def row(name, value, unit, limit, met):
        rows.append({"figure": name, "value": round(value, 2), "unit": unit, "target": limit, "met": met})

    def measure_stacks():
        floor = bench.build_floor()
        for services in options.services:
            Stack(bench, services, floor).measure(row, options.rounds)

    parts = {"config": lambda: measure_config(bench, row), "stack": measure_stacks,
             "streams": lambda: Streams(bench, COMPOSE).measure(row), "build": lambda: Builds(bench, COMPOSE).measure(row),
             "by-hand": lambda: measure_by_hand(bench, row)}
    options = parse_arguments(list(parts))
    COMPOSE = options.compose.resolve()
    work = Path(tempfile.mkdtemp(prefix="compose-bench-"))
    try:
        bench = Bench(work)
        bench.import_image()
        for name, measure in parts.items():
            if not options.only or name in options.only:
                measure()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(rows)
    print(json.dumps({"rounds": options.rounds, "figures": rows}))


if __name__ == "__main__":
    main()
