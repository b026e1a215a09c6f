#include "net/bridge.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"
#include "sys/links.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

// Names become parts of paths below /proc/sys.
void check_name(const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > ' ' && c < 127; });
    if (name.empty() || name.size() > 15 || !plain || name.find_first_of("/:%") != std::string::npos || name == "." ||
        name == "..")
        throw make_error("\"{}\" is no interface name", name);
}

// Reading first: a write takes the kernel's network lock, and ip_forward rebuilds every interface's settings.
void set_sysctl(const std::string& path, std::string_view value) {
    const std::string now = sys::read_file(path, 64);
    if (now.size() > value.size() && now.compare(0, value.size(), value) == 0 && now[value.size()] == '\n') return;
    sys::write_file(path, value);
}

// No router is believed: neither on our bridges, nor, by containers, on theirs.
void enable_ipv6(const std::string& interface) {
    const std::string path = "/proc/sys/net/ipv6/conf/" + interface;
    if (!sys::exists(path)) throw make_error(ErrorKind::unavailable, "this host has no IPv6");
    sys::write_file(path + "/accept_ra", "0");
    sys::write_file(path + "/disable_ipv6", "0");
}

// A host that forwards hears no router any more; interfaces that did go on doing so.
void forward_ipv6() {
    const std::string base = "/proc/sys/net/ipv6/conf/";
    if (sys::read_file(base + "all/forwarding", 64).starts_with('1')) return;
    for (const auto& name : sys::kernel_names(base)) {
        if (name == "all" || name == "default" || name == "lo") continue;
        const auto accepts = sys::read_file_if_exists(base + name + "/accept_ra");
        if (accepts && accepts->starts_with('1')) sys::write_file(base + name + "/accept_ra", "2");
    }
    sys::write_file(base + "all/forwarding", "1");
}

// Where the kernel knows no IPv6 there is nothing to turn off.
void disable_ipv6(const std::string& interface) {
    const std::string path = fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", interface);
    try {
        sys::write_file(path, "1");
    } catch (const Error& error) {
        if (error.code() != ENOENT) throw;
    }
}

// Where the bridge has no address, any will do: one that is ours.
Mac bridge_mac(const BridgeSpec& spec) {
    if (spec.subnet) return mac_of(spec.gateway);
    if (spec.ipv6) return mac_of(spec.ipv6->address);
    return mac_of(Ipv4{static_cast<std::uint32_t>(std::hash<std::string>{}(spec.name))});
}

sys::LinkInfo make_or_find(sys::Links& links, const BridgeSpec& spec) {
    const auto mtu = static_cast<unsigned>(spec.mtu);
    try {
        links.create_bridge({.name = spec.name, .mac = bridge_mac(spec), .mtu = mtu});
    } catch (const Error& error) {
        if (error.code() != EEXIST) throw;
    }
    const auto found = links.find(spec.name);
    if (!found) throw make_error("bridge {} vanished while it was made", spec.name);
    if (found->kind != "bridge") throw make_error("interface {} exists and is no bridge", spec.name);
    return *found;
}

void set_addresses(sys::Links& links, int index, const BridgeSpec& spec) {
    std::vector<sys::Ipv4Network> own;
    if (spec.subnet && spec.has_address) {
        own.push_back({spec.gateway.value, spec.subnet->length});
        for (const auto& more : spec.more) own.push_back({more.address.value, more.prefix_length});
    }
    for (const sys::Ipv4Network& old : links.addresses_of(index)) {
        const bool stays = std::any_of(own.begin(), own.end(), [&](const sys::Ipv4Network& wanted) {
            return wanted.address == old.address && wanted.prefix_length == old.prefix_length;
        });
        if (!stays) links.remove_address(index, old);
    }
    for (const sys::Ipv4Network& wanted : own) links.add_address(index, wanted);
}

}  // namespace

void create_bridge(const BridgeSpec& spec) {
    check_name(spec.name);
    log::debug("create bridge {} with {}", spec.name,
               spec.subnet ? spec.gateway.to_string()
               : spec.ipv6 ? spec.ipv6->address.to_string()
                           : "no address");
    sys::Links links;
    const sys::LinkInfo bridge = make_or_find(links, spec);
    // Before it has ports: from now on nothing on it speaks IPv6 to the host, so no router advertisement is heard.
    if (spec.ipv6) {
        enable_ipv6(spec.name);
        links.add_address6(bridge.index, {spec.ipv6->address.bytes, spec.ipv6->prefix_length, std::nullopt});
        for (const auto& more : spec.more6)
            links.add_address6(bridge.index, {more.address.bytes, more.prefix_length, std::nullopt});
    } else {
        disable_ipv6(spec.name);
    }
    if (bridge.mtu != static_cast<unsigned>(spec.mtu)) links.set_mtu(bridge.index, static_cast<unsigned>(spec.mtu));
    set_addresses(links, bridge.index, spec);
    if (!bridge.up) links.set_up(bridge.index);
    if (spec.subnet) {
        // Answers to connections from 127.0.0.1 to published ports come back through the bridge for that address.
        set_sysctl(fmt::format("/proc/sys/net/ipv4/conf/{}/route_localnet", spec.name), "1");
        set_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
    }
    if (spec.ipv6) forward_ipv6();
}

void remove_bridge(const std::string& name) {
    check_name(name);
    log::debug("remove bridge {}", name);
    sys::Links links;
    const auto found = links.find(name);
    if (!found) return;
    if (found->kind != "bridge") throw make_error("interface {} is no bridge: it is left alone", name);
    links.remove(name);
}

bool bridge_exists(const std::string& name) {
    sys::Links links;
    const auto found = links.find(name);
    return found && found->kind == "bridge";
}

std::vector<Prefix> host_routes() {
    sys::Links links;
    std::vector<Prefix> all;
    const auto take = [&](const std::vector<sys::Ipv4Network>& networks) {
        for (const auto& network : networks)
            all.push_back(
                *Prefix::parse(fmt::format("{}/{}", Ipv4{network.address}.to_string(), network.prefix_length)));
    };
    take(links.routes());
    take(links.addresses());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

namespace {

// With br_netfilter, a container's connection to its own published port is turned around before it leaves the bridge.
bool bridged_packets_are_filtered() {
    const auto value = sys::read_file_if_exists("/proc/sys/net/bridge/bridge-nf-call-iptables");
    return value && value->starts_with('1');
}

std::vector<sys::VethRequest> plan_veths(sys::Links& links, std::span<const EndpointSpec> endpoints, sys::FdRef netns) {
    std::map<std::string, int> bridges;
    const bool hairpin = bridged_packets_are_filtered();
    std::vector<sys::VethRequest> requests;
    for (const EndpointSpec& endpoint : endpoints) {
        check_name(endpoint.container_name);
        if (endpoint.stacked) continue;
        check_name(endpoint.host_name);
        int& master = bridges[endpoint.bridge];
        if (master == 0) {
            const auto bridge = links.find(endpoint.bridge);
            if (!bridge) throw make_error(ErrorKind::not_found, "there is no bridge {}", endpoint.bridge);
            master = bridge->index;
        }
        requests.push_back({.name = endpoint.host_name,
                            .master = master,
                            .mtu = static_cast<unsigned>(endpoint.mtu),
                            .netns = netns,
                            .peer_name = endpoint.container_name,
                            .peer_index = endpoint.index,
                            .peer_mac = endpoint.mac,
                            .hairpin = hairpin,
                            .isolated = endpoint.isolated});
    }
    return requests;
}

// Family, group and name are plain words: endpoint_options.cpp sees to that.
void set_inside(const std::string& interface, const InterfaceSysctl& sysctl) {
    const std::string path =
        fmt::format("/proc/sys/net/{}/{}/{}/{}", sysctl.family, sysctl.group, interface, sysctl.name);
    in_context([&] { return fmt::format("set a sysctl of interface {}", interface); },
               [&] { sys::write_file(path, sysctl.value); });
}

// Inside the namespace. The kernel takes our wish for an index only in some versions, so the name says which it is.
void configure_inside(std::span<const EndpointSpec> endpoints) {
    sys::Links links;
    std::vector<sys::InterfaceSetup> setups;
    for (const EndpointSpec& endpoint : endpoints) {
        const auto interface = links.find(endpoint.container_name);
        if (!interface) throw make_error("interface {} vanished from the container", endpoint.container_name);
        std::optional<sys::Ipv6Setup> ipv6;
        if (endpoint.address6) {
            enable_ipv6(endpoint.container_name);
            ipv6 = sys::Ipv6Setup{endpoint.address6->bytes, endpoint.prefix_length6, std::nullopt};
            if (endpoint.gateway6) ipv6->gateway = endpoint.gateway6->bytes;
        } else {
            disable_ipv6(endpoint.container_name);
        }
        for (const InterfaceSysctl& sysctl : endpoint.sysctls) set_inside(endpoint.container_name, sysctl);
        std::vector<std::uint32_t> more;
        for (const Ipv4 address : endpoint.link_local) more.push_back(address.value);
        setups.push_back({.index = interface->index,
                          .address = endpoint.address ? std::optional(endpoint.address->value) : std::nullopt,
                          .prefix_length = endpoint.prefix_length,
                          .link_local = std::move(more),
                          .gateway = endpoint.gateway ? std::optional(endpoint.gateway->value) : std::nullopt,
                          .ipv6 = ipv6});
    }
    links.configure(setups);
}

void configure(std::span<const EndpointSpec> endpoints, sys::FdRef netns) {
    try {
        sys::run_in_netns(netns, [&] { configure_inside(endpoints); });
    } catch (Error& error) {
        if (error.code() == EADDRINUSE) error.add_context("another interface on the same parent has that MAC address");
        throw;
    }
}

// Once this has returned, packets of the container arrive.
void settle(sys::Links& links, std::span<const EndpointSpec> endpoints) {
    std::vector<std::string> names;
    for (const EndpointSpec& endpoint : endpoints)
        if (!endpoint.stacked) names.push_back(endpoint.host_name);
    // A bridge has a carrier only since its first port has one.
    for (const EndpointSpec& endpoint : endpoints)
        names.push_back(endpoint.stacked ? endpoint.stacked->parent : endpoint.bridge);
    if (!names.empty()) links.settle(names);
}

void remove_all(sys::Links& links, std::span<const sys::VethRequest> pairs) noexcept {
    for (const sys::VethRequest& pair : pairs) {
        try {
            links.remove(pair.name);
        } catch (const Error& error) {
            log::debug("leave {} behind: {}", pair.name, error.what());
        }
    }
}

// Those inside that stand on a parent; gone again unless keep() was called.
class StackedInside {
public:
    explicit StackedInside(sys::FdRef netns) : netns_(netns) {}
    StackedInside(const StackedInside&) = delete;
    StackedInside& operator=(const StackedInside&) = delete;
    ~StackedInside() {
        for (const std::string& name : made_) {
            try {
                remove_stacked(netns_, name);
            } catch (const Error& error) {
                log::debug("leave {} behind: {}", name, error.what());
            }
        }
    }

    void make(const EndpointSpec& endpoint) {
        const bool own_mac = endpoint.mac != Mac{};
        create_stacked(*endpoint.stacked, netns_, endpoint.container_name,
                       own_mac ? std::optional(endpoint.mac) : std::nullopt, endpoint.mtu);
        made_.push_back(endpoint.container_name);
    }
    void keep() { made_.clear(); }

private:
    sys::FdRef netns_;
    std::vector<std::string> made_;
};

void connect_once(std::span<const EndpointSpec> endpoints, sys::FdRef netns) {
    for (const EndpointSpec& endpoint : endpoints)
        log::debug("connect {} as {} {}", endpoint.stacked ? endpoint.stacked->parent : endpoint.bridge,
                   endpoint.container_name, endpoint.address ? endpoint.address->to_string() : "IPv6 only");
    sys::Links links;
    const auto pairs = plan_veths(links, endpoints, netns);
    if (!pairs.empty()) links.create_veths(pairs);
    StackedInside stacked(netns);
    try {
        for (const EndpointSpec& endpoint : endpoints)
            if (endpoint.stacked) stacked.make(endpoint);
        configure(endpoints, netns);
        settle(links, endpoints);
        stacked.keep();
    } catch (...) {
        remove_all(links, pairs);
        throw;
    }
}

}  // namespace

// The kernel takes the namespace of a killed container apart in its own time, a few hundredths of a second. Until then
// what stood on a parent there holds its MAC address, or the whole parent: nobody can be asked to let go of it.
void connect_endpoints(std::span<const EndpointSpec> endpoints, sys::FdRef netns) {
    constexpr int kTries = 50;
    constexpr std::chrono::milliseconds kPause{20};
    for (int attempt = 1;; ++attempt) {
        try {
            return connect_once(endpoints, netns);
        } catch (const Error& error) {
            if (error.code() != EADDRINUSE || attempt == kTries) throw;
        }
        std::this_thread::sleep_for(kPause);
    }
}

void replace_default_routes(const EndpointSpec& endpoint, sys::FdRef netns) {
    if (!endpoint.gateway && !endpoint.gateway6) return;
    sys::run_in_netns(netns, [&] {
        sys::Links links;
        const auto interface = links.find(endpoint.container_name);
        if (!interface) return;  // whoever is root in the container may have renamed it
        sys::InterfaceSetup setup{.index = interface->index};
        if (endpoint.gateway) setup.gateway = endpoint.gateway->value;
        if (endpoint.gateway6) setup.ipv6 = sys::Ipv6Setup{.gateway = endpoint.gateway6->bytes};
        links.replace_default_routes(setup);
    });
}

}  // namespace compose::net
