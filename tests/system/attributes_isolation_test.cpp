// Namespaces, privileges, devices and limits, as the kernel shows them inside the container or on the host.
#include <filesystem>

#include <gmock/gmock.h>

#include "support/traffic.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string host_namespace(const Sandbox& box, const std::string& kind) {
    return box.host({"readlink", "/proc/self/ns/" + kind}).out;
}

TEST(Namespaces, ServicesShareNetworkProcessesAndMemory) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  main: {image: busybox, command: "httpd -f -p 8080 -h /bin", ipc: shareable, hostname: mainhost}
  net: {image: busybox, command: sleep 1000, network_mode: "service:main"}
  pid: {image: busybox, command: sleep 1000, pid: "service:main"}
  ipc: {image: busybox, command: sleep 1000, ipc: "service:main"}
  other: {image: busybox, command: sleep 1000}
)");
    box.ok({"up", "-d"});
    const auto ns = [&](const std::string& service, const std::string& kind) {
        return in(box, service, "readlink /proc/self/ns/" + kind);
    };
    EXPECT_EQ(ns("net", "net"), ns("main", "net"));
    EXPECT_NE(ns("net", "ipc"), ns("main", "ipc"));
    EXPECT_NE(ns("other", "net"), ns("main", "net"));
    EXPECT_EQ(in(box, "net", "wget -q -O - http://127.0.0.1:8080/busybox | head -c 4"),
              "\x7f"
              "ELF");
    EXPECT_EQ(in(box, "net", "cat /etc/hosts"), in(box, "main", "cat /etc/hosts"));
    EXPECT_THAT(in(box, "net", "nslookup other"), HasSubstr("other"));
    EXPECT_EQ(ns("pid", "pid"), ns("main", "pid"));
    EXPECT_THAT(in(box, "pid", "ps"), HasSubstr("httpd"));
    EXPECT_EQ(ns("ipc", "ipc"), ns("main", "ipc"));
    (void)in(box, "main", "echo shared > /dev/shm/note");
    EXPECT_EQ(in(box, "ipc", "cat /dev/shm/note"), "shared\n");
    EXPECT_NE(box.compose({"exec", "-T", "other", "cat", "/dev/shm/note"}).exit_code, 0);
    // Nothing of the other container's files came along.
    EXPECT_NE(ns("ipc", "mnt"), ns("main", "mnt"));
    EXPECT_EQ(box.ok({"exec", "-T", "net", "hostname"}), "mainhost\n");
}

TEST(Namespaces, AnotherProjectsContainerByName) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {main: {image: busybox, command: sleep 1000, ipc: private}}\n");
    box.write("other/compose.yaml", R"(
services:
  side: {image: busybox, command: sleep 1000, network_mode: "container:demo-main-1"}
  barred: {image: busybox, command: sleep 1000, ipc: "container:demo-main-1", profiles: [x]}
)");
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d", "side"}), HasSubstr("demo-main-1"));
    box.ok({"up", "-d"});
    box.ok({"-f", "other/compose.yaml", "up", "-d"});
    EXPECT_EQ(box.ok({"-f", "other/compose.yaml", "exec", "-T", "side", "readlink", "/proc/self/ns/net"}),
              box.ok({"exec", "-T", "main", "readlink", "/proc/self/ns/net"}));
    EXPECT_THAT(box.fails({"-f", "other/compose.yaml", "up", "-d", "barred"}), HasSubstr("private"));
    box.ok({"-f", "other/compose.yaml", "--profile", "x", "down", "-t", "0"});
}

TEST(Namespaces, TheHostsWhereAskedFor) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  host: {image: busybox, command: sleep 1000, pid: host, ipc: host, uts: host, cgroup: host, userns_mode: host}
  own: {image: busybox, command: sleep 1000, ipc: none, cgroup: private}
)");
    box.ok({"up", "-d"});
    for (const char* kind : {"pid", "ipc", "uts", "cgroup"}) {
        const std::string script = std::string("readlink /proc/self/ns/") + kind;
        EXPECT_EQ(in(box, "host", script), host_namespace(box, kind)) << kind;
        EXPECT_NE(in(box, "own", script), host_namespace(box, kind)) << kind;
    }
    EXPECT_NE(in(box, "own", "readlink /proc/self/ns/time"), host_namespace(box, "time"));
    EXPECT_THAT(in(box, "own", "mount"), Not(HasSubstr("/dev/shm")));
    EXPECT_EQ(in(box, "own", "cut -d. -f1 /proc/uptime 2>/dev/null || cat /proc/uptime").empty(), false);
}

TEST(Security, SeccompProfilesOfTheUser) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("deny.json", R"({
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
    {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
  ]})");
    box.write("broken.json", R"({"defaultAction": "SCMP_ACT_WHATEVER"})");
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, security_opt: ["seccomp=./deny.json"]}
  free: {image: busybox, command: sleep 1000, security_opt: ["seccomp:unconfined", "no-new-privileges:true"]}
  usual: {image: busybox, command: sleep 1000, security_opt: ["no-new-privileges:false"]}
  broken: {image: busybox, command: sleep 1000, security_opt: ["seccomp=./broken.json"], profiles: [x]}
  gone: {image: busybox, command: sleep 1000, security_opt: ["seccomp=./nosuch.json"], profiles: [x]}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(box.compose({"exec", "-T", "web", "mkdir", "/tmp/x"}).err, HasSubstr("not supported"));
    EXPECT_EQ(box.compose({"exec", "-T", "usual", "mkdir", "/tmp/x"}).exit_code, 0);
    EXPECT_THAT(in(box, "web", "grep Seccomp: /proc/self/status"), HasSubstr("2"));
    EXPECT_THAT(in(box, "free", "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status"), HasSubstr("Seccomp:\t0"));
    EXPECT_THAT(in(box, "free", "grep NoNewPrivs /proc/self/status"), HasSubstr("1"));
    EXPECT_THAT(in(box, "usual", "grep NoNewPrivs /proc/self/status"), HasSubstr("0"));
    EXPECT_THAT(box.fails({"up", "-d", "broken"}), HasSubstr("SCMP_ACT_WHATEVER"));
    EXPECT_THAT(box.fails({"up", "-d", "gone"}), HasSubstr("nosuch.json"));
}

TEST(Security, CapabilitiesGroupsAndKernelPaths) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  few: {image: busybox, command: sleep 1000, cap_drop: [ALL], cap_add: [NET_BIND_SERVICE], group_add: ["4000", extra]}
  open: {image: busybox, command: sleep 1000, security_opt: ["systempaths=unconfined", "writable-cgroups=true"]}
  usual: {image: busybox, command: sleep 1000}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "few", "grep -E 'CapEff|CapBnd|CapPrm' /proc/self/status"),
                HasSubstr("CapEff:\t0000000000000400\nCapBnd:\t0000000000000400"));
    EXPECT_EQ(in(box, "few", "id -G"), "0 2000 4000\n");
    EXPECT_THAT(in(box, "usual", "mount"), HasSubstr("on /proc/sys type proc (ro"));
    EXPECT_THAT(in(box, "open", "mount"), Not(HasSubstr("/proc/sys")));
    EXPECT_THAT(in(box, "usual", "mount"), testing::ContainsRegex("/sys/fs/cgroup/[^ ]+ type cgroup2? \\(ro"));
    EXPECT_THAT(in(box, "open", "mount"), testing::ContainsRegex("/sys/fs/cgroup/[^ ]+ type cgroup2? \\(rw"));
}

TEST(Devices, ByPathByRuleAndByName) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::string folder = "/etc/cdi";
    ASSERT_TRUE(box.host({"sh", "-c", "mkdir -p " + folder + " && mount -t tmpfs cdi " + folder}).ok());
    ASSERT_TRUE(box.host({"sh", "-c", "mkdir -p " + folder + " && cat > " + folder + R"(/test.json <<'X'
{"cdiVersion": "0.6.0", "kind": "test.example/thing",
 "devices": [{"name": "one", "containerEdits": {"env": ["THING=one"],
   "deviceNodes": [{"path": "/dev/thing", "hostPath": "/dev/null", "permissions": "r"}]}}],
 "containerEdits": {"mounts": [{"hostPath": "/etc/hostname", "containerPath": "/opt/driver", "options": ["ro"]}],
                    "additionalGids": [4711]}}
X
cat > )" + folder + R"(/gpu.yaml <<'X'
cdiVersion: 0.6.0
kind: nvidia.com/gpu
devices: [{name: all, containerEdits: {env: [GPU=all]}}, {name: "0", containerEdits: {env: [GPU=0]}}]
X)"})
                    .ok());
    box.write("compose.yaml", R"(
services:
  mapped: {image: busybox, command: sleep 1000, devices: ["/dev/fuse:/dev/sub/log:r", "/dev/zero:/dev/random"]}
  ruled: {image: busybox, command: sleep 1000, device_cgroup_rules: ["c 10:229 rw"]}
  usual: {image: busybox, command: sleep 1000}
  named: {image: busybox, command: sleep 1000, devices: ["test.example/thing=one"]}
  gpu: {image: busybox, command: sleep 1000, gpus: all}
  one:
    image: busybox
    command: sleep 1000
    deploy: {resources: {reservations: {devices: [{driver: nvidia, device_ids: ["0"], capabilities: [gpu]}]}}}
  absent: {image: busybox, command: sleep 1000, devices: ["/dev/nosuch"], profiles: [x]}
  unknown: {image: busybox, command: sleep 1000, devices: ["test.example/thing=two"], profiles: [x]}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "mapped", "ls -l /dev/sub/log"), HasSubstr("10, 229"));
    EXPECT_EQ(box.compose({"exec", "-T", "mapped", "sh", "-c", "exec 3>/dev/sub/log"}).exit_code == 0, false);
    EXPECT_EQ(box.compose({"exec", "-T", "mapped", "sh", "-c", "exec 3</dev/sub/log"}).exit_code, 0);
    EXPECT_THAT(in(box, "mapped", "ls -l /dev/random"), HasSubstr("1,   5")) << "in place of the usual one";
    for (const char* service : {"ruled", "usual"}) (void)in(box, service, "busybox mknod /tmp/f c 10 229");
    EXPECT_EQ(box.compose({"exec", "-T", "ruled", "sh", "-c", "exec 3<>/tmp/f"}).exit_code, 0);
    EXPECT_NE(box.compose({"exec", "-T", "usual", "sh", "-c", "exec 3<>/tmp/f"}).exit_code, 0);
    EXPECT_THAT(in(box, "named", "ls -l /dev/thing"), HasSubstr("1,   3"));
    EXPECT_EQ(in(box, "named", "echo $THING"), "one\n");
    EXPECT_EQ(in(box, "named", "cat /opt/driver"), box.host({"cat", "/etc/hostname"}).out);
    EXPECT_THAT(in(box, "named", "id -G"), HasSubstr("4711"));
    EXPECT_EQ(in(box, "gpu", "echo $GPU"), "all\n");
    EXPECT_EQ(in(box, "one", "echo $GPU"), "0\n");
    EXPECT_THAT(box.fails({"up", "-d", "absent"}), HasSubstr("/dev/nosuch: no such file"));
    const auto unknown = box.fails({"up", "-d", "unknown"});
    EXPECT_THAT(unknown, HasSubstr("unresolvable CDI device test.example/thing=two"));
    EXPECT_THAT(unknown, HasSubstr("there are test.example/thing=one"));
    (void)box.host({"umount", folder});
}

class Limited : public testing::Test {
protected:
    // The text of a cgroup file of a container, read on the host.
    static std::string limit(const Sandbox& box, const std::string& service, const std::string& controller,
                             const std::string& file) {
        const auto pid = std::to_string(box.pid_of("demo-" + service + "-1"));
        const auto line = box.host({"sh", "-c", "grep -E '(:|,)" + controller + "(,|:)' /proc/" + pid + "/cgroup"}).out;
        const auto path = line.substr(line.rfind(':') + 1);
        const auto at = "/sys/fs/cgroup/" + controller + path.substr(0, path.find('\n')) + "/" + file;
        return box.host({"cat", at}).out;
    }
};

TEST_F(Limited, CpuMemoryProcessesAndBlockDevices) {
    REQUIRE_ROOT();
    if (!std::filesystem::exists("/sys/fs/cgroup/memory")) GTEST_SKIP() << "the names are those of cgroup v1";
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    cpu_shares: 512
    cpu_quota: 20000
    cpu_period: 50000
    cpuset: "0"
    mem_limit: 64m
    mem_reservation: 32m
    mem_swappiness: 10
    oom_kill_disable: true
    oom_score_adj: 300
    pids_limit: 77
    ulimits: {nofile: {soft: 100, hard: 200}, core: 0}
    shm_size: 8m
    sysctls: {net.core.somaxconn: "321", kernel.msgmax: "4096"}
  half: {image: busybox, command: sleep 1000, cpus: 0.5}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(limit(box, "web", "cpu", "cpu.shares"), "512\n");
    EXPECT_EQ(limit(box, "web", "cpu", "cpu.cfs_quota_us"), "20000\n");
    EXPECT_EQ(limit(box, "web", "cpu", "cpu.cfs_period_us"), "50000\n");
    EXPECT_EQ(limit(box, "half", "cpu", "cpu.cfs_quota_us"), "50000\n");
    EXPECT_EQ(limit(box, "web", "memory", "memory.limit_in_bytes"), "67108864\n");
    EXPECT_EQ(limit(box, "web", "memory", "memory.soft_limit_in_bytes"), "33554432\n");
    EXPECT_EQ(limit(box, "web", "memory", "memory.swappiness"), "10\n");
    EXPECT_THAT(limit(box, "web", "memory", "memory.oom_control"), HasSubstr("oom_kill_disable 1"));
    EXPECT_EQ(limit(box, "web", "pids", "pids.max"), "77\n");
    EXPECT_EQ(in(box, "web", "grep Cpus_allowed_list /proc/self/status"), "Cpus_allowed_list:\t0\n");
    EXPECT_EQ(in(box, "web", "cat /proc/1/oom_score_adj"), "300\n");
    EXPECT_EQ(in(box, "web", "ulimit -Sn; ulimit -Hn; ulimit -c"), "100\n200\n0\n");
    EXPECT_THAT(in(box, "web", "mount"), testing::ContainsRegex("/dev/shm type tmpfs \\([^)]*size=8192k"));
    EXPECT_EQ(in(box, "web", "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax"), "321\n4096\n");
}

TEST_F(Limited, AParentOfTheUsersChoice) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, cgroup_parent: /mine/compose-test}
  bad: {image: busybox, command: sleep 1000, cgroup_parent: ../up, profiles: [x]}
)");
    box.ok({"up", "-d"});
    const auto pid =
        box.host({"sh", "-c", "cat /sys/fs/cgroup/*/mine/compose-test/*/cgroup.procs | sort -u | head -1"}).out;
    EXPECT_THAT(box.host({"cat", "/proc/" + pid.substr(0, pid.find('\n')) + "/cmdline"}).out, HasSubstr("sleep"));
    EXPECT_THAT(box.fails({"up", "-d", "bad"}), HasSubstr("no name for a cgroup"));
    box.ok({"--profile", "x", "down", "-t", "0"});
    EXPECT_TRUE(box.host({"sh", "-c", "ls -d /sys/fs/cgroup/*/mine/compose-test"}).ok()) << "it is the user's";
    (void)box.host({"sh", "-c", "rmdir /sys/fs/cgroup/*/mine/compose-test /sys/fs/cgroup/*/mine"});
}

TEST_F(Limited, WhatTheKernelOrTheEngineCannotDoIsSaid) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  cpus: {image: busybox, command: sleep 1000, cpuset: "0-2147483647", profiles: [x]}
  sysctl: {image: busybox, command: sleep 1000, sysctls: {kernel.panic: "1"}, profiles: [x]}
  device: {image: busybox, command: sleep 1000, blkio_config: {device_read_bps: [{path: /dev/null, rate: 1mb}]}, profiles: [x]}
)");
    EXPECT_THAT(box.fails({"up", "-d", "cpus"}), HasSubstr("not a list of cpus"));
    EXPECT_THAT(box.fails({"up", "-d", "sysctl"}), HasSubstr("kernel.panic"));
    EXPECT_THAT(box.fails({"up", "-d", "device"}), HasSubstr("/dev/null is no block device"));
    box.ok({"--profile", "*", "down", "-t", "0"});
}

}  // namespace
}  // namespace compose::test
