#include "engine/network_pools.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "net/address.hpp"
#include "store/subnets.hpp"

namespace compose::engine {
namespace {

constexpr int kLongest6 = 96;  // addresses are made of the subnet and 32 bits

bool is_ipv6(const IpamPool& pool) {
    return pool.subnet.find(':') != std::string::npos;
}

Error refusal(const Network& network, const std::string& what) {
    return make_error(ErrorKind::invalid, "network {}: {}", network.name, what);
}

// The same for both families: `P` is a prefix, and an address what it holds.
template <class P>
store::Pool checked(const Network& network, const IpamPool& pool, const P& subnet, std::string gateway) {
    using Address = decltype(subnet.network);
    const auto inside = [&](const std::string& what, const std::string& text, std::optional<Address> address) {
        if (!address || !subnet.contains(*address))
            throw refusal(network, fmt::format("{} {} is not inside of subnet {}", what, quote(text), pool.subnet));
    };
    store::Pool out{.subnet = subnet.to_string(), .gateway = std::move(gateway)};
    if (!pool.ip_range.empty()) {
        const auto range = P::parse(pool.ip_range);
        const bool longer = range && range->length >= subnet.length;
        inside("ip_range", pool.ip_range, longer ? std::optional(range->network) : std::nullopt);
        out.range = range->to_string();
    }
    for (const auto& [name, text] : pool.aux_addresses) {
        const auto address = Address::parse(text);
        inside("address " + name, text, address);
        out.reserved.emplace(name, address->to_string());
    }
    return out;
}

store::Pool checked4(const Network& network, const IpamPool& pool) {
    return in_context([&] { return "network " + network.name; },
                      [&] {
                          const store::Range range = store::check_subnet(pool.subnet);
                          const std::string gateway = store::format_ipv4(store::check_gateway(range, pool.gateway));
                          return checked(network, pool, net::Prefix::parse(pool.subnet).value(), gateway);
                      });
}

store::Pool checked6(const Network& network, const IpamPool& pool) {
    const auto subnet = net::Prefix6::parse(pool.subnet);
    if (!subnet || subnet->length > kLongest6)
        throw refusal(network,
                      quote(pool.subnet) + " is not an IPv6 subnet of a length up to /96, such as fd00:1::/64");
    const auto gateway = pool.gateway.empty() ? subnet->host(1) : net::Ipv6::parse(pool.gateway);
    if (!gateway || !subnet->contains(*gateway))
        throw refusal(network, quote(pool.gateway) + " is not an address of " + pool.subnet);
    return checked(network, pool, *subnet, gateway->to_string());
}

// A gateway alone is of the subnet that will be chosen.
void check_without_subnet(const Network& network, const IpamPool& pool) {
    const bool lost_gateway = !pool.gateway.empty() && (!network.enable_ipv4 || pool_of(network, false) != &pool);
    if (pool.ip_range.empty() && pool.aux_addresses.empty() && !lost_gateway) return;
    throw refusal(network, "gateway, ip_range and aux_addresses need a subnet")
        .with_hint("write the subnet that they lie in");
}

template <class P>
void check_overlaps(const Network& network, const std::vector<store::Pool>& pools) {
    for (std::size_t i = 0; i < pools.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (P::parse(pools[i].subnet)->overlaps(*P::parse(pools[k].subnet)))
                throw refusal(network, fmt::format("subnet {} overlaps {}", pools[i].subnet, pools[k].subnet));
}

void set(std::map<std::string, std::string>& out, const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
}

}  // namespace

void set_pools(const Network& network, std::map<std::string, std::string>& out) {
    std::vector<store::Pool> four;
    std::vector<store::Pool> six;
    for (const IpamPool& pool : network.ipam) {
        if (is_ipv6(pool)) {
            if (!network.enable_ipv6) throw refusal(network, "subnet " + pool.subnet + " needs enable_ipv6: true");
            six.push_back(checked6(network, pool));
            continue;
        }
        if (!network.enable_ipv4 && !pool.subnet.empty())
            throw refusal(network, "subnet " + pool.subnet + " needs enable_ipv4: true");
        if (!pool.subnet.empty())
            four.push_back(checked4(network, pool));
        else
            check_without_subnet(network, pool);
    }
    check_overlaps<net::Prefix>(network, four);
    check_overlaps<net::Prefix6>(network, six);
    if (!four.empty()) {
        set(out, "ip_range", four.front().range);
        set(out, "reserved", store::encode_reserved(four.front().reserved));
        four.erase(four.begin());
    }
    if (!six.empty()) {
        set(out, "subnet6", six.front().subnet);
        set(out, "gateway6", six.front().gateway);
        set(out, "range6", six.front().range);
        set(out, "reserved6", store::encode_reserved(six.front().reserved));
        six.erase(six.begin());
    }
    four.insert(four.end(), six.begin(), six.end());
    set(out, "more", store::encode_pools(four));
}

const IpamPool* pool_of(const Network& network, bool ipv6) {
    const IpamPool* unnamed = nullptr;
    for (const IpamPool& pool : network.ipam) {
        if (is_ipv6(pool) != ipv6) continue;
        if (!pool.subnet.empty()) return &pool;
        if (unnamed == nullptr) unnamed = &pool;
    }
    return unnamed;
}

std::string private_subnet6(const std::string& network_id) {
    return fmt::format("fd{}:{}:{}::/64", network_id.substr(0, 2), network_id.substr(2, 4), network_id.substr(6, 4));
}

namespace {

// One subnet of IPv6, and who has addresses of it.
class Seats6 {
public:
    Seats6(const store::Pool& pool, const std::vector<std::string>& taken)
        : pool_(pool), taken_(taken), subnet_(net::Prefix6::parse(pool.subnet).value()) {}

    [[nodiscard]] bool has_host(const net::Ipv6& address) const {
        return subnet_.contains(address) && address != subnet_.network;
    }
    /// What a container wishes for by itself may be reserved: that keeps others from it.
    [[nodiscard]] bool is_taken(const net::Ipv6& address) const {
        const std::string text = address.to_string();
        return text == pool_.gateway || std::find(taken_.begin(), taken_.end(), text) != taken_.end();
    }

    /// The lowest one that is free in the range.
    [[nodiscard]] std::optional<net::Ipv6> lowest() const {
        const auto range = pool_.range.empty() ? subnet_ : net::Prefix6::parse(pool_.range).value();
        const std::size_t tries = taken_.size() + pool_.reserved.size() + 3;
        for (std::uint32_t number = 0; number < tries; ++number) {
            const net::Ipv6 address = range.host(number);
            if (!range.contains(address)) break;
            if (is_free(address)) return address;
        }
        return std::nullopt;
    }

    /// Unique as the IPv4 address is; only an address that somebody has chosen can be in the way.
    [[nodiscard]] std::optional<net::Ipv6> beside(std::uint32_t number) const {
        constexpr std::uint32_t kAside = 0x10000000;
        constexpr std::uint32_t kTries = 16;
        for (std::uint32_t i = 0; i < kTries; ++i)
            if (const net::Ipv6 address = subnet_.host(number + i * kAside); is_free(address)) return address;
        return std::nullopt;
    }

private:
    [[nodiscard]] bool is_free(const net::Ipv6& address) const {
        const std::string text = address.to_string();
        return has_host(address) && !is_taken(address) &&
               std::none_of(pool_.reserved.begin(), pool_.reserved.end(),
                            [&](const auto& kept) { return kept.second == text; });
    }

    const store::Pool& pool_;
    const std::vector<std::string>& taken_;
    net::Prefix6 subnet_;
};

std::string wanted_address6(const store::Network& network, const std::vector<store::Pool>& pools,
                            const std::string& wanted, const std::vector<std::string>& taken) {
    const auto address = net::Ipv6::parse(wanted);
    std::vector<std::string> subnets;
    for (const store::Pool& pool : pools) {
        subnets.push_back(pool.subnet);
        const Seats6 seats(pool, taken);
        if (!address || !seats.has_host(*address)) continue;
        if (!seats.is_taken(*address)) return address->to_string();
        throw make_error(ErrorKind::conflict, "address {} in network {} is already in use", wanted, network.name);
    }
    throw make_error(ErrorKind::invalid, "address {} is not a host address of network {} ({})", wanted, network.name,
                     join(subnets, ", "));
}

}  // namespace

std::string choose_address6(const store::Network& network, const std::string& address4, const std::string& wanted,
                            const std::vector<std::string>& taken) {
    const auto pools = store::pools_of(network, true);
    if (pools.empty()) {
        if (wanted.empty()) return {};
        throw make_error(ErrorKind::invalid, "network {} has no IPv6: address {} can't be given", network.name, wanted);
    }
    if (!wanted.empty()) return wanted_address6(network, pools, wanted, taken);
    const auto subnet4 = net::Prefix::parse(network.subnet);
    const auto four = net::Ipv4::parse(address4);
    for (const store::Pool& pool : pools) {
        const Seats6 seats(pool, taken);
        const bool derived = subnet4 && four && pool.range.empty();
        const auto address = derived ? seats.beside(four->value - subnet4->network.value + 1) : seats.lowest();
        if (address) return address->to_string();
    }
    throw make_error(ErrorKind::conflict, "network {} has no free IPv6 address left", network.name)
        .with_hint("give the network a larger subnet or ip_range under ipam.config");
}

std::optional<store::Pool> pool_with(const store::Network& network, const std::string& address) {
    const auto ip = net::parse_ip(address);
    if (!ip) return std::nullopt;
    const auto* const six = std::get_if<net::Ipv6>(&*ip);
    for (store::Pool& pool : store::pools_of(network, six != nullptr)) {
        const bool inside = six != nullptr ? net::Prefix6::parse(pool.subnet).value().contains(*six)
                                           : net::Prefix::parse(pool.subnet).value().contains(std::get<net::Ipv4>(*ip));
        if (inside) return std::move(pool);
    }
    return std::nullopt;
}

void place_in_pools(const std::vector<std::string>& gateways, const std::vector<std::string>& ranges,
                    const std::map<std::string, std::string>& aux_addresses, std::vector<IpamPool>& pools) {
    const auto home_of = [&](const std::string& text) -> IpamPool* {
        const auto ip = net::parse_ip(text.substr(0, text.find('/')));
        for (IpamPool& pool : pools) {
            const auto four = net::Prefix::parse(pool.subnet);
            const auto six = net::Prefix6::parse(pool.subnet);
            if (!ip) break;
            if (const auto* address = std::get_if<net::Ipv4>(&*ip); address && four && four->contains(*address))
                return &pool;
            if (const auto* address = std::get_if<net::Ipv6>(&*ip); address && six && six->contains(*address))
                return &pool;
        }
        return nullptr;
    };
    const auto place = [&](const std::string& what, const std::string& text, std::string IpamPool::*where) {
        IpamPool* const home = home_of(text);
        if (home == nullptr) throw make_error(ErrorKind::usage, "{} {} lies in no --subnet", what, quote(text));
        if (!(home->*where).empty())
            throw make_error(ErrorKind::usage, "{} {} is the second one of subnet {}", what, quote(text), home->subnet);
        home->*where = text;
    };
    for (const std::string& text : gateways) place("--gateway", text, &IpamPool::gateway);
    for (const std::string& text : ranges) place("--ip-range", text, &IpamPool::ip_range);
    for (const auto& [name, text] : aux_addresses) {
        IpamPool* const home = home_of(text);
        if (home == nullptr) throw make_error(ErrorKind::usage, "--aux-address {} lies in no --subnet", quote(text));
        home->aux_addresses.emplace(name, text);
    }
}

}  // namespace compose::engine
