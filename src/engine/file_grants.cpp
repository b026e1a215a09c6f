#include "engine/file_grants.hpp"

#include <algorithm>
#include <charconv>
#include <compose/plan.hpp>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "engine/folder_digest.hpp"
#include "engine/selinux.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kLargest = std::size_t{16} << 20U;

struct Kind {
    const char* word;
    const std::vector<FileGrant> Service::*grants;
    const std::map<std::string, FileObject> Project::*objects;
    const char* folder;  // of relative targets
};
constexpr Kind kConfigs{"config", &Service::configs, &Project::configs, "/"};
constexpr Kind kSecrets{"secret", &Service::secrets, &Project::secrets, "/run/secrets/"};
constexpr const Kind* kKinds[] = {&kConfigs, &kSecrets};

std::string folder_of(const Kind& kind, const std::string& container_id, const store::Layout& layout) {
    return &kind == &kSecrets ? layout.secrets(container_id) : layout.container(container_id) + "/configs";
}

std::optional<unsigned> id_of(const std::string& text) {
    if (text.empty()) return 0;
    constexpr unsigned kMost = 0x7fffffff;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > kMost) return std::nullopt;
    return value;
}

std::string target_of(const Kind& kind, const FileGrant& grant) {
    const std::string& name = grant.target.empty() ? grant.source : grant.target;
    return name.starts_with('/') ? name : kind.folder + name;
}

std::string content_of(const Kind& kind, const FileObject& object) {
    if (object.content) return *object.content;
    if (object.file.empty())
        throw make_error(ErrorKind::not_found, "{} {}: variable \"{}\" is not set", kind.word, object.key,
                         object.environment);
    return in_context([&] { return fmt::format("{} {}", kind.word, object.key); },
                      [&] { return sys::read_file(object.file, kLargest); });
}

GrantedFile file_of(const Kind& kind, const FileObject& object, const FileGrant& grant) {
    GrantedFile file;
    file.target = target_of(kind, grant);
    file.name = object.key;
    file.from = object.file;
    file.environment = object.environment;
    file.uid = id_of(grant.uid).value_or(0);
    file.gid = id_of(grant.gid).value_or(0);
    if (grant.mode) file.mode = *grant.mode & 07777U;
    if (!object.content && !object.file.empty() && sys::is_directory(object.file)) {
        file.is_folder = true;
        file.source = object.file;
    } else {
        file.content = content_of(kind, object);
    }
    return file;
}

}  // namespace

std::vector<GrantedFile> plan_files(const Project& project, const Service& service, const std::string& container_id,
                                    const store::Layout& layout) {
    std::vector<GrantedFile> result;
    for (const Kind* kind : kKinds) {
        int number = 0;
        for (const FileGrant& grant : service.*kind->grants) {
            const auto object = (project.*kind->objects).find(grant.source);
            if (object == (project.*kind->objects).end())
                throw make_error(ErrorKind::not_found, "{} {} is not defined", kind->word, grant.source);
            GrantedFile file = file_of(*kind, object->second, grant);
            if (!file.is_folder) file.source = fmt::format("{}/{}", folder_of(*kind, container_id, layout), number++);
            result.push_back(std::move(file));
        }
    }
    return result;
}

void write_files(const std::vector<GrantedFile>& files, const std::string& container_id, const store::Layout& layout) {
    for (const GrantedFile& file : files) {
        if (file.is_folder) continue;
        for (const Kind* kind : kKinds) {
            const std::string folder = folder_of(*kind, container_id, layout);
            if (!file.source.starts_with(folder + "/")) continue;
            sys::make_directories(folder, 0700);
            sys::write_owned_file(file.source, file.content, {file.uid, file.gid, file.mode});
        }
    }
}

std::vector<runtime::MountSpec> mounts_of(const std::vector<GrantedFile>& files) {
    std::vector<runtime::MountSpec> result;
    for (const GrantedFile& file : files) {
        runtime::MountSpec mount;
        mount.source = file.source;
        mount.target = file.target;
        mount.read_only = true;
        mount.for_this_one = true;
        result.push_back(std::move(mount));
    }
    return result;
}

namespace {

std::string origins_path(const std::string& container_id, const store::Layout& layout) {
    return layout.container(container_id) + "/secrets.json";
}

// By the path of what is mounted.
std::map<std::string, json::object> recorded_origins(const std::string& container_id, const store::Layout& layout) {
    std::map<std::string, json::object> out;
    const auto text = sys::read_file_if_exists(origins_path(container_id, layout));
    if (!text) return out;
    const json::value list = parse_json(*text);
    for (const json::value& one : list.as_array()) out.emplace(string_or(one.as_object(), "source"), one.as_object());
    return out;
}

void write_files(const std::vector<GrantedFile>& files, const runtime::ContainerSpec& spec,
                 const store::Layout& layout) {
    write_files(files, spec.id, layout);
    if (spec.mount_label.empty()) return;
    for (const GrantedFile& file : files) relabel(file.source, spec.mount_label);
}

void restore_from_origins(const runtime::ContainerSpec& spec, const std::vector<std::string>& missing,
                          const store::Layout& layout) {
    const auto gone = [&](const std::string& why) {
        return make_error(ErrorKind::not_found, "the secrets of container {} went with the last reboot{}", spec.name,
                          why)
            .with_hint("run \"compose up\", which writes them again");
    };
    const auto origins = recorded_origins(spec.id, layout);
    std::vector<GrantedFile> files;
    for (const std::string& path : missing) {
        const auto origin = origins.find(path);
        if (origin == origins.end()) throw gone("");
        GrantedFile file;
        file.source = path;
        file.name = string_or(origin->second, "name");
        file.from = string_or(origin->second, "file");
        file.environment = string_or(origin->second, "environment");
        file.uid = static_cast<unsigned>(int_or(origin->second, "uid", 0));
        file.gid = static_cast<unsigned>(int_or(origin->second, "gid", 0));
        file.mode = static_cast<unsigned>(int_or(origin->second, "mode", 0));
        if (file.from.empty())
            throw gone(fmt::format(", and {} came from {}", quote(file.name),
                                   file.environment.empty() ? "no file" : "the variable " + file.environment));
        file.content =
            in_context([&] { return "secret " + file.name; }, [&] { return sys::read_file(file.from, kLargest); });
        files.push_back(std::move(file));
    }
    write_files(files, spec, layout);
}

}  // namespace

void record_origins(const std::vector<GrantedFile>& files, const std::string& container_id,
                    const store::Layout& layout) {
    const std::string folder = layout.secrets(container_id) + "/";
    json::array list;
    for (const GrantedFile& file : files)
        if (file.source.starts_with(folder))
            list.push_back(json::object{{"source", file.source},
                                        {"name", file.name},
                                        {"file", file.from},
                                        {"environment", file.environment},
                                        {"uid", file.uid},
                                        {"gid", file.gid},
                                        {"mode", file.mode}});
    if (!list.empty()) sys::write_file(origins_path(container_id, layout), json::serialize(list), 0600);
}

void restore_secrets(const runtime::ContainerSpec& spec, const Project* project, const std::string& service,
                     const store::Layout& layout) {
    const std::string folder = layout.secrets(spec.id) + "/";
    std::vector<std::string> missing;
    for (const runtime::MountSpec& mount : spec.mounts)
        if (mount.source.starts_with(folder) && !sys::exists(mount.source)) missing.push_back(mount.source);
    if (missing.empty()) return;
    if (project == nullptr || !project->services.contains(service)) return restore_from_origins(spec, missing, layout);
    auto files = plan_files(*project, project->services.at(service), spec.id, layout);
    std::erase_if(files, [&](const GrantedFile& file) { return !file.source.starts_with(folder); });
    write_files(files, spec, layout);
}

void remove_secrets(const std::string& container_id, const store::Layout& layout) {
    sys::remove_tree(layout.secrets(container_id));
}

std::vector<Diagnostic> check_grants(const Project& project, const Service& service) {
    std::vector<Diagnostic> findings;
    for (const Kind* kind : kKinds)
        for (const FileGrant& grant : service.*kind->grants) {
            const auto found = (project.*kind->objects).find(grant.source);
            if (found == (project.*kind->objects).end()) continue;  // the loader has said so
            const FileObject& object = found->second;
            const auto refuse = [&](const std::string& what, const std::string& hint) {
                findings.push_back({Severity::error, grant.pos.known() ? grant.pos : service.pos,
                                    fmt::format("services.{}.{}s.{}", service.name, kind->word, grant.source), what,
                                    hint});
            };
            if (object.external || !object.driver.empty() || !object.template_driver.empty())
                refuse(fmt::format("there is no store of {}s outside of the file", kind->word),
                       "give it a file:, an environment: or, for configs, a content:");
            else if (!object.file.empty() && !object.content && !sys::exists(object.file))
                refuse(fmt::format("file {} does not exist", object.file), "create it");
            if (!id_of(grant.uid) || !id_of(grant.gid))
                refuse("uid and gid must be numbers",
                       "write the number of the user in the image, for example \"1000\"");
        }
    return findings;
}

namespace {

/// Empty for what can't be read: those who need it report that.
std::string content_digest(const Kind& kind, const FileObject& object) {
    if (object.content || (!object.file.empty() && sys::is_regular_file(object.file)))
        return sha256_hex(content_of(kind, object));
    if (object.file.empty() || !sys::is_directory(object.file)) return {};
    return in_context([&] { return fmt::format("{} {}", kind.word, object.key); },
                      [&] { return folder_digest(object.file); });
}

}  // namespace

Project with_contents_hashed(const Project& project) {
    Project result = project;
    for (auto* services : {&result.services, &result.disabled_services})
        for (auto& [name, service] : *services) {
            for (const Kind* kind : kKinds)
                for (const FileGrant& grant : service.*kind->grants) {
                    const auto object = (project.*kind->objects).find(grant.source);
                    if (object == (project.*kind->objects).end() || object->second.external) continue;
                    const FileObject& from = object->second;
                    if (auto digest = content_digest(*kind, from); !digest.empty())
                        service.contents[fmt::format("{} {}", kind->word, grant.source)] = std::move(digest);
                }
            if (service.contents.empty()) continue;
            std::string all;
            for (const auto& [what, digest] : service.contents) all += fmt::format("{} {}\n", what, digest);
            const std::string base = base_hash(service.config_hash);
            service.config_hash = sha256_hex(base + "\n" + all) + service.config_hash.substr(base.size());
        }
    return result;
}

}  // namespace compose::engine
