#include "net/host_interface.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/links.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

constexpr int kAttempts = 20;
constexpr std::chrono::milliseconds kPause{50};

sys::LinkInfo find_soon(sys::Links& links, const std::string& name) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(kPause);
        if (auto found = links.find(name)) return *found;
    }
    throw make_error(ErrorKind::not_found, "the host has no network interface {}", quote(name));
}

}  // namespace

void take_interface(const std::string& host_name, sys::FdRef netns, const std::string& name) {
    sys::Links host;
    const auto link = find_soon(host, host_name);
    const auto addresses = host.addresses_of(link.index);
    in_context([&] { return fmt::format("lend interface {} to the container", host_name); },
               [&] {
                   host.move(link.index, netns, name);
                   sys::run_in_netns(netns, [&] {
                       sys::Links inside;
                       const auto moved = inside.find(name);
                       if (!moved) throw make_error(ErrorKind::not_found, "{} is not there", quote(name));
                       for (const auto& address : addresses) inside.add_address(moved->index, address);
                       inside.set_up(moved->index);
                   });
               });
}

}  // namespace compose::net
