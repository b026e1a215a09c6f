"""Compose projects made to hurt. A case is what stands in the project's folder and how compose must take it: `ok`,
`error` (exit status 1 and a matching message), or `any` (one of the two). Big files are made here, not stored."""
import os


class Case:
    def __init__(self, name, text=None, *, files=None, setup=None, args=(), env=None, expect="error", says="", stdin=b""):
        self.name = name
        self.files = dict(files or {})
        if text is not None:
            self.files["compose.yaml"] = text
        self.setup, self.args, self.env = setup, list(args), dict(env or {})
        self.expect, self.says, self.stdin = expect, says, stdin


def service(attributes, rest=""):
    return f"services:\n  a:\n    image: app\n{attributes}{rest}"


def attribute(line, rest=""):
    return service(f"    {line}\n", rest)


MIB = 1 << 20
def laughs(levels, width=9):
    lines = ["x-a0: &a0 lol"]
    for i in range(1, levels + 1):
        lines.append(f"x-a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]")
    return "\n".join(lines) + "\nservices: {a: {image: x}}\n"


def yaml_shapes():
    yield Case("Y01-alias-bomb", laughs(9), says="alias")
    yield Case("Y01-alias-bomb-of-mappings", "x-a0: &a0 {k: v}\n" + "".join(
        f"x-a{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' for j in range(9))}}}\n" for i in range(1, 9)) + service(""), says="alias")
    yield Case("Y01-alias-bomb-in-services", "x-e: &e {" + ", ".join(f"K{i}: v" for i in range(1000)) + "}\nservices:\n" + "".join(
        f"  s{i}: {{image: a, environment: *e}}\n" for i in range(1000)), expect="any")
    yield Case("Y02-list-of-aliases", "x-a: &a [" + "1, " * 1000 + "]\nx-b: [" + "*a, " * 100_000 + "]\n" + service(""), says="alias")
    yield Case("Y02-many-cheap-aliases", "x-a: &a 1\nx-b: [" + "*a, " * 90_000 + "]\n" + service(""), expect="any")
    yield Case("Y03-self-alias", "x-a: &a [*a]\n" + service(""), says="anchor|alias|itself")
    yield Case("Y03-self-alias-in-mapping", "x-a: &a\n  b: {c: *a}\n" + service(""), says="anchor|alias|itself")
    yield Case("Y03-alias-without-anchor", "x-a: *nothing\n" + service(""), says="nothing")
    yield Case("Y04-flow-lists", "x-a: " + "[" * 10_000, says="deep|level|nest")
    yield Case("Y04-flow-lists-closed", "x-a: " + "[" * 10_000 + "]" * 10_000 + "\n" + service(""), says="deep|level|nest")
    yield Case("Y05-flow-mappings", "x-a: " + "{a: " * 10_000, says="deep|level|nest")
    yield Case("Y06-block-levels", "".join(" " * i + "a:\n" for i in range(5_000)), says="deep|level|nest")
    yield Case("Y06-block-lists", "a:\n" + "".join(" " * i + "-\n" for i in range(1, 5_000)), says="deep|level|nest")
    yield Case("Y06-dashes-in-one-line", "x-a: \n  " + "- " * 10_000 + "b\n" + service(""), says="deep|level|nest")
    yield Case("Y06-question-marks", "? " * 10_000 + "a\n", says="")
    yield Case("Y07-spaces", " " * (15 * MIB), says="empty|says nothing")
    yield Case("Y07-spaces-before", " " * (15 * MIB) + "services: {}\n", expect="any")
    yield Case("Y07-one-gigabyte", setup=lambda folder: os.truncate(make(folder, "compose.yaml", b"services: {}\n"), 1 << 30), says="large|big|limit")
    yield Case("Y07-newlines", "\n" * (15 * MIB) + "services: {}\n", expect="ok")
    yield Case("Y07-comment", "#" + "x" * (15 * MIB) + "\nservices: {}\n", expect="ok")
    for place, text in (("value", b"services: {a: {image: 'a\0b'}}\n"), ("key", b"services: {a: {image: a, 'im\0age': b}}\n"),
                        ("plain", b"services:\n  a:\n    image: a\0b\n"), ("comment", b"services: {} # \0\n"),
                        ("end", b"services: {a: {image: a}}\n\0\0\0")):
        yield Case(f"Y08-nul-{place}", text, says="NUL|control|U\\+0000|zero byte|character")
    yield Case("Y08-nul-escape", b'services: {a: {image: a, environment: {A: "x\\0y"}}}\n', expect="any")
    for name, raw in (("lone", b"\xff"), ("overlong", b"\xc0\xaf"), ("surrogate", b"\xed\xa0\x80"), ("beyond", b"\xf4\x90\x80\x80"),
                      ("cut", b"\xe2\x82")):
        yield Case(f"Y09-utf8-{name}-value", b"services:\n  a:\n    image: a" + raw + b"\n", says="UTF-8")
        yield Case(f"Y09-utf8-{name}-key", b"services:\n  a:\n    image: a\n    x-" + raw + b": 1\n", says="UTF-8")
        yield Case(f"Y09-utf8-{name}-comment", b"# " + raw + b"\nservices: {}\n", says="UTF-8")
    for coding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        text = "services: {a: {image: app}}\n"
        yield Case(f"Y10-{coding}", text.encode(coding), expect="any")
        yield Case(f"Y10-{coding}-bom", ("\ufeff" + text).encode(coding), expect="any")
    yield Case("Y10-utf-8-bom", ("\ufeffservices: {a: {image: app}}\n").encode(), expect="ok")
    yield Case("Y11-crlf", attribute("command: [a]").replace("\n", "\r\n"), expect="ok")
    yield Case("Y11-cr-only", attribute("command: [a]").replace("\n", "\r"), expect="any")
    yield Case("Y11-tabs", "services:\n\ta:\n\t\timage: app\n", says="tab|indent")
    yield Case("Y12-duplicate-key", attribute("image: other"), says="duplicate|twice|already")
    yield Case("Y12-duplicate-service", "services:\n  a: {image: x}\n  a: {image: y}\n", says="duplicate|twice|already")
    yield Case("Y12-duplicate-keys-many", service("".join("    image: x\n" for _ in range(50_000))), says="duplicate|twice|already")
    yield Case("Y13-merge-cycle", "x-a: &a\n  <<: *a\n" + service(""), says="anchor|alias|itself")
    yield Case("Y13-merge-scalar", "x-a: {<<: 5}\n" + service(""), says="<<|merge")
    yield Case("Y13-merge-list-of-scalars", "x-a: {<<: [5, a]}\n" + service(""), says="<<|merge")
    yield Case("Y13-merge-chain", "x-0: &m0 {k: v}\n" + "".join(f"x-{i}: &m{i} {{<<: *m{i - 1}, k{i}: v}}\n" for i in range(1, 400)) + service(""),
        expect="any")
    yield Case("Y13-merge-key-flood", "x-0: &m0 {k: v}\n" + "".join(f"x-{i}: {{{', '.join(['<<: *m0'] * 3)}}}\n" for i in range(1, 3000)) + service(""),
        expect="any")
    for tag in ("!!python/object:os.system", "!<tag:evil>", "!unknown", "!!js/function"):
        yield Case(f"Y14-tag-{tag.strip('!<>').replace('/', '-').replace(':', '-')}", attribute(f"command: {tag} 'rm -rf /'"), expect="any")
    yield Case("Y14-binary", attribute("command: !!binary " + "QUFB" * 500_000), expect="any")
    yield Case("Y14-set-omap", attribute("labels: !!set {a, b}\n    environment: !!omap [{a: b}]"), expect="any")
    yield Case("Y15-reset-alias", "x-a: &a [b]\n" + attribute("command: !reset *a"), expect="any")
    yield Case("Y15-override-alias", "x-a: &a [b]\n" + attribute("command: !override *a"), expect="any")
    yield Case("Y15-reset-cycle", "x-a: &a !reset [*a]\n" + service(""), says="anchor|alias|itself")
    yield Case("Y15-reset-everything", "services: !reset {a: {image: x}}\nnetworks: !override {}\n", expect="any")
    yield Case("Y15-many-resets", "services:\n" + "".join(f"  s{i}: !reset null\n" for i in range(20_000)), expect="any")
    for number in ("0x7fffffffffffffffff", "1e400", "-1e400", "012", "1:30", "0o17", "0b1", ".nan", ".inf", "9" * 400, "1_000", "+", "-", "0x",
                   "1e", "--5", "1.2.3", "٣"):
        yield Case(f"Y16-scale-{number[:12]}", attribute(f"scale: {number}"), expect="any")
        yield Case(f"Y16-port-{number[:12]}", attribute(f"ports: [{number}]"), expect="any")
        yield Case(f"Y16-cpus-{number[:12]}", attribute(f"cpus: {number}"), expect="any")
    for name in ("no", "on", "yes", "null", "~", "true", "1.0", ".inf", "0x10"):
        yield Case(f"Y16-service-named-{name}", f"services:\n  {name}: {{image: x}}\n", expect="any")
    yield Case("Y17-documents", "---\n" * 10_000 + service(""), expect="ok")
    yield Case("Y17-documents-that-override", "".join(f"---\nname: p{i}\n" for i in range(10_000)) + "---\n" + service(""), expect="ok")
    yield Case("Y17-dots", "...\n" * 10_000 + service(""), expect="any")
    for name, text in (("quote", 'services: {a: {image: "app'), ("single", "services: {a: {image: 'app"), ("flow", "services: {a: {image: app"),
                       ("list", "services: {a: {command: [a, "), ("block", "services:\n  a:\n    command: |"), ("comment", "services: {} #"),
                       ("anchor", "services: {} \nx-a: &"), ("alias", "x-a: *"), ("tag", "x-a: !"), ("key", "services"), ("escape", 'x-a: "\\'),
                       ("hex", 'x-a: "\\x4'), ("unicode", 'x-a: "\\uD800"'), ("directive", "%YAML 9.9\n---\na: b\n"), ("percent", "%")):
        yield Case(f"Y18-unfinished-{name}", text, expect="any")
    yield Case("Y19-64-mib-scalar", "x-a: " + "a" * (64 * MIB) + "\n" + service(""), says="large|big|limit")
    yield Case("Y19-15-mib-scalar", "x-a: " + "a" * (15 * MIB) + "\n" + service(""), expect="ok")
    yield Case("Y19-15-mib-block", "x-a: |\n" + "  " + "a" * 100 + "\n" + "".join("  " + "b" * 98 + "\n" for _ in range(150_000)) + service(""), expect="ok")
    yield Case("Y19-15-mib-quoted", 'x-a: "' + "\\n" * (7 * MIB) + '"\n' + service(""), expect="ok")
    yield Case("Y19-15-mib-folded", "x-a: >\n" + "  a\n\n" * (3 * MIB - 10), expect="any")
    yield Case("Y19-long-key", "? " + "k" * (2 * MIB) + "\n: v\n", expect="any")
    yield Case("Y19-long-plain-key", "x-" + "k" * (2 * MIB) + ": v\n" + service(""), expect="any")
    yield Case("Y19-many-tiny-values", "x-a: [" + "1," * (4 * MIB) + "]\n" + service(""), expect="any")
    yield Case("Y19-many-keys", "x-a: {" + "".join(f"k{i}: 1, " for i in range(300_000)) + "}\n" + service(""), expect="any")
    yield Case("Y21-key-with-escapes", 'services:\n  a:\n    image: x\n    "im\\e[31mage\\r\\n": 1\n', says="")
    yield Case("Y21-service-with-escapes", 'services:\n  "a\\e]0;title\\a": {image: x}\n', says="")
    yield Case("Y21-value-with-escapes", attribute('restart: "\\e[2J"'), says="")
    yield Case("Y21-raw-escape", b"services:\n  a:\n    image: x\n    restart: \x1b[2Jno\n", says="")
    yield Case("Y21-bidi", attribute("restart: \u202eon"), says="")


def make(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(content)
    return path


def odd_files():
    yield Case("Y20-directory", setup=lambda folder: os.mkdir(os.path.join(folder, "compose.yaml")), args=["-f", "compose.yaml"], says="director")
    yield Case("Y20-fifo", setup=lambda folder: os.mkfifo(os.path.join(folder, "compose.yaml")), args=["-f", "compose.yaml"], says="regular|FIFO|fifo")
    yield Case("Y20-dev-zero", args=["-f", "/dev/zero"], says="regular|device")
    yield Case("Y20-link-to-dev-zero", setup=lambda folder: os.symlink("/dev/zero", os.path.join(folder, "compose.yaml")), args=["-f", "compose.yaml"],
        says="regular|device")
    yield Case("Y20-link-loop", setup=lambda folder: os.symlink("compose.yaml", os.path.join(folder, "compose.yaml")), args=["-f", "compose.yaml"],
        says="link|not found")
    yield Case("Y20-missing", args=["-f", "nothing.yaml"], says="nothing.yaml")
    yield Case("Y20-empty", "", says="empty|says nothing")
    yield Case("Y20-dev-null", args=["-f", "/dev/null"], expect="error", says="")
    yield Case("Y20-stdin-flood", args=["-f", "-"], stdin=b"x" * (20 * MIB), says="large|big|limit")
    yield Case("Y20-stdin-binary", args=["-f", "-"], stdin=bytes(range(256)) * 100, says="")
    yield Case("Y20-elf", setup=lambda folder: os.symlink("/bin/true", os.path.join(folder, "compose.yaml")), args=["-f", "compose.yaml"], says="")


def graphs():
    yield Case("C01-include-cycle", "include: [b.yaml]\nservices: {}\n", files={"b.yaml": "include: [compose.yaml]\nservices: {}\n"}, says="include cycle")
    yield Case("C01-include-self", "include: [compose.yaml]\nservices: {}\n", says="include cycle")
    yield Case("C01-include-through-link", "include: [l.yaml]\nservices: {}\n", setup=lambda folder: os.symlink("compose.yaml", os.path.join(folder, "l.yaml")),
        says="include")
    yield Case("C01-include-bomb", "include: [b.yaml, b.yaml]\nservices: {}\n",
        files={f"{chr(98 + i)}.yaml": f"include: [{chr(99 + i)}.yaml, {chr(99 + i)}.yaml]\nservices: {{}}\n" for i in range(20)} | {"v.yaml": service("")},
        expect="any")
    yield Case("C01-include-wide", "include: [" + "b.yaml, " * 5_000 + "]\nservices: {}\n", files={"b.yaml": service("")}, expect="any")
    yield Case("C01-include-outside", "include: [../../../../../../etc/passwd]\n", says="")
    yield Case("C02-extends-self", attribute("extends: a"), says="circular|cycle")
    yield Case("C02-extends-mutual", "services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: a}\n", says="circular|cycle")
    yield Case("C02-extends-mutual-files", "services: {a: {extends: {file: b.yaml, service: b}}}\n",
        files={"b.yaml": "services: {b: {extends: {file: compose.yaml, service: a}}}\n"}, says="circular|cycle")
    yield Case("C02-extends-chain", "services:\n  s0: {image: x}\n" + "".join(f"  s{i}: {{extends: s{i - 1}}}\n" for i in range(1, 5_000)), expect="any")
    yield Case("C02-extends-fan", "services:\n  s0: {image: x, environment: [" + ", ".join(f"K{i}=v" for i in range(200)) + "]}\n" +
        "".join(f"  s{i}: {{extends: s0}}\n" for i in range(1, 1_500)), expect="any")
    yield Case("C02-extends-fan-wide", "services:\n  s0: {image: x, environment: [" + ", ".join(f"K{i}=v" for i in range(5_000)) + "]}\n" +
        "".join(f"  s{i}: {{extends: s0}}\n" for i in range(1, 3_000)), says="values")
    yield Case("C02-extends-file-is-a-folder", attribute("extends: {file: ., service: b}"), says="director")
    yield Case("C02-extends-dev-zero", attribute("extends: {file: /dev/zero, service: b}"), says="regular|device")
    yield Case("C03-depends-on-self", attribute("depends_on: [a]"), says="cycle|itself")
    yield Case("C03-depends-on-cycle", "services:\n" + "".join(f"  s{i}: {{image: a, depends_on: [s{(i + 1) % 3}]}}\n" for i in range(3)), says="cycle")
    chain = "services:\n" + "".join(f"  s{i}: {{image: a, depends_on: [s{i + 1}]}}\n" for i in range(9_999)) + "  s9999: {image: a}\n"
    yield Case("C04-chain", chain, expect="ok")
    yield Case("C04-chain-with-a-cycle", chain.replace("s9999: {image: a}", "s9999: {image: a, depends_on: [s0]}"), says="cycle")
    yield Case("C05-wide", "services:\n" + "".join(f"  s{i}: {{image: a, networks: [n{i % 500}, n{(i + 7) % 500}]}}\n" for i in range(5_000)) + "networks:\n" +
        "".join(f"  n{i}:\n" for i in range(500)), expect="ok")
    yield Case("C05-wide-list", attribute("networks: [" + ", ".join(f"n{i}" for i in range(5_000)) + "]", "networks:\n" + "".join(f"  n{i}:\n" for i in range(5_000))),
        expect="ok")
    yield Case("C22-pid-self", attribute("pid: service:a"), says="cycle|itself")
    yield Case("C22-network-cycle", "services:\n  a: {image: x, network_mode: service:b}\n  b: {image: x, network_mode: service:a}\n", says="cycle")
    yield Case("C22-ipc-cycle", "services:\n  a: {image: x, ipc: service:b}\n  b: {image: x, pid: service:a}\n", says="cycle")
    yield Case("C22-volumes-from-cycle", "services:\n  a: {image: x, volumes_from: [b]}\n  b: {image: x, volumes_from: [a]}\n", says="cycle")
    yield Case("C22-links-self", attribute("links: [a]"), says="cycle|itself")
    yield Case("C22-unknown", attribute("network_mode: service:nobody"), says="nobody")


def values():
    yield Case("C06-port-ranges", attribute("ports: [" + '"1-65535:1-65535", ' * 10 + "]"), says="ports")
    for port in ("65536", "-1", "80-79", "80-90:80-85", "1-3:1-2", ":", "::", "a:b", "80:", ":80", "1:2:3:4", "[::1:80:80", "999.1.1.1:80:80", "80/icmp",
                 "80:80/", "0", "80:0", "1" * 1000, "80-", "-80", " ", "80:80:80:80", "[::]:1-70000:1"):
        yield Case(f"C07-port-{port[:14].replace('/', '_')}", attribute(f'ports: ["{port}"]'), expect="any" if port in ("80:", ":80") else "error")
    for cpus in ("nan", ".nan", "inf", "-1", "1e308", "0x1", "''", "1,5"):
        yield Case(f"C08-cpus-{cpus}", attribute(f"cpus: {cpus}"), expect="any")
    for size in ("18446744073709551616", "1.5.5g", "-1g", "1e30g", "99999999999999999999t", "g", "1 g b", "0x10m", "-2", "nan"):
        yield Case(f"C08-mem-{size.replace(' ', '_')}", attribute(f'mem_limit: "{size}"'), expect="any" if size in ("0x10m",) else "error")
    for duration in ("-1s", "292y", "1", "s", "1s1", "9" * 30 + "s", "1h-5m", ".s", "1e5s"):
        yield Case(f"C09-interval-{duration[:12]}", attribute(f'healthcheck: {{test: [CMD, x], interval: "{duration}"}}'), expect="any")
    yield Case("C09-interval-1ns", attribute("healthcheck: {test: [CMD, x], interval: 1ns}"), expect="any")
    yield Case("C09-test-empty", attribute("healthcheck: {test: []}"), expect="any")
    yield Case("C09-test-empty-text", attribute('healthcheck: {test: ""}'), expect="any")
    yield Case("C09-test-words", attribute("healthcheck: {test: [curl, x]}"), says="CMD")
    for count in ("-1", "2147483648", "99999999999999999999", "1.5"):
        yield Case(f"C10-replicas-{count}", attribute(f"deploy: {{replicas: {count}}}"))
        yield Case(f"C10-scale-{count}", attribute(f"scale: {count}"))
    yield Case("C11-container-name-twice", "services:\n  a: {image: x, container_name: same}\n  b: {image: x, container_name: same}\n", says="same")
    for target in ("", "relative", "/", "a:b:c:d", "../x"):
        yield Case(f"C12-target-{target.replace('/', '_') or 'empty'}", attribute(f'volumes: [{{type: volume, target: "{target}"}}]'), expect="any")
        yield Case(f"C12-short-{target.replace('/', '_') or 'empty'}", attribute(f'volumes: ["/x:{target}"]'), expect="any")
    yield Case("C12-target-newline", attribute('volumes: [{type: volume, target: "/a\\nb"}]'), expect="any")
    yield Case("C12-proc", attribute('volumes: ["/x:/proc", "/x:/dev/../proc"]'), expect="any")
    yield Case("C14-tmpfs-size", attribute("volumes: [{type: tmpfs, target: /t, tmpfs: {size: 99999999t}}]"), expect="any")
    for subnet in ("0.0.0.0/0", "10.0.0.0/31", "10.0.0.0/32", "::/0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0", "300.0.0.0/8", "/", "::/129", "1.2.3.4/8/8"):
        yield Case(f"C15-subnet-{subnet.replace('/', '_')}", "networks: {default: {ipam: {config: [{subnet: '" + subnet + "'}]}}}\n" + service(""), expect="any")
    yield Case("C15-overlapping", "networks: {default: {ipam: {config: [{subnet: 10.0.0.0/8}, {subnet: 10.1.0.0/16}]}}}\n" + service(""), expect="any")
    yield Case("C15-gateway-outside", "networks: {default: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 11.0.0.1}]}}}\n" + service(""), expect="any")
    for host in ("h" * 300, "-a", "ünï", "a b", "a\\nb", "$(x)"):
        yield Case(f"C16-hostname-{host[:6]}", attribute(f'hostname: "{host}"'), expect="any")
    for key in ("net/../kernel.x", "net/ipv4/ip_forward", "..", ""):
        yield Case(f"C17-sysctl-{key.replace('/', '_') or 'empty'}", attribute(f'sysctls: {{"{key}": 1}}'), expect="any")
    yield Case("C18-device", attribute('devices: ["/dev/../etc/passwd"]'), expect="any")
    yield Case("C18-device-parts", attribute('devices: ["a:b:c:d:e", ":", ""]'))
    yield Case("C19-env-file-fifo", attribute("env_file: f"), setup=lambda folder: os.mkfifo(os.path.join(folder, "f")), says="regular|FIFO|fifo")
    yield Case("C19-env-file-big", attribute("env_file: f"), setup=lambda folder: os.truncate(make(folder, "f", b"A=1\n"), 1 << 30), says="large|big|limit")
    yield Case("C19-env-file-binary", attribute("env_file: f"), files={"f": bytes(range(256)) * 50}, expect="any")
    yield Case("C19-env-file-folder", attribute("env_file: ."), says="director")
    yield Case("C19-env-file-many-lines", attribute("env_file: f"), files={"f": "".join(f"K{i}=v\n" for i in range(300_000))}, expect="any")
    yield Case("C19-env-file-for-all", "services:\n" + "".join(f"  s{i}: {{image: x, env_file: f}}\n" for i in range(1_000)),
        files={"f": "".join(f"K{i}=v\n" for i in range(10_000))}, says="values")
    yield Case("C20-secret-without-source", attribute("secrets: [s]", "secrets: {s: {}}\n"), says="secrets.s")
    yield Case("C20-secret-unset", attribute("secrets: [s]", "secrets: {s: {environment: NOT_SET_ANYWHERE}}\n"), expect="ok")
    for key in ("a=b", "", "a\\0b", "a b"):
        yield Case(f"C21-label-{key[:3] or 'empty'}", attribute(f'labels: {{"{key}": 1}}\n    environment: {{"{key}": 1}}'), expect="any")
    yield Case("C23-watch-root", attribute("develop: {watch: [{path: /, action: restart}]}"), expect="any")
    yield Case("C24-attributes-of-every-wrong-type", "services:\n  a:\n    image: app\n" + "".join(
        f"    {key}: {{x: [{{y: [1]}}]}}\n" for key in ("build", "command", "ports", "volumes", "environment", "labels", "networks", "depends_on", "deploy",
                                                      "healthcheck", "logging", "secrets", "configs", "ulimits", "gpus", "develop")), says="services.a")
    yield Case("C25-unknown-keys", "services:\n  a:\n    image: x\n" + "".join(f"    imag{i}: x\n" for i in range(100_000)), says="imag0")


def variables():
    yield Case("V01-nested-defaults", attribute("hostname: " + "${A:-" * 10_000 + "}" * 10_000), says="deep|nest|level")
    yield Case("V01-nested-30", attribute("hostname: " + "${A:-" * 30 + "x" + "}" * 30), expect="ok")
    for text in ("${", "${A:", "${}", "${1A}", "${A", "${A:?", "${A:-", "${A B}", "${A!}", "${A:=x}", "${-}"):
        yield Case(f"V02-malformed-{text.strip('$').replace('/', '_')}", attribute(f"hostname: '{text}'"))
    yield Case("V02-dollar", attribute("hostname: '$'"), expect="any")
    yield Case("V02-required", attribute("hostname: '${NOPE:?say NOPE}'"), says="say NOPE")
    yield Case("V03-dotenv-cycle", attribute("hostname: $A"), files={".env": "A=$B\nB=$A\n"}, expect="ok")
    yield Case("V03-dotenv-self", attribute("hostname: $A"), files={".env": "A=$A$A\n"}, expect="ok")
    yield Case("V03-dotenv-doubling", attribute("hostname: $A40"), files={".env": "A0=xxxxxxxxxx\n" + "".join(f"A{i}=$A{i - 1}$A{i - 1}\n" for i in range(1, 41))},
        says="large|long|limit|MiB")
    yield Case("V04-megabyte-default", attribute("labels:\n" + "".join(f"      l{i}: ${{A:-$B}}\n" for i in range(1_000))), env={"B": "b" * 100_000}, expect="any")
    yield Case("V04-megabyte-values", attribute("labels: {l: '" + "$B" * 1_000 + "'}"), env={"B": "b" * 100_000}, says="large|long|limit|MiB")
    yield Case("V04-values-together", attribute("labels:\n" + "".join(f"      l{i}: $B$B$B$B$B$B$B$B\n" for i in range(2_000))), env={"B": "b" * 100_000}, expect="any")
    yield Case("V04-dotenv-values", attribute("hostname: $K1"), files={".env": "B=" + "b" * 100_000 + "\n" + "".join(f"K{i}=$B\n" for i in range(1_000))},
        says="more than")
    yield Case("V05-dollars", attribute("hostname: '" + "$" * MIB + "'"), expect="any")
    yield Case("V05-odd-dollars", attribute("hostname: '" + "$" * (MIB + 1) + "'"), expect="any")
    yield Case("V06-dotenv-nul", attribute("hostname: $A"), files={".env": b"A=a\0b\n"}, expect="any")
    yield Case("V06-dotenv-export", attribute("hostname: $A"), files={".env": "export A=1\nexport\nexport =\n"}, expect="any")
    yield Case("V06-dotenv-quote", attribute("hostname: $A"), files={".env": 'A="unclosed\nB=1\n'}, says="quote")
    yield Case("V06-dotenv-lines", attribute("hostname: $A"), files={".env": "A=1\n" * 1_000_000}, expect="any")
    yield Case("V06-dotenv-keys", attribute("hostname: $K1"), files={".env": "".join(f"K{i}=1\n" for i in range(200_000))}, expect="any")
    yield Case("V06-dotenv-bom", attribute("hostname: $A"), files={".env": "\ufeffA=1\n"}, expect="ok")
    yield Case("V06-dotenv-words", attribute("hostname: $A"), files={".env": "this is not a file of variables\n"}, says="")
    yield Case("V06-dotenv-fifo", attribute("hostname: x"), setup=lambda folder: os.mkfifo(os.path.join(folder, ".env")), expect="any")
    yield Case("V06-dotenv-folder", attribute("hostname: x"), setup=lambda folder: os.mkdir(os.path.join(folder, ".env")), expect="any")


NAMES = {"N01-empty": "", "N02-dot": ".", "N02-dots": "..", "N03-parent": "../x", "N04-slash": "a/b", "N05-flag": "-rf", "N06-space": "a b",
         "N07-newline": "a\\n", "N08-nul": "a\\0b", "N09-long": "a" * 256, "N10-accents": "Ünï", "N10-combining": "U\u0308n", "N11-format": "con.veth%d",
         "N12-shell": "$$(x)", "N12-backticks": "`x`", "N12-semicolon": ";x", "N13-nft": "nft table name {", "N14-upper": "AbC"}


def names():
    for case, name in NAMES.items():
        yield Case(f"{case}-project", f'name: "{name}"\n' + service(""), expect="any" if case == "N01-empty" or case == "N09-long" else "error", says="")
        plain = name.replace("\\n", "\n").replace("$$", "$")
        if "\\0" not in plain:
            yield Case(f"{case}-flag", service(""), args=["-p", plain], expect="any" if case in ("N01-empty", "N09-long") else "error")
            yield Case(f"{case}-variable", service(""), env={"COMPOSE_PROJECT_NAME": plain}, expect="any" if case in ("N01-empty", "N09-long") else "error")
        yield Case(f"{case}-service", f'services:\n  "{name}": {{image: x}}\n', expect="any")
        yield Case(f"{case}-container", attribute(f'container_name: "{name}"'), expect="any")
        for section in ("networks", "volumes", "secrets", "configs"):
            yield Case(f"{case}-{section}", f'{section}:\n  "{name}": {{}}\n' + service(""), expect="any")
            yield Case(f"{case}-{section}-name", f'{section}:\n  n: {{name: "{name}", file: x}}\n' + service(""), expect="any")
        yield Case(f"{case}-profile", attribute(f'profiles: ["{name}"]'), expect="any")
        yield Case(f"{case}-image", f'services: {{a: {{image: "{name}"}}}}\n', expect="any")
    yield Case("N14-twins", "services:\n  Web: {image: x}\n  web: {image: x}\n", expect="any")
    yield Case("N15-long-twins", "services: {}\nnetworks:\n  " + "n" * 15 + "a:\n  " + "n" * 15 + "b:\n", expect="ok")



def cases():
    """One after the other, since some hold many megabytes."""
    for group in (yaml_shapes, odd_files, graphs, values, variables, names):
        yield from group()
