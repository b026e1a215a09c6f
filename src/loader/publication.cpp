#include <compose/publication.hpp>
#include <deque>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/strings.hpp"
#include "loader/compose_file.hpp"
#include "loader/scalar_edits.hpp"
#include "loader/secret_scan.hpp"
#include "loader/yaml_reader.hpp"
#include "model/names.hpp"

namespace compose {

namespace {

using Concern = PublicationConcern;
using Kind = PublishedFile::Kind;

/// Does the text stand there for itself, not for a variable's value?
bool is_literal(std::string text) {
    for (auto at = text.find("$$"); at != std::string::npos; at = text.find("$$", at)) text.replace(at, 2, "x");
    return text.size() >= 3 && text.find('$') == std::string::npos;
}

/// Is there anything in it but one variable?
bool has_content(std::string_view text) {
    text = trim(text);
    if (text.empty()) return false;
    if (text.starts_with("${") && text.find('}') == text.size() - 1) return false;
    return !text.starts_with('$') || text.find_first_of(" \t\n") != std::string_view::npos;
}

class PublicationMaker {
public:
    PublicationMaker(const LoadedProject& loaded, const LoadRequest& request, bool variables, FileSource& source,
                     Diagnostics& findings)
        : loaded_(loaded),
          variables_(variables),
          findings_(findings),
          files_(source, request.working_directory, findings),
          session_{request, files_, findings} {}

    Publication run() {
        const auto& project = loaded_.project;
        check_builds();
        note_mounts();
        for (const auto& path : project.config_files) {
            const auto name = std::filesystem::path(path).filename().string();
            add_file({path, path == "-" ? "compose.yaml" : name, project.working_dir}, Kind::compose);
        }
        while (!extended_.empty()) {
            const auto next = std::move(extended_.front());
            extended_.pop_front();
            add_file(next, Kind::extended);
        }
        if (variables_) add_env_files();
        for (const auto& file : out_.files)
            for (const auto& secret : find_secrets(file.text))
                concern(Concern::Kind::secret, fmt::format("{}:{}", shown_.at(file.name), secret.line),
                        secret.type + ": " + secret.value);
        return std::move(out_);
    }

private:
    struct Source {
        std::string path;
        std::string name;    // that it gets
        std::string folder;  // of its relative paths
    };

    void concern(Concern::Kind kind, std::string place, std::string text) {
        if (seen_.insert({static_cast<int>(kind), place, text}).second)
            out_.concerns.push_back({kind, std::move(place), std::move(text)});
    }

    /// An image that is nowhere but here is of no use to others.
    void check_builds() {
        for (const auto& [name, service] : loaded_.project.services)
            if (service.build && service.image == built_image_name(loaded_.project.name, name))
                findings_.error(service.build->pos, fmt::format("services.{}.build", name),
                                "a service that has only a build can't be published: others have no image of it",
                                "name the image with image: and push it with 'compose push'");
    }

    void note_mounts() {
        for (const auto& [name, service] : loaded_.project.services)
            for (const auto& mount : service.mounts)
                if (mount.type == Mount::Type::bind)
                    concern(Concern::Kind::bind_mount, "services." + name, mount.source + ":" + mount.target);
    }

    void add_file(const Source& source, Kind kind) {
        const auto file = files_.open(source.path, {}, "Compose file");
        if (!file) return;
        const std::string text(findings_.sources.text(*file));
        ScalarEdits edits(text);
        for (auto& document : read_yaml(*file, findings_)) {
            if (!document.is_mapping()) continue;
            if (kind == Kind::compose) check_includes(document);
            if (const auto* services = document.find("services"); services != nullptr && services->is_mapping())
                for (const auto& entry : services->entries) add_service(entry.key, entry.value, source.folder, edits);
            if (kind == Kind::compose)
                for (const auto* section : {"configs", "secrets"}) add_grants(document, section);
        }
        shown_[source.name] = files_.shown(source.path);
        out_.files.push_back({kind, source.name, edits.result()});
    }

    std::optional<std::string> expanded(const Node& node, const std::string& place) {
        return interpolate_text(node, place, loaded_.environment, session_.interpolation, findings_);
    }

    void check_includes(const Node& document) {
        const auto* list = document.find("include");
        if (list == nullptr) return;
        const auto check = [&](const Node& node, const std::string& place) {
            if (!node.is_string()) return;
            const auto path = expanded(node, place);
            if (!path || is_remote_file(*path)) return;
            findings_.error(node.pos, place, "a file that includes another one of this machine can't be published",
                            "publish that one by itself, and include its oci:// address");
        };
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            const auto place = fmt::format("include[{}]", i);
            const auto* path = list->items[i].is_mapping() ? list->items[i].find("path") : &list->items[i];
            if (path == nullptr) continue;
            check(*path, place);
            for (const auto& item : path->items) check(item, place);
        }
    }

    void add_service(const std::string& name, const Node& service, const std::string& folder, ScalarEdits& edits) {
        if (!service.is_mapping()) return;
        const auto place = "services." + name;
        if (const auto* list = service.find("env_file")) {
            if (list->is_string()) add_env_file(*list, place, folder, edits);
            for (const auto& item : list->items) {
                const auto* path = item.is_mapping() ? item.find("path") : &item;
                if (path != nullptr && path->is_string()) add_env_file(*path, place, folder, edits);
            }
        }
        if (const auto* environment = service.find("environment")) note_literals(*environment, place);
        if (const auto* labels = service.find("label_file")) {
            if (labels->is_string()) concern(Concern::Kind::left_behind, place + ".label_file", labels->text);
            for (const auto& item : labels->items)
                if (item.is_string()) concern(Concern::Kind::left_behind, place + ".label_file", item.text);
        }
        const auto* extends = service.find("extends");
        const auto* file = extends != nullptr && extends->is_mapping() ? extends->find("file") : nullptr;
        if (file != nullptr && file->is_string()) add_extended(*file, place + ".extends.file", folder, edits);
    }

    void put(ScalarEdits& edits, const Node& node, const std::string& place, const std::string& value) {
        if (!edits.replace(node, value))
            findings_.error(node.pos, place, "the path can't be replaced as it is written",
                            "write it on one line, plain or in quotes");
    }

    void add_env_file(const Node& node, const std::string& place, const std::string& folder, ScalarEdits& edits) {
        const auto path = expanded(node, place + ".env_file");
        if (!path) return;
        concern(Concern::Kind::env_file, place, *path);
        if (!variables_) return;
        const auto file = join_path(folder, *path);
        const auto name = sha256_hex(file) + ".env";
        env_files_.emplace(file, name);
        put(edits, node, place + ".env_file", name);
    }

    void add_extended(const Node& node, const std::string& place, const std::string& folder, ScalarEdits& edits) {
        const auto path = expanded(node, place);
        if (!path || is_remote_file(*path)) return;
        const auto file = join_path(folder, *path);
        const auto name = sha256_hex(file) + ".yaml";
        if (known_.insert(file).second) extended_.push_back({file, name, parent_folder(file)});
        put(edits, node, place, name);
    }

    void note_literals(const Node& environment, const std::string& place) {
        const auto note = [&](const std::string& key, const std::string& value) {
            if (is_called_like_a_secret(key) && is_literal(value)) concern(Concern::Kind::literal, place, key);
        };
        for (const auto& entry : environment.entries)
            if (entry.value.is_scalar()) note(entry.key, entry.value.text);
        for (const auto& item : environment.items)
            if (const auto equals = item.text.find('='); equals != std::string::npos)
                note(item.text.substr(0, equals), item.text.substr(equals + 1));
    }

    void add_grants(const Node& document, const char* section) {
        const auto* all = document.find(section);
        if (all == nullptr || !all->is_mapping()) return;
        for (const auto& entry : all->entries) {
            const auto place = fmt::format("{}.{}", section, entry.key);
            if (const auto* content = entry.value.find("content"); content != nullptr && has_content(content->text))
                concern(Concern::Kind::config_content, place, "");
            if (const auto* file = entry.value.find("file"); file != nullptr && file->is_string())
                concern(Concern::Kind::left_behind, place, file->text);
        }
    }

    void add_env_files() {
        for (const auto& [path, name] : env_files_) {
            // One that may be missing is: who has required it was told when the project was loaded.
            const auto file = files_.open(path, {}, kEnvFile, true);
            if (!file) continue;
            shown_[name] = files_.shown(path);
            out_.files.push_back({Kind::variables, name, std::string(findings_.sources.text(*file))});
        }
    }

    const LoadedProject& loaded_;
    const bool variables_;
    Diagnostics& findings_;
    SourceFiles files_;
    LoadSession session_;
    Publication out_;
    std::deque<Source> extended_;
    std::set<std::string> known_;                   // extended files, by path
    std::map<std::string, std::string> env_files_;  // path -> name
    std::map<std::string, std::string> shown_;      // name -> what people call it
    std::set<std::tuple<int, std::string, std::string>> seen_;
};

}  // namespace

Publication make_publication(const LoadedProject& loaded, const LoadRequest& request, bool variables, FileSource& files,
                             Diagnostics& findings) {
    return PublicationMaker(loaded, request, variables, files, findings).run();
}

}  // namespace compose
