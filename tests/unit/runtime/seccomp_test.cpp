// The system call filter: what the program decides for every number, by interpreting it here, and that the kernel does
// the same in a container.
#include "runtime/seccomp.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "container.hpp"

namespace compose::runtime::test {
namespace {

constexpr std::uint32_t kX32 = 0x40000000;

// What the kernel would do: the subset of BPF that filters are made of.
std::uint32_t evaluate(const std::vector<sock_filter>& program, std::uint32_t arch, std::uint32_t number,
                       std::uint64_t argument = ~std::uint64_t{0}) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = arch;
    for (auto& one : data.args) one = argument;
    std::uint32_t a = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const auto& op = program[at];
        switch (op.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                std::memcpy(&a, reinterpret_cast<const char*>(&data) + op.k, sizeof a);
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += a == op.k ? op.jt : op.jf;
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                at += a >= op.k ? op.jt : op.jf;
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                at += a > op.k ? op.jt : op.jf;
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                a &= op.k;
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at += (a & op.k) != 0 ? op.jt : op.jf;
                break;
            case BPF_JMP | BPF_JA:
                at += op.k;
                break;
            case BPF_RET | BPF_K:
                return op.k;
            default:
                ADD_FAILURE() << "unexpected instruction " << op.code;
                return 0;
        }
    }
    ADD_FAILURE() << "the program runs off its end";
    return 0;
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNoCall = SECCOMP_RET_ERRNO | ENOSYS;

CapabilitySet with(std::initializer_list<unsigned> capabilities) {
    CapabilitySet set = kDefaultCapabilities;
    for (const unsigned one : capabilities) set |= CapabilitySet{1} << one;
    return set;
}

// A profile whose one rule for `read` has one condition on its first argument.
std::vector<sock_filter> comparing(const std::string& op, std::uint64_t value, std::uint64_t second = 0) {
    return seccomp_program(
        fmt::format(
            R"({{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{{"names": ["read"], "action": "SCMP_ACT_ALLOW",
                    "args": [{{"index": 0, "value": {}, "valueTwo": {}, "op": "SCMP_CMP_{}"}}]}}]}})",
            value, second, op),
        kDefaultCapabilities, {6, 1});
}

TEST(SeccompProfile, ComparesArgumentsAs64Bits) {
    constexpr std::uint64_t kBig = std::uint64_t{3} << 32U | 5;
    struct Case {
        const char* op;
        std::uint64_t argument;
        bool holds;
    };
    const Case cases[] = {
        {"EQ", kBig, true},  {"EQ", 5, false},        {"NE", kBig, false},  {"NE", 5, true},
        {"GT", kBig, false}, {"GT", kBig + 1, true},  {"GT", ~0ULL, true},  {"GT", 0xffffffff, false},
        {"GE", kBig, true},  {"GE", kBig - 1, false}, {"GE", ~0ULL, true},  {"GE", 9, false},
        {"LT", kBig, false}, {"LT", kBig - 1, true},  {"LT", ~0ULL, false}, {"LT", 0xffffffff, true},
        {"LE", kBig, true},  {"LE", kBig + 1, false}, {"LE", ~0ULL, false}, {"LE", 9, true},
    };
    for (const auto& [op, argument, holds] : cases)
        EXPECT_EQ(evaluate(comparing(op, kBig), AUDIT_ARCH_X86_64, SYS_read, argument), holds ? kAllow : kDeny)
            << op << " " << argument;
    const auto masked = comparing("MASKED_EQ", 0xff00000000ULL, 0x0100000000ULL);
    EXPECT_EQ(evaluate(masked, AUDIT_ARCH_X86_64, SYS_read, 0x0112345678ULL), kAllow);
    EXPECT_EQ(evaluate(masked, AUDIT_ARCH_X86_64, SYS_read, 0x0212345678ULL), kDeny);
}

TEST(SeccompProfile, AppliesByCapabilityArchitectureAndKernel) {
    constexpr const char* kProfile = R"({
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
      "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
      "syscalls": [
        {"names": ["read", "nosuchcall"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}},
        {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64"]}},
        {"name": "write", "action": "SCMP_ACT_KILL_PROCESS"}
      ]})";
    constexpr std::uint32_t kDefault = SECCOMP_RET_ERRNO | 13;
    const auto usual = seccomp_program(kProfile, kDefaultCapabilities, {5, 15});
    const auto admin = seccomp_program(kProfile, with({kCapSysAdmin}), {5, 15});
    const auto decide = [](const auto& program, long number, std::uint32_t arch = AUDIT_ARCH_X86_64) {
        return evaluate(program, arch, static_cast<std::uint32_t>(number));
    };
    EXPECT_EQ(decide(usual, SYS_read), kAllow);
    EXPECT_EQ(decide(usual, SYS_write), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(decide(usual, SYS_openat), kDefault);
    EXPECT_EQ(decide(usual, 5000), kNoCall) << "newer than every table";
    EXPECT_EQ(decide(usual, SYS_mount), kDefault);
    EXPECT_EQ(decide(admin, SYS_mount), kAllow);
    EXPECT_EQ(decide(usual, SYS_chroot), kAllow);
    EXPECT_EQ(decide(admin, SYS_chroot), kDefault);
    EXPECT_EQ(decide(usual, SYS_ptrace), kAllow);
    EXPECT_EQ(decide(usual, SYS_bpf), kDefault);
    EXPECT_EQ(decide(usual, SYS_arch_prctl), kAllow);
    EXPECT_EQ(decide(usual, 3 /* read */, AUDIT_ARCH_I386), kAllow);
    EXPECT_EQ(decide(usual, 63, AUDIT_ARCH_AARCH64), SECCOMP_RET_KILL_PROCESS);
}

TEST(SeccompProfile, BrokenOnesAreRefused) {
    for (const char* text :
         {"", "[]", "{", R"({"defaultAction": "SCMP_ACT_NOTIFY"})",
          R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": 3})",
          R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 99999})",
          R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "x"}]})",
          R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO",
              "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]})",
          R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO",
              "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_XX"}]}]})"})
        EXPECT_THROW(check_seccomp_profile(text), Error) << text;
}

TEST(Seccomp, DecidesByNumberAndCapability) {
    struct Case {
        long number;
        CapabilitySet capabilities;
        std::uint32_t expected;
    };
    const CapabilitySet none = 0;
    const CapabilitySet admin = with({kCapSysAdmin});
    const Case cases[] = {
        {SYS_read, none, kAllow},
        {SYS_openat, none, kAllow},
        {SYS_execve, none, kAllow},
        {SYS_ptrace, none, kAllow},
        {SYS_arch_prctl, none, kAllow},
        {335 /* uretprobe */, none, kAllow},
        {462 /* mseal */, none, kAllow},
        {447 /* memfd_secret */, none, kAllow},
        {444 /* landlock_create_ruleset */, none, kAllow},
        {466 /* removexattrat */, none, kAllow},
        {SYS_mount, none, kDeny},
        {SYS_mount, admin, kAllow},
        {SYS_unshare, kDefaultCapabilities, kDeny},
        {SYS_unshare, admin, kAllow},
        {SYS_setns, kDefaultCapabilities, kDeny},
        {SYS_bpf, kDefaultCapabilities, kDeny},
        {SYS_bpf, with({kCapBpf}), kAllow},
        {SYS_perf_event_open, with({kCapPerfmon}), kAllow},
        {SYS_syslog, kDefaultCapabilities, kDeny},
        {SYS_syslog, with({kCapSyslog}), kAllow},
        {SYS_chroot, kDefaultCapabilities, kAllow},
        {SYS_chroot, none, kDeny},
        {SYS_reboot, kDefaultCapabilities, kDeny},
        {SYS_reboot, with({kCapSysBoot}), kAllow},
        {SYS_open_by_handle_at, kDefaultCapabilities, kDeny},
        {SYS_open_by_handle_at, with({kCapDacReadSearch}), kAllow},
        {SYS_init_module, with({kCapSysModule}), kAllow},
        {SYS_acct, with({kCapSysPacct}), kAllow},
        {SYS_kcmp, with({kCapSysPtrace}), kAllow},
        {SYS_iopl, kDefaultCapabilities, kDeny},
        {SYS_iopl, with({kCapSysRawio}), kAllow},
        {SYS_settimeofday, with({kCapSysTime}), kAllow},
        {SYS_clock_settime, kDefaultCapabilities, kDeny},
        {SYS_vhangup, with({kCapSysTtyConfig}), kAllow},
        {SYS_mbind, kDefaultCapabilities, kDeny},
        {SYS_mbind, with({kCapSysNice}), kAllow},
        {425 /* io_uring_setup */, admin, kDeny},
        {SYS_userfaultfd, admin, kDeny},
        {SYS_keyctl, admin, kDeny},
        {SYS_add_key, admin, kDeny},
        {SYS_request_key, admin, kDeny},
        {SYS_kexec_load, admin, kDeny},
        {SYS_pivot_root, admin, kDeny},
        {SYS_swapon, admin, kDeny},
        {SYS_move_pages, admin, kDeny},
        {SYS_nfsservctl, admin, kDeny},
        {SYS_ustat, admin, kDeny},
        {SYS_create_module, admin, kDeny},
        {435 /* clone3 */, kDefaultCapabilities, kNoCall},
        {435 /* clone3 */, admin, kAllow},
        {467, admin, kNoCall},
        {400, kDefaultCapabilities, kNoCall},
        {999, kDefaultCapabilities, kNoCall},
        {-1, kDefaultCapabilities, kNoCall},
    };
    for (const auto& one : cases)
        EXPECT_EQ(
            evaluate(seccomp_program(one.capabilities), AUDIT_ARCH_X86_64, static_cast<std::uint32_t>(one.number)),
            one.expected)
            << one.number << " with " << one.capabilities;
}

TEST(Seccomp, DecidesByArgument) {
    const auto program = seccomp_program(kDefaultCapabilities);
    const auto decide = [&](long number, std::uint64_t argument) {
        return evaluate(program, AUDIT_ARCH_X86_64, static_cast<std::uint32_t>(number), argument);
    };
    for (const std::uint64_t family : {1U, 2U, 10U, 16U, 17U, 37U, 39U, 41U})
        EXPECT_EQ(decide(SYS_socket, family), kAllow) << family;
    for (const std::uint64_t family : {38ULL, 40ULL, 0x100000000ULL + 38, 0xffffffff00000028ULL})
        EXPECT_EQ(decide(SYS_socket, family), kDeny) << family;
    for (const std::uint64_t value : {0ULL, 8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL})
        EXPECT_EQ(decide(SYS_personality, value), kAllow) << value;
    for (const std::uint64_t value : {1ULL, 0x40000ULL, 0x400000ULL})
        EXPECT_EQ(decide(SYS_personality, value), kDeny) << value;
    EXPECT_EQ(decide(SYS_clone, SIGCHLD), kAllow);
    EXPECT_EQ(decide(SYS_clone, 0x3d0f00 /* a thread */), kAllow);
    for (const std::uint64_t flag :
         {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U, 0x10000000U, 0x20000000U, 0x40000000U})
        EXPECT_EQ(decide(SYS_clone, flag | SIGCHLD), kDeny) << flag;
    EXPECT_EQ(evaluate(seccomp_program(with({kCapSysAdmin})), AUDIT_ARCH_X86_64, SYS_clone, 0x10000000), kAllow);
}

TEST(Seccomp, KnowsTheOtherArchitecturesOfTheProcessor) {
    const auto program = seccomp_program(kDefaultCapabilities);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 3 /* read */), kAllow);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 102 /* socketcall */), kAllow);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 21 /* mount */), kDeny);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 120 /* clone */, 0x10000000), kDeny);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 359 /* socket */, 40), kDeny);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_I386, 435 /* clone3 */), kNoCall);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_X86_64, kX32 + 0 /* read */), kAllow);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_X86_64, kX32 + SYS_mount), kDeny);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_X86_64, kX32 + SYS_io_uring_setup), kDeny);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_X86_64, kX32 + 999), kNoCall);
    EXPECT_EQ(evaluate(program, AUDIT_ARCH_AARCH64, 63), SECCOMP_RET_KILL_PROCESS);
}

class SeccompInContainer : public ContainerTest {
protected:
    // Holds every call that the kernel saw against the program.
    void compare(const std::vector<std::string>& cap_add, const char* kind, std::uint32_t arch, std::uint32_t base,
                 int last) {
        auto spec = make_spec({"probe", "syscalls", kind, "0", std::to_string(last)});
        spec.cap_add = cap_add;
        spec.cap_drop = {};
        const Outcome outcome = run(spec);
        ASSERT_TRUE(outcome.started) << outcome.failure.message;
        const auto program = seccomp_program(container_capabilities(cap_add, {}, ~CapabilitySet{0}));
        int seen = 0;
        // A kernel without the 32-bit entry point answers it with a fault.
        const bool absent = std::string_view(kind) == "i386" && outcome.output.starts_with("0=2011\n");
        if (absent) GTEST_LOG_(INFO) << "this kernel has no 32-bit calls";
        for (const auto& line : lines(outcome.output)) {
            int number = 0;
            long result = 0;
            const auto equals = line.find('=');
            std::from_chars(line.data(), line.data() + equals, number);
            std::from_chars(line.data() + equals + 1, line.data() + line.size(), result);
            const auto verdict = evaluate(program, arch, base + static_cast<std::uint32_t>(number));
            ++seen;
            // uprobe's call is the kernel's own, which passes it by every filter.
            const bool uprobe = base == 0 && arch == AUDIT_ARCH_X86_64 && number == 336;
            if (verdict != kAllow && !absent && !uprobe) {
                EXPECT_EQ(result, static_cast<long>(verdict & 0xffffU)) << kind << " " << number;
            }
            EXPECT_NE(result, 2000 + SIGSYS) << kind << " " << number;
        }
        EXPECT_EQ(seen, last + 1);
    }
};

TEST_F(SeccompInContainer, TheKernelDecidesAsTheProgramSays) {
    compare({}, "x86_64", AUDIT_ARCH_X86_64, 0, 475);
    compare({"SYS_PTRACE", "SYS_NICE"}, "x86_64", AUDIT_ARCH_X86_64, 0, 475);
    compare({"SYS_ADMIN"}, "x86_64", AUDIT_ARCH_X86_64, 0, 475);
    compare({}, "i386", AUDIT_ARCH_I386, 0, 475);
    compare({}, "x32", AUDIT_ARCH_X86_64, kX32, 560);
}

TEST_F(SeccompInContainer, ArgumentsAreLookedAt) {
    const std::string text = run(make_spec({"probe", "arguments"})).output;
    const std::pair<const char*, const char*> expected[] = {
        {"socket.1", "ok"},          {"socket.2", "ok"},      {"socket.10", "ok"},
        {"socket.16", "ok"},         {"socket.38", "EPERM"},  {"socket.40", "EPERM"},
        {"socket.high", "EPERM"},    {"personality.0", "ok"}, {"personality.40000", "EPERM"},
        {"personality.1", "EPERM"},  {"clone.user", "EPERM"}, {"unshare.user", "EPERM"},
        {"clone3", "ENOSYS"},        {"keyctl", "EPERM"},     {"mount", "EPERM"},
        {"io_uring_setup", "EPERM"}, {"unknown", "ENOSYS"},
    };
    for (const auto& [key, value] : expected) EXPECT_EQ(value_of(text, key), value) << key;
}

}  // namespace
}  // namespace compose::runtime::test
