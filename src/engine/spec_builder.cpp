#include "engine/spec_builder.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/disk_size.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "engine/container_disk.hpp"
#include "engine/endpoint_options.hpp"
#include "net/address.hpp"

namespace compose::engine {
namespace {

using runtime::ContainerSpec;
using runtime::MountSpec;

std::string tmpfs_options(const Mount& mount) {
    std::vector<std::string> parts;
    if (!mount.tmpfs_options.empty()) parts.push_back(mount.tmpfs_options);
    if (mount.tmpfs_size) parts.push_back(fmt::format("size={}", *mount.tmpfs_size));
    if (mount.tmpfs_mode) parts.push_back(fmt::format("mode={:o}", *mount.tmpfs_mode));
    return join(parts, ",");
}

MountSpec bind_of(const Mount& mount) {
    MountSpec spec;
    spec.source = mount.source;
    spec.target = mount.target;
    spec.read_only = mount.read_only;
    if (!mount.propagation.empty()) spec.propagation = mount.propagation;
    spec.recursive = mount.recursive != "disabled";
    spec.recursive_read_only = mount.recursive != "writable";
    return spec;
}

std::vector<MountSpec> mounts_of(const Service& service, const ImageFacts& image, const ContainerFacts& facts) {
    std::vector<MountSpec> result;
    for (const Mount& mount : service.mounts) {
        MountSpec spec;
        switch (mount.type) {
            case Mount::Type::bind:
                spec = bind_of(mount);
                break;
            case Mount::Type::tmpfs:
                spec.kind = MountSpec::Kind::tmpfs;
                spec.options = tmpfs_options(mount);
                break;
            case Mount::Type::volume:
                spec.source = facts.volume_folders.at(mount.target);
                spec.volume = facts.volume_names.at(mount.target);
                spec.subpath = mount.subpath;
                break;
            case Mount::Type::image:
                spec.kind = MountSpec::Kind::image;
                spec.source = mount.source;
                spec.lower = facts.image_folders.at(mount.target);
                spec.subpath = mount.subpath;
                break;
        }
        spec.target = mount.target;
        spec.read_only = mount.read_only;
        result.push_back(std::move(spec));
    }
    for (const std::string& target : anonymous_volume_targets(service, image)) {
        const bool declared =
            std::any_of(result.begin(), result.end(), [&](const MountSpec& mount) { return mount.target == target; });
        if (declared) continue;
        MountSpec spec;
        spec.source = facts.volume_folders.at(target);
        spec.volume = facts.volume_names.at(target);
        spec.target = target;
        result.push_back(std::move(spec));
    }
    result.insert(result.end(), facts.more_mounts.begin(), facts.more_mounts.end());
    result.insert(result.end(), facts.cdi.mounts.begin(), facts.cdi.mounts.end());
    return result;
}

void set_process(const Service& service, const ImageFacts& image, const ContainerFacts& facts, ContainerSpec& spec) {
    spec.process.args = effective_args(service, image);
    spec.process.env = effective_environment(service, image);
    spec.process.user = service.user.empty() ? image.user : service.user;
    spec.process.env.insert(spec.process.env.begin(), facts.cdi.environment.begin(), facts.cdi.environment.end());
    spec.process.additional_groups = service.group_add;
    spec.process.additional_groups.insert(spec.process.additional_groups.end(), facts.cdi.groups.begin(),
                                          facts.cdi.groups.end());
    spec.process.terminal = service.tty;
    const std::string& folder = service.working_dir.empty() ? image.working_dir : service.working_dir;
    if (!folder.empty()) spec.process.cwd = folder.front() == '/' ? folder : "/" + folder;
}

}  // namespace

NetworkKind network_kind(const Service& service) {
    if (service.network_mode.empty()) return service.networks.empty() ? NetworkKind::none : NetworkKind::own;
    if (service.network_mode == "none") return NetworkKind::none;
    if (service.network_mode == "host") return NetworkKind::host;
    if (joins_container(service.network_mode)) return NetworkKind::joined;
    throw make_error(ErrorKind::invalid, "network_mode \"{}\" is not supported yet", service.network_mode)
        .with_hint("none, host, service:NAME, container:NAME, or a list of networks");
}

std::vector<std::string> effective_args(const Service& service, const ImageFacts& image) {
    std::vector<std::string> args = service.entrypoint ? *service.entrypoint : image.entrypoint;
    if (service.command)
        args.insert(args.end(), service.command->begin(), service.command->end());
    else if (!service.entrypoint)
        args.insert(args.end(), image.command.begin(), image.command.end());
    return args;
}

std::vector<std::string> effective_environment(const Service& service, const ImageFacts& image) {
    std::vector<std::string> result;
    for (const std::string& entry : image.environment)
        if (!service.environment.contains(entry.substr(0, entry.find('=')))) result.push_back(entry);
    for (const auto& [name, value] : service.environment)
        if (value) result.push_back(name + "=" + *value);
    return result;
}

std::string effective_hostname(const Service& service, const ContainerFacts& facts) {
    if (!service.hostname.empty()) return service.hostname;
    if (service.network_mode == "host" || service.uts == "host") return facts.host_name;
    if (joins_container(service.network_mode)) return {};  // the other container's
    return std::string(short_id(facts.id));
}

std::vector<std::string> anonymous_volume_targets(const Service& service, const ImageFacts& image) {
    std::vector<std::string> result;
    std::set<std::string> taken;
    for (const Mount& mount : service.mounts) {
        taken.insert(mount.target);
        if (mount.type == Mount::Type::volume && mount.source.empty()) result.push_back(mount.target);
    }
    for (const std::string& path : image.volumes)
        if (taken.insert(path).second) result.push_back(path);
    return result;
}

ContainerSpec build_spec(const Service& service, const ImageFacts& image, const ContainerFacts& facts) {
    ContainerSpec spec;
    spec.id = facts.id;
    spec.name = facts.name;
    spec.lower = facts.layer_folders;
    if (disk_size(service.storage_opt)) {
        const sys::Disk disk = disk_in(facts.folder);
        spec.disk = disk.file;
        spec.disk_place = disk.place;
    }
    const std::string& own = spec.disk.empty() ? facts.folder : spec.disk_place;
    spec.upper = own + "/upper";
    spec.work = own + "/work";
    spec.read_only = service.read_only;
    spec.hostname = effective_hostname(service, facts);
    spec.domainname = service.domainname;
    spec.hosts_file = facts.folder + "/hosts";
    spec.resolv_conf_file = facts.folder + "/resolv.conf";
    spec.hostname_file = facts.folder + "/hostname";
    set_process(service, image, facts, spec);
    spec.mounts = mounts_of(service, image, facts);
    spec.init = service.init;
    spec.stdin_open = service.stdin_open;
    spec.cgroup_parent = "compose/" + facts.installation_id;
    set_namespaces(service, facts, spec);
    set_security(service, facts, spec);
    set_limits(service, spec);
    return spec;
}

std::vector<Diagnostic> unsupported(const Service& service) {
    std::vector<Diagnostic> result;
    const auto refuse = [&](SourcePos pos, const std::string& path, const std::string& what) {
        result.push_back({Severity::error,
                          pos.known() ? pos : service.pos,
                          "services." + service.name + "." + path,
                          what + " is not supported yet",
                          {}});
    };
    if (service.network_mode == "bridge") refuse({}, "network_mode", "\"bridge\"");
    for (const NetworkAttachment& attachment : service.networks) {
        const std::string path = "networks." + attachment.network + ".";
        std::string name;
        try {
            name = endpoint_options(attachment).interface_name;
        } catch (const Error& error) {
            result.push_back({Severity::error, attachment.pos.known() ? attachment.pos : service.pos,
                              "services." + service.name + "." + path + "driver_opts", error.what(), error.hint()});
        }
        if (name == "lo" || name.size() > 15 || name.find_first_of("/ :%\"") != std::string::npos)
            refuse(attachment.pos, path + "interface_name", "the interface name " + quote(name));
        for (const std::string& address : attachment.link_local_ips)
            if (!address.starts_with("169.254.") || !net::Ipv4::parse(address))
                refuse(attachment.pos, path + "link_local_ips",
                       quote(address) + ", which is no IPv4 link-local address,");
    }
    return result;
}

}  // namespace compose::engine
