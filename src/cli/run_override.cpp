#include "cli/run_override.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/flag_mounts.hpp"
#include "cli/flag_values.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

void set_variables(Context& context, const RunOverride& change, Service& service) {
    const auto known = context.project_environment();
    for (const auto& path : change.env_files)
        for (const auto& line : file_lines("--env-from-file", path, sys::read_file(path)))
            if (const auto pair = environment_flag("--env-from-file", line, known))
                service.environment[pair->first] = pair->second;
    for (const auto& text : change.environment)
        if (const auto pair = environment_flag("--env", text, known))
            service.environment[pair->first] = pair->second;
        else
            service.environment[text] = std::nullopt;
}

void add_mounts(const Context& context, const RunOverride& change, Project& project, Service& service) {
    for (const auto& text : change.volumes) {
        auto mount = volume_flag(text, sys::current_directory(), context.variable("HOME"));
        // What the file has there gives way.
        std::erase_if(service.mounts, [&](const Mount& own) { return own.target == mount.target; });
        if (mount.type == Mount::Type::volume && !mount.source.empty() && !project.volumes.contains(mount.source)) {
            Volume volume;
            volume.key = volume.name = mount.source;
            volume.by_hand = true;
            project.volumes.emplace(mount.source, std::move(volume));
        }
        service.mounts.push_back(std::move(mount));
    }
}

}  // namespace

Project overridden(Context& context, const Project& project, const RunOverride& change) {
    Project out = project;
    Service& service = out.services.at(change.service);
    service.restart = {};
    service.tty = change.terminal;
    service.stdin_open = change.input;
    if (change.entrypoint) {
        service.entrypoint = shell_split(*change.entrypoint);
        service.command = change.command;
    } else if (!change.command.empty()) {
        service.command = change.command;
    }
    set_variables(context, change, service);
    for (const auto& text : change.labels) {
        auto [key, value] = pair_flag("--label", text);
        service.labels.insert_or_assign(std::move(key), std::move(value));
    }
    if (change.user) service.user = *change.user;
    if (change.working_dir) service.working_dir = *change.working_dir;
    for (const auto& cap : change.cap_add) {
        std::erase(service.cap_drop, cap);
        service.cap_add.push_back(cap);
    }
    for (const auto& cap : change.cap_drop) {
        std::erase(service.cap_add, cap);
        service.cap_drop.push_back(cap);
    }
    if (!change.publish.empty()) {
        service.ports.clear();
        for (const auto& text : change.publish)
            for (auto& port : publish_flag(text)) service.ports.push_back(std::move(port));
    }
    add_mounts(context, change, out, service);
    return out;
}

}  // namespace compose::cli
