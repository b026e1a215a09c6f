#!/usr/bin/env python3
"""Runs `compose config -q` over the corpus of files made to hurt. Each case must end in time and within its memory, by
itself (no signal, no sanitizer report), with an exit status of 0 or 1, with a message when it is 1, and without control
characters in it. Last line: `N passed, N failed`."""
import argparse
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SECONDS, MIB, OUTPUT = 2.0, 128, 1 << 20
WEIRD = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]")


class Starter:
    """A process that starts programs. It stays small, since a child's peak of memory begins with that of its parent."""

    def __init__(self):
        asked, self.ask = os.pipe()
        self.told, tell = os.pipe()
        if os.fork() == 0:
            os.close(self.ask)
            os.close(self.told)
            self._serve(os.fdopen(asked), os.fdopen(tell, "w"))
            os._exit(0)
        os.close(asked)
        os.close(tell)
        self.ask, self.told = os.fdopen(self.ask, "w"), os.fdopen(self.told)

    @staticmethod
    def _serve(asked, tell):
        for line in asked:
            request = json.loads(line)
            top = request["top"]
            with open(f"{top}/in", "rb") as stdin, open(f"{top}/out", "wb") as out, open(f"{top}/err", "wb") as err:
                started = time.monotonic()
                child = subprocess.Popen(request["argv"], cwd=f"{top}/demo", env=request["env"], stdin=stdin, stdout=out,
                                         stderr=err)
                timer = threading.Timer(request["seconds"], child.kill)
                timer.start()
                _, status, usage = os.wait4(child.pid, 0)
                timer.cancel()
                child.returncode = os.waitstatus_to_exitcode(status)
            print(json.dumps({"code": child.returncode, "wall": time.monotonic() - started,
                              "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss // 1024}), file=tell, flush=True)

    def run(self, **request):
        print(json.dumps(request), file=self.ask, flush=True)
        return json.loads(self.told.readline())


def prepare(case, top):
    folder = os.path.join(top, "demo")
    os.mkdir(folder)
    for name, content in case.files.items():
        Path(folder, name).write_bytes(content if isinstance(content, bytes) else content.encode())
    case.files.clear()
    if case.setup:
        case.setup(folder)
    Path(top, "in").write_bytes(case.stdin)


def run(case, starter, options):
    with tempfile.TemporaryDirectory(prefix="hostile-") as top:
        prepare(case, top)
        env = {"PATH": os.environ["PATH"], "HOME": top, "LANG": "C.UTF-8", **case.env,
               "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
        got = starter.run(top=top, argv=[options.compose, *case.args, "config", "-q"], env=env,
                          seconds=SECONDS * options.slack * 5)
        # A busy machine is not the program's fault.
        elapsed = min(got["wall"], got["cpu"] + 1.0)
        return list(judge(case, options, got["code"], Path(top, "out").read_bytes(), Path(top, "err").read_bytes(), elapsed,
                          got["mib"]))


def judge(case, options, code, out, err, elapsed, mib):
    text = err.decode("utf-8", "replace")
    brief = " / ".join(text.strip().splitlines()[-4:])[:400]
    if code not in (0, 1):
        yield f"exit status {code}: {brief}"
        return
    if elapsed > SECONDS * options.slack:
        yield f"took {elapsed:.1f} s"
    if mib > MIB * options.slack and not options.any_memory:
        yield f"used {mib} MiB"
    if len(err) > OUTPUT or out:
        yield f"printed {len(err)} bytes of errors, {len(out)} of output"
    if found := WEIRD.search(err):
        yield f"prints the control character {found.group()!r}"
    if case.expect == "ok" and code != 0:
        yield f"must load: {brief}"
    if case.expect == "error" and code == 0:
        yield "loads, but must be an error"
    if code == 1 and "error: " not in text:
        yield f"fails without a message: {brief}"
    if code == 1 and case.expect == "error" and case.says and not re.search(case.says, text):
        yield f"does not say /{case.says}/: {brief}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--compose", required=True, help="the program to run")
    arguments.add_argument("--slack", type=float, default=1, help="multiply the limits by this (sanitizers)")
    arguments.add_argument("--any-memory", action="store_true", help="measure no memory (sanitizers)")
    arguments.add_argument("-k", default="", help="only cases whose name matches")
    arguments.add_argument("-j", type=int, default=2)
    options = arguments.parse_args()
    options.compose = os.path.abspath(options.compose)
    starters = queue.SimpleQueue()
    for _ in range(options.j):
        starters.put(Starter())
    from corpus import cases  # the starters are to know nothing of it

    def run_one(case):
        starter = starters.get()
        try:
            return case.name, run(case, starter, options)
        finally:
            starters.put(starter)

    count = bad = 0
    with ThreadPoolExecutor(options.j) as pool:
        waiting = []

        def settle(most):
            nonlocal bad
            while len(waiting) > most:
                name, wrongs = waiting.pop(0).result()
                bad += bool(wrongs)
                for wrong in wrongs:
                    print(f"{name}: {wrong}", flush=True)

        for case in cases():
            if re.search(options.k, case.name):
                count += 1
                waiting.append(pool.submit(run_one, case))
                settle(options.j - 1)
        settle(0)
    print(f"{count - bad} passed, {bad} failed")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
