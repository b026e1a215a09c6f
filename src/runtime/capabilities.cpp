#include "runtime/capabilities.hpp"

#include <array>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::runtime {
namespace {

constexpr std::array<std::string_view, 41> kNames{
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

std::string bare_name(std::string_view name) {
    std::string result = compose::lower(name);
    if (result.starts_with("cap_")) result.erase(0, 4);
    return result;
}

bool is_all(std::string_view name) {
    return bare_name(name) == "all";
}

CapabilitySet bit(unsigned number) {
    return CapabilitySet{1} << number;
}

unsigned known_number(const std::string& name) {
    if (const auto number = capability_number(name)) return *number;
    std::vector<std::string_view> candidates(kNames.begin(), kNames.end());
    auto error = make_error(ErrorKind::invalid, "unknown capability {}", quote(name));
    std::string upper;
    for (const char c : bare_name(name)) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const std::string_view near = nearest(upper, candidates);
    if (!near.empty()) error.with_hint(fmt::format("did you mean {}?", near));
    throw error;
}

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
    const std::string wanted = bare_name(name);
    for (unsigned i = 0; i < kNames.size(); ++i)
        if (compose::lower(kNames[i]) == wanted) return i;
    return std::nullopt;
}

std::string capability_name(unsigned number) {
    return number < kNames.size() ? std::string(kNames[number]) : fmt::format("{}", number);
}

CapabilitySet container_capabilities(const std::vector<std::string>& add, const std::vector<std::string>& drop,
                                     CapabilitySet available) {
    CapabilitySet result = kDefaultCapabilities & available;
    // "ALL" first, on either side, so that the order in the lists does not matter: drop ALL and add X leaves X.
    bool add_all = false;
    CapabilitySet added = 0;
    CapabilitySet dropped = 0;
    for (const auto& name : add) {
        if (is_all(name)) {
            add_all = true;
            continue;
        }
        const unsigned number = known_number(name);
        if (!has(available, number))
            throw make_error(ErrorKind::unavailable,
                             "capability {} cannot be added: this engine does not have it itself",
                             capability_name(number));
        added |= bit(number);
    }
    bool drop_all = false;
    for (const auto& name : drop) {
        if (is_all(name))
            drop_all = true;
        else
            dropped |= bit(known_number(name));
    }
    if (add_all)
        result = available;
    else if (drop_all)
        result = 0;
    return (result | added) & ~dropped;
}

}  // namespace compose::runtime
