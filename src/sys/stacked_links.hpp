// Messages that make interfaces on top of another one: macvlan and ipvlan, born inside another network namespace, and
// the VLAN sub-interfaces and dummies that they stand on. Only bytes: links.hpp sends them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sys/fd.hpp"
#include "sys/netlink.hpp"

namespace compose::sys {

struct StackedRequest {
    std::string kind;    // "macvlan" or "ipvlan"
    std::string mode;    // of macvlan: bridge, private, vepa, passthru; of ipvlan: l2, l3, l3s
    std::string flag{};  // of ipvlan: bridge (or empty), private, vepa
    int parent = 0;      // index of the interface below
    FdRef netns{};
    std::string name;                                  // inside of `netns`
    std::optional<std::array<std::uint8_t, 6>> mac{};  // of macvlan; in passthru mode it is the parent's
    unsigned mtu = 0;                                  // 0: the parent's
};

/// Throw Error(invalid) for a mode or flag that there is none of.
void append_stacked(NetlinkBuffer& buffer, const StackedRequest& request);
void append_vlan(NetlinkBuffer& buffer, const std::string& name, int parent, int id);
void append_dummy(NetlinkBuffer& buffer, const std::string& name);
/// A message that can't succeed. The kernel refuses it with EOPNOTSUPP when it has no such kind of interface.
void append_kind_question(NetlinkBuffer& buffer, const std::string& kind);

}  // namespace compose::sys
