// Canonical tree -> Project: the resources, and the services through bind_service.
#include "base/digest.hpp"
#include "loader/bind_service.hpp"
#include "loader/bind_values.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"
#include "model/config_hash.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

using Variables = std::map<std::string, std::string>;

std::string name_of(const Node::Entry& entry, const std::string& project, bool external) {
    if (const auto name = text_of(entry.value, "name"); !name.empty()) return std::string(name);
    return external ? entry.key : resource_name(project, entry.key);
}

Network bind_network(const Node::Entry& entry, const std::string& project) {
    const Node& node = entry.value;
    Network out;
    out.key = entry.key;
    out.pos = entry.key_pos;
    out.config_hash = resource_hash(node);
    out.definition = resource_definition(node);
    out.external = bind_flag(node, "external");
    out.name = name_of(entry, project, out.external);
    out.internal = bind_flag(node, "internal");
    out.attachable = bind_flag(node, "attachable");
    out.enable_ipv4 = bind_flag(node, "enable_ipv4", true);
    out.enable_ipv6 = bind_flag(node, "enable_ipv6");
    out.driver = text_of(node, "driver");
    out.driver_opts = bind_texts(node.find("driver_opts"));
    if (node.find("driver_opts") != nullptr) out.driver_opts_pos = key_pos_of(node, "driver_opts");
    out.labels = bind_texts(node.find("labels"));
    for (const auto& pool : child_or_empty(child_or_empty(node, "ipam"), "config").items) {
        IpamPool bound;
        bound.subnet = text_of(pool, "subnet");
        bound.gateway = text_of(pool, "gateway");
        bound.ip_range = text_of(pool, "ip_range");
        bound.aux_addresses = bind_texts(pool.find("aux_addresses"));
        out.ipam.push_back(std::move(bound));
    }
    return out;
}

Volume bind_volume(const Node::Entry& entry, const std::string& project) {
    const Node& node = entry.value;
    Volume out;
    out.key = entry.key;
    out.pos = entry.key_pos;
    out.config_hash = resource_hash(node);
    out.external = bind_flag(node, "external");
    out.name = name_of(entry, project, out.external);
    out.driver = text_of(node, "driver");
    out.driver_opts = bind_texts(node.find("driver_opts"));
    out.labels = bind_texts(node.find("labels"));
    return out;
}

FileObject bind_file_object(const Node::Entry& entry, const std::string& project, const Variables& environment) {
    const Node& node = entry.value;
    FileObject out;
    out.key = entry.key;
    out.pos = entry.key_pos;
    out.external = bind_flag(node, "external");
    out.name = name_of(entry, project, out.external);
    out.file = text_of(node, "file");
    out.environment = text_of(node, "environment");
    if (const auto* content = node.find("content"); content != nullptr && content->is_string())
        out.content = content->text;
    if (const auto found = environment.find(out.environment); !out.environment.empty() && found != environment.end())
        out.content = found->second;
    out.driver = text_of(node, "driver");
    out.driver_opts = bind_texts(node.find("driver_opts"));
    out.template_driver = text_of(node, "template_driver");
    out.labels = bind_texts(node.find("labels"));
    return out;
}

Model bind_model(const Node::Entry& entry) {
    const Node& node = entry.value;
    Model out;
    out.key = entry.key;
    out.pos = entry.key_pos;
    out.name = text_of(node, "name");
    if (out.name.empty()) out.name = entry.key;
    out.model = text_of(node, "model");
    out.context_size = bind_integer(node, "context_size");
    out.runtime_flags = bind_list(node.find("runtime_flags"));
    return out;
}

}  // namespace

Project bind_project(const Node& root, const Variables& environment, bool hashes, Diagnostics& findings) {
    Project out;
    out.name = text_of(root, "name");
    for (const auto& entry : child_or_empty(root, "services").entries) {
        auto& service = out.services.emplace(entry.key, bind_service(entry, out.name, findings)).first->second;
        if (!hashes) continue;
        service.definition = service_definition(entry.value);
        service.config_hash = sha256_hex(service.definition);
    }
    for (const auto& entry : child_or_empty(root, "networks").entries)
        out.networks.emplace(entry.key, bind_network(entry, out.name));
    for (const auto& entry : child_or_empty(root, "volumes").entries)
        out.volumes.emplace(entry.key, bind_volume(entry, out.name));
    for (const auto& entry : child_or_empty(root, "configs").entries)
        out.configs.emplace(entry.key, bind_file_object(entry, out.name, environment));
    for (const auto& entry : child_or_empty(root, "secrets").entries)
        out.secrets.emplace(entry.key, bind_file_object(entry, out.name, environment));
    for (const auto& entry : child_or_empty(root, "models").entries) out.models.emplace(entry.key, bind_model(entry));
    return out;
}

}  // namespace compose
