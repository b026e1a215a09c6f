#include "runtime/seccomp.hpp"

#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "base/strings.hpp"
#include "runtime/seccomp_filter.hpp"
#include "runtime/seccomp_table.hpp"
#include "sys/kernel_abi.hpp"

namespace compose::runtime {
namespace {

enum class Verdict : std::uint8_t { unknown, denied, allowed, no_such_call, socket, personality, clone };

struct Architecture {
    std::uint32_t audit;    // as the kernel names it
    std::uint32_t seccomp;  // as libseccomp does
    std::uint32_t base;     // of the numbers
};
constexpr std::uint32_t kX32Bit = 0x40000000;
#if defined(__x86_64__)
// x32 shares x86_64's name and is told by a bit in the number; it therefore comes as part of the same table.
constexpr Architecture kArchitectures[] = {{AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
                                           {AUDIT_ARCH_X86_64, SCMP_ARCH_X32, kX32Bit},
                                           {AUDIT_ARCH_I386, SCMP_ARCH_X86, 0}};
#elif defined(__aarch64__)
constexpr Architecture kArchitectures[] = {{AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0},
                                           {AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0}};
#endif
constexpr int kHighestOldCall = 600;

constexpr std::uint32_t kNamespaceFlags = 0x7E020000;  // CLONE_NEW*: namespaces, all but time's
constexpr std::uint32_t kPersonalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
constexpr std::uint32_t kForbiddenFamilies[] = {38 /* AF_ALG */, 40 /* AF_VSOCK */};

// All calls that are known in one audit architecture. libseccomp is only asked for names and numbers: its own compiler
// takes forty milliseconds for what takes microseconds here.
CallNumbers known_calls(std::uint32_t audit) {
    CallNumbers result;
    for (const auto& architecture : kArchitectures) {
        if (architecture.audit != audit) continue;
        for (int number = 0; number <= kHighestOldCall; ++number) {
            const int full = static_cast<int>(architecture.base) + number;
            char* name = ::seccomp_syscall_resolve_num_arch(architecture.seccomp, full);
            if (name == nullptr) continue;
            result[name].push_back(static_cast<std::uint32_t>(full));
            std::free(name);
        }
        for (const auto& [name, number] : kNewCalls) {
            auto& numbers = result[std::string(name)];
            const auto full = architecture.base + static_cast<std::uint32_t>(number);
            if (std::find(numbers.begin(), numbers.end(), full) == numbers.end()) numbers.push_back(full);
        }
        if (architecture.audit == 0xC000003EU && architecture.base == 0) result["uretprobe"].push_back(335);
    }
    return result;
}

void judge(LeafOfNumber& verdicts, const CallNumbers& calls, std::string_view names, Verdict verdict) {
    for (const auto& name : split(names, ' ')) {
        const auto found = calls.find(name);
        if (found == calls.end()) continue;
        for (const std::uint32_t number : found->second) verdicts[number] = static_cast<std::size_t>(verdict);
    }
}

LeafOfNumber verdicts_of(const CallNumbers& calls, CapabilitySet capabilities) {
    LeafOfNumber result;
    for (const auto& [name, numbers] : calls)
        for (const std::uint32_t number : numbers) result[number] = static_cast<std::size_t>(Verdict::denied);
    judge(result, calls, kAlwaysAllowed, Verdict::allowed);
    judge(result, calls, kAllowedPerArchitecture, Verdict::allowed);
    judge(result, calls, "socket", Verdict::socket);
    judge(result, calls, "personality", Verdict::personality);
    judge(result, calls, "clone", Verdict::clone);
    // Its flags lie in memory, out of a filter's sight: libc must believe that there is only clone.
    judge(result, calls, "clone3", Verdict::no_such_call);
    for (const auto& [capability, names] : kAllowedWith)
        if (has(capabilities, capability)) judge(result, calls, names, Verdict::allowed);
    return result;
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;

// The lower half of the first argument: the kernel reads these arguments as 32-bit numbers, so must the filter.
sock_filter load_argument() {
    return bpf_statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));
}

Program one_of(const std::uint32_t* values, std::size_t count, std::uint32_t if_listed, std::uint32_t otherwise) {
    Program result{load_argument()};
    for (std::size_t i = 0; i < count; ++i) result.push_back(bpf_jump(BPF_JEQ, values[i], count - i, 0));
    result.push_back(bpf_give(otherwise));
    result.push_back(bpf_give(if_listed));
    return result;
}

Program leaf(Verdict verdict) {
    switch (verdict) {
        case Verdict::allowed:
            return {bpf_give(kAllow)};
        case Verdict::denied:
            return {bpf_give(kDeny)};
        case Verdict::socket:
            return one_of(kForbiddenFamilies, std::size(kForbiddenFamilies), kDeny, kAllow);
        case Verdict::personality:
            return one_of(kPersonalities, std::size(kPersonalities), kAllow, kDeny);
        case Verdict::clone:
            return {load_argument(), bpf_jump(BPF_JSET, kNamespaceFlags, 0, 1), bpf_give(kDeny), bpf_give(kAllow)};
        case Verdict::no_such_call:
        case Verdict::unknown:
            break;
    }
    return {bpf_give(kNoSuchCall)};
}

struct Segment {
    std::uint32_t first;
    std::size_t leaf;
};

// A run of numbers with one leaf each; what lies between known numbers is unknown.
std::vector<Segment> segments_of(const LeafOfNumber& known, std::size_t unknown) {
    std::vector<Segment> result{{0, unknown}};
    const auto start = [&](std::uint32_t first, std::size_t leaf) {
        if (result.back().first == first)
            result.back().leaf = leaf;
        else if (result.back().leaf != leaf)
            result.push_back({first, leaf});
    };
    std::uint32_t expected = 0;
    for (const auto& [number, leaf] : known) {
        if (number != expected) start(expected, unknown);
        start(number, leaf);
        expected = number + 1;
    }
    start(expected, unknown);
    return result;
}

// A search tree over the segments, with the number in the accumulator.
Program search(const Segment* begin, const Segment* end, const std::vector<Program>& leaves) {
    if (end - begin == 1) return leaves[begin->leaf];
    const Segment* middle = begin + (end - begin) / 2;
    const Program low = search(begin, middle, leaves);
    const Program high = search(middle, end, leaves);
    Program result;
    constexpr std::size_t kFarthest = 255;
    if (low.size() <= kFarthest) {
        result.push_back(bpf_jump(BPF_JGE, middle->first, low.size(), 0));
    } else {
        result.push_back(bpf_jump(BPF_JGE, middle->first, 0, 1));
        result.push_back(bpf_statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(low.size())));
    }
    result.insert(result.end(), low.begin(), low.end());
    result.insert(result.end(), high.begin(), high.end());
    return result;
}

const std::vector<Program>& default_leaves() {
    static const std::vector<Program> all = [] {
        std::vector<Program> result;
        for (int verdict = 0; verdict <= static_cast<int>(Verdict::clone); ++verdict)
            result.push_back(leaf(static_cast<Verdict>(verdict)));
        return result;
    }();
    return all;
}

Program build(CapabilitySet capabilities) {
    Program program = begin_filter();
    for (const auto& table : call_tables())
        append_table(program, table.audit, verdicts_of(table.calls, capabilities),
                     static_cast<std::size_t>(Verdict::unknown), default_leaves());
    program.push_back(bpf_give(SECCOMP_RET_KILL_PROCESS));
    return program;
}

}  // namespace

const std::vector<CallTable>& call_tables() {
    static const std::vector<CallTable> all = [] {
        std::vector<CallTable> result;
        for (const auto& architecture : kArchitectures)
            if (result.empty() || result.back().audit != architecture.audit)
                result.push_back({architecture.audit, known_calls(architecture.audit)});
        return result;
    }();
    return all;
}

sock_filter bpf_statement(int code, std::uint32_t k) {
    return {static_cast<std::uint16_t>(code), 0, 0, k};
}

sock_filter bpf_jump(int code, std::uint32_t k, std::size_t yes, std::size_t no) {
    return {static_cast<std::uint16_t>(BPF_JMP | code | BPF_K), static_cast<std::uint8_t>(yes),
            static_cast<std::uint8_t>(no), k};
}

sock_filter bpf_give(std::uint32_t action) {
    return bpf_statement(BPF_RET | BPF_K, action);
}

Program begin_filter() {
    return {bpf_statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch))};
}

void append_table(Program& program, std::uint32_t audit, const LeafOfNumber& known, std::size_t unknown,
                  const std::vector<Program>& leaves) {
    const auto segments = segments_of(known, unknown);
    const Program tree = search(segments.data(), segments.data() + segments.size(), leaves);
    program.push_back(bpf_jump(BPF_JEQ, audit, 1, 0));
    program.push_back(bpf_statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(tree.size() + 1)));
    program.push_back(bpf_statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.insert(program.end(), tree.begin(), tree.end());
}

std::vector<sock_filter> seccomp_program(CapabilitySet capabilities) {
    static const Program usual = build(kDefaultCapabilities);
    return capabilities == kDefaultCapabilities ? usual : build(capabilities);
}

}  // namespace compose::runtime
