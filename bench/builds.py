"""Times builds: a context of 2,000 files, one COPY and two RUN steps, first and with nothing changed."""
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

DOCKERFILE = "FROM bench\nCOPY . /src\nRUN true > /one\nRUN true > /two\n"


class Builds:
    def __init__(self, bench, compose):
        self.bench, self.compose = bench, compose
        self.context = bench.work / "context"

    def fill(self):
        for i in range(2000):
            path = self.context / f"d{i % 40:02}" / f"file{i:04}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{i}\n" * (20 + i % 400))
        (self.context / "Dockerfile").write_text(DOCKERFILE)
        time.sleep(0.2)  # files that were written just now are not remembered

    def build(self, *more):
        """Milliseconds and the greatest resident size in kB."""
        argv = [str(self.compose), "image", "build", "-q", "-t", "bench-built", *more, str(self.context)]
        started = time.perf_counter()
        process = subprocess.Popen(argv, env=self.bench.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = (time.perf_counter() - started) * 1000
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"bench: build failed:\n{process.stderr.read().decode(errors='replace')[-3000:]}")
        process.stderr.close()
        return elapsed, usage.ru_maxrss

    def measure(self, row, rounds=3):
        self.fill()
        first, again, memory = [], [], []
        for _ in range(rounds):
            elapsed, size = self.build("--no-cache")
            first.append(elapsed)
            memory.append(size)
            for _ in range(5):
                elapsed, size = self.build()
                again.append(elapsed)
                memory.append(size)
        value = statistics.median(first) / 1000
        row("build of 2,000 files, one COPY and two RUN", value, "s", "<= 1.0", value <= 1.0)
        value = statistics.median(again)
        row("the same with nothing changed", value, "ms", "<= 60", value <= 60)
        with open(self.context / "large", "wb") as file:
            for _ in range(200):
                file.write(os.urandom(1 << 20))
        memory.append(self.build("--no-cache")[1])
        value = max(memory) / 1024
        row("memory while building, a file of 200 MB too", value, "MB", "<= 64", value <= 64)
        shutil.rmtree(self.context)
