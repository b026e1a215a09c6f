#include "engine/container_maker.hpp"

#include <algorithm>

#include "base/disk_size.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "engine/apparmor.hpp"
#include "engine/container_request.hpp"
#include "engine/external_networks.hpp"
#include "engine/materialize.hpp"
#include "engine/network_options.hpp"
#include "engine/old_logs.hpp"
#include "engine/record_builder.hpp"
#include "engine/shared_mounts.hpp"
#include "engine/volume_fill.hpp"
#include "model/host_ports.hpp"
#include "model/stacked_networks.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/seccomp.hpp"
#include "store/event_log.hpp"
#include "supervisor/network_rows.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {

ContainerMaker::ContainerMaker(const CreateContainer& action, ActionContext& context, store::Store& store,
                               const Special* special)
    : action_(action),
      context_(context),
      store_(store),
      special_(special),
      service_(context.service(action.service)),
      image_(context.images.at(service_.image)) {
    facts_.id = sys::random_id();
    facts_.name = action.name;
    facts_.number = action.number;
    facts_.folder = context.layout.container(facts_.id);
    for (auto layer = image_.layers.rbegin(); layer != image_.layers.rend(); ++layer)
        facts_.layer_folders.push_back(context.layout.layer(*layer));
    facts_.layer_folders.push_back(context.layout.mount_points());
    facts_.installation_id = store.installation_id();
    facts_.host_name = context.host.host_name;
    facts_.created_at = sys::wall_now().time_since_epoch().count();
}

std::string ContainerMaker::run() {
    choose_volumes();
    share_volumes();
    choose_images();
    choose_devices();
    choose_namespaces();
    read_seccomp_profile();
    choose_confinement();
    warn_of_limits();
    files_ = plan_files(*context_.file, service_, facts_.id, context_.layout);
    const auto granted = mounts_of(files_);
    facts_.more_mounts.insert(facts_.more_mounts.end(), granted.begin(), granted.end());
    if (network_kind(service_) == NetworkKind::own) {
        for (const NetworkAttachment& attachment : service_.networks) {
            const std::string& name = context_.file->networks.at(attachment.network).name;
            auto row = store_.network_by_name(name);
            if (!row) throw make_error(ErrorKind::not_found, "network {} not found", name);
            networks_.emplace(attachment.network, std::move(*row));
        }
        endpoints_ = plan_endpoints(service_, facts_.id, facts_.name, networks_);
        choose_binding();
        if (special_ != nullptr && !special_->aliases)
            for (PlannedEndpoint& planned : endpoints_)
                planned.endpoint.aliases = {facts_.name, std::string(short_id(facts_.id))};
    }
    store::Container row;
    try {
        row = insert_rows();
        make_files();
    } catch (...) {
        undo();
        throw;
    }
    if (!action_.replaces.empty()) take_logs_over(context_.layout, action_.name, facts_.id);
    context_.made(action_.name, facts_.id);
    row.name = action_.name;
    store::append_event(context_.layout, store::container_event(row, "create"));
    return facts_.id;
}

void ContainerMaker::use_volume(const std::string& target, const store::Volume& volume, bool nocopy) {
    facts_.volume_folders[target] = volume_folder(context_.layout, volume);
    facts_.volume_names[target] = volume.name;
    volumes_.push_back({volume.name, target, !nocopy});
}

void ContainerMaker::choose_volumes() {
    const auto nocopy = [&](const std::string& target) {
        return std::any_of(service_.mounts.begin(), service_.mounts.end(),
                           [&](const Mount& mount) { return mount.target == target && mount.nocopy; });
    };
    const auto labels_asked_for = [&](const std::string& target) {
        const auto mount = std::find_if(service_.mounts.begin(), service_.mounts.end(),
                                        [&](const Mount& one) { return one.target == target; });
        return mount == service_.mounts.end() ? std::map<std::string, std::string>{} : mount->labels;
    };
    for (const Mount& mount : service_.mounts) {
        if (mount.type != Mount::Type::volume || mount.source.empty()) continue;
        const std::string& name = context_.file->volumes.at(mount.source).name;
        const auto row = store_.volume(name);
        if (!row) throw make_error(ErrorKind::not_found, "volume {} not found", name);
        use_volume(mount.target, *row, mount.nocopy);
    }
    for (const std::string& target : anonymous_volume_targets(service_, image_)) {
        const auto old = action_.inherited_volumes.find(target);
        std::optional<store::Volume> row;
        if (old != action_.inherited_volumes.end()) row = store_.volume(old->second);
        if (!row) {
            store::Volume fresh;
            fresh.name = sys::random_id();
            fresh.project = context_.project;
            fresh.anonymous = true;
            fresh.labels = labels_asked_for(target);
            fresh.labels["com.docker.volume.anonymous"] = "";
            fresh.labels["com.docker.compose.project"] = context_.project;
            fresh.created_at = facts_.created_at;
            fresh_.push_back(fresh);
            row = std::move(fresh);
        }
        use_volume(target, *row, nocopy(target));
    }
}

void ContainerMaker::share_volumes() {
    if (service_.volumes_from.empty()) return;
    std::vector<std::string> taken;
    for (const Mount& mount : service_.mounts) taken.push_back(mount.target);
    for (auto& mount : shared_mounts(service_, context_.project, store_, std::move(taken))) {
        // A volume of the image gives way to the one of the other container.
        const auto own = std::find_if(volumes_.begin(), volumes_.end(),
                                      [&](const UsedVolume& volume) { return volume.target == mount.target; });
        if (own != volumes_.end()) {
            std::erase_if(fresh_, [&](const store::Volume& volume) { return volume.name == own->name; });
            volumes_.erase(own);
        }
        if (facts_.volume_folders.contains(mount.target)) {
            facts_.volume_folders[mount.target] = mount.source;
            facts_.volume_names[mount.target] = mount.volume;
        } else {
            facts_.more_mounts.push_back(mount);
        }
        if (!mount.volume.empty()) volumes_.push_back({mount.volume, mount.target, false});
    }
}

void ContainerMaker::choose_images() {
    for (const Mount& mount : service_.mounts) {
        if (mount.type != Mount::Type::image) continue;
        auto& folders = facts_.image_folders[mount.target];
        const ImageFacts& image = context_.images.at(mount.source);
        for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
            folders.push_back(context_.layout.layer(*layer));
        mounted_images_ += (mounted_images_.empty() ? "" : ",") + image.id;
    }
}

void ContainerMaker::choose_devices() {
    const CdiRegistry registry;
    std::vector<std::string> names = registry.names_for(service_.gpus);
    for (const DeviceMapping& device : service_.devices)
        if (is_cdi_name(device.source)) names.push_back(device.source);
    facts_.cdi = registry.edits_for(names);
}

void ContainerMaker::choose_namespaces() {
    const auto choose = [&](const std::string& mode, std::string& of) {
        if (joins_container(mode)) of = container_meant_by(mode, *context_.file, store_);
    };
    choose(service_.network_mode, facts_.network_of);
    choose(service_.pid, facts_.pid_of);
    choose(service_.ipc, facts_.ipc_of);
}

void ContainerMaker::read_seccomp_profile() {
    const std::string path = seccomp_profile_path(service_);
    if (path.empty()) return;
    constexpr std::size_t kLargest = std::size_t{1} << 20U;
    const std::string absolute = path.starts_with('/') ? path : context_.file->working_dir + "/" + path;
    facts_.seccomp_profile = in_context([&] { return "opening seccomp profile (" + path + ") failed"; },
                                        [&] { return sys::read_file(absolute, kLargest); });
    // Whether it can be used is better said now than at the start.
    runtime::check_seccomp_profile(facts_.seccomp_profile);
}

void ContainerMaker::choose_confinement() {
    facts_.apparmor = default_apparmor_profile();
    const auto options = label_options(service_);
    if (const auto contexts = options.empty() ? std::nullopt : read_selinux_contexts())
        facts_.labels = selinux_labels(*contexts, options, facts_.id);
}

/// Bind mounts that are to be relabelled; and of a container with labels all that it uses.
void ContainerMaker::label_files() const {
    const auto wants = [](const Mount& mount) { return !mount.selinux.empty(); };
    const std::string& own = facts_.labels.mount;
    if (own.empty() && std::none_of(service_.mounts.begin(), service_.mounts.end(), wants)) return;
    const auto contexts = read_selinux_contexts();
    if (!contexts) return;
    const std::string shared = shared_file_label(*contexts);
    const std::string alone = own.empty() ? private_file_label(*contexts, facts_.id) : own;
    for (const Mount& mount : service_.mounts)
        if (wants(mount)) relabel(mount.source, mount.selinux == "Z" ? alone : shared);
    if (own.empty()) return;
    for (const auto& [target, folder] : facts_.volume_folders) relabel(folder, shared);
    for (const char* name : {"hosts", "resolv.conf", "hostname"}) relabel(facts_.folder + "/" + name, own);
    for (const GrantedFile& file : files_)
        if (!file.is_folder) relabel(file.source, own);
}

// What a cgroup v2 host has no word for is said, not passed over.
void ContainerMaker::warn_of_limits() const {
    const Limits& limits = service_.limits;
    if (!limits.oom_kill_disable && !(limits.mem_swappiness && *limits.mem_swappiness >= 0)) return;
    if (!sys::exists(std::string(runtime::cgroup_root()) + "/cgroup.controllers")) return;
    context_.tell(Event::Status::warning, "Container " + facts_.name,
                  "mem_swappiness and oom_kill_disable mean nothing on this host: cgroup v2 has neither");
}

// What a network from elsewhere is, the file does not say.
void ContainerMaker::choose_binding() {
    if (service_.ports.empty()) return;
    const Project& file = *context_.file;
    const bool elsewhere = std::any_of(service_.networks.begin(), service_.networks.end(), [&](const auto& attachment) {
        return file.networks.at(attachment.network).external;
    });
    const HostFamilies families = host_families(elsewhere ? with_external_networks(file, store_) : file, service_);
    facts_.host_binding = families.binding;
    warn_of_ports(families);
}

// Nor has anybody warned of it yet.
void ContainerMaker::warn_of_ports(const HostFamilies& known) const {
    const auto warn = [&](const char* text) {
        context_.tell(Event::Status::warning, "Container " + facts_.name, text);
    };
    const bool in_reach = std::any_of(networks_.begin(), networks_.end(),
                                      [](const auto& entry) { return !is_out_of_reach(entry.second); });
    if (!in_reach) {
        if (!publishes_nothing(*context_.file, service_))
            warn("ports are not published: all networks are macvlan, ipvlan or internal");
        return;
    }
    if (std::none_of(networks_.begin(), networks_.end(),
                     [](const auto& entry) { return supervisor::is_routed(entry.second); }))
        return;
    const HostFamilies written = host_families(*context_.file, service_);
    if (std::any_of(service_.ports.begin(), service_.ports.end(),
                    [&](const Port& port) { return has_no_effect(port, known) && !has_no_effect(port, written); }))
        warn("host addresses and ports have no effect: the network is routed");
}

store::Container ContainerMaker::insert_rows() {
    const std::string& row_name = action_.temporary_name.empty() ? action_.name : action_.temporary_name;
    store::Container record = build_record(*context_.file, service_, image_, facts_, row_name);
    if (!action_.replaces.empty()) record.labels["com.docker.compose.replace"] = action_.replaces;
    if (!mounted_images_.empty()) record.labels[kMountedImages] = mounted_images_;
    if (special_ != nullptr) specialise(record);
    store::ContainerTexts texts{.definition = {},
                                .contents = {},
                                .value_files = {},
                                .request = container_request(service_, image_, facts_.volume_names)};
    if (special_ == nullptr) {
        texts.definition = service_.definition;
        texts.contents = service_.contents;
        texts.value_files = service_.value_files;
    }
    std::vector<std::string> names;
    for (const UsedVolume& volume : volumes_)
        if (std::find(names.begin(), names.end(), volume.name) == names.end()) names.push_back(volume.name);
    store_.transaction([&] {
        std::vector<store::Endpoint> rows;
        for (PlannedEndpoint& planned : endpoints_) {
            give_addresses(store_, planned);
            rows.push_back(planned.endpoint);
        }
        for (const store::Volume& volume : fresh_) store_.insert_volume(volume);
        store_.insert_container(record, rows, names, texts);
    });
    return record;
}

void ContainerMaker::specialise(store::Container& record) const {
    record.oneoff = true;
    if (!special_->labels) {
        record.labels = service_.labels;
        record.labels.insert(image_.labels.begin(), image_.labels.end());
        record.config_hash.clear();
        return;
    }
    record.labels["com.docker.compose.oneoff"] = "True";
    record.labels["com.docker.compose.slug"] = special_->slug;
}

void ContainerMaker::make_bind_sources() const {
    for (const Mount& mount : service_.mounts)
        if (mount.type == Mount::Type::bind && mount.create_host_path && !sys::exists(mount.source))
            make_shared_directory(mount.source);
}

void ContainerMaker::make_files() {
    make_bind_sources();
    make_mount_points(context_.layout.mount_points());
    make_folder(facts_.folder, disk_size(service_.storage_opt).value_or(0),
                hosts_text(service_, facts_, context_.host, endpoints_), resolv_text(service_, context_.host));
    for (const store::Volume& volume : fresh_) make_shared_directory(context_.layout.volume_data(volume.name));
    for (const UsedVolume& volume : volumes_)
        if (volume.copy)
            fill_volume(store_, volume.name, facts_.volume_folders.at(volume.target), volume.target, image_);
    write_files(files_, facts_.id, context_.layout);
    record_origins(files_, facts_.id, context_.layout);
    finish_folder(facts_.folder, effective_hostname(service_, facts_));
    label_files();
}

void ContainerMaker::undo() noexcept {
    const auto attempt = [](auto&& step) {
        try {
            step();
        } catch (const std::exception& error) {
            log::debug("undo the creation of a container: {}", error.what());
        }
    };
    attempt([&] { remove_secrets(facts_.id, context_.layout); });
    attempt([&] { sys::remove_tree(facts_.folder); });
    attempt([&] { store_.delete_container(facts_.id); });
    for (const store::Volume& volume : fresh_) attempt([&] { remove_volume(store_, volume.name); });
}

}  // namespace compose::engine
