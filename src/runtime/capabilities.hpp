// Linux capabilities by name, and the sets that containers get. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose::runtime {

using CapabilitySet = std::uint64_t;  // bit n: capability number n

/// CHOWN, DAC_OVERRIDE, FSETID, FOWNER, MKNOD, NET_RAW, SETGID, SETUID, SETFCAP, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT,
/// KILL, AUDIT_WRITE.
inline constexpr CapabilitySet kDefaultCapabilities = 0xa80425fb;

enum Capability : unsigned {
    kCapDacReadSearch = 2,
    kCapSysModule = 16,
    kCapSysRawio = 17,
    kCapSysChroot = 18,
    kCapSysPtrace = 19,
    kCapSysPacct = 20,
    kCapSysAdmin = 21,
    kCapSysBoot = 22,
    kCapSysNice = 23,
    kCapSysTime = 25,
    kCapSysTtyConfig = 26,
    kCapSyslog = 34,
    kCapPerfmon = 38,
    kCapBpf = 39,
};

[[nodiscard]] constexpr bool has(CapabilitySet set, unsigned capability) {
    return (set >> capability & 1U) != 0;
}

/// "NET_ADMIN", "cap_net_admin" -> 12; nothing when unknown.
[[nodiscard]] std::optional<unsigned> capability_number(std::string_view name);
/// "NET_ADMIN"
[[nodiscard]] std::string capability_name(unsigned number);

/// The default set, plus `add`, minus `drop`; "ALL" stands for everything in `available`, what the engine itself has.
/// Throws Error(invalid) on an unknown name, Error(unavailable) when an added one is not available.
[[nodiscard]] CapabilitySet container_capabilities(const std::vector<std::string>& add,
                                                   const std::vector<std::string>& drop, CapabilitySet available);

}  // namespace compose::runtime
