#include "net/parent.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/error.hpp"
#include "sys/links.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

constexpr std::size_t kIdDigits = 12;

struct Vlan {
    std::string below;
    int id = 0;
};

// "eth0.50"
std::optional<Vlan> parse_vlan(const std::string& name) {
    constexpr int kLast = 4094;
    const auto dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0) return std::nullopt;
    Vlan vlan{name.substr(0, dot), 0};
    const char* const end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data() + dot + 1, end, vlan.id);
    if (error != std::errc{} || at != end || vlan.id < 1 || vlan.id > kLast) return std::nullopt;
    return vlan;
}

Error lacks(const std::string& kind, const char* setting) {
    return make_error(ErrorKind::unavailable, "this kernel has no {} interfaces", kind)
        .with_hint(fmt::format("it was built without {}", setting));
}

void need(sys::Links& links, const std::string& kind) {
    if (links.knows(kind)) return;
    const char* setting = "CONFIG_DUMMY";
    if (kind == "macvlan") setting = "CONFIG_MACVLAN";
    if (kind == "ipvlan") setting = "CONFIG_IPVLAN";
    if (kind == "vlan") setting = "CONFIG_VLAN_8021Q";
    throw lacks(kind, setting);
}

Error missing(const std::string& name) {
    return make_error(ErrorKind::not_found, "there is no interface {} on this host", name)
        .with_hint("`ip link` lists those that there are");
}

// The kernel's numbers say little here.
Error in_words(const Error& error, const StackedLink& link, const std::string& name) {
    const auto say = [&](const char* why) {
        return make_error(ErrorKind::conflict, "create {} interface {} on {}: {}", link.kind, name, link.parent, why);
    };
    if (error.code() == EBUSY)
        return say("that interface is a port of a bridge or bond, or carries interfaces of another kind");
    if (error.code() == EINVAL && link.kind == "macvlan")
        return say("an interface in passthru mode is the only one on its parent").with_code(EADDRINUSE);
    if (error.code() == EOPNOTSUPP)
        return lacks(link.kind, link.kind == "macvlan" ? "CONFIG_MACVLAN" : "CONFIG_IPVLAN");
    return error;
}

}  // namespace

bool check_parent(const std::string& kind, const std::string& parent) {
    sys::Links links;
    need(links, kind);
    if (parent.empty()) {
        need(links, "dummy");
        return true;
    }
    if (const auto found = links.find(parent)) {
        if (found->loopback)
            throw make_error(ErrorKind::invalid, "{} is the loopback: no {} interface can stand on it", parent, kind);
        return false;
    }
    const auto vlan = parse_vlan(parent);
    if (!vlan) throw missing(parent);
    if (!links.find(vlan->below)) throw missing(vlan->below);
    need(links, "vlan");
    return true;
}

std::string dummy_name(const std::string& kind, const std::string& network_id) {
    return (kind == "ipvlan" ? "di-" : "dm-") + network_id.substr(0, kIdDigits);
}

bool parent_exists(const std::string& name) {
    sys::Links links;
    return links.find(name).has_value();
}

void make_parent(const std::string& name) {
    sys::Links links;
    if (const auto found = links.find(name); found && found->up) return;
    log::debug("make parent interface {}", name);
    try {
        if (const auto vlan = parse_vlan(name)) {
            const auto below = links.find(vlan->below);
            if (!below) throw missing(vlan->below);
            links.create_vlan(name, below->index, vlan->id);
        } else {
            links.create_dummy(name);
        }
    } catch (const Error& error) {
        if (error.code() != EEXIST) throw;
    }
    const auto made = links.find(name);
    if (!made) throw make_error("interface {} vanished while it was made", name);
    if (!made->up) links.set_up(made->index);
}

void remove_parent(const std::string& name) {
    sys::Links links;
    const auto found = links.find(name);
    if (!found || (found->kind != "vlan" && found->kind != "dummy")) return;
    log::debug("remove parent interface {}", name);
    links.remove(name);
}

void create_stacked(const StackedLink& link, sys::FdRef netns, const std::string& name, std::optional<Mac> mac,
                    int mtu) {
    sys::Links links;
    const auto parent = links.find(link.parent);
    if (!parent) throw missing(link.parent);
    // In passthru mode the kernel gives it the parent's address first, whatever the message says.
    try {
        links.create_stacked({.kind = link.kind,
                              .mode = link.mode,
                              .flag = link.flag,
                              .parent = parent->index,
                              .netns = netns,
                              .name = name,
                              .mac = mac,
                              .mtu = static_cast<unsigned>(mtu)});
    } catch (const Error& error) {
        throw in_words(error, link, name);
    }
    if (!mac || link.mode != "passthru") return;
    sys::run_in_netns(netns, [&] {
        sys::Links inside;
        if (const auto made = inside.find(name)) inside.set_mac(made->index, *mac);
    });
}

void remove_stacked(sys::FdRef netns, const std::string& name) {
    sys::run_in_netns(netns, [&] {
        sys::Links links;
        const auto found = links.find(name);
        if (found && (found->kind == "macvlan" || found->kind == "ipvlan")) links.remove(name);
    });
}

}  // namespace compose::net
