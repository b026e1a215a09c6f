// Two walks over a file's tree: scalars get the types of the schema, then a table of rules turns short forms into long
// ones, parents first.
#include <array>

#include "base/strings.hpp"
#include "loader/canonical_rules.hpp"
#include "loader/schema.hpp"
#include "loader/stages.hpp"
#include "loader/tree_edit.hpp"

namespace compose {

namespace {

/// `yes` and the like are texts in YAML 1.2; files from older days mean booleans.
void warn_of_old_boolean(const Node& node, const PathFrame& path, const CanonicalContext& context) {
    const auto value = node.is_string() && !node.quoted ? boolean_of(node) : std::nullopt;
    const auto word = value ? lower(node.text) : std::string();
    if (!value || word == "true" || word == "false") return;
    context.findings.warning(node.pos, to_string(path), shown(node.text) + " is a boolean of YAML 1.1",
                             *value ? "write true" : "write false");
}

void retype(Node& node, const Schema& schema, const PathFrame& path, const CanonicalContext& context) {
    if (node.tag == Node::Tag::reset || context.opaque(node)) return;
    const auto* branch = schema.branch_for(node.kind);
    if (branch == nullptr) return;
    if (node.is_mapping()) {
        for (auto& entry : node.entries)
            if (const auto* child = branch->child(entry.key))
                retype(entry.value, *child, path.child(entry.key), context);
    } else if (node.is_sequence()) {
        if (branch->items == nullptr) return;
        for (std::size_t i = 0; i < node.items.size(); ++i)
            retype(node.items[i], *branch->items, path.item(i), context);
    } else {
        if (branch->scalar == ScalarType::boolean) warn_of_old_boolean(node, path, context);
        (void)convert_scalar(node, branch->scalar);  // validate_schema has said what does not fit
    }
}

Node make_text(const Node& from) {
    return Node::make_string(from.text, from.pos);
}

void become_map(Node& node, const char* key, Node value) {
    Node map = Node::make_mapping(node.pos);
    map.tag = node.tag;
    map.past = node.past;
    map.entries.push_back({key, node.pos, std::move(value)});
    node = std::move(map);
}

const PathTable<CanonicalRule>& rules() {
    static const PathTable<CanonicalRule> table{
        {"services.*.annotations", canonical_labels},
        {"services.*.build", canonical_build},
        {"services.*.build.additional_contexts", canonical_map},
        {"services.*.build.args", canonical_map},
        {"services.*.build.extra_hosts", canonical_hosts},
        {"services.*.build.labels", canonical_labels},
        {"services.*.build.no_cache_filter", canonical_list},
        {"services.*.build.secrets.[]", canonical_grant},
        {"services.*.build.ssh", canonical_ssh},
        {"services.*.build.tags", canonical_unique_list},
        {"services.*.cap_add", canonical_unique_list},
        {"services.*.cap_drop", canonical_unique_list},
        {"services.*.command", canonical_command},
        {"services.*.configs.[]", canonical_grant},
        {"services.*.depends_on", canonical_depends_on},
        {"services.*.deploy.labels", canonical_labels},
        {"services.*.deploy.resources.reservations.devices.[].options", canonical_map},
        {"services.*.develop.watch.[].exec.command", canonical_command},
        {"services.*.develop.watch.[].exec.environment", canonical_map},
        {"services.*.develop.watch.[].ignore", canonical_list},
        {"services.*.develop.watch.[].include", canonical_list},
        {"services.*.devices.[]", canonical_device},
        {"services.*.dns", canonical_unique_list},
        {"services.*.dns_opt", canonical_unique_list},
        {"services.*.dns_search", canonical_unique_list},
        {"services.*.entrypoint", canonical_command},
        {"services.*.env_file", canonical_env_file},
        {"services.*.environment", canonical_map},
        {"services.*.expose", canonical_expose},
        {"services.*.extends", canonical_extends},
        {"services.*.extra_hosts", canonical_hosts},
        {"services.*.gpus", canonical_gpus},
        {"services.*.gpus.[].options", canonical_map},
        {"services.*.healthcheck.test", canonical_test},
        {"services.*.label_file", canonical_list},
        {"services.*.labels", canonical_labels},
        {"services.*.links", canonical_unique_list},
        {"services.*.models", canonical_names},
        {"services.*.networks", canonical_names},
        {"services.*.ports", canonical_ports},
        {"services.*.post_start.[].command", canonical_command},
        {"services.*.post_start.[].environment", canonical_map},
        {"services.*.pre_start.[].command", canonical_command},
        {"services.*.pre_start.[].environment", canonical_map},
        {"services.*.pre_stop.[].command", canonical_command},
        {"services.*.pre_stop.[].environment", canonical_map},
        {"services.*.profiles", canonical_unique_list},
        {"services.*.provider.options", canonical_option_lists},
        {"services.*.secrets.[]", canonical_grant},
        {"services.*.sysctls", canonical_labels},
        {"services.*.tmpfs", canonical_unique_list},
        {"services.*.volumes.[]", canonical_mount},
        {"services.*.volumes.[].volume.labels", canonical_labels},
        {"networks.*", canonical_resource},
        {"networks.*.labels", canonical_labels},
        {"volumes.*", canonical_resource},
        {"volumes.*.labels", canonical_labels},
        {"secrets.*", canonical_resource},
        {"secrets.*.labels", canonical_labels},
        {"configs.*", canonical_resource},
        {"configs.*.labels", canonical_labels},
    };
    return table;
}

void apply(Node& node, const PathTrie::Cursor& cursor, const PathFrame& path, CanonicalContext& context) {
    if (cursor.dead() || node.tag == Node::Tag::reset) return;
    if (const auto* rule = rules().at(cursor)) (*rule)(node, path, context);
    for (auto& entry : node.entries) apply(entry.value, cursor.child(entry.key), path.child(entry.key), context);
    if (node.items.empty()) return;
    const auto next = cursor.item();
    for (std::size_t i = 0; i < node.items.size(); ++i) apply(node.items[i], next, path.item(i), context);
}

}  // namespace

void canonical_build(Node& node, const PathFrame&, CanonicalContext&) {
    if (node.is_string()) become_map(node, "context", make_text(node));
}

void canonical_extends(Node& node, const PathFrame&, CanonicalContext&) {
    if (node.is_string()) become_map(node, "service", make_text(node));
}

void canonical_depends_on(Node& node, const PathFrame& path, CanonicalContext& context) {
    canonical_names(node, path, context);
    if (!node.is_mapping()) return;
    for (auto& entry : node.entries) {
        auto& value = entry.value;
        if (value.tag == Node::Tag::reset || (!value.is_null() && !value.is_mapping())) continue;
        if (value.is_null()) value = Node::make_mapping(entry.key_pos);
        put_missing(value, "condition", Node::make_string("service_started", entry.key_pos), entry.key_pos);
        put_missing(value, "required", Node::make_bool(true, entry.key_pos), entry.key_pos);
    }
}

void canonical_env_file(Node& node, const PathFrame& path, CanonicalContext& context) {
    canonical_list(node, path, context);
    for (auto& item : node.items) {
        if (item.is_string()) become_map(item, "path", make_text(item));
        if (item.is_mapping()) put_missing(item, "required", Node::make_bool(true, item.pos), item.pos);
    }
}

void canonical_grant(Node& node, const PathFrame&, CanonicalContext&) {
    if (node.is_string()) become_map(node, "source", make_text(node));
}

void canonical_device(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (node.is_mapping()) {
        if (const auto* source = node.find("source"); source != nullptr && source->is_string())
            put_missing(node, "target", make_text(*source), node.pos);
        put_missing(node, "permissions", Node::make_string("rwm", node.pos), node.pos);
        return;
    }
    if (!node.is_string() || context.opaque(node)) return;
    const auto parts = split(node.text, ':');
    if (parts.size() > 3 || parts[0].empty()) {
        context.error(node, path, shown(node.text) + " is not a device",
                      "write source[:target[:rwm]], for example \"/dev/ttyUSB0:/dev/modem\"");
        return;
    }
    auto target = parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0];
    auto permissions = parts.size() > 2 && !parts[2].empty() ? parts[2] : std::string("rwm");
    if (parts.size() == 2 && parts[1].find_first_not_of("rwm") == std::string::npos && !parts[1].empty()) {
        permissions = parts[1];
        target = parts[0];
    }
    const SourcePos pos = node.pos;
    become_map(node, "source", Node::make_string(parts[0], pos));
    put_missing(node, "target", Node::make_string(target, pos), pos);
    put_missing(node, "permissions", Node::make_string(permissions, pos), pos);
}

void canonical_gpus(Node& node, const PathFrame&, CanonicalContext&) {
    if (!node.is_string() || node.text != "all") return;
    Node list = Node::make_sequence(node.pos);
    list.items.push_back(Node::make_mapping(node.pos));
    list.items[0].entries.push_back({"count", node.pos, Node::make_int(-1, node.pos)});
    list.tag = node.tag;
    node = std::move(list);
}

void canonical_resource(Node& node, const PathFrame&, CanonicalContext&) {
    auto* external = node.find("external");
    if (external == nullptr || !external->is_mapping()) return;
    const SourcePos pos = external->pos;
    if (const auto* name = external->find("name"); name != nullptr && name->is_string()) {
        Node copy = *name;
        *external = Node::make_bool(true, pos);
        put_missing(node, "name", std::move(copy), pos);
    } else {
        *external = Node::make_bool(true, pos);
    }
}

void canonicalize(Node& root, Diagnostics& findings, bool interpolated) {
    CanonicalContext context{findings, interpolated};
    retype(root, compiled_schema(), PathFrame{}, context);
    apply(root, rules().root(), PathFrame{}, context);
}

}  // namespace compose
