"""Times single containers under the name `docker`: run, exec, ps and cp. Used by bench.py."""
import os
import shutil
import statistics
import subprocess
import time

GIGABYTE = 1 << 30


class ByHand:
    def __init__(self, bench, compose):
        self.env = {**bench.env, "PATH": f"{bench.work}/bin:{bench.env['PATH']}"}
        self.work = bench.work
        (self.work / "bin").mkdir()
        self.docker = self.work / "bin" / "docker"
        self.docker.symlink_to(compose)

    def run(self, *arguments, check=True):
        started = time.perf_counter()
        done = subprocess.run([str(self.docker), *arguments], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)
        elapsed = (time.perf_counter() - started) * 1000
        if check and done.returncode != 0:
            raise SystemExit(f"bench: docker {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return elapsed, done.stdout

    def median_of(self, count, *arguments):
        return statistics.median(self.run(*arguments)[0] for _ in range(count))

    def many_at_once(self, count):
        started = time.perf_counter()
        runs = [subprocess.Popen([str(self.docker), "run", "--rm", "bench", "true"], env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(count)]
        failed = [run for run in runs if run.wait() != 0]
        if failed:
            raise SystemExit(f"bench: {len(failed)} of {count} runs failed:\n{failed[0].stderr.read().decode()}")
        return time.perf_counter() - started

    def copy_rates(self):
        """Seconds of cp on the host and of `docker cp` into a container, for the same gigabyte."""
        big = self.work / "big"
        with open(big, "wb") as file:
            block = os.urandom(1 << 20)
            for _ in range(GIGABYTE >> 20):
                file.write(block)
        seconds = {"host": [], "in": []}
        for _ in range(3):
            started = time.perf_counter()
            subprocess.run(["cp", str(big), str(self.work / "copy")], check=True)
            seconds["host"].append(time.perf_counter() - started)
            (self.work / "copy").unlink()
            seconds["in"].append(self.run("cp", str(big), "box:/tmp/big")[0] / 1000)
            self.run("exec", "box", "rm", "/tmp/big")
        big.unlink()
        return statistics.median(seconds["host"]), statistics.median(seconds["in"])

    def measure(self, row):
        self.run("run", "--rm", "bench", "true")
        self.run("run", "-d", "--name", "box", "bench", "sleep", "100000")
        one = self.median_of(15, "run", "--rm", "bench", "true")
        row("run --rm IMAGE true", one, "ms", "<= 25", one <= 25)
        fifty = statistics.median(self.many_at_once(50) for _ in range(3))
        row("50 of them at once", fifty, "s", "<= 0.6", fifty <= 0.6)
        execs = self.median_of(15, "exec", "box", "true")
        row("exec CONTAINER true", execs, "ms", "<= 15", execs <= 15)
        host, inside = self.copy_rates()
        row(f"cp of 1 GB, against cp ({GIGABYTE / inside / 1e6:.0f} / {GIGABYTE / host / 1e6:.0f} MB/s)", host / inside, "x",
            ">= 0.8", host / inside >= 0.8)
        self.run("run", "-d", "bench", "sleep", "100000")
        for _ in range(198):
            self.run("run", "-d", "--network", "none", "bench", "sleep", "100000")
        listed = self.median_of(9, "ps")
        row("ps with 200 containers by hand", listed, "ms", "<= 20", listed <= 20)

    def clean_up(self):
        if not self.docker.exists():
            return
        ids = self.run("ps", "-aq", check=False)[1].split()
        if ids:
            self.run("rm", "-f", *ids, check=False)
        self.run("network", "prune", "-f", check=False)
        shutil.rmtree(self.work / "bin", ignore_errors=True)
