#include "net/dns_table.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace compose::net {

void DnsTable::assign(std::vector<DnsEndpoint> endpoints) {
    names_.clear();
    names6_.clear();
    reverse_.clear();
    for (const DnsEndpoint& endpoint : endpoints) {
        auto& names = names_[endpoint.network];
        const auto enter = [&](const std::string& name) {
            auto& addresses = names[name];
            if (endpoint.address) addresses.push_back(*endpoint.address);
            if (endpoint.address6) names6_[endpoint.network][name].push_back(*endpoint.address6);
        };
        for (const std::string& given : endpoint.names) {
            if (given.empty()) continue;
            const std::string name = lower(given);
            enter(name);
            if (!endpoint.network_name.empty()) enter(name + "." + lower(endpoint.network_name));
        }
        if (endpoint.container_name.empty()) continue;
        const std::string name = endpoint.container_name + "." + endpoint.network_name;
        if (endpoint.address) reverse_[endpoint.network][*endpoint.address] = name;
        if (endpoint.address6) reverse_[endpoint.network][*endpoint.address6] = name;
    }
    const auto leave_one_of_each = [](auto& tables) {
        for (auto& [network, names] : tables)
            for (auto& [name, addresses] : names) {
                std::sort(addresses.begin(), addresses.end());
                addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
            }
    };
    leave_one_of_each(names_);
    leave_one_of_each(names6_);
}

DnsTable::Answer DnsTable::lookup(std::string_view name, const std::vector<std::string>& networks) const {
    if (name.ends_with('.')) name.remove_suffix(1);
    const std::string key = lower(name);
    Answer answer;
    for (const std::string& network : networks) {
        const auto names = names_.find(network);
        if (names == names_.end()) continue;
        const auto found = names->second.find(key);
        if (found == names->second.end()) continue;
        answer.known = true;
        // The networks stand in the order of preference: of each family an answer from the first that has one, as
        // Docker gives it. The lists have nothing twice.
        if (answer.addresses.empty()) answer.addresses = found->second;
        const auto others = names6_.find(network);
        if (others == names6_.end() || !answer.addresses6.empty()) continue;
        if (const auto more = others->second.find(key); more != others->second.end()) answer.addresses6 = more->second;
    }
    return answer;
}

std::string DnsTable::reverse(const IpAddress& address, const std::vector<std::string>& networks) const {
    for (const std::string& network : networks) {
        const auto names = reverse_.find(network);
        if (names == reverse_.end()) continue;
        const auto found = names->second.find(address);
        if (found != names->second.end()) return found->second;
    }
    return {};
}

}  // namespace compose::net
