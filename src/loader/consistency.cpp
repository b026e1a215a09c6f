#include "loader/consistency.hpp"

#include "base/strings.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"

namespace compose {

namespace {

// Where the content comes from: exactly one of `keys`, unless the object exists already.
void check_source(const Node::Entry& resource, const PathFrame& path, const std::vector<std::string_view>& keys,
                  Diagnostics& findings) {
    std::vector<std::string_view> found;
    for (const auto key : keys)
        if (resource.value.find(key) != nullptr) found.push_back(key);
    std::string all;
    for (const auto key : keys) all += (all.empty() ? "" : ", ") + std::string(key);
    const auto* external = resource.value.find("external");
    if (external != nullptr && external->boolean) return;
    if (resource.value.find("driver") != nullptr) return;
    if (found.empty())
        findings.error(resource.key_pos, to_string(path), fmt::format("needs one of {} or external", all));
    if (found.size() > 1)
        findings.error(key_pos_of(resource.value, found[1]), to_string(path),
                       fmt::format("{} and {} are mutually exclusive", found[0], found[1]), "remove one of the two");
}

void check_external(const Node::Entry& resource, const PathFrame& path, const char* what, Diagnostics& findings) {
    const auto* external = resource.value.find("external");
    if (external == nullptr || !external->boolean) return;
    for (const auto& entry : resource.value.entries) {
        if (entry.key == "external" || entry.key == "name" || entry.key.starts_with("x-")) continue;
        findings.error(entry.key_pos, to_string(path),
                       fmt::format("{} can't be set for an external {}", entry.key, what),
                       fmt::format("remove it: an external {} is taken as it is", what));
    }
}

}  // namespace

void check_resources(const Node& root, const std::set<std::string>& faulty, Diagnostics& findings) {
    const PathFrame top;
    const auto each = [&](const char* section, const auto& check) {
        const auto path = top.child(section);
        for (const auto& entry : child_or_empty(root, section).entries)
            if (const auto own = path.child(entry.key); !faulty.contains(to_string(own))) check(entry, own);
    };
    for (const auto& [section, what] :
         {std::pair{"networks", "network"}, {"volumes", "volume"}, {"secrets", "secret"}, {"configs", "config"}})
        each(section, [&, what = what](const auto& entry, const PathFrame& path) {
            check_external(entry, path, what, findings);
        });
    each("secrets", [&](const auto& entry, const PathFrame& path) {
        check_source(entry, path, {"file", "environment"}, findings);
    });
    each("configs", [&](const auto& entry, const PathFrame& path) {
        check_source(entry, path, {"file", "environment", "content"}, findings);
    });
    each("models", [&](const auto& entry, const PathFrame& path) {
        if (text_of(entry.value, "model").empty())
            findings.error(entry.key_pos, to_string(path), "needs model", "add model: the model's reference");
    });
}

void check_consistency(const Node& root, Diagnostics& findings, const Node* disabled,
                       const std::set<std::string>& faulty) {
    const auto& services = child_or_empty(root, "services");
    const ProjectIndex index{KeyIndex(root.find("services")), KeyIndex(disabled),
                             KeyIndex(root.find("networks")), KeyIndex(root.find("volumes")),
                             KeyIndex(root.find("secrets")),  KeyIndex(root.find("configs")),
                             KeyIndex(root.find("models"))};
    const PathFrame top;
    const auto path = top.child("services");
    for (const auto& entry : services.entries) {
        const auto own = path.child(entry.key);
        if (faulty.empty() || !faulty.contains(to_string(own))) check_service(entry, own, findings);
        check_references(entry.value, own, index, findings);
    }
    check_container_names(services, path, findings);
    check_cycles(services, path, findings);
    check_resources(root, faulty, findings);
}

}  // namespace compose
