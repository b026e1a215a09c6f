// What plans hold, and what specs must not ask for. Pure.
#include <algorithm>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/launch_plan.hpp"
#include "runtime/mount_options.hpp"

namespace compose::runtime {
namespace {

ContainerSpec spec_for(std::vector<std::string> args = {"true"}) {
    ContainerSpec spec;
    spec.id = std::string(64, 'a');
    spec.name = "test";
    spec.lower = {"/layers/a"};
    spec.upper = "/c/upper";
    spec.work = "/c/work";
    spec.process.args = std::move(args);
    spec.cgroup_parent = "p";
    return spec;
}

HostFacts facts() {
    HostFacts result;
    result.capabilities = 0x1fffeffffff;
    result.cgroup_v1 = {"devices", "pids"};
    result.cgroup_unified = true;
    result.time_namespaces = true;
    return result;
}

std::vector<std::string> steps(const LaunchPlan& plan) {
    std::vector<std::string> result;
    for (const Op& op : plan.ops) result.emplace_back(op.what);
    return result;
}

std::size_t place_of(const std::vector<std::string>& all, const std::string& step) {
    const auto found = std::find(all.begin(), all.end(), step);
    EXPECT_NE(found, all.end()) << step << "\nin\n" << join(all, "\n");
    return static_cast<std::size_t>(found - all.begin());
}

TEST(LaunchPlan, StepsComeInTheOrderThatSafetyNeeds) {
    auto spec = spec_for();
    MountSpec deep;
    deep.source = "/src/deep";
    deep.target = "/a/b";
    MountSpec shallow;
    shallow.source = "/src/shallow";
    shallow.target = "/a";
    spec.mounts = {deep, shallow};
    spec.hostname = "box";
    spec.rlimits = {{"core", 0, -1}};
    Arena arena;
    const auto all = steps(plan_launch(spec, facts(), 7, arena));
    const char* const in_order[] = {"open /src/shallow",
                                    "open /src/deep",
                                    "separate mounts from the host",
                                    "mount the overlay root",
                                    "enter the cgroups",
                                    "make a cgroup namespace",
                                    "mount proc on /proc",
                                    "mount tmpfs on /dev",
                                    "open /dev/null",
                                    "mount /src/shallow on /a",
                                    "mount /src/deep on /a/b",
                                    "mask /proc/keys",
                                    "make /proc/sys read-only",
                                    "change the root",
                                    "look up the user",
                                    "wait for the network",
                                    "close descriptors",
                                    "set limit core to 0:-1",
                                    "enter working directory \"/\"",
                                    "drop privileges",
                                    "exec"};
    for (std::size_t i = 1; i < std::size(in_order); ++i)
        EXPECT_LT(place_of(all, in_order[i - 1]), place_of(all, in_order[i]))
            << in_order[i - 1] << " | " << in_order[i];
}

TEST(LaunchPlan, AnExecIsBornAfterThePlaceOfTheHostIsLeft) {
    Arena arena;
    const auto spec = spec_for();
    const auto all = steps(plan_exec(spec, spec.process, facts(), 7, arena));
    EXPECT_LT(place_of(all, "join the container's namespaces"), place_of(all, "start a process in the container"));
    EXPECT_LT(place_of(all, "start a process in the container"), place_of(all, "look up the user"));
}

TEST(LaunchPlan, AnAppArmorProfileIsChosenBeforeAnythingOfTheContainerIsSeen) {
    Arena arena;
    auto spec = spec_for();
    const std::string step = "use AppArmor profile \"web\"";
    const auto without = steps(plan_launch(spec, facts(), 7, arena));
    EXPECT_EQ(std::find(without.begin(), without.end(), step), without.end());
    spec.apparmor = "web";
    const auto launch = steps(plan_launch(spec, facts(), 7, arena));
    EXPECT_LT(place_of(launch, step), place_of(launch, "separate mounts from the host"));
    const auto exec = steps(plan_exec(spec, spec.process, facts(), 7, arena));
    EXPECT_LT(place_of(exec, step), place_of(exec, "join the container's namespaces"));
}

TEST(LaunchPlan, ASelinuxContextIsChosenAndTheContainersFileSystemsHaveTheirs) {
    Arena arena;
    auto spec = spec_for();
    spec.mounts.push_back({.kind = MountSpec::Kind::tmpfs, .source = "", .target = "/scratch", .options = "size=1m"});
    const auto contexts = [](const LaunchPlan& plan) {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < plan.ops.size; ++i)
            for (std::size_t k = 0; k < plan.ops[i].options.size; ++k)
                if (std::string_view(plan.ops[i].options[k].key) == "context")
                    out.push_back(std::string(plan.ops[i].what) + ": " + plan.ops[i].options[k].value);
        return out;
    };
    EXPECT_TRUE(contexts(plan_launch(spec, facts(), 7, arena)).empty());
    spec.process_label = "u:r:t:s0:c1,c2";
    spec.mount_label = "u:o:f:s0:c1,c2";
    const auto plan = plan_launch(spec, facts(), 7, arena);
    const std::string step = "use SELinux context \"u:r:t:s0:c1,c2\"";
    EXPECT_LT(place_of(steps(plan), step), place_of(steps(plan), "separate mounts from the host"));
    EXPECT_LT(place_of(steps(plan_exec(spec, spec.process, facts(), 7, arena)), step),
              place_of(steps(plan_exec(spec, spec.process, facts(), 7, arena)), "join the container's namespaces"));
    const auto labelled = contexts(plan);
    for (const char* what : {"mount the overlay root", "mount tmpfs on /dev", "mount devpts on /dev/pts",
                             "mount tmpfs on /dev/shm", "mount tmpfs on /scratch"})
        EXPECT_NE(std::find(labelled.begin(), labelled.end(), std::string(what) + ": u:o:f:s0:c1,c2"), labelled.end())
            << what;
    for (const auto& text : labelled) EXPECT_EQ(text.find("mount proc"), std::string::npos) << text;
}

TEST(LaunchPlan, ADiskIsWhereItsFoldersAreLookedForAndNowhereElse) {
    Arena arena;
    auto spec = spec_for();
    const std::string step = "mount the disk of the container";
    const auto without = steps(plan_launch(spec, facts(), 7, arena));
    EXPECT_EQ(std::find(without.begin(), without.end(), step), without.end());
    spec.disk = "/c/disk.img";
    spec.disk_place = "/c/disk";
    const auto all = steps(plan_launch(spec, facts(), 7, arena));
    EXPECT_LT(place_of(all, "separate mounts from the host"), place_of(all, step));
    EXPECT_LT(place_of(all, step), place_of(all, "mount the overlay root"));
}

TEST(LaunchPlan, EverythingItNeedsLiesInItsArena) {
    Arena arena;
    const LaunchPlan plan = plan_launch(spec_for({"a", "b"}), facts(), 7, arena);
    const auto inside = [&](const void* pointer) {
        const auto* at = static_cast<const char*>(pointer);
        return at >= arena.begin() && at < arena.begin() + arena.capacity();
    };
    EXPECT_TRUE(inside(plan.ops.data));
    EXPECT_TRUE(inside(plan.argv) && inside(plan.argv[0]) && inside(plan.argv[1]));
    EXPECT_EQ(plan.argv[2], nullptr);
    EXPECT_TRUE(inside(plan.envp) && inside(plan.envp[0]));
    EXPECT_TRUE(inside(plan.candidates.data) && inside(plan.candidates[0]));
    EXPECT_TRUE(inside(plan.seccomp.data));
}

TEST(LaunchPlan, RefusesWhatTheHostWouldSufferFrom) {
    const auto refused = [](auto change) {
        auto spec = spec_for();
        change(spec);
        Arena arena;
        EXPECT_THROW((void)plan_launch(spec, facts(), 0, arena), Error);
    };
    refused([](auto& spec) { spec.lower.clear(); });
    refused([](auto& spec) { spec.process.args.clear(); });
    refused([](auto& spec) { spec.process.args = {""}; });
    refused([](auto& spec) { spec.process.cwd = "relative"; });
    refused([](auto& spec) { spec.process.env = {"NOVALUE"}; });
    refused([](auto& spec) { spec.process.env = {"=x"}; });
    refused([](auto& spec) { spec.process.args = {std::string("a\0b", 3)}; });
    refused([](auto& spec) { spec.rlimits = {{"nosuch", 1, 1}}; });
    refused([](auto& spec) { spec.cap_add = {"SYS_RESOURCE"}; });
    refused([](auto& spec) { spec.cap_drop = {"NO_SUCH"}; });
    refused([](auto& spec) { spec.mounts = {{MountSpec::Kind::bind, "/x", "/y", false, true, true, "sideways", ""}}; });
    refused([](auto& spec) {
        spec.mounts = {{MountSpec::Kind::tmpfs, "", "/y", false, true, true, "rprivate", "loop"}};
    });
}

TEST(LaunchPlan, KernelSettingsAreSortedIntoOursAndTheHosts) {
    const std::pair<const char*, const char*> accepted[] = {
        {"net.ipv4.ip_forward", "net/ipv4/ip_forward"},
        {"net/ipv4/ip_forward", "net/ipv4/ip_forward"},
        {"net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"},
        {"net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"},
        {"kernel.msgmax", "kernel/msgmax"},
        {"kernel.msgmnb", "kernel/msgmnb"},
        {"kernel.msgmni", "kernel/msgmni"},
        {"kernel.sem", "kernel/sem"},
        {"kernel.shmall", "kernel/shmall"},
        {"kernel.shmmax", "kernel/shmmax"},
        {"kernel/shm_rmid_forced", "kernel/shm_rmid_forced"},
        {"fs.mqueue.msg_max", "fs/mqueue/msg_max"},
        {"kernel.domainname", "kernel/domainname"},
    };
    for (const auto& [name, path] : accepted) EXPECT_EQ(sysctl_path(name, spec_for()), path) << name;
    for (const char* name : {"kernel.hostname", "kernel.core_pattern", "vm.swappiness", "fs.file-max", "kernel/sysrq",
                             "user.max_net_namespaces", "net", "", "net..x", "net.ipv4/../../kernel",
                             "net/../kernel/core_pattern", "/net/ipv4/ip_forward", "kernel.msgmax.x"})
        EXPECT_THROW((void)sysctl_path(name, spec_for()), Error) << name;
    auto spec = spec_for();
    spec.network = spec.ipc = spec.uts = NamespaceMode::host;
    for (const char* name : {"net.ipv4.ip_forward", "kernel.msgmax", "fs.mqueue.msg_max", "kernel.domainname"})
        EXPECT_THROW((void)sysctl_path(name, spec), Error) << name;
}

TEST(LaunchPlan, TheEnvironmentIsCompleted) {
    auto spec = spec_for();
    spec.hostname = "h";
    spec.process.terminal = true;
    spec.process.env = {"A=1", "A=2", "TERM=dumb"};
    EXPECT_EQ(complete_environment(spec, spec.process),
              (std::vector<std::string>{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "HOSTNAME=h", "A=2", "TERM=dumb"}));
}

TEST(LaunchPlan, CommandsAreLookedUpInAbsoluteDirectoriesOnly) {
    const std::vector<std::string> environment{"PATH=/a::relative:.:/b/", "PATHX=/c"};
    EXPECT_EQ(executable_candidates("x", environment), (std::vector<std::string>{"/a/x", "/b/x"}));
    EXPECT_EQ(executable_candidates("./x", environment), (std::vector<std::string>{"./x"}));
    EXPECT_EQ(executable_candidates("x", {}), (std::vector<std::string>{}));
}

TEST(BindOptions, OfTheMountItselfAndOfThoseBelowIt) {
    const auto options = parse_bind_options("nosuid,rnoexec,noatime,exec");
    EXPECT_EQ(options.own.set, 0x12U);
    EXPECT_EQ(options.own.cleared, 0x78U) << "the old way of access times goes, and noexec";
    EXPECT_EQ(options.all.set, 0x08U);
    EXPECT_EQ(parse_bind_options("nosuid,suid").own.set, 0U);
    EXPECT_TRUE(parse_bind_options("defaults").own.empty());
    for (const char* text : {"sync", "size=1m", "r", "rbind", "nosuid,x"})
        EXPECT_THROW((void)parse_bind_options(text), Error) << text;
}

TEST(LaunchPlan, OptionsOfTmpfsAreParsed) {
    const auto plain = parse_tmpfs_options("");
    EXPECT_EQ(plain.attributes, 0x0eU);
    EXPECT_TRUE(plain.values.empty());
    const auto full = parse_tmpfs_options("size=64m,exec,ro,suid,mode=1777");
    EXPECT_EQ(full.attributes, 0x05U);
    EXPECT_EQ(full.values, (std::vector<std::pair<std::string, std::string>>{{"size", "64m"}, {"mode", "1777"}}));
    for (const char* text : {"nosuch", "size", "size=", "lowerdir=/x", "context=x"})
        EXPECT_THROW((void)parse_tmpfs_options(text), Error) << text;
}

TEST(Capabilities, SetsFollowTheListsWhateverTheirOrder) {
    constexpr CapabilitySet kAll = 0x1ffffffffff;
    EXPECT_EQ(container_capabilities({}, {}, kAll), kDefaultCapabilities);
    EXPECT_EQ(container_capabilities({}, {"ALL"}, kAll), 0U);
    EXPECT_EQ(container_capabilities({"net_admin"}, {"all"}, kAll), 1U << 12U);
    EXPECT_EQ(container_capabilities({"ALL"}, {}, kAll), kAll);
    EXPECT_EQ(container_capabilities({"ALL"}, {"CAP_SYS_ADMIN"}, kAll), kAll & ~(CapabilitySet{1} << 21U));
    EXPECT_EQ(container_capabilities({"ALL"}, {}, 0xff), 0xffU);
    EXPECT_EQ(container_capabilities({}, {}, 0xff), kDefaultCapabilities & 0xff);
    EXPECT_THROW((void)container_capabilities({"NET_ADMIN"}, {}, 0xff), Error);
    EXPECT_EQ(capability_number("checkpoint_restore"), 40U);
    EXPECT_EQ(capability_name(0), "CHOWN");
    try {
        (void)container_capabilities({"NET_ADMINN"}, {}, kAll);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.hint(), "did you mean NET_ADMIN?");
    }
}

TEST(FailureText, NothingThatAChildSaysIsTakenForGranted) {
    Arena arena;
    const auto spec = spec_for();
    const LaunchPlan plan = plan_launch(spec, facts(), 0, arena);
    Report report;
    report.kind = Report::Kind::failed;
    report.op = 1000000;
    EXPECT_EQ(failure_of(report, plan, spec.process).exit_code, 128);
    report.op = 3;
    report.error = 123456;
    report.detail = Detail::no_additional_group;
    report.value = -5;
    EXPECT_FALSE(failure_of(report, plan, spec.process).message.empty());
}

ContainerSpec full_spec() {
    auto spec = spec_for({"a", "b \" \n \x01 ü"});
    spec.read_only = true;
    spec.hostname = "h";
    spec.domainname = "d";
    spec.hosts_file = "/1";
    spec.resolv_conf_file = "/2";
    spec.hostname_file = "/3";
    spec.process.env = {"A=1"};
    spec.process.cwd = "/w";
    spec.process.user = "u";
    spec.process.additional_groups = {"g"};
    spec.process.terminal = true;
    spec.process.rows = 65535;
    spec.process.columns = 2;
    spec.process.privileged = true;
    spec.mounts.resize(2);
    spec.mounts[0] = {MountSpec::Kind::tmpfs, "s", "/t", true, false, false, "rshared", "size=1"};
    spec.shm_size = std::int64_t{1} << 40;
    spec.network = spec.pid = spec.ipc = spec.uts = spec.cgroup = NamespaceMode::host;
    spec.cap_add = {"X"};
    spec.cap_drop = {"Y"};
    spec.privileged = spec.no_new_privileges = spec.seccomp_unconfined = spec.init = true;
    spec.apparmor = "p";
    spec.process_label = "a:b:c:s0";
    spec.mount_label = "a:b:d:s0";
    spec.net_devices = {{"ib0", "fast0"}};
    spec.cache_share = {"fast", {"L3:0=f"}};
    spec.sysctls = {{"a.b", "c"}};
    spec.rlimits = {{"nofile", -1, 5}};
    spec.resources = {1, -1, -1, 0.5, ~std::uint64_t{0}, "0-1"};
    spec.oom_score_adj = -7;
    return spec;
}

TEST(SpecJson, RoundTripsEveryField) {
    for (const auto& spec : {full_spec(), spec_for(), ContainerSpec{}}) {
        const std::string text = to_json(spec);
        EXPECT_EQ(to_json(spec_from_json(text)), text);
    }
    const auto copy = spec_from_json(to_json(full_spec()));
    EXPECT_EQ(copy.process.args, full_spec().process.args);
    EXPECT_EQ(copy.mounts[0].options, "size=1");
    EXPECT_EQ(copy.resources.cpu_shares, ~std::uint64_t{0});
    EXPECT_EQ(copy.rlimits[0].soft, -1);
    EXPECT_EQ(copy.process.rows, 65535);
}

TEST(SpecJson, TakesNothingElse) {
    const std::string good = to_json(full_spec());
    for (std::size_t n = 0; n < good.size(); n += 7) EXPECT_THROW((void)spec_from_json(good.substr(0, n)), Error) << n;
    const std::pair<const char*, const char*> changes[] = {
        {"\"rows\":65535", "\"rows\":65536"},
        {"\"rows\":65535", "\"rows\":-1"},
        {"\"init\":true", "\"init\":1"},
        {"\"init\":true", "\"inix\":true"},
        {"\"init\":true", "\"init\":true,\"x\":1"},
        {"\"uts\":\"host\"", "\"uts\":\"other\""},
        {"\"kind\":\"tmpfs\"", "\"kind\":\"x\""},
        {"\"args\":[", "\"args\":[1,"},
        {"\"shm_size\":", "\"shm_size\":1e400,\"y\":"},
    };
    for (const auto& [from, to] : changes) {
        std::string text = good;
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        text.replace(at, std::string(from).size(), to);
        EXPECT_THROW((void)spec_from_json(text), Error) << to;
    }
}

}  // namespace
}  // namespace compose::runtime
