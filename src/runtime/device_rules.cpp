#include "runtime/device_rules.hpp"

#include <fmt/format.h>

#include "sys/kernel_abi.hpp"

namespace compose::runtime {
namespace {

// Registers of the program.
constexpr std::uint8_t kResult = 0, kContext = 1, kAccess = 2, kType = 3, kMajor = 4, kMinor = 5, kScratch = 1;

bpf_insn instruction(int code, std::uint8_t to, std::uint8_t from, int offset, std::int32_t value) {
    bpf_insn result{};
    result.code = static_cast<std::uint8_t>(code);
    result.dst_reg = to & 0xfU;
    result.src_reg = from & 0xfU;
    result.off = static_cast<std::int16_t>(offset);
    result.imm = value;
    return result;
}

bpf_insn load(std::uint8_t to, int offset) {
    return instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, offset, 0);
}
bpf_insn set(std::uint8_t to, std::int32_t value) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
bpf_insn copy(std::uint8_t to, std::uint8_t from) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
bpf_insn exit_program() {
    return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
bpf_insn unless_equal(std::uint8_t which, std::int32_t value, std::size_t skip) {
    return instruction(BPF_JMP | BPF_JNE | BPF_K, which, 0, static_cast<int>(skip), value);
}

std::int32_t access_bits(const std::string& access) {
    std::int32_t bits = 0;
    for (const char c : access)
        bits |= c == 'm' ? BPF_DEVCG_ACC_MKNOD : c == 'r' ? BPF_DEVCG_ACC_READ : BPF_DEVCG_ACC_WRITE;
    return bits;
}

void append_rule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
    // Each test skips what is left of the rule.
    std::size_t left = 2 + 3 + 1 + (rule.major >= 0 ? 1U : 0U) + (rule.minor >= 0 ? 1U : 0U);
    program.push_back(unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, --left));
    program.push_back(copy(kScratch, kAccess));
    program.push_back(instruction(BPF_ALU64 | BPF_AND | BPF_K, kScratch, 0, 0, ~access_bits(rule.access)));
    left -= 3;
    program.push_back(unless_equal(kScratch, 0, left));
    if (rule.major >= 0) program.push_back(unless_equal(kMajor, rule.major, --left));
    if (rule.minor >= 0) program.push_back(unless_equal(kMinor, rule.minor, --left));
    program.push_back(set(kResult, 1));
    program.push_back(exit_program());
}

}  // namespace

const std::vector<DeviceRule>& default_device_rules() {
    static const std::vector<DeviceRule> rules{
        {'c', -1, -1, "m"}, {'b', -1, -1, "m"}, {'c', 1, 3, "rwm"},    {'c', 1, 5, "rwm"},
        {'c', 1, 7, "rwm"}, {'c', 1, 8, "rwm"}, {'c', 1, 9, "rwm"},    {'c', 5, 0, "rwm"},
        {'c', 5, 1, "rwm"}, {'c', 5, 2, "rwm"}, {'c', 136, -1, "rwm"}, {'c', 10, 200, "rwm"},
    };
    return rules;
}

std::string to_line(const DeviceRule& rule) {
    const auto number = [](int value) { return value < 0 ? std::string("*") : std::to_string(value); };
    return fmt::format("{} {}:{} {}", rule.type, number(rule.major), number(rule.minor), rule.access);
}

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
    constexpr int kOffsetMajor = 4;
    constexpr int kOffsetMinor = 8;
    constexpr std::int32_t kAccessShift = 16;
    std::vector<bpf_insn> program{
        load(kAccess, 0),
        copy(kType, kAccess),
        instruction(BPF_ALU64 | BPF_AND | BPF_K, kType, 0, 0, 0xffff),
        instruction(BPF_ALU64 | BPF_RSH | BPF_K, kAccess, 0, 0, kAccessShift),
        load(kMajor, kOffsetMajor),
        load(kMinor, kOffsetMinor),
    };
    for (const auto& rule : rules) append_rule(program, rule);
    program.push_back(set(kResult, 0));
    program.push_back(exit_program());
    return program;
}

}  // namespace compose::runtime
