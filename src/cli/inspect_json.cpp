#include "cli/inspect_json.hpp"

#include "base/strings.hpp"
#include "cli/log_printer.hpp"

namespace compose::cli {

namespace {

json::value time_of(std::int64_t nanoseconds) {
    return nanoseconds == 0 ? json::value("0001-01-01T00:00:00Z") : json::value(log_time(nanoseconds));
}

json::object map_of(const std::map<std::string, std::string>& values) {
    json::object out;
    for (const auto& [key, value] : values) out[key] = value;
    return out;
}

void put_indent(std::string& out, std::size_t depth) {
    out += '\n';
    out.append(depth * 4, ' ');
}

void put(std::string& out, const json::value& value, std::size_t depth) {
    if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
        out += '{';
        bool first = true;
        for (const auto& member : *object) {
            if (!std::exchange(first, false)) out += ',';
            put_indent(out, depth + 1);
            out += json::serialize(json::value(member.key())) + ": ";
            put(out, member.value(), depth + 1);
        }
        put_indent(out, depth);
        out += '}';
    } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        out += '[';
        bool first = true;
        for (const json::value& item : *array) {
            if (!std::exchange(first, false)) out += ',';
            put_indent(out, depth + 1);
            put(out, item, depth + 1);
        }
        put_indent(out, depth);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string pretty(const json::value& value, std::size_t depth) {
    std::string out;
    put(out, value, depth);
    return out;
}

const TemplateShape& inspect_shape() {
    static const TemplateShape shape{
        {"Health", "Healthcheck", "Shell", "StopTimeout", "Containers", "Size", "SizeRw", "SizeRootFs", "Status",
         "UsageData", "Annotations", "Mounts", "Tmpfs", "Sysctls", "StorageOpt", "StopSignal"},
        {"Labels", "Networks", "Ports", "PortBindings", "ExposedPorts", "Volumes", "Options", "Sysctls", "LogConfig",
         "Tmpfs", "Containers", "Data", "DriverOpts", "Annotations", "StorageOpt"},
        nullptr,
        {"Aliases",
         "Args",
         "Binds",
         "CapAdd",
         "CapDrop",
         "Cmd",
         "DNSNames",
         "DeviceCgroupRules",
         "DeviceRequests",
         "Devices",
         "Dns",
         "DnsOptions",
         "DnsSearch",
         "Entrypoint",
         "Env",
         "ExecIDs",
         "ExtraHosts",
         "GroupAdd",
         "Links",
         "MaskedPaths",
         "OnBuild",
         "ReadonlyPaths",
         "RepoDigests",
         "RepoTags",
         "SecondaryIPAddresses",
         "SecondaryIPv6Addresses",
         "SecurityOpt",
         "Shell",
         "Ulimits",
         "VolumesFrom"}};
    return shape;
}

bool has_ipv4(const NetworkView& view) {
    return !view.subnet.empty() || view.subnet6.empty();  // host and none have neither
}

json::object inspect_network(const NetworkView& view) {
    json::array pools;
    for (const IpamPool& known : view.pools) {
        json::object pool{{"Subnet", known.subnet}, {"Gateway", known.gateway}};
        if (!known.ip_range.empty()) pool["IPRange"] = known.ip_range;
        if (!known.aux_addresses.empty()) pool["AuxiliaryAddresses"] = json::value_from(known.aux_addresses);
        pools.push_back(std::move(pool));
    }
    json::object members;
    for (const NetworkMember& member : view.members)
        members[member.container_id] = {{"Name", member.name},
                                        {"EndpointID", member.container_id},
                                        {"MacAddress", member.mac},
                                        {"IPv4Address", member.address},
                                        {"IPv6Address", member.address6}};
    return {{"Name", view.name},
            {"Id", view.id},
            {"Created", time_of(view.created_at)},
            {"Scope", "local"},
            {"Driver", view.driver},
            {"EnableIPv4", has_ipv4(view)},
            {"EnableIPv6", !view.subnet6.empty()},
            {"IPAM", {{"Driver", "default"}, {"Options", nullptr}, {"Config", std::move(pools)}}},
            {"Internal", view.internal},
            {"Attachable", view.attachable},
            {"Ingress", false},
            {"ConfigFrom", {{"Network", ""}}},
            {"ConfigOnly", false},
            {"Containers", std::move(members)},
            {"Options", map_of(view.options)},
            {"Labels", map_of(view.labels)}};
}

json::object inspect_volume(const VolumeView& view) {
    return {{"CreatedAt", time_of(view.created_at)},
            {"Driver", view.driver},
            {"Labels", view.labels.empty() ? json::value(nullptr) : json::value(map_of(view.labels))},
            {"Mountpoint", view.mountpoint},
            {"Name", view.name},
            {"Options", view.options.empty() ? json::value(nullptr) : json::value(map_of(view.options))},
            {"Scope", "local"}};
}

}  // namespace compose::cli
