#include <algorithm>

#include "base/dag.hpp"
#include "base/strings.hpp"
#include "loader/consistency.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxCandidates = 5'000;
constexpr std::size_t kMaxSuggestions = 50;  // findings before advice stops

class References {
public:
    References(const Node& service, const PathFrame& path, const ProjectIndex& index, Diagnostics& findings)
        : service_(service), path_(path), index_(index), findings_(findings) {}

    void check_all() {
        depends_on();
        service_modes();
        networks();
        mounts();
        grants(service_, "secrets", index_.secrets, "secret", path_);
        grants(service_, "configs", index_.configs, "config", path_);
        const auto& build = child_or_empty(service_, "build");
        grants(build, "secrets", index_.secrets, "secret", path_.child("build"));
        build_contexts(build);
        credential_spec();
        for (const auto& model : child_or_empty(service_, "models").entries)
            expect(index_.models, model.key, model.key_pos, path_.child("models"), "model", "models");
    }

private:
    [[nodiscard]] std::string_view suggestion(const KeyIndex& known, std::string_view name) const {
        return findings_.error_count() < kMaxSuggestions ? known.near(name) : std::string_view();
    }

    void expect(const KeyIndex& known, std::string_view name, SourcePos pos, const PathFrame& path, const char* what,
                const char* section) {
        if (known.find(name) != nullptr) return;
        const auto near = suggestion(known, name);
        findings_.error(pos, to_string(path), fmt::format("refers to undefined {} {}", what, shown(name)),
                        near.empty() ? fmt::format("declare it under {}: at the top level", section)
                                     : fmt::format("did you mean \"{}\"?", near));
    }

    void expect_service(std::string_view name, SourcePos pos, const PathFrame& path, bool required) {
        if (index_.services.find(name) != nullptr) return;
        if (const auto* disabled = index_.disabled.find(name)) {
            if (!required) return;
            std::string profiles;
            for (const auto& profile : child_or_empty(disabled->value, "profiles").items)
                profiles += (profiles.empty() ? "" : " or ") + profile.text;
            if (profiles.empty())
                return findings_.error(
                    pos, to_string(path),
                    fmt::format("depends on service {}, which is not among the selected ones", shown(name)));
            findings_.error(pos, to_string(path),
                            fmt::format("depends on service {}, which is disabled by its profile", shown(name)),
                            fmt::format("enable it with --profile {}, or set required: false", profiles));
            return;
        }
        const auto near = suggestion(index_.services, name);
        if (!required)
            return findings_.warning(pos, to_string(path),
                                     fmt::format("depends on undefined service {}, which is not required", shown(name)),
                                     near.empty() ? "remove it" : fmt::format("did you mean \"{}\"?", near));
        findings_.error(pos, to_string(path), fmt::format("depends on undefined service {}", shown(name)),
                        near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
    }

    void depends_on() {
        const auto path = path_.child("depends_on");
        for (const auto& entry : child_or_empty(service_, "depends_on").entries) {
            const auto* required = entry.value.find("required");
            const bool optional = required != nullptr && required->kind == Node::Kind::boolean && !required->boolean;
            expect_service(entry.key, entry.key_pos, path, !optional);
        }
    }

    // After normalisation these are in depends_on too; without it they are not.
    /// Contexts that are the images of other services: these must be there, and be built.
    void build_contexts(const Node& build) {
        constexpr std::string_view kService = "service:";
        const auto path = path_.child("build");
        for (const auto& [key, pos, value] : child_or_empty(build, "additional_contexts").entries) {
            if (!value.text.starts_with(kService)) continue;
            const auto name = std::string_view(value.text).substr(kService.size());
            const auto* other = index_.services.find(name);
            if (other == nullptr) other = index_.disabled.find(name);
            const auto near = other == nullptr ? suggestion(index_.services, name) : std::string_view();
            if (other == nullptr)
                findings_.error(value.pos, to_string(path.child("additional_contexts")),
                                fmt::format("refers to undefined service {}", shown(name)),
                                near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
            else if (other->value.is_mapping() && other->value.find("build") == nullptr)
                findings_.error(value.pos, to_string(path.child("additional_contexts")),
                                fmt::format("service {} is not built here: it has no build", shown(name)),
                                fmt::format("write docker-image://{}", text_of(other->value, "image")));
        }
    }

    /// Only Windows reads it, and it alone keeps no config in the model: no reason to refuse a file.
    void credential_spec() {
        const auto* name = child_or_empty(service_, "credential_spec").find("config");
        if (name == nullptr || !name->is_string() || index_.configs.find(name->text) != nullptr) return;
        findings_.warning(name->pos, to_string(path_.child("credential_spec")),
                          fmt::format("refers to undefined config {}", shown(name->text)),
                          "declare it under configs: at the top level");
    }

    void service_modes() {
        const auto& depends_on = child_or_empty(service_, "depends_on");
        for (const char* key : {"network_mode", "ipc", "pid"}) {
            const auto mode = text_of(service_, key);
            if (mode.starts_with("service:") && depends_on.find(mode.substr(8)) == nullptr)
                expect_service(mode.substr(8), service_.find(key)->pos, path_.child(key), true);
        }
        for (const auto& link : child_or_empty(service_, "links").items)
            if (const auto name = link.text.substr(0, link.text.find(':')); depends_on.find(name) == nullptr)
                expect_service(name, link.pos, path_.child("links"), true);
    }

    void networks() {
        for (const auto& entry : child_or_empty(service_, "networks").entries)
            if (entry.key != "default")
                expect(index_.networks, entry.key, entry.key_pos, path_.child("networks"), "network", "networks");
    }

    void mounts() {
        const auto list = path_.child("volumes");
        const auto& volumes = child_or_empty(service_, "volumes").items;
        for (std::size_t i = 0; i < volumes.size(); ++i) {
            const auto source = text_of(volumes[i], "source");
            if (text_of(volumes[i], "type") == "volume" && !source.empty())
                expect(index_.volumes, source, volumes[i].find("source")->pos, list.item(i), "volume", "volumes");
        }
    }

    void grants(const Node& owner, const char* key, const KeyIndex& known, const char* what, const PathFrame& path) {
        for (const auto& grant : child_or_empty(owner, key).items)
            if (const auto source = text_of(grant, "source"); !source.empty())
                expect(known, source, grant.find("source")->pos, path.child(key), what, key);
    }

    const Node& service_;
    const PathFrame& path_;
    const ProjectIndex& index_;
    Diagnostics& findings_;
};

}  // namespace

std::string_view KeyIndex::near(std::string_view word) const {
    // Any other short name would be near; and the search is dear, so huge projects go without.
    if (word.size() < 3 || entries_.size() > kMaxCandidates) return {};
    std::vector<std::string_view> keys;
    for (const auto& [key, entry] : entries_) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    return nearest(word, keys);
}

void check_references(const Node& service, const PathFrame& path, const ProjectIndex& index, Diagnostics& findings) {
    References(service, path, index, findings).check_all();
}

void check_container_names(const Node& services, const PathFrame& path, Diagnostics& findings) {
    std::unordered_map<std::string_view, std::string_view> users;
    for (const auto& entry : services.entries) {
        const auto name = text_of(entry.value, "container_name");
        if (name.empty()) continue;
        const auto [at, fresh] = users.emplace(name, entry.key);
        if (fresh) continue;
        const auto own = path.child(entry.key);
        findings.error(entry.value.find("container_name")->pos, to_string(own.child("container_name")),
                       fmt::format("the name {} is already in use by service {}", shown(name), shown(at->second)),
                       "remove container_name, or choose another one");
    }
}

void check_cycles(const Node& services, const PathFrame& path, Diagnostics& findings) {
    std::unordered_map<std::string_view, std::size_t> numbers;
    for (std::size_t i = 0; i < services.entries.size(); ++i) numbers.emplace(services.entries[i].key, i);
    std::vector<std::vector<std::size_t>> needs(services.entries.size());
    for (std::size_t i = 0; i < needs.size(); ++i)
        for (const auto& entry : child_or_empty(services.entries[i].value, "depends_on").entries)
            if (const auto at = numbers.find(entry.key); at != numbers.end()) needs[i].push_back(at->second);
    const auto order = topological_order(needs);
    if (order.cycle.size() < 2) return;
    std::string way;
    constexpr std::size_t kShownEnd = 6;
    for (std::size_t i = 0; i < order.cycle.size(); ++i) {
        if (i >= kShownEnd && i + kShownEnd < order.cycle.size()) {
            i = order.cycle.size() - kShownEnd;
            way += " -> ...";
        }
        way += (way.empty() ? "" : " -> ") + services.entries[order.cycle[i]].key;
    }
    const auto& first = services.entries[order.cycle[0]];
    const auto& second = services.entries[order.cycle[1]];
    const auto& depends_on = child_or_empty(first.value, "depends_on");
    findings.error(key_pos_of(depends_on, second.key), to_string(path.child(first.key).child("depends_on")),
                   first.key == second.key
                       ? fmt::format("service {} depends on itself: a dependency cycle", shown(first.key))
                       : "dependency cycle: " + way,
                   "remove one of these dependencies");
}

}  // namespace compose
