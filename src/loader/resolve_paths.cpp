// Relative paths of the host become absolute. Pure text: no link is followed, nothing is looked up.
#include <array>

#include "base/strings.hpp"
#include "loader/path_pattern.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"

namespace compose {

namespace {

struct Base {
    const std::string& folder;
    const std::string& home;
};

std::string cleaned(std::string_view absolute) {
    std::vector<std::string> kept;
    for (auto& part : split(absolute, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            kept.push_back(std::move(part));
        } else if (!kept.empty()) {
            kept.pop_back();
        }
    }
    return "/" + join(kept, "/");
}

std::string resolved(std::string_view path, const Base& base) {
    if (path.empty() || path.starts_with('/')) return std::string(path);
    if ((path == "~" || path.starts_with("~/")) && !base.home.empty())
        return cleaned(base.home + std::string(path.substr(1)));
    return cleaned(base.folder + "/" + std::string(path));
}

bool is_remote(std::string_view context) {
    if (context.find("://") != std::string_view::npos) return true;
    for (const std::string_view prefix : {"git@", "github.com/", "service:", "target:", "docker-image:", "oci-layout:"})
        if (context.starts_with(prefix)) return true;
    return false;
}

// An expression at the start could be anything, an absolute path too (`--no-interpolate`).
bool starts_as_expression(std::string_view text) {
    return text.starts_with("${") || text.starts_with('$');
}

using PathRule = void (*)(Node&, const Base&);

void path_rule(Node& node, const Base& base) {
    if (node.is_string() && !starts_as_expression(node.text)) node.text = resolved(node.text, base);
}

void context_rule(Node& node, const Base& base) {
    if (node.is_string() && !is_remote(node.text)) path_rule(node, base);
}

void ssh_rule(Node& node, const Base& base) {
    if (!node.is_string()) return;
    const auto equals = node.text.find('=');
    if (equals == std::string::npos) return;
    node.text = node.text.substr(0, equals + 1) + resolved(std::string_view(node.text).substr(equals + 1), base);
}

void mount_rule(Node& node, const Base& base) {
    if (!node.is_mapping() || text_of(node, "type") != "bind") return;
    if (auto* source = node.find("source")) path_rule(*source, base);
}

// `driver_opts: {o: bind, device: ./data}`: the local driver's spelling of a bind mount.
void volume_rule(Node& node, const Base& base) {
    auto* options = node.is_mapping() ? node.find("driver_opts") : nullptr;
    if (options == nullptr || !options->is_mapping()) return;
    bool binds = false;
    for (const auto& word : split(text_of(*options, "o"), ',')) binds = binds || word == "bind" || word == "rbind";
    if (!binds) return;
    if (auto* device = options->find("device")) path_rule(*device, base);
}

const PathTable<PathRule>& rules() {
    static const PathTable<PathRule> table{
        {"services.*.build.context", context_rule},
        {"services.*.build.additional_contexts.*", context_rule},
        {"services.*.build.ssh.[]", ssh_rule},
        {"services.*.develop.watch.[].path", path_rule},
        {"services.*.env_file.[].path", path_rule},
        {"services.*.label_file.[]", path_rule},
        {"services.*.volumes.[]", mount_rule},
        {"volumes.*", volume_rule},
        {"configs.*.file", path_rule},
        {"secrets.*.file", path_rule},
    };
    return table;
}

void walk(Node& node, const PathTrie::Cursor& cursor, const Base& base) {
    if (cursor.dead() || node.tag == Node::Tag::reset) return;
    if (const auto* rule = rules().at(cursor)) (*rule)(node, base);
    for (auto& entry : node.entries) walk(entry.value, cursor.child(entry.key), base);
    if (node.items.empty()) return;
    const auto next = cursor.item();
    for (auto& item : node.items) walk(item, next, base);
}

}  // namespace

void resolve_paths(Node& root, const std::string& base_dir, const std::string& home) {
    walk(root, rules().root(), Base{base_dir, home});
}

}  // namespace compose
