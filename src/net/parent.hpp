// What macvlan and ipvlan networks stand on: an interface of the host's, or one that is made for the network, which is
// a VLAN sub-interface ("eth0.50", of eth0) or a dummy with nothing behind it. Only those two kinds are ever removed.
#pragma once

#include <optional>
#include <string>

#include "net/address.hpp"
#include "sys/fd.hpp"

namespace compose::net {

/// How an endpoint stands on its parent.
struct StackedLink {
    std::string kind;    // "macvlan" or "ipvlan"
    std::string parent;  // interface name
    std::string mode;    // as sys::StackedRequest has it
    std::string flag;
};

/// Can a network of that kind stand on `parent` (empty: on a dummy)? Changes nothing. True when the parent has to be
/// made first. Throws Error: not_found, invalid (the loopback), unavailable (what the kernel lacks).
[[nodiscard]] bool check_parent(const std::string& kind, const std::string& parent);
/// Of the dummy that stands in for a parent: "dm-0123456789ab" and "di-..." of ipvlan, as Docker names them.
[[nodiscard]] std::string dummy_name(const std::string& kind, const std::string& network_id);
[[nodiscard]] bool parent_exists(const std::string& name);
/// A VLAN when the name has a dot, else a dummy; raised. No error when it is there.
void make_parent(const std::string& name);
void remove_parent(const std::string& name);

/// The interface `name` inside `netns`. Throws Error with code EADDRINUSE when the parent is taken in passthru mode.
/// `mac`: of macvlan; `mtu`: 0 is the parent's.
void create_stacked(const StackedLink& link, sys::FdRef netns, const std::string& name, std::optional<Mac> mac,
                    int mtu);
/// Removes an interface of one of the two kinds inside `netns`; all else of that name stays.
void remove_stacked(sys::FdRef netns, const std::string& name);

}  // namespace compose::net
