// The cgroup of a container: on a fake tree, v1 and v2, and for real; and the device program.
#include "runtime/cgroup.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "container.hpp"
#include "runtime/device_rules.hpp"
#include "sys/device.hpp"
#include "sys/file.hpp"

namespace compose::runtime::test {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'c');

// Folders and files where the kernel would have them.
class FakeTree : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = fs::temp_directory_path() / "cgroup-test-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { fs::remove_all(root_); }

    void file(const std::string& name, const std::string& text = "") const {
        fs::create_directories((fs::path(root_) / name).parent_path());
        std::ofstream(root_ + "/" + name) << text;
    }
    [[nodiscard]] std::string text(const std::string& name) const {
        std::ifstream in(root_ + "/" + name);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void make_v1() const {
        for (const char* controller : {"devices", "pids", "memory", "cpu,cpuacct", "cpuset", "freezer"})
            file(fmt::format("{}/cgroup.procs", controller));
        fs::create_directory_symlink("cpu,cpuacct", root_ + "/cpu");
        fs::create_directory_symlink("cpu,cpuacct", root_ + "/cpuacct");
        for (const char* name : {"devices.allow", "devices.deny"}) file(fmt::format("devices/p/{}/{}", kId, name));
        file(fmt::format("pids/p/{}/pids.max", kId));
        for (const char* name : {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"})
            file(fmt::format("memory/p/{}/{}", kId, name));
        for (const char* name : {"cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares"})
            file(fmt::format("cpu,cpuacct/p/{}/{}", kId, name));
        file("cpuset/cpuset.cpus", "0-3\n");
        file("cpuset/cpuset.mems", "0\n");
        for (const char* name : {"cpuset/p", "cpuset/p/"}) {
            const std::string base = std::string(name) + (std::string(name).ends_with('/') ? kId : "");
            file(base + "/cpuset.cpus");
            file(base + "/cpuset.mems");
        }
    }
    void make_v2() const {
        file("cgroup.controllers", "cpu memory pids cpuset io\n");
        file("cgroup.subtree_control", "pids\n");
        file("p/cgroup.controllers", "cpu memory pids\n");
        file("p/cgroup.subtree_control", "cpu memory pids\n");
        for (const char* name : {"memory.max", "memory.swap.max", "pids.max", "cpu.max", "cpu.weight", "cpuset.cpus",
                                 "cgroup.procs", "cgroup.kill"})
            file(fmt::format("p/{}/{}", kId, name));
    }
    std::string root_;
};

Resources all_limits() {
    return {64 << 20, 128 << 20, 100, 1.5, 512, "0-1"};
}

TEST_F(FakeTree, LimitsOfTheFirstVersion) {
    make_v1();
    Cgroup cgroup(root_, "p", kId);
    EXPECT_FALSE(cgroup.pure_v2());
    cgroup.create(all_limits(), false);
    EXPECT_EQ(text("pids/p/" + kId + "/pids.max"), "100");
    EXPECT_EQ(text("memory/p/" + kId + "/memory.limit_in_bytes"), "67108864");
    EXPECT_EQ(text("memory/p/" + kId + "/memory.memsw.limit_in_bytes"), "134217728");
    EXPECT_EQ(text("cpu/p/" + kId + "/cpu.cfs_quota_us"), "150000");
    EXPECT_EQ(text("cpu/p/" + kId + "/cpu.shares"), "512");
    EXPECT_EQ(text("cpuset/p/" + kId + "/cpuset.cpus"), "0-1");
    EXPECT_EQ(text("cpuset/p/" + kId + "/cpuset.mems"), "0") << "a cpuset starts empty and must be filled";
    EXPECT_EQ(text("devices/p/" + kId + "/devices.deny"), "a");
    EXPECT_TRUE(text("devices/p/" + kId + "/devices.allow").starts_with("c *:* mb *:* mc 1:3 rwm"));
    EXPECT_EQ(cgroup.v1_hierarchies(),
              (std::vector<std::string>{"devices", "pids", "memory", "freezer", "cpu,cpuacct", "cpuset"}));
}

TEST_F(FakeTree, PrivilegedContainersKeepAllDevices) {
    make_v1();
    Cgroup(root_, "p", kId).create({}, true);
    EXPECT_EQ(text("devices/p/" + kId + "/devices.deny"), "");
}

TEST_F(FakeTree, LimitsOfTheSecondVersion) {
    make_v2();
    Cgroup cgroup(root_, "p", kId);
    EXPECT_TRUE(cgroup.pure_v2());
    cgroup.create(all_limits(), true);
    const std::string base = "p/" + kId;
    EXPECT_EQ(text(base + "/memory.max"), "67108864");
    EXPECT_EQ(text(base + "/memory.swap.max"), "67108864");
    EXPECT_EQ(text(base + "/pids.max"), "100");
    EXPECT_EQ(text(base + "/cpu.max"), "150000 100000");
    EXPECT_EQ(text(base + "/cpu.weight"), "20");
    EXPECT_EQ(text(base + "/cpuset.cpus"), "0-1");
    EXPECT_EQ(text("cgroup.subtree_control"), "+cpuset") << "the last of those that were passed on";
    EXPECT_TRUE(cgroup.open_v2_directory());
    cgroup.update({-1, -1, -1, {}, {}, {}});
    EXPECT_EQ(text(base + "/memory.max"), "max");
    EXPECT_EQ(text(base + "/pids.max"), "max");
    cgroup.attach(1234);
    EXPECT_EQ(text(base + "/cgroup.procs"), "1234");
}

// Any block device of this host: its number is what the kernel is told.
std::string block_device() {
    for (const auto& entry : fs::directory_iterator("/dev"))
        if (const auto device = sys::device_at(entry.path().string()); device && device->block)
            return entry.path().string();
    return {};
}

Resources more_limits(const std::string& device) {
    Resources resources;
    resources.cpu_quota = 20000;
    resources.cpu_period = 50000;
    resources.memory_reservation = 1 << 20;
    resources.memory_swappiness = 5;
    resources.oom_kill_disable = true;
    resources.blkio_weight = 505;
    resources.read_bps = {{device, 1048576}};
    resources.write_iops = {{device, 7}};
    return resources;
}

TEST_F(FakeTree, MoreLimitsOfTheFirstVersion) {
    make_v1();
    const auto device = block_device();
    if (device.empty()) GTEST_SKIP() << "this host has no block device";
    for (const char* name : {"blkio.weight", "blkio.throttle.read_bps_device", "blkio.throttle.write_iops_device"})
        file(fmt::format("blkio/p/{}/{}", kId, name));
    for (const char* name : {"memory.soft_limit_in_bytes", "memory.swappiness", "memory.oom_control"})
        file(fmt::format("memory/p/{}/{}", kId, name));
    Cgroup(root_, "p", kId).create(more_limits(device), true);
    const auto number = sys::device_at(device);
    const auto name = fmt::format("{}:{}", number->major, number->minor);
    EXPECT_EQ(text("cpu/p/" + kId + "/cpu.cfs_quota_us"), "20000");
    EXPECT_EQ(text("cpu/p/" + kId + "/cpu.cfs_period_us"), "50000");
    EXPECT_EQ(text("memory/p/" + kId + "/memory.soft_limit_in_bytes"), "1048576");
    EXPECT_EQ(text("memory/p/" + kId + "/memory.swappiness"), "5");
    EXPECT_EQ(text("memory/p/" + kId + "/memory.oom_control"), "1");
    EXPECT_EQ(text("blkio/p/" + kId + "/blkio.weight"), "505");
    EXPECT_EQ(text("blkio/p/" + kId + "/blkio.throttle.read_bps_device"), name + " 1048576");
    EXPECT_EQ(text("blkio/p/" + kId + "/blkio.throttle.write_iops_device"), name + " 7");
}

TEST_F(FakeTree, MoreLimitsOfTheSecondVersion) {
    make_v2();
    const auto device = block_device();
    if (device.empty()) GTEST_SKIP() << "this host has no block device";
    for (const char* name : {"io.weight", "io.max", "memory.low"}) file(fmt::format("p/{}/{}", kId, name));
    Cgroup(root_, "p", kId).create(more_limits(device), true);
    const auto number = sys::device_at(device);
    const std::string base = "p/" + kId;
    EXPECT_EQ(text(base + "/cpu.max"), "20000 50000");
    EXPECT_EQ(text(base + "/memory.low"), "1048576");
    EXPECT_EQ(text(base + "/io.weight"), "5000");
    EXPECT_EQ(text(base + "/io.max"), fmt::format("{}:{} wiops=7", number->major, number->minor)) << "the last of two";
}

TEST_F(FakeTree, CpuListsThatAreNoneAreRefusedBeforeTheKernelReadsThem) {
    make_v1();
    for (const char* list : {"0-2147483647", "2-1", "a", "-1", "0,,1", "99999999999999999999"}) {
        Resources resources;
        resources.cpuset_cpus = list;
        EXPECT_THROW(Cgroup(root_, "p", kId).create(resources, true), Error) << list;
    }
}

TEST(DeviceRules, AreReadAsDockerWritesThem) {
    EXPECT_EQ(to_line(parse_device_rule("c 1:3 mr").at(0)), "c 1:3 mr");
    EXPECT_EQ(to_line(parse_device_rule("b *:7 rwm").at(0)), "b *:7 rwm");
    EXPECT_EQ(parse_device_rule("a *:* rwm").size(), 2U);
    for (const char* text : {"", "c", "c 1 r", "c 1:3", "x 1:3 r", "c 1:3 rx", "c -1:3 r", "c 1:3 rr", "c 1:9999999 r"})
        EXPECT_THROW((void)parse_device_rule(text), Error) << text;
}

TEST_F(FakeTree, ALimitThatTheHostCannotKeepIsAnError) {
    make_v1();
    fs::remove_all(root_ + "/memory");
    fs::remove_all(root_ + "/pids");
    Resources resources;
    resources.memory = 1 << 20;
    EXPECT_THROW(Cgroup(root_, "p", kId).create(resources, true), Error);
    resources = {};
    EXPECT_THROW(Cgroup(root_, "p", kId).create(resources, true), Error) << "processes are always limited";
    fs::remove_all(root_);
    make_v1();
    resources.memory = 2 << 20;
    resources.memory_swap = 1 << 20;
    EXPECT_THROW(Cgroup(root_, "p", kId).create(resources, true), Error);
}

TEST_F(FakeTree, NumbersAreReadFromBoth) {
    make_v1();
    const std::string memory = "memory/p/" + kId;
    file(memory + "/memory.usage_in_bytes", "4096\n");
    file(memory + "/memory.max_usage_in_bytes", "8192\n");
    file(memory + "/memory.limit_in_bytes", "9223372036854771712\n");
    file(memory + "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    file("cpu,cpuacct/p/" + kId + "/cpuacct.usage", "5000000\n");
    file("pids/p/" + kId + "/pids.current", "7\n");
    CgroupStats stats = Cgroup(root_, "p", kId).stats();
    EXPECT_EQ(stats.memory_current, 4096U);
    EXPECT_EQ(stats.memory_peak, 8192U);
    EXPECT_FALSE(stats.memory_limit);
    EXPECT_EQ(stats.cpu_usage_usec, 5000U);
    EXPECT_EQ(stats.pids_current, 7U);
    EXPECT_EQ(stats.oom_kills, 3U);
    fs::remove_all(root_);
    fs::create_directory(root_);
    make_v2();
    file("p/" + kId + "/memory.current", "1\n");
    file("p/" + kId + "/memory.max", "max\n");
    file("p/" + kId + "/cpu.stat", "usage_usec 77\nuser_usec 1\n");
    file("p/" + kId + "/memory.events", "low 0\noom 1\noom_kill 2\n");
    stats = Cgroup(root_, "p", kId).stats();
    EXPECT_EQ(stats.memory_current, 1U);
    EXPECT_FALSE(stats.memory_limit);
    EXPECT_EQ(stats.cpu_usage_usec, 77U);
    EXPECT_EQ(stats.oom_kills, 2U);
    EXPECT_FALSE(stats.pids_current);
}

TEST_F(FakeTree, NamesCannotLeaveTheTree) {
    for (const char* name : {"", ".", "..", "../x", "a/b", "a b", "a\n", "\xff"})
        EXPECT_THROW(Cgroup(root_, "p", name), Error) << name;
    for (const char* name : {"", "..", "a/../..", "//a", "a/", "a//b"})
        EXPECT_THROW(Cgroup(root_, name, kId), Error) << name;
}

TEST(DeviceRules, AreWrittenAsTheKernelReadsThem) {
    EXPECT_EQ(to_line({'c', 1, 3, "rwm"}), "c 1:3 rwm");
    EXPECT_EQ(to_line({'b', -1, -1, "m"}), "b *:* m");
}

// A small machine for the instructions that device programs are made of.
bool allowed(const std::vector<bpf_insn>& program, bool block, unsigned access, unsigned major, unsigned minor) {
    const std::uint32_t context[3] = {access << 16U | (block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), major, minor};
    std::uint64_t r[11] = {};
    for (std::size_t at = 0; at < program.size(); ++at) {
        const auto& op = program[at];
        const auto value = static_cast<std::uint64_t>(static_cast<std::int64_t>(op.imm));
        switch (op.code) {
            case BPF_LDX | BPF_MEM | BPF_W:
                r[op.dst_reg] = context[op.off / 4];
                break;
            case BPF_ALU64 | BPF_MOV | BPF_K:
                r[op.dst_reg] = value;
                break;
            case BPF_ALU64 | BPF_MOV | BPF_X:
                r[op.dst_reg] = r[op.src_reg];
                break;
            case BPF_ALU64 | BPF_AND | BPF_K:
                r[op.dst_reg] &= value;
                break;
            case BPF_ALU64 | BPF_RSH | BPF_K:
                r[op.dst_reg] >>= value;
                break;
            case BPF_JMP | BPF_JNE | BPF_K:
                at += r[op.dst_reg] != value ? static_cast<std::size_t>(op.off) : 0;
                break;
            case BPF_JMP | BPF_EXIT:
                return r[0] != 0;
            default:
                ADD_FAILURE() << "unexpected instruction " << int{op.code};
                return false;
        }
    }
    ADD_FAILURE() << "the program runs off its end";
    return false;
}

TEST(DeviceRules, TheProgramAllowsWhatTheRulesCover) {
    constexpr unsigned kMake = BPF_DEVCG_ACC_MKNOD;
    constexpr unsigned kRead = BPF_DEVCG_ACC_READ;
    constexpr unsigned kWrite = BPF_DEVCG_ACC_WRITE;
    const auto program = device_program(default_device_rules());
    EXPECT_TRUE(allowed(program, false, kMake, 1, 1));
    EXPECT_TRUE(allowed(program, true, kMake, 254, 0));
    EXPECT_FALSE(allowed(program, true, kRead, 254, 0));
    EXPECT_FALSE(allowed(program, true, kMake | kRead, 254, 0));
    EXPECT_FALSE(allowed(program, false, kRead, 1, 1));
    EXPECT_TRUE(allowed(program, false, kRead | kWrite | kMake, 1, 3));
    EXPECT_FALSE(allowed(program, true, kRead, 1, 3)) << "the block device of that number";
    EXPECT_TRUE(allowed(program, false, kRead | kWrite, 136, 77));
    EXPECT_TRUE(allowed(program, false, kRead | kWrite, 10, 200));
    EXPECT_FALSE(allowed(program, false, kRead | kWrite, 10, 229));
    EXPECT_TRUE(allowed(device_program({{'b', 8, -1, "r"}}), true, kRead, 8, 4));
    EXPECT_FALSE(allowed(device_program({{'b', 8, -1, "r"}}), true, kWrite, 8, 4));
    EXPECT_FALSE(allowed(device_program({}), false, kRead, 1, 3));
}

class RealCgroup : public ContainerTest {};

TEST_F(RealCgroup, TheKernelTakesTheDeviceProgram) {
    const std::string root =
        sys::exists("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
    const std::string directory = fmt::format("{}/device-test-{}", root, ::getpid());
    fs::create_directory(directory);
    sys::attach_device_program(sys::open_file(directory, O_RDONLY | O_DIRECTORY),
                               device_program(default_device_rules()));
    const pid_t child = ::fork();
    if (child == 0) {
        sys::write_file(directory + "/cgroup.procs", "0");
        const bool null = ::open("/dev/null", O_RDWR) >= 0;
        const bool memory = ::open("/dev/fuse", O_RDWR) >= 0 || ::open("/dev/loop-control", O_RDWR) >= 0;
        ::_exit(null && !memory ? 0 : 1);
    }
    EXPECT_EQ(wait_for_exit(child), 0);
    for (int i = 0; i < 100 && ::rmdir(directory.c_str()) != 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(fs::exists(directory));
}

TEST_F(RealCgroup, HoldsLimitsAndCounts) {
    auto spec = make_spec({"sleep", "1000"});
    spec.resources.memory = 64 << 20;
    spec.resources.cpus = 0.5;
    spec.resources.cpu_shares = 256;
    spec.resources.pids = 50;
    start(spec);
    Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
    EXPECT_TRUE(cgroup.exists());
    const CgroupStats stats = cgroup.stats();
    EXPECT_EQ(stats.memory_limit, std::uint64_t{64} << 20U);
    EXPECT_GT(stats.memory_current.value_or(0), 0U);
    EXPECT_EQ(stats.pids_current, 1U);
    EXPECT_TRUE(stats.cpu_usage_usec);
    cgroup.update({128 << 20, {}, 60, 1.0, {}, {}});
    EXPECT_EQ(cgroup.stats().memory_limit, std::uint64_t{128} << 20U);
}

TEST_F(RealCgroup, AMemoryHogIsKilledAndCounted) {
    auto spec = make_spec({});
    spec.resources.memory = 16 << 20;
    const Outcome outcome = run_shell(spec, "x=x; while :; do x=$x$x; done");
    EXPECT_EQ(outcome.status, 128 + 9);
    EXPECT_GE(Cgroup(cgroup_root(), spec.cgroup_parent, spec.id).stats().oom_kills, 1U);
}

TEST_F(RealCgroup, FreezesAndKillsEvenWhatIsFrozen) {
    auto spec = make_spec({"sh", "-c", "for i in 1 2 3 4 5; do sleep 1000 & done; wait"});
    Launch launch = begin_launch(spec, {}, false);
    launch.release();
    Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
    for (int i = 0; i < 500 && cgroup.processes().size() < 6; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(cgroup.processes().size(), 6U);
    cgroup.freeze(true);
    ProcessSpec process;
    process.args = {"true"};
    EXPECT_THROW((void)exec(spec, launch, process), Error) << "it would wait for ever";
    cgroup.kill();
    EXPECT_EQ(wait_for_exit(launch.pid()), 128 + 9);
    cgroup.remove();
    cgroup.remove();
    EXPECT_FALSE(cgroup.exists());
    EXPECT_TRUE(cgroup.processes().empty());
}

TEST_F(RealCgroup, AFrozenOneCanGoOn) {
    auto spec = make_spec({"sleep", "1000"});
    start(spec);
    Cgroup cgroup(cgroup_root(), spec.cgroup_parent, spec.id);
    cgroup.freeze(true);
    cgroup.freeze(false);
    EXPECT_EQ(cgroup.processes().size(), 1U);
}

}  // namespace
}  // namespace compose::runtime::test
