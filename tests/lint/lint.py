#!/usr/bin/env python3
"""The house rules that a compiler does not check: who may include whom, who may call the kernel, who may print.

Prints one `file:line: rule` per finding; exit status 1 when there is any. `lint.py --format` runs clang-format too.
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A layer may include itself and these.
LAYERS = {
    "base": set(),
    "sys": {"base"},
    "model": {"base"},
    "loader": {"model", "base"},
    "plan": {"model", "base"},
    "store": {"sys", "base"},
    "image": {"sys", "base"},
    "build": {"sys", "base"},
    "net": {"sys", "base"},
    "runtime": {"sys", "base"},
    "supervisor": {"runtime", "net", "store", "sys", "base"},
    "engine": {"supervisor", "image", "build", "store", "loader", "plan", "model", "runtime", "net", "sys", "base"},
    "cli": {"engine", "base"},
}
# cli sees three small parts of sys: the terminal, files and the environment are its business.
CLI_SYS = {"sys/tty.hpp", "sys/env.hpp", "sys/file.hpp", "sys/fd.hpp", "sys/error.hpp", "sys/clock.hpp", "sys/signals.hpp", "sys/process.hpp", "sys/poll.hpp"}

# Heavy or single-purpose libraries and the only files that may include them.
ONLY_IN = {
    r"spdlog/": {"src/base/log.cpp"},
    r"boost/asio|boost/beast": {"src/sys/event_loop.cpp", "src/sys/command.cpp", "src/image/http.cpp"},
    r"boost/process": {"src/sys/command.cpp"},
    r"CLI/": None,  # any file of src/cli
    r"sqlite3\.h": None,
}
ONLY_IN_LAYER = {r"openssl/(ssl|x509v3)\.h": "image", r"CLI/": "cli", r"sqlite3\.h": "store", r"yaml-cpp/": "loader", r"seccomp\.h": "runtime"}

KERNEL = re.compile(r"^(unistd\.h|fcntl\.h|sched\.h|poll\.h|signal\.h|sys/|linux/|net/|netinet/|arpa/|asm/|termios\.h|pty\.h|dirent\.h|pwd\.h|grp\.h|ifaddrs\.h)")
# Types only, no calls.
KERNEL_TYPES = {"sys/types.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
PRINTING = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(printf|fprintf|puts|perror)\s*\(|(?<![\w_:.])(?:std::|::)?exit\s*\(")
MAX_LINES = 600


def check_includes(path, layer, text, report):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        style, target = match.groups()
        rel = str(path.relative_to(ROOT))
        for pattern, files in ONLY_IN.items():
            if files is not None and re.match(pattern, target) and rel not in files:
                report(path, number, f"only {', '.join(sorted(files))} may include <{target}>")
        for pattern, owner in ONLY_IN_LAYER.items():
            if re.match(pattern, target) and layer != owner:
                report(path, number, f"only src/{owner} may include <{target}>")
        own_layer = style == '"' and (ROOT / "src" / target).exists()
        if not own_layer and KERNEL.match(target) and layer != "sys" and target not in KERNEL_TYPES:
            report(path, number, f"only src/sys may include <{target}>")
        if own_layer:
            other = target.split("/")[0]
            allowed = other == layer or other in LAYERS.get(layer, set()) or (layer == "cli" and target in CLI_SYS)
            if layer != "main" and not allowed:
                report(path, number, f"src/{layer} may not include {target}")


def check_public_header(path, text, report):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match and not match.group(2).startswith("compose/") and ("/" in match.group(2) or match.group(2).endswith((".h", ".hpp"))):
            report(path, number, f"public headers include std and compose/ only, not <{match.group(2)}>")


def check_test_table(report):
    """tests/README.md: every attribute of a service, and no test that is not there."""
    path = ROOT / "tests" / "README.md"
    lines = path.read_text().splitlines()
    tests = {f"{suite}.{name}" for source in (ROOT / "tests" / "system").glob("*.cpp")
             for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", source.read_text(), re.MULTILINE)}
    for number, line in enumerate(lines, 1):
        for name in re.findall(r"\b[A-Z]\w+\.[A-Z]\w+", line) if line.startswith("|") else []:
            if name not in tests:
                report(path, number, f"there is no test {name}")
    start = lines.index("## Attributes of a service") + 1
    cells = [line.split("|")[1] for line in lines[start:lines.index("## Other attributes")] if line.startswith("| `")]
    listed = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    schema = json.loads((ROOT / "schemas" / "compose.json").read_text())
    for name in sorted(set(schema["$defs"]["service"]["properties"]) ^ listed):
        report(path, start, f"attribute {name}: in the schema or in the table, not in both")


def main():
    findings = []

    def report(path, number, rule):
        findings.append(f"{path.relative_to(ROOT)}:{number}: {rule}")

    sources = sorted(p for p in (ROOT / "src").rglob("*") if p.suffix in (".cpp", ".hpp"))
    public = sorted((ROOT / "include").rglob("*.hpp"))
    tests = sorted(p for p in (ROOT / "tests").rglob("*") if p.suffix in (".cpp", ".hpp"))
    assert sources and public, "nothing to check: is this the repository?"
    for path in sources:
        text = path.read_text()
        parts = path.relative_to(ROOT / "src").parts
        layer = parts[0] if len(parts) > 1 else "main"
        check_includes(path, layer, text, report)
        if layer not in ("cli", "main"):
            for number, line in enumerate(text.splitlines(), 1):
                code = line.split("//")[0]
                code = re.sub(r'"(\\.|[^"\\])*"', '""', code)
                if PRINTING.search(code):
                    report(path, number, "only src/cli prints or exits")
    for path in public:
        check_public_header(path, path.read_text(), report)
    for path in sources + public + tests:
        text = path.read_text()
        lines = text.count("\n")
        if lines > MAX_LINES and path not in tests:
            report(path, lines, f"{lines} lines; split at {MAX_LINES}")
        if path.suffix == ".hpp" and "#pragma once" not in text:
            report(path, 1, "no #pragma once")
    check_test_table(report)
    if "--format" in sys.argv[1:]:
        tool = shutil.which("clang-format")
        if tool is None:
            findings.append("clang-format is not installed: run scripts/setup")
        else:
            done = subprocess.run([tool, "--dry-run", "-Werror", *map(str, sources + public + tests)],
                                  capture_output=True, text=True)
            findings += [line for line in done.stderr.splitlines() if "[-Wclang-format-violations]" in line]
    for finding in findings:
        print(finding)
    print(f"lint: {len(sources) + len(public) + len(tests)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
