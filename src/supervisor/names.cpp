#include "supervisor/names.hpp"

#include <map>
#include <set>

#include "base/error.hpp"
#include "base/log.hpp"

namespace compose::supervisor {

Names::Names(store::Store& store, store::Generation& generation, std::string project,
             std::function<std::optional<bool>(const std::string& id)> running)
    : store_(store), generation_(generation), project_(std::move(project)), running_(std::move(running)) {}

const net::DnsTable& Names::table() {
    // The number first: a change while the table is being built is seen the next time.
    const auto now = generation_.value();
    if (built_ && now == seen_) return table_;
    try {
        rebuild();
        built_ = true;
        seen_ = now;
    } catch (const Error& error) {
        // An old answer is better than none.
        log::debug("names: {}", error.what());
    }
    return table_;
}

void Names::rebuild() {
    std::map<std::string, store::Container> known;
    for (auto& container : store_.containers("")) {
        auto id = container.id;
        known.emplace(std::move(id), std::move(container));
    }
    std::set<std::string> networks;
    for (const auto& [id, container] : known) {
        if (container.project != project_) continue;
        for (const auto& endpoint : store_.endpoints_of(id)) networks.insert(endpoint.network_id);
    }
    std::vector<net::DnsEndpoint> endpoints;
    for (const auto& network_id : networks) {
        const auto network = store_.network(network_id);
        if (!network) continue;
        for (const auto& endpoint : store_.endpoints_on(network_id)) {
            const auto found = known.find(endpoint.container_id);
            const auto address = net::Ipv4::parse(endpoint.address);
            if (found == known.end()) continue;
            const auto own = running_(endpoint.container_id);
            if (!own.value_or(found->second.state == store::ContainerState::running)) continue;
            std::optional<net::Ipv6> address6;
            for (const auto& more : endpoint.link_local)
                if (const auto parsed = net::Ipv6::parse(more)) address6 = parsed;
            if (!address && !address6) continue;
            endpoints.push_back({network_id, address, endpoint.aliases, found->second.name, network->name, address6});
        }
    }
    table_.assign(std::move(endpoints));
}

}  // namespace compose::supervisor
