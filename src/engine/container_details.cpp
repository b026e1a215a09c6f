#include "engine/container_details.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/container_request.hpp"
#include "engine/container_view.hpp"
#include "engine/endpoint_options.hpp"
#include "engine/network_pools.hpp"
#include "net/address.hpp"
#include "runtime/spec.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMostProbeText = std::size_t{1} << 20U;

void add_networks(store::Store& store, const std::string& id, std::vector<ContainerNetwork>& out) {
    for (const store::Endpoint& endpoint : store.endpoints_of(id)) {
        const auto row = store.network(endpoint.network_id);
        if (!row) continue;
        ContainerNetwork network;
        network.name = row->name;
        network.id = row->id;
        network.address = endpoint.address;
        if (const auto pool = pool_with(*row, endpoint.address)) {
            network.gateway = pool->gateway;
            network.prefix_length = net::Prefix::parse(pool->subnet)->length;
        }
        network.mac = endpoint.mac;
        network.aliases = endpoint.aliases;
        if (!endpoint.name.empty()) network.driver_options[kEndpointName] = endpoint.name;
        if (!endpoint.sysctls.empty()) network.driver_options[kEndpointSysctls] = join(endpoint.sysctls, ",");
        for (const std::string& text : endpoint.link_local) {
            const auto pool = text.find(':') == std::string::npos ? std::nullopt : pool_with(*row, text);
            if (!pool) continue;
            network.address6 = text;
            network.gateway6 = pool->gateway;
            network.prefix_length6 = net::Prefix6::parse(pool->subnet)->length;
        }
        out.push_back(std::move(network));
    }
}

void add_mounts(store::Store& store, const std::string& id, const runtime::ContainerSpec& spec,
                std::vector<ContainerMount>& out) {
    std::map<std::string, std::string> volumes;  // folder -> name
    for (const std::string& name : store.volumes_of(id)) volumes[store.layout().volume_data(name)] = name;
    for (const runtime::MountSpec& mount : spec.mounts) {
        ContainerMount entry;
        entry.source = mount.source;
        entry.destination = mount.target;
        entry.read_only = mount.read_only;
        if (mount.kind == runtime::MountSpec::Kind::tmpfs) {
            entry.type = "tmpfs";
        } else {
            entry.propagation = mount.propagation;
            const auto volume = volumes.find(mount.source);
            entry.type = volume == volumes.end() ? "bind" : "volume";
            if (volume != volumes.end()) entry.name = volume->second;
        }
        out.push_back(std::move(entry));
    }
}

void add_probes(const std::string& path, ContainerDetails& out) {
    const auto text = sys::read_file_if_exists(path);
    if (!text || text->size() > kMostProbeText) return;
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // what a probe prints is its own affair
    json::error_code code;
    const auto value = json::parse(*text, code, {}, options);
    if (code || !value.is_object()) return;
    out.failing_streak = static_cast<int>(int_or(value.as_object(), "streak", 0));
    const auto* list = value.as_object().if_contains("results");
    if (list == nullptr || !list->is_array()) return;
    for (const json::value& item : list->as_array()) {
        if (!item.is_object()) continue;
        const json::object& probe = item.as_object();
        out.probes.push_back({.began = int_or(probe, "began", 0),
                              .ended = int_or(probe, "ended", 0),
                              .exit_code = static_cast<int>(int_or(probe, "exit", 0)),
                              .output = string_or(probe, "output")});
    }
}

}  // namespace

store::Container find_container(store::Store& store, const std::string& reference) {
    if (auto row = store.container_by_name(reference)) return std::move(*row);
    if (auto row = store.container(reference)) return std::move(*row);
    // Docker's names begin with a slash where they are shown as paths.
    if (reference.starts_with('/'))
        if (auto row = store.container_by_name(reference.substr(1))) return std::move(*row);
    std::vector<std::string> ids;
    const bool digits = !reference.empty() && reference.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (digits)
        for (const store::Container& row : store.containers_without_spec(""))
            if (row.id.starts_with(reference)) ids.push_back(row.id);
    if (ids.size() > 1)
        throw make_error(ErrorKind::conflict, "{} is the beginning of the ids of {} containers", reference, ids.size())
            .with_hint("write more of it");
    if (!ids.empty())
        if (auto row = store.container(ids.front())) return std::move(*row);
    throw make_error(ErrorKind::not_found, "no such container: {}", reference);
}

ContainerDetails container_details(store::Store& store, const store::Container& row) {
    ContainerDetails out;
    out.view = container_view(store, row);
    const runtime::ContainerSpec spec = runtime::spec_from_json(row.config.spec);
    out.image_id = row.config.image_id;
    out.restart = row.config.restart;
    out.error = row.error;
    out.command = spec.process.args;
    out.environment = spec.process.env;
    out.user = spec.process.user;
    out.working_dir = spec.process.cwd;
    out.hostname = spec.hostname;
    out.domainname = spec.domainname;
    out.stop_signal = row.config.stop_signal;
    out.stop_timeout = Nanoseconds(row.config.stop_timeout_ns);
    out.oom_killed = row.oom_killed;
    out.stopped_by_user = row.stopped_by_user;
    out.terminal = spec.process.terminal;
    out.stdin_open = spec.stdin_open;
    out.read_only = spec.read_only;
    out.privileged = spec.privileged;
    out.apparmor = spec.apparmor;
    out.init = spec.init;
    add_networks(store, row.id, out.networks);
    add_mounts(store, row.id, spec, out.mounts);
    out.folder = store.layout().container(row.id);
    out.upper = spec.upper;
    out.work = spec.work;
    out.lower = spec.lower;
    out.spec_json = row.config.spec;
    out.ports_json = row.config.ports_json;
    out.request_json = store.container_texts(row.id).request;
    out.health_json = row.config.health_json;
    add_probes(store.layout().container_probes(row.id), out);
    return out;
}

}  // namespace compose::engine
