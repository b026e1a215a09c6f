// What hooks of the host find in a container's bundle.
#include "base/json.hpp"
#include "runtime/host_facts.hpp"
#include "runtime/host_hook.hpp"
#include "sys/file.hpp"

namespace compose::runtime {
namespace {

json::array words(const std::vector<std::string>& list) {
    json::array result;
    for (const auto& word : list) result.emplace_back(word);
    return result;
}

json::object process_of(const ContainerSpec& spec, CapabilitySet held) {
    json::array names;
    for (unsigned number = 0; number < 64; ++number)
        if (has(held, number)) names.emplace_back("CAP_" + capability_name(number));
    // The user is a name that only the container knows; hooks ask for what it may do.
    return {{"terminal", spec.process.terminal},
            {"args", words(spec.process.args)},
            {"env", words(spec.process.env)},
            {"cwd", spec.process.cwd},
            {"capabilities", json::object{{"bounding", names}, {"effective", names}, {"permitted", names}}},
            {"noNewPrivileges", spec.no_new_privileges}};
}

json::array mounts_of(const ContainerSpec& spec) {
    json::array result;
    for (const auto& mount : spec.mounts) {
        const bool memory = mount.kind == MountSpec::Kind::tmpfs;
        json::array options{mount.read_only ? "ro" : "rw"};
        if (!memory) options.emplace_back(mount.recursive ? "rbind" : "bind");
        result.push_back(json::object{{"destination", mount.target},
                                      {"type", memory ? "tmpfs" : "bind"},
                                      {"source", memory ? "tmpfs" : mount.source},
                                      {"options", options}});
    }
    return result;
}

json::array namespaces_of(const ContainerSpec& spec) {
    json::array result{json::object{{"type", "mount"}}};
    const std::pair<const char*, NamespaceMode> kinds[] = {
        {"network", spec.network}, {"pid", spec.pid}, {"ipc", spec.ipc}, {"uts", spec.uts}, {"cgroup", spec.cgroup}};
    for (const auto& [type, mode] : kinds)
        if (mode != NamespaceMode::host) result.push_back(json::object{{"type", type}});
    return result;
}

}  // namespace

std::string bundle_config(const ContainerSpec& spec, CapabilitySet capabilities) {
    return json::serialize(
        json::object{{"ociVersion", kOciVersion},
                     {"hostname", spec.hostname},
                     {"domainname", spec.domainname},
                     {"root", json::object{{"path", spec.bundle + "/rootfs"}, {"readonly", spec.read_only}}},
                     {"process", process_of(spec, capabilities)},
                     {"mounts", mounts_of(spec)},
                     {"linux", json::object{{"namespaces", namespaces_of(spec)},
                                            {"cgroupsPath", "/" + spec.cgroup_parent + "/" + spec.id}}}});
}

void write_bundle(const ContainerSpec& spec) {
    const auto available = fixed_host_facts().capabilities;
    const auto held = spec.privileged ? available : container_capabilities(spec.cap_add, spec.cap_drop, available);
    sys::replace_file(spec.bundle + "/config.json", bundle_config(spec, held), 0600);
    sys::make_directory(spec.bundle + "/rootfs", 0700);
}

}  // namespace compose::runtime
