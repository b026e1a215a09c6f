// What a process in a container finds: the baseline of isolation, row by row, as the probe sees it.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/strings.hpp"
#include "container.hpp"
#include "sys/file.hpp"
#include "sys/host.hpp"

namespace compose::runtime::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultMask = "00000000a80425fb";

class Isolation : public ContainerTest {
protected:
    std::string report(const ContainerSpec& spec) {
        const Outcome outcome = run(spec);
        EXPECT_TRUE(outcome.started) << outcome.failure.message;
        return outcome.output;
    }
    std::string report() { return report(make_spec({"probe", "report"})); }
    static std::vector<std::string> all(const std::string& text, const std::string& key) {
        std::vector<std::string> result;
        for (const auto& line : lines(text))
            if (line.starts_with(key + "=")) result.push_back(line.substr(key.size() + 1));
        return result;
    }
    // "tmpfs rw,nosuid root=/ super=… dev=…" of one mount.
    static std::string mount_of(const std::string& text, const std::string& target) {
        for (const auto& mount : all(text, "mount"))
            if (mount.starts_with(target + " ")) return mount.substr(target.size() + 1);
        return {};
    }
};

TEST_F(Isolation, NamespacesAreAllItsOwnButTheUserOne) {
    const std::string text = report();
    for (const char* name : {"mnt", "net", "uts", "pid", "ipc", "cgroup", "time"})
        EXPECT_NE(value_of(text, std::string("ns.") + name), fs::read_symlink(std::string("/proc/self/ns/") + name))
            << name;
    EXPECT_EQ(value_of(text, "ns.user"), fs::read_symlink("/proc/self/ns/user"));
    EXPECT_EQ(value_of(text, "pid"), "1");
}

TEST_F(Isolation, NamespacesCanBeTheHosts) {
    auto spec = make_spec({"probe", "report"});
    spec.network = spec.pid = spec.ipc = spec.uts = spec.cgroup = NamespaceMode::host;
    const std::string text = report(spec);
    for (const char* name : {"net", "uts", "pid", "ipc", "cgroup"})
        EXPECT_EQ(value_of(text, std::string("ns.") + name), fs::read_symlink(std::string("/proc/self/ns/") + name))
            << name;
}

TEST_F(Isolation, CapabilitiesAreTheFourteenUsualOnes) {
    const std::string text = report();
    for (const char* key : {"CapBnd", "CapPrm", "CapEff"}) EXPECT_EQ(value_of(text, key), kDefaultMask) << key;
    for (const char* key : {"CapInh", "CapAmb"}) EXPECT_EQ(value_of(text, key), "0000000000000000") << key;
}

TEST_F(Isolation, CapabilitiesFollowTheSpec) {
    auto spec = make_spec({"probe", "report"});
    spec.cap_drop = {"ALL"};
    spec.cap_add = {"NET_ADMIN"};
    EXPECT_EQ(value_of(report(spec), "CapEff"), "0000000000001000");
    spec = make_spec({"probe", "report"});
    spec.cap_drop = {"CAP_CHOWN", "kill"};
    EXPECT_EQ(value_of(report(spec), "CapBnd"), "00000000a80425da");
    spec = make_spec({"probe", "report"});
    spec.cap_add = {"ALL"};
    spec.cap_drop = {"SYS_ADMIN"};
    const auto mask = std::stoull(value_of(report(spec), "CapEff"), nullptr, 16);
    EXPECT_EQ(mask & (1ULL << 21U), 0U);
    EXPECT_NE(mask & (1ULL << 12U), 0U);
}

TEST_F(Isolation, PrivilegedHasAllThatTheEngineHas) {
    auto spec = make_spec({"probe", "report"});
    spec.privileged = true;
    const std::string text = report(spec);
    const std::string own = value_of(
        [] {
            std::string status = read("/proc/self/status");
            std::replace(status.begin(), status.end(), ':', '=');
            status.erase(std::remove(status.begin(), status.end(), '\t'), status.end());
            return status;
        }(),
        "CapPrm");
    EXPECT_EQ(value_of(text, "CapEff"), own);
    EXPECT_EQ(value_of(text, "Seccomp"), "0");
    EXPECT_EQ(mount_of(text, "/sys").find("sysfs rw"), 0U);
    EXPECT_NE(text.find("dev=/dev/loop-control"), std::string::npos);
}

TEST_F(Isolation, AnotherUserHasNoCapabilitiesLeft) {
    auto spec = make_spec({"probe", "report"});
    spec.process.user = "web";
    const std::string text = report(spec);
    for (const char* key : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) EXPECT_EQ(value_of(text, key), "0000000000000000");
    EXPECT_EQ(value_of(text, "CapBnd"), kDefaultMask);
    EXPECT_EQ(value_of(text, "Uid"), "1000 1000 1000 1000");
    EXPECT_EQ(value_of(text, "Groups"), "1000 2000");
}

TEST_F(Isolation, PrivilegesCanBeKeptFromGrowing) {
    EXPECT_EQ(value_of(report(), "NoNewPrivs"), "0");
    auto spec = make_spec({"probe", "report"});
    spec.no_new_privileges = true;
    const std::string text = report(spec);
    EXPECT_EQ(value_of(text, "NoNewPrivs"), "1");
    EXPECT_EQ(value_of(text, "Seccomp"), "2");
}

TEST_F(Isolation, OneSystemCallFilterIsInstalled) {
    const std::string text = report();
    EXPECT_EQ(value_of(text, "Seccomp"), "2");
    EXPECT_EQ(value_of(text, "Seccomp_filters"), "1");
    auto spec = make_spec({"probe", "report"});
    spec.seccomp_unconfined = true;
    EXPECT_EQ(value_of(report(spec), "Seccomp"), "0");
}

TEST_F(Isolation, OnlyThreeDescriptorsAreOpen) {
    std::vector<sys::Fd> leaked;
    for (int i = 0; i < 50; ++i) leaked.emplace_back(sys::open_file("/", 0).release());
    EXPECT_EQ(value_of(report(), "fds"), "0 1 2");
}

TEST_F(Isolation, SignalsSessionAndMaskAreFresh) {
    const std::string text = report();
    for (const char* key : {"SigBlk", "SigIgn", "SigCgt"}) EXPECT_EQ(value_of(text, key), "0000000000000000") << key;
    EXPECT_EQ(value_of(text, "sid"), "1");
    EXPECT_EQ(value_of(text, "ctty"), "0");
    EXPECT_EQ(value_of(text, "umask"), "0022");
}

TEST_F(Isolation, TheEnvironmentIsTheSpecsAlone) {
    ::setenv("SECRET_OF_THE_HOST", "1", 1);
    auto spec = make_spec({"probe", "report"});
    spec.process.env = {"A=1", "B=two words"};
    auto found = all(report(spec), "env");
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector<std::string>{"A=1", "B=two words", "HOME=/root", "HOSTNAME=box",
                                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
    spec.process.env = {"PATH=/bin", "HOME=/x", "HOSTNAME=y"};
    spec = make_spec({"probe", "report"});
    spec.process.user = "4711";
    const std::string text = report(spec);
    EXPECT_NE(text.find("env=HOME=/\n"), std::string::npos);
}

TEST_F(Isolation, KernelFileSystemsHaveTheirFlags) {
    const std::string text = report();
    const std::pair<const char*, const char*> expected[] = {
        {"/proc", "proc rw,nosuid,nodev,noexec,relatime"},
        {"/sys", "sysfs ro,nosuid,nodev,noexec,relatime"},
        {"/dev", "tmpfs rw,nosuid root=/ super=rw,size=65536k,mode=755"},
        {"/dev/pts", "devpts rw,nosuid,noexec,relatime root=/ super=rw,gid=5,mode=620,ptmxmode=666"},
        {"/dev/shm", "tmpfs rw,nosuid,nodev,noexec,relatime root=/ super=rw,size=65536k"},
        {"/dev/mqueue", "mqueue rw,nosuid,nodev,noexec,relatime"},
        {"/sys/fs/cgroup", "tmpfs ro,nosuid,nodev,noexec"},
    };
    for (const auto& [target, start] : expected)
        EXPECT_EQ(mount_of(text, target).substr(0, std::string(start).size()), start) << target;
    for (const char* path : {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"})
        EXPECT_EQ(mount_of(text, path).find("proc ro,nosuid,nodev,noexec"), 0U) << path;
}

TEST_F(Isolation, ShmSizeIsHonoured) {
    auto spec = make_spec({"probe", "report"});
    spec.shm_size = 1 << 20;
    EXPECT_NE(mount_of(report(spec), "/dev/shm").find("size=1024k"), std::string::npos);
}

TEST_F(Isolation, DevHoldsTheStandardNodesAndNothingElse) {
    std::set<std::string> expected{"/dev/fd -> /proc/self/fd",       "/dev/full c 1:7 0666 0:0",
                                   "/dev/mqueue dir 1777",           "/dev/null c 1:3 0666 0:0",
                                   "/dev/ptmx -> pts/ptmx",          "/dev/pts dir 0755",
                                   "/dev/random c 1:8 0666 0:0",     "/dev/shm dir 1777",
                                   "/dev/stderr -> /proc/self/fd/2", "/dev/stdin -> /proc/self/fd/0",
                                   "/dev/stdout -> /proc/self/fd/1", "/dev/tty c 5:0 0666 0:0",
                                   "/dev/urandom c 1:9 0666 0:0",    "/dev/zero c 1:5 0666 0:0"};
    if (sys::exists("/proc/kcore")) expected.insert("/dev/core -> /proc/kcore");
    const auto found = all(report(), "dev");
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
}

TEST_F(Isolation, OnlyHarmlessDevicesCanBeOpened) {
    const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
        {"c", "1", "3", "open=ok"},       {"c", "1", "1", "open=EPERM"}, {"b", "254", "0", "open=EPERM"},
        {"c", "10", "229", "open=EPERM"}, {"c", "1", "9", "open=ok"},
    };
    for (const auto& [type, major, minor, expected] : cases) {
        auto spec = make_spec({"probe", "device", type, major, minor});
        const std::string text = report(spec);
        EXPECT_EQ(value_of(text, "mknod"), "ok");
        EXPECT_NE(text.find(expected), std::string::npos) << type << major << ":" << minor << "\n" << text;
    }
}

TEST_F(Isolation, MaskedPathsAreEmpty) {
    const std::string script =
        "for f in acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats; do "
        "p=/proc/$f; [ -e $p ] || continue; "
        "if [ -d $p ]; then echo \"$f dir $(ls $p | wc -l)\"; else echo \"$f $(stat -c %t:%T $p) $(cat $p | wc -c)\"; "
        "fi; done;"
        "for d in /sys/firmware /sys/devices/virtual/powercap; do [ -e $d ] && ls $d; done; true";
    for (const auto& line : lines(run_shell(make_spec({}), script).output)) {
        const bool masked = line.ends_with(" dir 0") || line.ends_with(" 1:3 0");
        EXPECT_TRUE(masked) << line;
    }
    const auto report_text = report();
    std::set<std::string> super_blocks;
    for (const auto& mount : all(report_text, "mount")) {
        const bool directory = mount.starts_with("/proc/acpi ") || mount.starts_with("/sys/firmware ");
        if (!directory) continue;
        EXPECT_NE(mount.find("tmpfs ro,nosuid,nodev,noexec"), std::string::npos) << mount;
        super_blocks.insert(mount.substr(mount.find("dev=")));
    }
    EXPECT_EQ(super_blocks.size(), 1U) << "all masked directories share one file system";
}

TEST_F(Isolation, KernelSettingsCannotBeWritten) {
    auto spec =
        make_spec({"probe", "write", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness",
                   "/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/file-max", "/proc/bus",
                   "/proc/irq/default_smp_affinity", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state",
                   "/sys/kernel/profiling", "/sys/module/kernel/parameters/consoleblank", "/sys/fs/cgroup"});
    for (const auto& line : lines(report(spec)))
        EXPECT_TRUE(line.ends_with("=EROFS") || line.ends_with("=ENOENT")) << line;
    const Outcome tree = run(make_spec({"probe", "write-tree", "/sys/fs/cgroup"}));
    EXPECT_EQ(tree.output, "");
}

TEST_F(Isolation, TheCgroupIsSeenAsTheRoot) {
    for (const auto& entry : split(value_of(report(), "cgroup"), ';'))
        if (entry.find(":devices:") != std::string::npos || entry.find(":pids:") != std::string::npos ||
            entry.starts_with("0::")) {
            EXPECT_TRUE(entry.ends_with(":/")) << entry;
        }
}

TEST_F(Isolation, NoMountReachesTheHost) {
    const std::string before = read("/proc/self/mountinfo");
    auto spec = make_spec({"sleep", "1000"});
    start(spec);
    EXPECT_EQ(read("/proc/self/mountinfo"), before);
    // And none of the host's is left in the container.
    auto probe = make_spec({"probe", "report"});
    for (const auto& mount : all(report(probe), "mount")) EXPECT_EQ(mount.find("/old"), std::string::npos) << mount;
    EXPECT_EQ(run_shell(make_spec({}), "ls -a /..").output, run_shell(make_spec({}), "ls -a /").output);
}

TEST_F(Isolation, AReadOnlyRootKeepsItsOwnFileSystemsWritable) {
    auto spec = make_spec({"probe", "write", "/etc", "/dev/shm", "/dev", "/tmp"});
    spec.read_only = true;
    EXPECT_EQ(report(spec), "/etc=EROFS\n/dev/shm=ok\n/dev=ok\n/tmp=EROFS\n");
}

TEST_F(Isolation, ARootWithoutUpperIsReadOnly) {
    auto spec = make_spec({"probe", "write", "/etc", "/dev/shm"});
    spec.upper.clear();
    spec.work.clear();
    EXPECT_EQ(report(spec), "/etc=EROFS\n/dev/shm=ok\n");
}

TEST_F(Isolation, DefaultSettingsOfTheNetwork) {
    const std::string script =
        "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start; "
        "cat /sys/class/net/lo/operstate; ls /sys/class/net";
    EXPECT_EQ(run_shell(make_spec({}), script).output, "0\t2147483647\n0\nunknown\nlo\n");
}

TEST_F(Isolation, SettingsOfTheSpecApplyInsideAlone) {
    const std::string before = read("/proc/sys/net/ipv4/ip_forward") + read("/proc/sys/kernel/msgmax");
    auto spec = make_spec({});
    spec.sysctls = {{"net.ipv4.ip_forward", "1"}, {"kernel/msgmax", "4242"}, {"net.ipv4.conf.lo.forwarding", "1"}};
    EXPECT_EQ(run_shell(spec, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax").output, "1\n4242\n");
    EXPECT_EQ(read("/proc/sys/net/ipv4/ip_forward") + read("/proc/sys/kernel/msgmax"), before);
}

TEST_F(Isolation, LimitsAreTheDefaultsOrTheSpecs) {
    const std::string text = report();
    const std::string hard = value_of(text, "limit.nofile").substr(5);
    EXPECT_EQ(value_of(text, "limit.nofile"), "1024:" + hard);
    auto spec = make_spec({"probe", "report"});
    spec.rlimits = {{"nofile", 100, 200}, {"core", 0, 0}, {"nproc", 77, 88}};
    const std::string limited = report(spec);
    EXPECT_EQ(value_of(limited, "limit.nofile"), "100:200");
    EXPECT_EQ(value_of(limited, "limit.core"), "0:0");
    EXPECT_EQ(value_of(limited, "limit.nproc"), "77:88");
}

TEST_F(Isolation, TheProcessLimitHolds) {
    auto spec = make_spec({});
    spec.resources.pids = 5;
    const Outcome outcome = run_shell(spec, "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait");
    EXPECT_NE(outcome.output.find("can't fork"), std::string::npos) << outcome.output;
}

TEST_F(Isolation, TheScoreForTheOutOfMemoryKillerIsSet) {
    EXPECT_EQ(run_shell(make_spec({}), "cat /proc/self/oom_score_adj").output, "0\n");
    auto spec = make_spec({});
    spec.oom_score_adj = 500;
    EXPECT_EQ(run_shell(spec, "cat /proc/self/oom_score_adj").output, "500\n");
}

// Where the kernel has AppArmor the profile is missing; where it has none, nobody would confine the program.
TEST_F(Isolation, WithoutItsAppArmorProfileNothingRuns) {
    auto spec = make_spec({"true"});
    spec.apparmor = "compose-no-such-profile";
    const Outcome outcome = run(spec);
    EXPECT_FALSE(outcome.started);
    EXPECT_TRUE(outcome.failure.message.starts_with("use AppArmor profile \"compose-no-such-profile\": "))
        << outcome.failure.message;
    EXPECT_EQ(outcome.failure.message.ends_with("no such profile is loaded"), sys::has_apparmor())
        << outcome.failure.message;
}

TEST_F(Isolation, GeneratedFilesAreMounted) {
    write("hosts", "127.0.0.1 localhost\n");
    write("resolv", "nameserver 127.0.0.11\n");
    write("name", "box\n");
    auto spec = make_spec({});
    spec.hosts_file = path("hosts");
    spec.resolv_conf_file = path("resolv");
    spec.hostname_file = path("name");
    EXPECT_EQ(run_shell(spec, "cat /etc/hosts /etc/resolv.conf /etc/hostname; hostname").output,
              "127.0.0.1 localhost\nnameserver 127.0.0.11\nbox\nbox\n");
}

TEST_F(Isolation, TheHostsNullDeviceIsNeverGiven) {
    const fs::perms before = fs::status("/dev/null").permissions();
    auto spec = make_spec({});
    spec.process.user = "1000";
    for (int i = 0; i < 5; ++i) (void)run_shell(spec, "true");
    // As root in the container, even the mode of what it has as standard input can be changed.
    EXPECT_EQ(run_shell(make_spec({}), "chmod 600 /proc/self/fd/0; stat -L -c %a /dev/null").output, "600\n");
    EXPECT_EQ(fs::status("/dev/null").permissions(), before);
}

TEST_F(Isolation, ExecGetsWhatTheFirstProcessHas) {
    auto spec = make_spec({"sh", "-c", "probe report > /tmp/first; touch /tmp/done; sleep 1000"});
    spec.rlimits = {{"nofile", 100, 200}};
    Launch& container = start(spec);
    ProcessSpec process;
    process.args = {"sh", "-c", "until [ -e /tmp/done ]; do sleep 0.01; done; cat /tmp/first"};
    const std::string first = exec(spec, container, process).output;
    process.args = {"probe", "report"};
    const std::string second = exec(spec, container, process).output;
    for (const char* key :
         {"CapInh", "CapPrm", "CapEff",    "CapBnd",  "CapAmb", "NoNewPrivs",   "Seccomp", "Seccomp_filters", "Uid",
          "Gid",    "Groups", "SigBlk",    "SigIgn",  "umask",  "limit.nofile", "ns.mnt",  "ns.net",          "ns.pid",
          "ns.ipc", "ns.uts", "ns.cgroup", "ns.time", "fds",    "cwd",          "ctty",    "cgroup"})
        EXPECT_EQ(value_of(first, key), value_of(second, key)) << key;
    EXPECT_EQ(all(first, "mount"), all(second, "mount"));
    auto a = all(first, "env");
    auto b = all(second, "env");
    std::erase_if(a, [](auto& entry) {
        return entry.starts_with("PWD=") || entry.starts_with("SHLVL=") || entry.starts_with("_=");
    });
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace compose::runtime::test
