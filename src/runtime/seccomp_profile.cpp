// Filters from profiles in Docker's JSON format. As libseccomp has it: an unconditional rule for a call outweighs those
// with conditions, of which the first that fits decides; a call without a rule gets the default.
#include <charconv>
#include <cstddef>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "runtime/seccomp.hpp"
#include "runtime/seccomp_filter.hpp"

namespace compose::runtime {
namespace {

constexpr std::size_t kLongestFilter = 4096;  // BPF_MAXINSNS

struct Condition {
    unsigned argument = 0;
    std::uint64_t value = 0;
    std::uint64_t second = 0;  // masked_equal: the value; `value` is the mask then
    std::string op;
};

struct Rule {
    std::uint32_t action = 0;
    std::vector<Condition> conditions;
    friend bool operator==(const Rule& a, const Rule& b) = default;
};
bool operator==(const Condition& a, const Condition& b) {
    return a.argument == b.argument && a.value == b.value && a.second == b.second && a.op == b.op;
}

Error bad(const std::string& what) {
    return make_error(ErrorKind::invalid, "seccomp profile: {}", what);
}

const json::object& object_in(const json::value& value, const char* what) {
    if (!value.is_object()) throw bad(fmt::format("{} is no object", what));
    return value.get_object();
}

std::uint64_t unsigned_in(const json::object& object, std::string_view key) {
    const auto* const found = object.if_contains(key);
    if (found == nullptr || found->is_null()) return 0;
    json::error_code error;
    const auto value = found->to_number<std::uint64_t>(error);
    if (error) throw bad(fmt::format("{} is no number", key));
    return value;
}

std::uint32_t action_of(const std::string& name, const json::object& from, std::string_view errno_key) {
    constexpr std::uint32_t kHighestError = 4095;
    if (name == "SCMP_ACT_ALLOW") return SECCOMP_RET_ALLOW;
    if (name == "SCMP_ACT_LOG") return SECCOMP_RET_LOG;
    if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SECCOMP_RET_KILL_THREAD;
    if (name == "SCMP_ACT_KILL_PROCESS") return SECCOMP_RET_KILL_PROCESS;
    if (name == "SCMP_ACT_TRAP") return SECCOMP_RET_TRAP;
    if (name == "SCMP_ACT_ERRNO") {
        const auto* const number = from.if_contains(errno_key);
        const std::uint64_t value = number == nullptr || number->is_null() ? EPERM : unsigned_in(from, errno_key);
        if (value > kHighestError) throw bad(fmt::format("{} is no error number", value));
        return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(value);
    }
    throw bad(fmt::format("the action {} is not supported", quote(name)));
}

// "x86" and "amd64" are how profiles call the architectures in includes and excludes.
std::string_view short_name(std::uint32_t audit) {
    if (audit == AUDIT_ARCH_X86_64) return "amd64";
    if (audit == AUDIT_ARCH_AARCH64) return "arm64";
    return audit == AUDIT_ARCH_I386 ? "x86" : "arm";
}

std::string_view long_name(std::uint32_t audit) {
    if (audit == AUDIT_ARCH_X86_64) return "SCMP_ARCH_X86_64";
    if (audit == AUDIT_ARCH_AARCH64) return "SCMP_ARCH_AARCH64";
    return audit == AUDIT_ARCH_I386 ? "SCMP_ARCH_X86" : "SCMP_ARCH_ARM";
}

bool kernel_is_at_least(const std::string& text, KernelVersion kernel) {
    KernelVersion wanted;
    const auto parts = split(text, '.');
    const auto number = [&](const std::string& digits) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size())
            throw bad(fmt::format("{} is no kernel version", quote(text)));
        return value;
    };
    if (parts.size() != 2) throw bad(fmt::format("{} is no kernel version", quote(text)));
    wanted = {number(parts[0]), number(parts[1])};
    return kernel.major > wanted.major || (kernel.major == wanted.major && kernel.minor >= wanted.minor);
}

class Profile {
public:
    Profile(const json::object& root, CapabilitySet capabilities, KernelVersion kernel)
        : root_(root), capabilities_(capabilities), kernel_(kernel) {
        default_ = action_of(string_or(root, "defaultAction"), root, "defaultErrnoRet");
    }

    [[nodiscard]] Program compile() {
        Program program = begin_filter();
        for (const auto& table : call_tables())
            if (is_listed(table.audit)) add_table(program, table);
        program.push_back(bpf_give(SECCOMP_RET_KILL_PROCESS));
        if (program.size() > kLongestFilter) throw bad("it is too long for the kernel");
        return program;
    }

private:
    // Without a list of architectures, those of this machine.
    [[nodiscard]] bool is_listed(std::uint32_t audit) const {
        const auto name = long_name(audit);
        bool any = false;
        const auto listed = [&](const json::value& value) { return value.is_string() && value.get_string() == name; };
        if (const auto* map = root_.if_contains("archMap"); map != nullptr && map->is_array())
            for (const auto& entry : map->get_array()) {
                const auto& object = object_in(entry, "an archMap entry");
                any = true;
                if (string_or(object, "architecture") == name) return true;
                // Only those of the native architecture count.
                if (string_or(object, "architecture") != long_name(call_tables().front().audit)) continue;
                for (const auto& sub : strings_or_empty(object, "subArchitectures"))
                    if (sub == name) return true;
            }
        if (const auto* list = root_.if_contains("architectures"); list != nullptr && list->is_array())
            for (const auto& entry : list->get_array()) {
                any = true;
                if (listed(entry)) return true;
            }
        return !any;
    }

    [[nodiscard]] bool has_capability(const std::string& name) const {
        const auto number = capability_number(name);
        return number && has(capabilities_, *number);
    }

    [[nodiscard]] bool applies(const json::object& entry, std::uint32_t audit) const {
        const auto filter = [&](const char* key) -> json::object {
            const auto* found = entry.if_contains(key);
            return found == nullptr || found->is_null() ? json::object() : object_in(*found, key);
        };
        const auto names_this = [&](const std::vector<std::string>& names) {
            return std::find(names.begin(), names.end(), short_name(audit)) != names.end();
        };
        const auto includes = filter("includes");
        if (const auto arches = strings_or_empty(includes, "arches"); !arches.empty() && !names_this(arches))
            return false;
        for (const auto& capability : strings_or_empty(includes, "caps"))
            if (!has_capability(capability)) return false;
        if (const auto oldest = string_or(includes, "minKernel");
            !oldest.empty() && !kernel_is_at_least(oldest, kernel_))
            return false;
        const auto excludes = filter("excludes");
        if (names_this(strings_or_empty(excludes, "arches"))) return false;
        for (const auto& capability : strings_or_empty(excludes, "caps"))
            if (has_capability(capability)) return false;
        const auto oldest = string_or(excludes, "minKernel");
        return oldest.empty() || !kernel_is_at_least(oldest, kernel_);
    }

    static Rule rule_of(const json::object& entry) {
        Rule rule;
        rule.action = action_of(string_or(entry, "action"), entry, "errnoRet");
        const auto* const arguments = entry.if_contains("args");
        if (arguments == nullptr || arguments->is_null()) return rule;
        if (!arguments->is_array()) throw bad("args is no list");
        for (const auto& argument : arguments->get_array()) {
            const auto& object = object_in(argument, "an argument");
            constexpr std::uint64_t kArguments = 6;
            const auto index = unsigned_in(object, "index");
            if (index >= kArguments) throw bad(fmt::format("there is no argument {}", index));
            rule.conditions.push_back({static_cast<unsigned>(index), unsigned_in(object, "value"),
                                       unsigned_in(object, "valueTwo"), string_or(object, "op")});
        }
        return rule;
    }

    void add_table(Program& program, const CallTable& table) {
        std::map<std::uint32_t, std::vector<Rule>> rules;
        const auto* const calls = root_.if_contains("syscalls");
        if (calls != nullptr && !calls->is_null()) {
            if (!calls->is_array()) throw bad("syscalls is no list");
            for (const auto& value : calls->get_array()) {
                const auto& entry = object_in(value, "an entry of syscalls");
                const Rule rule = rule_of(entry);
                if (!applies(entry, table.audit)) continue;
                auto names = strings_or_empty(entry, "names");
                if (const auto name = string_or(entry, "name"); !name.empty()) names.push_back(name);
                for (const auto& name : names)
                    if (const auto found = table.calls.find(name); found != table.calls.end())
                        for (const auto number : found->second) rules[number].push_back(rule);
            }
        }
        // As runc does: a program that asks for a call newer than the profile must learn that it is not there.
        const bool denies = (default_ & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
        std::vector<Program> leaves{{bpf_give(denies ? SECCOMP_RET_ERRNO | ENOSYS : default_)}, {bpf_give(default_)}};
        std::vector<std::vector<Rule>> known;
        LeafOfNumber leaf_of;
        for (const auto& [name, numbers] : table.calls)
            for (const auto number : numbers) {
                const auto found = rules.find(number);
                leaf_of[number] = found == rules.end() ? 1 : leaf_for(found->second, known, leaves);
            }
        append_table(program, table.audit, leaf_of, 0, leaves);
    }

    // Calls with the same rules share a leaf, so that neighbours become one segment.
    std::size_t leaf_for(const std::vector<Rule>& rules, std::vector<std::vector<Rule>>& known,
                         std::vector<Program>& leaves) const {
        constexpr std::size_t kFixed = 2;
        const auto same = std::find(known.begin(), known.end(), rules);
        if (same != known.end()) return static_cast<std::size_t>(same - known.begin()) + kFixed;
        known.push_back(rules);
        leaves.push_back(leaf(rules));
        return leaves.size() - 1;
    }

    [[nodiscard]] Program leaf(const std::vector<Rule>& rules) const {
        for (const auto& rule : rules)
            if (rule.conditions.empty()) return {bpf_give(rule.action)};
        Program result;
        for (const auto& rule : rules) {
            Program one = rule_program(rule);
            result.insert(result.end(), one.begin(), one.end());
        }
        result.push_back(bpf_give(default_));
        return result;
    }

    // From the last condition to the first, each knowing how far it is to the end of the rule.
    static Program rule_program(const Rule& rule) {
        Program result{bpf_give(rule.action)};
        for (auto condition = rule.conditions.rbegin(); condition != rule.conditions.rend(); ++condition) {
            Program test = test_of(*condition, result.size());
            result.insert(result.begin(), test.begin(), test.end());
        }
        return result;
    }

    // Goes on behind itself when it holds, else over `rest` more instructions. Arguments are compared as 64 bits.
    static Program test_of(const Condition& condition, std::size_t rest) {
        const auto half = [&](bool high) {
            const auto offset = offsetof(seccomp_data, args) + condition.argument * sizeof(std::uint64_t);
            return bpf_statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset + (high ? 4 : 0)));
        };
        const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); };
        const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
        const auto value = condition.value;
        if (condition.op == "SCMP_CMP_EQ")
            return {half(true), bpf_jump(BPF_JEQ, high(value), 0, rest + 2), half(false),
                    bpf_jump(BPF_JEQ, low(value), 0, rest)};
        if (condition.op == "SCMP_CMP_NE")
            return {half(true), bpf_jump(BPF_JEQ, high(value), 0, 2), half(false),
                    bpf_jump(BPF_JEQ, low(value), rest, 0)};
        if (condition.op == "SCMP_CMP_MASKED_EQ")
            return {half(true),
                    bpf_statement(BPF_ALU | BPF_AND | BPF_K, high(value)),
                    bpf_jump(BPF_JEQ, high(condition.second), 0, rest + 3),
                    half(false),
                    bpf_statement(BPF_ALU | BPF_AND | BPF_K, low(value)),
                    bpf_jump(BPF_JEQ, low(condition.second), 0, rest)};
        // Greater in the upper half decides, less decides the other way, and equal leaves it to the lower half.
        if (condition.op == "SCMP_CMP_GT" || condition.op == "SCMP_CMP_GE")
            return {half(true), bpf_jump(BPF_JGT, high(value), 3, 0), bpf_jump(BPF_JEQ, high(value), 0, rest + 2),
                    half(false), bpf_jump(condition.op.ends_with("GT") ? BPF_JGT : BPF_JGE, low(value), 0, rest)};
        if (condition.op == "SCMP_CMP_LT" || condition.op == "SCMP_CMP_LE")
            return {half(true), bpf_jump(BPF_JGT, high(value), rest + 3, 0), bpf_jump(BPF_JEQ, high(value), 0, 2),
                    half(false), bpf_jump(condition.op.ends_with("LT") ? BPF_JGE : BPF_JGT, low(value), rest, 0)};
        throw bad(fmt::format("the comparison {} is not known", quote(condition.op)));
    }

    const json::object& root_;
    CapabilitySet capabilities_;
    KernelVersion kernel_;
    std::uint32_t default_ = 0;
};

}  // namespace

std::vector<sock_filter> seccomp_program(std::string_view profile, CapabilitySet capabilities, KernelVersion kernel) {
    const json::value root = parse_json(profile);
    return Profile(object_in(root, "the profile"), capabilities, kernel).compile();
}

void check_seccomp_profile(std::string_view profile) {
    (void)seccomp_program(profile, kDefaultCapabilities, {});
}

}  // namespace compose::runtime
