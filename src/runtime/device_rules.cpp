#include "runtime/device_rules.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
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

std::vector<DeviceRule> parse_device_rule(const std::string& text) {
    const auto bad = [&] {
        return make_error(ErrorKind::invalid, "device rule {} is not like \"c 1:3 rwm\"", quote(text));
    };
    std::vector<std::string> words;
    for (auto& word : split(text, ' '))
        if (!word.empty()) words.push_back(std::move(word));
    if (words.size() != 3 || words[0].size() != 1 || std::string_view("abc").find(words[0]) == std::string_view::npos)
        throw bad();
    const auto colon = words[1].find(':');
    if (colon == std::string::npos) throw bad();
    const auto number = [&](std::string_view digits) {
        if (digits == "*") return -1;
        constexpr int kMost = (1 << 20) - 1;
        int value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size() || value < 0 || value > kMost) throw bad();
        return value;
    };
    DeviceRule rule;
    rule.major = number(std::string_view(words[1]).substr(0, colon));
    rule.minor = number(std::string_view(words[1]).substr(colon + 1));
    rule.access = words[2];
    for (std::size_t i = 0; i < rule.access.size(); ++i)
        if (std::string_view("rwm").find(rule.access[i]) == std::string_view::npos ||
            rule.access.find(rule.access[i], i + 1) != std::string::npos)
            throw bad();
    std::vector<DeviceRule> result;
    for (const char type : {'c', 'b'})
        if (words[0][0] == type || words[0][0] == 'a') {
            rule.type = type;
            result.push_back(rule);
        }
    return result;
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
