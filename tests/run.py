#!/usr/bin/env python3
"""Builds the presets and runs every test program; prints one line per program and, last, `N passed, N failed`."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Whatever is there runs: a folder of unit tests and a file of system tests is a program each.
UNIT = sorted(folder.name for folder in (ROOT / "tests/unit").iterdir() if any(folder.glob("*.cpp")))
SYSTEM = sorted(file.name.removesuffix("_test.cpp") for file in (ROOT / "tests/system").glob("*_test.cpp"))
# The pure layers, which read what users and strangers wrote.
SANITIZED = ("unit_base", "unit_model", "unit_loader", "unit_plan")
# libFuzzer targets: how often each runs, from its seeds, the same way every time.
FUZZED = {"yaml": 3000, "interpolation": 20000, "dotenv": 10000, "project": 2000, "scalars": 3000, "manifest": 20000,
          "names": 30000, "tar": 20000, "dockerfile": 3000, "dockerignore": 10000}
SANITIZER_ENV = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1"}

passed = failed = skipped = 0


def say(text):
    print(text, flush=True)


def count(name, ok, bad, skip, seconds, output=""):
    global passed, failed, skipped
    passed, failed, skipped = passed + ok, failed + bad, skipped + skip
    note = f", {skip} skipped" if skip else ""
    say(f"  {name}: {ok} passed, {bad} failed{note} ({seconds:.1f} s)")
    if bad and output:
        say(output)


def build(preset, *targets):
    started = time.monotonic()
    done = subprocess.run([str(ROOT / "scripts/build"), preset, *targets], capture_output=True, text=True)
    say(f"build {preset}: {'done' if done.returncode == 0 else 'FAILED'} ({time.monotonic() - started:.0f} s)")
    if done.returncode != 0:
        say(done.stdout[-8000:] + done.stderr[-4000:])
        count(f"build {preset}", 0, 1, 0, 0)
    return done.returncode == 0


def isolated(argv):
    """In network and mount namespaces of its own, so that no test can touch this machine's."""
    if os.geteuid() != 0:
        return argv
    return ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *argv]


def run_gtest(program, env=None, timeout=900, name=None, arguments=()):
    name = name or program.name
    if not program.exists():
        count(f"{name} is missing", 0, 1, 0, 0)
        return
    started = time.monotonic()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        try:
            done = subprocess.run(isolated([str(program), f"--gtest_output=json:{report.name}", "--gtest_brief=1", *arguments]),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, timeout=timeout)
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            output, code = (late.stdout or b"").decode("utf-8", "replace") + f"\nstill running after {timeout} s", 124
        seconds = time.monotonic() - started
        try:
            suites = json.loads(Path(report.name).read_text())["testsuites"]
        except (ValueError, OSError, KeyError):
            count(f"{name} (exit status {code}, no report)", 0, 1, 0, seconds, output[-12000:])
            return
    tests = [t for s in suites for t in s["testsuite"]]
    bad = sum(1 for t in tests if t.get("failures"))
    skip = [t for t in tests if t.get("result") == "SKIPPED"]
    for t in skip:
        say(f"  SKIPPED {name} {t['classname']}.{t['name']}")
    if code != 0 and bad == 0:
        bad = 1
    count(name, max(0, len(tests) - bad - len(skip)), bad, len(skip), seconds, output[-12000:])


def run_lint():
    started = time.monotonic()
    done = subprocess.run([sys.executable, str(ROOT / "tests/lint/lint.py"), "--format"], capture_output=True, text=True)
    count("lint", int(done.returncode == 0), int(done.returncode != 0), 0, time.monotonic() - started, done.stdout)


def run_conformance(preset, *extra):
    check = SHARED / "conformance" / "check.py"
    if not check.exists():
        say(f"  SKIPPED conformance: {check} is not there")
        return
    compose = str(ROOT / "build" / preset / "compose")
    run_checker(f"conformance ({preset})", check, "--compose", compose, "--lines", *extra)
    run_checker(f"conformance, output fed back ({preset})", ROOT / "tests/conformance.py", "--compose", compose,
                "--cases", str(SHARED / "conformance"))


def run_checker(name, script, *arguments):
    """A script whose last line is `N passed, N failed`."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    words = lines[-1].replace(",", "").split()
    ok, bad = (int(words[0]), int(words[2])) if len(words) == 4 else (0, 1)
    count(name, ok, bad, 0, time.monotonic() - started, "\n".join(lines[:-1] + [done.stderr[-2000:]]))


def run_fuzz():
    for target, runs in FUZZED.items():
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fuzz-") as found:
            done = subprocess.run([str(ROOT / f"build/fuzz/tests/fuzz_{target}"), f"-runs={runs}", "-seed=1", f"-max_len={8192 if target == 'tar' else 2048}",
                                   "-timeout=10", f"-artifact_prefix={found}/", found, str(ROOT / "tests/fuzz/corpus" / target)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  env={**os.environ, **SANITIZER_ENV})
        good = done.returncode == 0
        count(f"fuzz/{target}, {runs} runs", int(good), int(not good), 0, time.monotonic() - started, done.stdout[-6000:])


def run_sanitized():
    """The fuzzers' preset has the same sanitizers, so where there is clang, one build serves both."""
    fuzzing = shutil.which("clang++") is not None
    preset = "fuzz" if fuzzing else "asan"
    if not build(preset, *SANITIZED, "load_probe", *(f"fuzz_{target}" for target in FUZZED if fuzzing)):
        return
    for name in SANITIZED:
        run_gtest(ROOT / "build" / preset / "tests" / name, name=f"sanitized/{name}", env=SANITIZER_ENV)
    run_checker("hostile files (sanitized)", ROOT / "tests/hostile/check.py", "--compose",
                str(ROOT / "build" / preset / "tests/load_probe"), "--slack", "4", "--any-memory")
    if fuzzing:
        run_fuzz()
    else:
        say("  SKIPPED fuzzing: clang++ is not there")


def traces():
    """What tests could leave on this machine: temporary files, cgroups, processes, bridges, firewall tables."""
    found = {str(path) for pattern in ("compose-*", "supervisor-*", "fuzz-*") for path in Path(tempfile.gettempdir()).glob(pattern)}
    found |= {str(path) for path in Path("/sys/fs/cgroup").glob("*/compose/*") if path.is_dir()}
    found |= {str(path) for path in Path("/sys/fs/cgroup").glob("compose/*") if path.is_dir()}
    found |= {str(path) for path in Path("/sys/class/net").glob("cmp*")}
    for entry in Path("/proc").iterdir():
        try:
            title = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if title.startswith((b"compose: keeper", b"compose: supervisor")):
            found.add(f"process {entry.name} ({title[:40].decode(errors='replace')})")
    if not Path("/dev/null").is_char_device():
        found.add("/dev/null is a file now")
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout if shutil.which("nft") else ""
    return found | {line for line in tables.splitlines() if "compose-" in line}


def run_leak_check(before):
    """Each system test looks at its own world; this looks at the machine, after all of them. The kernel takes namespaces
    and cgroups down in the background, so it gets a moment."""
    started = time.monotonic()
    while (left := traces() - before) and time.monotonic() - started < 10:
        time.sleep(0.2)
    count("nothing is left on this machine", int(not left), int(bool(left)), 0, time.monotonic() - started, "\n".join(sorted(left)))


def fetch_clients():
    """The npm package docker-compose, which a test drives us with; without a network that test is skipped, and says so."""
    folder = ROOT / "build/npm"
    if (folder / "node_modules/docker-compose").exists() or not shutil.which("npm"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "docker-compose@1.5.0"],
                       cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        say("  npm is too slow: its package is not here")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="without the sanitizers and the fuzzer")
    options = arguments.parse_args()
    started = time.monotonic()

    run_lint()
    fetch_clients()
    before = traces()
    programs = [f"unit_{name}" for name in UNIT] + [f"system_{name}" for name in SYSTEM]
    if build("debug", "compose", *programs):
        for name in programs:
            run_gtest(ROOT / "build/debug/tests" / name, name=name)
    if build("release", "compose"):
        run_conformance("release")
        run_checker("hostile files", ROOT / "tests/hostile/check.py", "--compose", str(ROOT / "build/release/compose"))
    if not options.quick:
        run_sanitized()
    run_leak_check(before)
    say(f"{time.monotonic() - started:.0f} s in all")
    if skipped:
        say(f"{skipped} SKIPPED, see above")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
