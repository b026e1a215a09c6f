#include "engine/shared_mounts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "model/names.hpp"

namespace compose::engine {
namespace {

struct Source {
    std::string service;  // one of the two
    std::string container;
    bool read_only = false;
};

Source parse(std::string text) {
    Source source;
    constexpr std::string_view kContainer = "container:";
    const bool container = text.starts_with(kContainer);
    if (container) text.erase(0, kContainer.size());
    if (const auto colon = text.rfind(':'); colon != std::string::npos) {
        const std::string mode = text.substr(colon + 1);
        if (mode != "ro" && mode != "rw")
            throw make_error(ErrorKind::invalid, "volumes_from \"{}\" ends neither in :ro nor in :rw", text);
        source.read_only = mode == "ro";
        text.resize(colon);
    }
    (container ? source.container : source.service) = std::move(text);
    return source;
}

std::optional<store::Container> first_of(const std::string& service, const std::string& project,
                                         const store::Store& store) {
    std::optional<store::Container> best;
    // Of one that is being replaced and its replacement, which have one number, the later.
    const auto comes_before = [](const store::Container& a, const store::Container& b) {
        return a.number != b.number ? a.number < b.number : a.created_at > b.created_at;
    };
    for (store::Container& container : store.containers(project))
        if (!container.oneoff && container.service == service && (!best || comes_before(container, *best)))
            best = std::move(container);
    return best;
}

store::Container container_of(const Source& source, const std::string& project, const store::Store& store) {
    auto found =
        source.service.empty() ? store.container_by_name(source.container) : first_of(source.service, project, store);
    if (!found && source.service.empty()) found = store.container(source.container);
    if (!found)
        throw make_error(ErrorKind::not_found, "cannot share volumes with {} {}: container missing",
                         source.service.empty() ? "container" : "service",
                         source.service.empty() ? source.container : source.service);
    return std::move(*found);
}

}  // namespace

std::vector<runtime::MountSpec> shared_mounts(const Service& service, const std::string& project,
                                              const store::Store& store, std::vector<std::string> taken) {
    std::vector<runtime::MountSpec> result;
    for (const std::string& text : service.volumes_from) {
        const Source source = parse(text);
        const auto spec = runtime::spec_from_json(container_of(source, project, store).config.spec);
        for (runtime::MountSpec mount : spec.mounts) {
            if (mount.for_this_one || mount.kind == runtime::MountSpec::Kind::tmpfs) continue;
            if (std::find(taken.begin(), taken.end(), mount.target) != taken.end()) continue;
            taken.push_back(mount.target);
            mount.read_only = mount.read_only || source.read_only;
            result.push_back(std::move(mount));
        }
    }
    return result;
}

std::string container_meant_by(const std::string& reference, const Project& project, const store::Store& store) {
    const auto colon = reference.find(':');
    const std::string name = reference.substr(colon + 1);
    if (reference.starts_with("container:")) {
        if (const auto by_id = store.container(name)) return by_id->name;
        return name;
    }
    const auto service = project.services.find(name);
    if (service != project.services.end() && !service->second.container_name.empty())
        return service->second.container_name;
    const std::string final_name = project.name + project.separator + name + project.separator + "1";
    // It may have another name yet: one that it had by container_name, which no replacement keeps.
    const auto there = first_of(name, project.name, store);
    if (there && there->number == 1 && !is_temporary_name(there->name, final_name)) return there->name;
    return final_name;
}

}  // namespace compose::engine
