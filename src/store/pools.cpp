#include "store/pools.hpp"

#include "base/json.hpp"
#include "store/codec.hpp"

namespace compose::store {
namespace {

bool is_ipv6(const std::string& subnet) {
    return subnet.find(':') != std::string::npos;
}

std::string option_of(const Network& network, const char* key) {
    const auto found = network.options.find(key);
    return found == network.options.end() ? std::string{} : found->second;
}

std::map<std::string, std::string> reserved_of(const std::string& text) {
    return text.empty() ? std::map<std::string, std::string>{} : decode_map(text);
}

}  // namespace

std::string encode_reserved(const std::map<std::string, std::string>& reserved) {
    return reserved.empty() ? std::string{} : encode(reserved);
}

std::string encode_pools(std::span<const Pool> pools) {
    if (pools.empty()) return {};
    json::array list;
    for (const Pool& pool : pools)
        list.push_back({{"subnet", pool.subnet},
                        {"gateway", pool.gateway},
                        {"range", pool.range},
                        {"reserved", encode_reserved(pool.reserved)}});
    return json::serialize(list);
}

std::vector<Pool> decode_pools(std::string_view text) {
    std::vector<Pool> pools;
    if (text.empty()) return pools;
    const json::value list = parse_json(text);
    if (!list.is_array()) return pools;
    for (const json::value& item : list.as_array()) {
        if (!item.is_object()) continue;
        const json::object& pool = item.as_object();
        pools.push_back({string_or(pool, "subnet"), string_or(pool, "gateway"), string_or(pool, "range"),
                         reserved_of(string_or(pool, "reserved"))});
    }
    return pools;
}

std::vector<Pool> pools_of(const Network& network, bool ipv6) {
    std::vector<Pool> pools;
    if (ipv6 && network.options.contains("subnet6"))
        pools.push_back({option_of(network, "subnet6"), option_of(network, "gateway6"), option_of(network, "range6"),
                         reserved_of(option_of(network, "reserved6"))});
    if (!ipv6 && !network.subnet.empty())
        pools.push_back({network.subnet, network.gateway, option_of(network, "ip_range"),
                         reserved_of(option_of(network, "reserved"))});
    for (Pool& pool : decode_pools(option_of(network, "more")))
        if (is_ipv6(pool.subnet) == ipv6) pools.push_back(std::move(pool));
    return pools;
}

}  // namespace compose::store
