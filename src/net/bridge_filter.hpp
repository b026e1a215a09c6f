// br_netfilter: where a kernel has it at work, packets that a bridge passes on, from one container to its neighbour, go
// through the host's IP rules as if they were routed. It takes a twelfth of their throughput, and serves who filters
// between the ports of a bridge with iptables, as clusters do. Our rules don't need it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace compose::net {

/// Turns it off in this network namespace as long as all its bridges are `own` and no file of sysctl.d asks for it, and
/// else back to what it was. `note` is the path of a file that remembers that; made and removed here.
/// To be called whenever a bridge was made or removed. A kernel without it, or that refuses, is no error.
void settle_bridge_filter(std::span<const std::string> own, const std::string& note);

/// Does the text of a file of sysctl.d(5) set any of the kernel's settings of bridges?
[[nodiscard]] bool sets_bridge_filter(std::string_view sysctl_file);

}  // namespace compose::net
