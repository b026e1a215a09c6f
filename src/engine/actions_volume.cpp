// Named volumes: a row and a folder. What a killed removal left (.removed-*) goes with the next one.
#include <compose/containers.hpp>
#include <compose/version.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/materialize.hpp"
#include "store/event_log.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/volume_mount.hpp"

namespace compose::engine {
namespace {

using Status = Event::Status;

std::string option(const store::Volume& volume, const std::string& key) {
    const auto found = volume.driver_opts.find(key);
    return found == volume.driver_opts.end() ? std::string{} : found->second;
}

/// Names become folders.
void check_name(const std::string& name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    };
    const bool valid = !name.empty() && name.size() <= 255 && name[0] != '.' && name[0] != '-' &&
                       std::all_of(name.begin(), name.end(), plain);
    if (!valid)
        throw make_error(ErrorKind::invalid, "\"{}\" is no volume name", name)
            .with_hint("letters, digits, \"_\", \".\" and \"-\"; the first one a letter or digit");
}

void rename_over(const std::string& from, const std::string& to) {
    std::error_code error;
    std::filesystem::rename(from, to, error);
    if (error && error.value() != ENOENT) throw sys::error_from(error.value(), fmt::format("rename {}", from));
}

void tell_event(const store::Layout& layout, const std::string& name, const std::string& project, const char* action) {
    store::append_event(layout, {.type = "volume",
                                 .action = action,
                                 .id = name,
                                 .name = name,
                                 .project = project,
                                 .service = {},
                                 .attributes = {{"driver", "local"}}});
}

}  // namespace

std::string volume_folder(const store::Layout& layout, const store::Volume& volume) {
    if (volume.driver_opts.empty()) return layout.volume_data(volume.name);
    for (const auto& [key, value] : volume.driver_opts)
        if (key != "type" && key != "device" && key != "o")
            throw make_error(ErrorKind::invalid, "volume {}: option \"{}\" is not known: type, device and o are",
                             volume.name, key);
    const std::string type = option(volume, "type"), device = option(volume, "device");
    const std::string flags = "," + option(volume, "o") + ",";
    const bool bind = flags.find(",bind,") != std::string::npos || flags.find(",rbind,") != std::string::npos;
    if (!bind && !type.empty() && type != "none" && !device.empty()) return layout.volume_data(volume.name);
    if (!bind || !(type.empty() || type == "none") || device.empty() || device.front() != '/')
        throw make_error(ErrorKind::invalid, "volume {}: driver_opts must name a type and a device", volume.name)
            .with_hint(
                "a folder of the host: {type: none, o: bind, device: /path}; memory: {type: tmpfs, device: tmpfs}; "
                "NFS: {type: nfs, o: \"addr=10.0.0.1,rw\", device: \":/export\"}");
    return device;
}

void perform(const CreateVolume& action, ActionContext& context, Session& session) {
    const std::string id = "Volume " + action.name;
    context.tell(Status::working, id, "Creating");
    if (!context.dry_run) {
        const Volume& volume = context.file->volumes.at(action.key);
        check_name(volume.name);
        if (!volume.driver.empty() && volume.driver != "local" && volume.driver != "default")
            throw make_error(ErrorKind::invalid, "volume {}: driver \"{}\" is not supported", volume.name,
                             volume.driver);
        store::Volume row;
        row.name = volume.name;
        const bool by_hand = volume.by_hand || context.project == kStandaloneProject;
        row.project = by_hand ? kStandaloneProject : context.project;
        row.key = volume.key;
        row.driver_opts = volume.driver_opts;
        row.labels = volume.labels;
        for (const auto& [name, service] : context.file->services)
            for (const Mount& mount : service.mounts)
                if (mount.type == Mount::Type::volume && mount.source == action.key)
                    row.labels.insert(mount.labels.begin(), mount.labels.end());
        if (!by_hand) {
            row.labels["com.docker.compose.project"] = context.project;
            row.labels["com.docker.compose.volume"] = volume.key;
            row.labels["com.docker.compose.config-hash"] = volume.config_hash;
            row.labels["com.docker.compose.version"] = kVersion;
        }
        row.config_hash = volume.config_hash;
        row.created_at = sys::wall_now().time_since_epoch().count();
        const std::string folder = volume_folder(context.layout, row);
        const bool own_folder = folder == context.layout.volume_data(row.name);
        if (!own_folder && !sys::is_directory(folder))
            throw make_error(ErrorKind::not_found, "volume {}: device {} is not a directory", row.name, folder);
        if (session.store().insert_volume(row)) tell_event(context.layout, row.name, row.project, "create");
        if (own_folder) make_shared_directory(folder);
    }
    context.tell(Status::done, id, "Created");
}

void remove_volume(store::Store& store, const std::string& name) {
    const store::Layout& layout = store.layout();
    check_name(name);
    const auto row = store.volume(name);
    if (row && !row->driver_opts.empty() && store.volume_users(name).empty())
        sys::unmount_volume(layout.volume_data(name));
    const std::string aside = layout.volume(std::string(store::Layout::kRemovedVolume) + sys::random_id());
    // The row goes with the name of the folder, in one step for everybody else; the content may take long.
    store.transaction([&] {
        store.delete_volume(name);
        rename_over(layout.volume(name), aside);
    });
    tell_event(layout, name, row ? row->project : std::string{}, "destroy");
    sys::remove_tree(aside);
    Trash(layout).empty_all();
}

void perform(const RemoveVolume& action, ActionContext& context, Session& session) {
    const std::string id = "Volume " + action.name;
    context.tell(Status::working, id, "Removing");
    if (!context.dry_run) {
        try {
            remove_volume(session.store(), action.name);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::conflict) throw;
            context.tell(Status::warning, id, "Resource is still in use");
            return;
        }
    }
    context.tell(Status::done, id, "Removed");
}

}  // namespace compose::engine
