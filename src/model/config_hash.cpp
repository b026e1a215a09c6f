#include "model/config_hash.hpp"

#include "base/digest.hpp"
#include "model/canonical.hpp"

namespace compose {

namespace {

bool is_extension(std::string_view key) {
    return key.starts_with("x-");
}

}  // namespace

std::string service_definition(const Node& service) {
    const auto* deploy = service.find("deploy");
    if (deploy == nullptr || deploy->find("replicas") == nullptr) {
        std::vector<std::string_view> without{"build", "pull_policy", "pull_refresh_after",
                                              "scale", "depends_on",  "profiles"};
        // Extensions are notes for other tools, but for those that shape the container.
        for (const auto& entry : service.entries)
            if (is_extension(entry.key) && entry.key != "x-probe" && entry.key != "x-restart-on-unhealthy")
                without.emplace_back(entry.key);
        return render_compact_json(service, without);
    }
    Node copy = service;
    auto* rest = copy.find("deploy");
    rest->erase("replicas");
    if (rest->entries.empty()) copy.erase("deploy");
    return service_definition(copy);
}

std::string service_hash(const Node& service) {
    return sha256_hex(service_definition(service));
}

std::string resource_definition(const Node& resource) {
    std::vector<std::string_view> without;
    for (const auto& entry : resource.entries)
        if (is_extension(entry.key)) without.emplace_back(entry.key);
    return render_compact_json(resource, without);
}

std::string resource_hash(const Node& resource) {
    return sha256_hex(resource_definition(resource));
}

}  // namespace compose
