#include "model/config_hash.hpp"

#include "base/digest.hpp"
#include "model/canonical.hpp"

namespace compose {

std::string service_definition(const Node& service) {
    const auto* deploy = service.find("deploy");
    if (deploy == nullptr || deploy->find("replicas") == nullptr)
        return render_compact_json(service,
                                   {"build", "pull_policy", "pull_refresh_after", "scale", "depends_on", "profiles"});
    Node copy = service;
    auto* rest = copy.find("deploy");
    rest->erase("replicas");
    if (rest->entries.empty()) copy.erase("deploy");
    return service_definition(copy);
}

std::string service_hash(const Node& service) {
    return sha256_hex(service_definition(service));
}

std::string resource_hash(const Node& resource) {
    return sha256_hex(render_compact_json(resource));
}

}  // namespace compose
