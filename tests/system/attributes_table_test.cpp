// Attributes whose effect one line can show: a service for each, all in one project, looked at from inside.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Row {
    const char* name;  // of the service
    const char* body;  // its attributes, besides image and command
    const char* look;  // a script that runs inside
    const char* shows;
};

constexpr Row kRows[] = {
    // What runs, and as whom.
    {"command", "command: \"sh -c 'echo \\\"two  words\\\" > /said; sleep 1000'\"", "cat /said", "two  words\n"},
    {"entrypoint", "image: talking, entrypoint: [sleep, '1000'], command: null", "cat /proc/1/cmdline | tr '\\0' ' '",
     "sleep 1000 "},
    {"keeps-command", "image: talking, command: ['1000']", "cat /proc/1/cmdline | tr '\\0' ' '", "sleep 1000 "},
    {"cleared", "image: talking, entrypoint: '', command: [busybox, sleep, '1000']",
     "cat /proc/1/cmdline | tr '\\0' ' '", "busybox sleep 1000 "},
    {"working-dir", "working_dir: /made/for/it", "pwd", "/made/for/it\n"},
    {"user-names", "user: 'web:extra'", "id -u; id -g", "1000\n2000\n"},
    {"user-numbers", "user: '7:8'", "id -u; id -g", "7\n8\n"},
    {"no-terminal", "tty: false", "test -t 0 < /proc/1/fd/0 || echo none", "none\n"},
    {"terminal", "tty: true", "test -c /proc/1/fd/0 && readlink /proc/1/fd/1", "/dev/pts/0\n"},
    {"stdin-open", "stdin_open: true, command: \"sh -c 'read line; sleep 1000'\"", "readlink /proc/1/fd/0 | cut -c1-4",
     "pipe\n"},
    {"stdin-closed", "stdin_open: false", "readlink /proc/1/fd/0", "/dev/null\n"},
    {"init", "init: true", "cat /proc/1/cmdline | tr '\\0' ' ' | cut -c1-20; ps | grep -c 'sleep 1000$'", "1\n"},
    {"no-init", "init: false", "cat /proc/1/cmdline | tr '\\0' ' '", "sleep 1000 "},
    {"runtime", "runtime: runc", "echo runs", "runs\n"},
    {"platform", "platform: linux/amd64", "echo runs", "runs\n"},
    // Its environment.
    {"env-map", "environment: {NUMBER: 7, FLAG: 'true', FROM_HERE: null, KEPT: null}",
     "echo $NUMBER $FLAG $FROM_HERE $KEPT-", "7 true here -\n"},
    {"env-list", "environment: ['A=b=c', FROM_HERE]", "echo $A $FROM_HERE", "b=c here\n"},
    {"env-unset", "image: talking, command: ['1000'], environment: {IN_IMAGE: null}", "env | grep -c IN_IMAGE", "0\n"},
    {"env-file", "env_file: [one.env, {path: two.env}, {path: none.env, required: false}]", "echo $ONE $BOTH",
     "1 second\n"},
    {"env-file-raw", "env_file: [{path: raw.env, format: raw}]", "echo \"$QUOTED $DOLLAR\"", "'text' ${ONE}\n"},
    // Names and addresses.
    {"hostname", "hostname: here, domainname: example.test", "hostname; cat /proc/sys/kernel/domainname",
     "here\nexample.test\n"},
    {"hostname-default", "cap_drop: []", "hostname | wc -c", "13\n"},
    {"mac", "mac_address: '02:00:00:00:aa:01'", "cat /sys/class/net/eth0/address", "02:00:00:00:aa:01\n"},
    {"extra-hosts", "extra_hosts: {one: 192.0.2.1, many: [192.0.2.2, 192.0.2.3]}",
     "grep -cE '192.0.2.1.one$|192.0.2.[23].many$' /etc/hosts", "3\n"},
    // What it may do.
    {"privileged", "privileged: true",
     "grep Seccomp: /proc/self/status; [ $(ls /dev | wc -l) -gt 16 ] && echo devices; "
     "grep -c ' /sys sysfs rw' /proc/mounts; grep -c ' /proc/sys ' /proc/mounts",
     "Seccomp:\t0\ndevices\n1\n0\n"},
    {"unprivileged", "privileged: false", "ls /dev | tr '\\n' ' '",
     "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "},
    {"cap-add", "cap_add: [SYS_TIME, cap_net_admin]", "grep CapEff /proc/self/status", "CapEff:\t00000000aa0435fb\n"},
    {"cap-drop", "cap_drop: [NET_RAW, CHOWN]", "grep CapEff /proc/self/status", "CapEff:\t00000000a80405fa\n"},
    {"group-add", "user: web, group_add: ['3000']", "id -G", "1000 2000 3000\n"},
    {"read-only", "read_only: true", "touch /x 2>&1 | grep -c Read-only", "1\n"},
    {"apparmor", "security_opt: ['apparmor=unconfined', 'label:disable']", "echo runs", "runs\n"},
    // Limits.
    {"ulimit-plain", "ulimits: {nproc: 333}", "ulimit -Su; ulimit -Hu", "333\n333\n"},
    {"ulimit-none", "ulimits: {core: -1, nofile: {soft: '64', hard: '128'}}", "ulimit -c; ulimit -Sn",
     "unlimited\n64\n"},
    {"sysctl-list", "sysctls: ['net.ipv4.ip_forward=1', 'kernel.shm_rmid_forced=1']",
     "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced", "1\n1\n"},
    {"shm-size", "shm_size: 3mb", "mount | grep -c '/dev/shm.*size=3072k'", "1\n"},
    {"oom-score", "oom_score_adj: 400", "cat /proc/1/oom_score_adj", "400\n"},
    {"cpuset", "cpuset: '0'", "grep Cpus_allowed_list /proc/self/status", "Cpus_allowed_list:\t0\n"},
    // Files.
    {"nocopy", "volumes: [{type: volume, target: /var/data, volume: {nocopy: true}}]", "ls /var/data | wc -l", "0\n"},
    {"copy", "volumes: [/var/data]", "ls /var/data", "seed\n"},
    {"tmpfs", "tmpfs: ['/scratch:size=1m,mode=0700,uid=9,gid=10', /more]",
     "stat -c '%a %u %g' /scratch; mount | grep -c '/scratch.*size=1024k'; mount | grep -c 'on /more type tmpfs'",
     "700 9 10\n1\n1\n"},
    {"tmpfs-long", "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 2m, mode: 01770}}]",
     "stat -c %a /t; mount | grep -c '/t type tmpfs.*size=2048k'", "1770\n1\n"},
    {"bind-short", "volumes: ['./made-by-it:/here', './there:/there:ro,z']",
     "test -d /here && touch /there/x 2>&1 | grep -c Read-only", "1\n"},
    {"bind-private", "volumes: [{type: bind, source: ./there, target: /there, bind: {propagation: private}}]",
     "grep -c ' /there .* - ' /proc/self/mountinfo; grep ' /there ' /proc/self/mountinfo | grep -c shared", "1\n0\n"},
};

std::string rows_as_file() {
    std::string text = "services:\n";
    for (const auto& row : kRows) {
        const std::string body = row.body;
        text += std::string("  ") + row.name + ": {";
        if (body.find("image:") == std::string::npos) text += "image: busybox, ";
        if (body.find("command:") == std::string::npos) text += "command: sleep 1000, ";
        text += "stop_grace_period: 0s, " + body + "}\n";
    }
    return text;
}

/// An image with an entrypoint, a command and a variable of its own.
void import_talking(const Sandbox& box) {
    ASSERT_TRUE(box.host({"sh", "-c",
                          "mkdir -p " + box.path("root/bin") + " && cp /bin/busybox " + box.path("root/bin") +
                              " && for t in sh sleep cat tr env grep; do ln -s busybox " + box.path("root/bin/") +
                              "$t; done && tar -C " + box.path("root") + " -cf " + box.path("talking.tar") + " ."})
                    .ok());
    box.ok({"image", "import", "-c", "ENTRYPOINT [\"sleep\"]", "-c", "CMD [\"500\"]", "-c", "ENV IN_IMAGE=yes",
            box.path("talking.tar"), "talking"});
}

TEST(AttributeTable, EveryRowIsSeenInside) {
    REQUIRE_ROOT();
    Sandbox box;
    import_talking(box);
    box.environment["FROM_HERE"] = "here";
    box.write("one.env", "ONE=1\nBOTH=first\n");
    box.write("two.env", "BOTH=second\n");
    box.write("raw.env", "QUOTED='text'\nDOLLAR=${ONE}\n");
    box.write("there/file", "");
    box.write("compose.yaml", rows_as_file());
    box.ok({"up", "-d"});
    for (const auto& row : kRows) {
        const auto seen = box.compose({"exec", "-T", row.name, "sh", "-c", row.look});
        EXPECT_THAT(seen.out, HasSubstr(row.shows)) << row.name << ": " << row.body << "\n" << seen.err;
    }
}

}  // namespace
}  // namespace compose::test
