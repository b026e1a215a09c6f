#include "store/pools.hpp"

#include "base/strings.hpp"

namespace compose::store {
namespace {

// "SUBNET|GATEWAY|RANGE|RESERVED,RESERVED" for each, with blanks between; the parts are addresses, so hold none of
// these.
constexpr std::size_t kParts = 4;

std::vector<std::string> list_of(const std::string& text) {
    return text.empty() ? std::vector<std::string>{} : split(text, ',');
}

bool is_ipv6(const std::string& subnet) {
    return subnet.find(':') != std::string::npos;
}

std::string option_of(const Network& network, const char* key) {
    const auto found = network.options.find(key);
    return found == network.options.end() ? std::string{} : found->second;
}

}  // namespace

std::string encode_pools(std::span<const Pool> pools) {
    std::string text;
    for (const Pool& pool : pools) {
        if (!text.empty()) text += ' ';
        text += pool.subnet + '|' + pool.gateway + '|' + pool.range + '|' + join(pool.reserved, ",");
    }
    return text;
}

std::vector<Pool> decode_pools(std::string_view text) {
    std::vector<Pool> pools;
    if (text.empty()) return pools;
    for (const std::string& entry : split(text, ' ')) {
        const auto parts = split(entry, '|');
        if (parts.size() != kParts) continue;
        pools.push_back({parts[0], parts[1], parts[2], list_of(parts[3])});
    }
    return pools;
}

std::vector<Pool> pools_of(const Network& network, bool ipv6) {
    std::vector<Pool> pools;
    if (ipv6 && network.options.contains("subnet6"))
        pools.push_back({option_of(network, "subnet6"), option_of(network, "gateway6"), option_of(network, "range6"),
                         list_of(option_of(network, "reserved6"))});
    if (!ipv6 && !network.subnet.empty())
        pools.push_back(
            {network.subnet, network.gateway, option_of(network, "ip_range"), list_of(option_of(network, "reserved"))});
    for (Pool& pool : decode_pools(option_of(network, "more")))
        if (is_ipv6(pool.subnet) == ipv6) pools.push_back(std::move(pool));
    return pools;
}

}  // namespace compose::store
