"""Times a project of N one-process services as a whole, against the floor. Used by bench.py."""
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

# What is wanted of a stack of so many services: ratios to the floor, MB, ms.
TARGETS = {100: {"up": 2.0, "down": 3, "pss": 12, "ps": 15, "noop": 60}, 500: {"up": 2.5, "pss": 40, "ps": 40, "noop": 200}}


class Stack:
    def __init__(self, bench, services, floor):
        self.bench, self.services, self.floor = bench, services, floor
        self.name = f"stack{services}"
        lines = [f"name: {self.name}", "services:"]
        for i in range(services):
            lines += [f"  s{i:03}:", "    image: bench", "    command: [sleep, '100000']"]
        self.file = bench.work / f"{self.name}.yaml"
        self.file.write_text("\n".join(lines) + "\n")
        self.figures = {"up": [], "down": [], "floor_up": [], "floor_down": [], "pss": [], "ps": [], "noop": [], "exec": []}

    def compose(self, *arguments, **options):
        return self.bench.compose("-f", str(self.file), *arguments, **options)

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
                if not re.match(rf"compose: (keeper|supervisor) \[{self.name}\]", title):
                    continue
                total += int(re.search(r"^Pss:\s+(\d+)", (entry / "smaps_rollup").read_text(), re.M).group(1))
                names.append(title.split()[1])
            except OSError:
                continue
        if sorted(names) != ["keeper", "supervisor"]:
            sys.exit(f"bench: expected one keeper and one supervisor, found {names}")
        return total

    def round(self):
        figures = self.figures
        if self.floor:
            out = subprocess.run([str(self.floor), str(self.services), str(self.bench.rootfs)], check=True, capture_output=True,
                                 text=True)
            result = json.loads(out.stdout)
            figures["floor_up"].append(result["up_ms"])
            figures["floor_down"].append(result["down_ms"])
        figures["up"].append(self.compose("up", "-d")[0])
        listed = self.compose("ps", "-q")[1].stdout.split()
        if len(listed) != self.services:
            sys.exit(f"bench: {len(listed)} containers run, not {self.services}")
        figures["pss"].append(self.resident_kb())
        figures["ps"].append(self.median_of(7, "ps"))
        figures["noop"].append(self.median_of(5, "up", "-d"))
        figures["exec"].append(self.median_of(9, "exec", "-T", "s000", "true"))
        figures["down"].append(self.compose("down", "-t", "0")[0])

    def against_the_floor(self, row, what, command, mid, target):
        text = f"{command}, {self.services} services"
        if not mid[f"floor_{what}"]:
            return row(f"{text} (no floor program here)", mid[what], "ms", "", None)
        ratio = mid[what] / mid[f"floor_{what}"]
        row(f"{text}, against the floor ({mid[what]:.0f} / {mid[f'floor_{what}']:.0f} ms)", ratio, "x",
            f"<= {target}" if target else "", ratio <= target if target else None)

    def measure(self, row, rounds):
        try:
            for _ in range(rounds):
                self.round()
        finally:
            self.compose("down", "-t", "0", check=False)
        mid = {name: statistics.median(values) if values else None for name, values in self.figures.items()}
        targets = TARGETS.get(self.services, {})

        def limited(text, value, unit, name):
            limit = targets.get(name)
            row(text, value, unit, f"<= {limit}" if limit else "", value <= limit if limit else None)

        n = self.services
        self.against_the_floor(row, "up", "up -d", mid, targets.get("up"))
        self.against_the_floor(row, "down", "down -t 0", mid, targets.get("down"))
        limited(f"memory of keeper and supervisor, {n} running", mid["pss"] / 1024, "MB", "pss")
        limited(f"ps with {n} containers", mid["ps"], "ms", "ps")
        limited(f"up -d of {n} with nothing to do", mid["noop"], "ms", "noop")
        if n == 100:
            row("exec -T SERVICE true", mid["exec"], "ms", "<= 15", mid["exec"] <= 15)
