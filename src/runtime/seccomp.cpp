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
#include "runtime/seccomp_table.hpp"
#include "sys/kernel_abi.hpp"

namespace compose::runtime {
namespace {

using Program = std::vector<sock_filter>;

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

using Numbers =
    std::map<std::string, std::vector<std::uint32_t>, std::less<>>;  // of one call, in one audit architecture

// All calls that are known in one audit architecture. libseccomp is only asked for names and numbers: its own compiler
// takes forty milliseconds for what takes microseconds here.
Numbers known_calls(std::uint32_t audit) {
    Numbers result;
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

void judge(std::map<std::uint32_t, Verdict>& verdicts, const Numbers& calls, std::string_view names, Verdict verdict) {
    for (const auto& name : split(names, ' ')) {
        const auto found = calls.find(name);
        if (found == calls.end()) continue;
        for (const std::uint32_t number : found->second) verdicts[number] = verdict;
    }
}

std::map<std::uint32_t, Verdict> verdicts_of(const Numbers& calls, CapabilitySet capabilities) {
    std::map<std::uint32_t, Verdict> result;
    for (const auto& [name, numbers] : calls)
        for (const std::uint32_t number : numbers) result[number] = Verdict::denied;
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

sock_filter statement(int code, std::uint32_t k) {
    return {static_cast<std::uint16_t>(code), 0, 0, k};
}
sock_filter jump(int code, std::uint32_t k, std::size_t yes, std::size_t no) {
    return {static_cast<std::uint16_t>(BPF_JMP | code | BPF_K), static_cast<std::uint8_t>(yes),
            static_cast<std::uint8_t>(no), k};
}
sock_filter give(std::uint32_t action) {
    return statement(BPF_RET | BPF_K, action);
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;

// The lower half of the first argument: the kernel reads these arguments as 32-bit numbers, so must the filter.
sock_filter load_argument() {
    return statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));
}

Program one_of(const std::uint32_t* values, std::size_t count, std::uint32_t if_listed, std::uint32_t otherwise) {
    Program result{load_argument()};
    for (std::size_t i = 0; i < count; ++i) result.push_back(jump(BPF_JEQ, values[i], count - i, 0));
    result.push_back(give(otherwise));
    result.push_back(give(if_listed));
    return result;
}

Program leaf(Verdict verdict) {
    switch (verdict) {
        case Verdict::allowed:
            return {give(kAllow)};
        case Verdict::denied:
            return {give(kDeny)};
        case Verdict::socket:
            return one_of(kForbiddenFamilies, std::size(kForbiddenFamilies), kDeny, kAllow);
        case Verdict::personality:
            return one_of(kPersonalities, std::size(kPersonalities), kAllow, kDeny);
        case Verdict::clone:
            return {load_argument(), jump(BPF_JSET, kNamespaceFlags, 0, 1), give(kDeny), give(kAllow)};
        case Verdict::no_such_call:
        case Verdict::unknown:
            break;
    }
    return {give(kNoSuchCall)};
}

struct Segment {
    std::uint32_t first;
    Verdict verdict;
};

// A run of numbers with one verdict each; what lies between known numbers is unknown.
std::vector<Segment> segments_of(const std::map<std::uint32_t, Verdict>& verdicts) {
    std::vector<Segment> result{{0, Verdict::unknown}};
    const auto start = [&](std::uint32_t first, Verdict verdict) {
        if (result.back().first == first)
            result.back().verdict = verdict;
        else if (result.back().verdict != verdict)
            result.push_back({first, verdict});
    };
    std::uint32_t expected = 0;
    for (const auto& [number, verdict] : verdicts) {
        if (number != expected) start(expected, Verdict::unknown);
        start(number, verdict);
        expected = number + 1;
    }
    start(expected, Verdict::unknown);
    return result;
}

// A search tree over the segments, with the number in the accumulator.
Program search(const Segment* begin, const Segment* end) {
    if (end - begin == 1) return leaf(begin->verdict);
    const Segment* middle = begin + (end - begin) / 2;
    const Program low = search(begin, middle);
    const Program high = search(middle, end);
    Program result;
    constexpr std::size_t kFarthest = 255;
    if (low.size() <= kFarthest) {
        result.push_back(jump(BPF_JGE, middle->first, low.size(), 0));
    } else {
        result.push_back(jump(BPF_JGE, middle->first, 0, 1));
        result.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(low.size())));
    }
    result.insert(result.end(), low.begin(), low.end());
    result.insert(result.end(), high.begin(), high.end());
    return result;
}

struct Table {
    std::uint32_t audit;
    Numbers calls;
};

const std::vector<Table>& tables() {
    static const std::vector<Table> all = [] {
        std::vector<Table> result;
        for (const auto& architecture : kArchitectures)
            if (result.empty() || result.back().audit != architecture.audit)
                result.push_back({architecture.audit, known_calls(architecture.audit)});
        return result;
    }();
    return all;
}

Program build(CapabilitySet capabilities) {
    Program program{statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch))};
    for (const auto& table : tables()) {
        const auto segments = segments_of(verdicts_of(table.calls, capabilities));
        const Program tree = search(segments.data(), segments.data() + segments.size());
        program.push_back(jump(BPF_JEQ, table.audit, 1, 0));
        program.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(tree.size() + 1)));
        program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
        program.insert(program.end(), tree.begin(), tree.end());
    }
    program.push_back(give(SECCOMP_RET_KILL_PROCESS));
    return program;
}

}  // namespace

std::vector<sock_filter> seccomp_program(CapabilitySet capabilities) {
    static const Program usual = build(kDefaultCapabilities);
    return capabilities == kDefaultCapabilities ? usual : build(capabilities);
}

}  // namespace compose::runtime
