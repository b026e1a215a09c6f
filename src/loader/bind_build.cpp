// `build`, and the files that a service or a build is granted.
#include "loader/bind_service.hpp"
#include "loader/bind_values.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

std::vector<FileGrant> bind_grants(const Node& owner, std::string_view key) {
    std::vector<FileGrant> out;
    for (const auto& node : child_or_empty(owner, key).items) {
        FileGrant grant;
        grant.source = text_of(node, "source");
        grant.target = text_of(node, "target");
        grant.uid = text_of(node, "uid");
        grant.gid = text_of(node, "gid");
        if (const auto* mode = node.find("mode")) grant.mode = mode_of(*mode);
        grant.pos = node.pos;
        out.push_back(std::move(grant));
    }
    return out;
}

std::optional<BuildConfig> bind_build(const Node& service) {
    const auto* node = service.find("build");
    if (node == nullptr || !node->is_mapping()) return std::nullopt;
    BuildConfig out;
    out.pos = key_pos_of(service, "build");
    out.context = text_of(*node, "context");
    out.dockerfile = text_of(*node, "dockerfile");
    out.dockerfile_inline = text_of(*node, "dockerfile_inline");
    out.args = bind_variables(node->find("args"));
    out.target = text_of(*node, "target");
    out.tags = bind_list(node->find("tags"));
    out.labels = bind_texts(node->find("labels"));
    out.platforms = bind_list(node->find("platforms"));
    out.network = text_of(*node, "network");
    out.shm_size = bind_bytes(*node, "shm_size");
    out.ulimits = bind_ulimits(node->find("ulimits"));
    out.extra_hosts = bind_hosts(node->find("extra_hosts"));
    out.additional_contexts = bind_texts(node->find("additional_contexts"));
    out.secrets = bind_grants(*node, "secrets");
    out.ssh = bind_list(node->find("ssh"));
    out.cache_from = bind_list(node->find("cache_from"));
    out.cache_to = bind_list(node->find("cache_to"));
    out.no_cache = bind_flag(*node, "no_cache");
    out.no_cache_filter = bind_list(node->find("no_cache_filter"));
    out.pull = bind_flag(*node, "pull");
    out.privileged = bind_flag(*node, "privileged");
    out.entitlements = bind_list(node->find("entitlements"));
    out.provenance = text_of(*node, "provenance");
    out.sbom = text_of(*node, "sbom");
    out.isolation = text_of(*node, "isolation");
    return out;
}

}  // namespace compose
