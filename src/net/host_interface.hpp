// Interfaces of the host that are lent to a container.
#pragma once

#include <string>

#include "sys/fd.hpp"

namespace compose::net {

/// Moves it into `netns` under `name`, with its IPv4 addresses, and raises it there. Where it was a moment ago in
/// another namespace that is just ending it is waited for, a second at most. Throws Error(not_found) when it is not
/// there.
void take_interface(const std::string& host_name, sys::FdRef netns, const std::string& name);

}  // namespace compose::net
