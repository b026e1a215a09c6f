// Networks to try things in: every test runs on a thread inside a network namespace of its own, "the host", and makes
// further namespaces for containers and for machines outside. All of them vanish with the last descriptor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/bridge.hpp"
#include "sys/fd.hpp"

namespace compose::net::lab {

/// Runs `body` on a new thread in a new network namespace (lo is up). Skips the test when that isn't allowed.
void run(const std::function<void()>& body);
[[nodiscard]] sys::Fd make_netns();
/// Runs a shell command in the thread's namespace; its output and whether it succeeded.
struct Output {
    bool ok = false;
    std::string text;
};
Output shell(const std::string& command);
Output shell_in(sys::FdRef netns, const std::string& command);

struct Machine {
    sys::Fd netns;
    Ipv4 address;
};
[[nodiscard]] BridgeSpec bridge_spec(const std::string& name, const std::string& subnet);
/// A namespace connected to the bridge with address number `host` of its subnet.
[[nodiscard]] Machine make_container(const BridgeSpec& bridge, unsigned host, bool default_route = true);
/// A namespace connected to the host by a link of its own: the host has 192.0.2.1, the machine 192.0.2.2, and its
/// default route leads to the host.
[[nodiscard]] Machine make_outsider();

[[nodiscard]] sys::Fd listen_in(sys::FdRef netns, int port);
[[nodiscard]] sys::Fd udp_in(sys::FdRef netns, int port);
/// Connects from `from` to address:port within `patience`; the peer address that the listener sees.
[[nodiscard]] std::optional<std::string> tcp_peer(sys::FdRef from, const std::string& address, int port,
                                                  sys::FdRef listener, int patience_ms = 1000);
/// Sends a datagram and waits for the echo that it makes `server` send.
[[nodiscard]] std::optional<std::string> udp_peer(sys::FdRef from, const std::string& address, int port,
                                                  sys::FdRef server, int patience_ms = 1000);
constexpr int kShort = 250;  // patience where nothing should arrive

}  // namespace compose::net::lab
