#include "loader/merge.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "loader/path_pattern.hpp"

namespace compose {

namespace {

enum class Rule {
    append,     // lists; what is not in the table
    replace,    // the later value as a whole
    clear,      // the later value as a whole, null included: back to the image's own
    nulls_win,  // a mapping of plain values, where a later null counts ("take it from the shell")
    logging,    // merged when both name the same driver, else replaced
    unique,     // list, this and all below: an equal item is not added again
    by_path,    // list of {path}: the later takes the earlier's place
    by_target,  // list of mounts or devices by target
    by_grant,   // list of configs or secrets by target, which is the source when not given
    by_place,   // list of tmpfs, "path:options", by path
    by_port,    // list of ports by address, published, target and protocol
    by_subnet,  // list of pools: those of one subnet merge
};

const PathTable<Rule>& rules() {
    static const PathTable<Rule> table{
        {"services.*.annotations", Rule::nulls_win},
        {"services.*.build.additional_contexts", Rule::nulls_win},
        {"services.*.build.args", Rule::nulls_win},
        {"services.*.build.extra_hosts", Rule::unique},
        {"services.*.build.labels", Rule::nulls_win},
        {"services.*.build.platforms", Rule::unique},
        {"services.*.build.secrets", Rule::by_grant},
        {"services.*.build.tags", Rule::unique},
        {"services.*.build.ulimits.*", Rule::replace},
        {"services.*.cap_add", Rule::unique},
        {"services.*.cap_drop", Rule::unique},
        {"services.*.command", Rule::clear},
        {"services.*.configs", Rule::by_grant},
        {"services.*.deploy.labels", Rule::nulls_win},
        {"services.*.devices", Rule::by_target},
        {"services.*.dns", Rule::unique},
        {"services.*.dns_opt", Rule::unique},
        {"services.*.dns_search", Rule::unique},
        {"services.*.entrypoint", Rule::clear},
        {"services.*.env_file", Rule::by_path},
        {"services.*.environment", Rule::nulls_win},
        {"services.*.expose", Rule::unique},
        {"services.*.extra_hosts", Rule::unique},
        {"services.*.healthcheck.test", Rule::clear},
        {"services.*.label_file", Rule::unique},
        {"services.*.labels", Rule::nulls_win},
        {"services.*.links", Rule::unique},
        {"services.*.logging", Rule::logging},
        {"services.*.networks.*.aliases", Rule::unique},
        {"services.*.networks.*.link_local_ips", Rule::unique},
        {"services.*.ports", Rule::by_port},
        {"services.*.profiles", Rule::unique},
        {"services.*.secrets", Rule::by_grant},
        {"services.*.sysctls", Rule::nulls_win},
        {"services.*.tmpfs", Rule::by_place},
        {"services.*.ulimits.*", Rule::replace},
        {"services.*.volumes", Rule::by_target},
        {"services.*.volumes.[].volume.labels", Rule::nulls_win},
        {"networks.*.ipam.config", Rule::by_subnet},
        {"networks.*.labels", Rule::nulls_win},
        {"volumes.*.labels", Rule::nulls_win},
        {"secrets.*.labels", Rule::nulls_win},
        {"configs.*.labels", Rule::nulls_win},
    };
    return table;
}

std::string text_of(const Node& node) {
    switch (node.kind) {
        case Node::Kind::integer:
            return std::to_string(node.integer);
        case Node::Kind::sequence:
        case Node::Kind::mapping:
        case Node::Kind::null:
            return {};
        default:
            return node.text;
    }
}

std::string text_at(const Node& node, std::string_view key, std::string_view fallback = {}) {
    const auto* found = node.find(key);
    return found == nullptr || found->is_null() ? std::string(fallback) : text_of(*found);
}

std::string port_key(const Node& item) {
    std::string key = text_at(item, "host_ip");
    key += '\n' + text_at(item, "published") + '\n' + text_at(item, "target") + '\n' + text_at(item, "protocol", "tcp");
    return key;
}

/// What makes two items of a list the same thing; nothing when the item has no such key.
std::optional<std::string> identity(const Node& item, Rule rule) {
    if (item.is_null()) return std::nullopt;
    if (item.is_scalar()) {
        const auto text = text_of(item);
        return rule == Rule::by_place ? text.substr(0, text.find(':')) : text;
    }
    if (!item.is_mapping()) return std::nullopt;
    std::string key;
    switch (rule) {
        case Rule::by_path:
            key = text_at(item, "path");
            break;
        case Rule::by_target:
            key = text_at(item, "target");
            break;
        case Rule::by_grant:
            key = text_at(item, "target");
            // A secret without a target appears there under its own name.
            if (key.starts_with("/run/secrets/")) key.erase(0, 13);
            break;
        case Rule::by_subnet:
            key = text_at(item, "subnet");
            break;
        case Rule::by_port:
            return port_key(item);
        default:
            return std::nullopt;
    }
    if (key.empty() && rule == Rule::by_grant) key = text_at(item, "source");
    return key.empty() ? std::nullopt : std::optional(key);
}

// Nobody reads on after so many files; and it bounds what a file of many documents can make us keep.
constexpr std::size_t kMaxPast = 32;

class Merger {
public:
    static void merge(Node& base, Node&& over, const PathTrie::Cursor& cursor) {
        const auto* found = rules().at(cursor);
        const auto rule = found == nullptr ? Rule::append : *found;
        if (over.is_null() && rule != Rule::clear) return;
        if (base.is_null() || base.kind != over.kind || over.is_scalar() || rule == Rule::replace ||
            rule == Rule::clear || (rule == Rule::logging && !same_driver(base, over)))
            return replace(base, std::move(over));
        if (over.is_mapping()) return merge_mapping(base, std::move(over), cursor, rule == Rule::nulls_win);
        if (is_keyed(rule)) return merge_keyed(base, std::move(over), rule, cursor);
        for (auto& item : over.items) base.items.push_back(std::move(item));
    }

    static void replace(Node& base, Node&& over) {
        Node lost = std::exchange(base, std::move(over));
        if (!lost.pos.known() || lost.pos == base.pos) return;
        // The newer value may have replaced others already, in its own file or in those that it includes.
        auto past = std::make_shared<Node::Past>();
        if (base.past) *past = *base.past;
        const auto older = std::exchange(lost.past, nullptr);
        if (past->size() < kMaxPast) past->push_back(std::make_shared<const Node>(std::move(lost)));
        for (std::size_t i = 0; older && i < older->size() && past->size() < kMaxPast; ++i)
            past->push_back((*older)[i]);
        base.past = std::move(past);
    }

private:
    static bool is_keyed(Rule rule) { return rule >= Rule::unique; }

    // A file that names no driver speaks of the one of the other file.
    static bool same_driver(const Node& base, const Node& over) {
        const auto ours = text_at(base, "driver");
        const auto theirs = text_at(over, "driver");
        return ours.empty() || theirs.empty() || ours == theirs;
    }

    static void merge_mapping(Node& base, Node&& over, const PathTrie::Cursor& cursor, bool nulls_win) {
        constexpr std::size_t kIndexFrom = 16;
        base.entries.reserve(base.entries.size() + over.entries.size());
        std::unordered_map<std::string_view, std::size_t> index;
        const auto known = base.entries.size();
        if (known > kIndexFrom && over.entries.size() > 4)
            for (std::size_t i = 0; i < known; ++i) index.emplace(base.entries[i].key, i);
        for (auto& entry : over.entries) {
            Node* mine = nullptr;
            if (index.empty())
                mine = base.find(entry.key);
            else if (const auto at = index.find(entry.key); at != index.end())
                mine = &base.entries[at->second].value;
            if (mine == nullptr)
                base.entries.push_back(std::move(entry));
            else if (nulls_win && entry.value.is_null())
                replace(*mine, std::move(entry.value));
            else
                merge(*mine, std::move(entry.value), cursor.child(entry.key));
        }
    }

    static void merge_keyed(Node& base, Node&& over, Rule rule, const PathTrie::Cursor& cursor) {
        std::unordered_map<std::string, std::size_t> index;
        for (std::size_t i = 0; i < base.items.size(); ++i)
            if (auto key = identity(base.items[i], rule)) index[std::move(*key)] = i;
        for (auto& item : over.items) {
            auto key = identity(item, rule);
            const auto at = key ? index.find(*key) : index.end();
            if (at == index.end()) {
                if (key) index.emplace(std::move(*key), base.items.size());
                base.items.push_back(std::move(item));
            } else if (rule == Rule::by_subnet) {
                merge(base.items[at->second], std::move(item), cursor.item());
            } else if (rule != Rule::unique) {
                replace(base.items[at->second], std::move(item));
            }
        }
    }
};

void remove_duplicates(Node& node, const PathTrie::Cursor& cursor) {
    if (cursor.dead()) return;
    for (auto& entry : node.entries) remove_duplicates(entry.value, cursor.child(entry.key));
    if (!node.is_sequence() || node.items.size() < 2) return;
    const auto* rule = rules().at(cursor);
    if (rule == nullptr || (*rule != Rule::by_port && *rule != Rule::unique)) return;
    std::unordered_map<std::string, std::size_t> index;
    std::vector<Node> kept;
    for (auto& item : node.items) {
        auto key = identity(item, *rule);
        if (key) {
            const auto [at, fresh] = index.emplace(std::move(*key), kept.size());
            if (!fresh) {
                Merger::replace(kept[at->second], std::move(item));
                continue;
            }
        }
        kept.push_back(std::move(item));
    }
    node.items = std::move(kept);
}

void take_resets(Node& node, NodePath& path, std::vector<NodePath>& found) {
    auto& entries = node.entries;
    for (auto& entry : entries) {
        path.push_back(entry.key);
        if (entry.value.tag != Node::Tag::none) found.push_back(path);
        if (entry.value.tag != Node::Tag::reset) take_resets(entry.value, path, found);
        path.pop_back();
    }
    std::erase_if(entries, [](const Node::Entry& entry) { return entry.value.tag == Node::Tag::reset; });
    for (auto& entry : entries) entry.value.tag = Node::Tag::none;
    // A tag inside a list can only mean the item itself: items have no earlier value.
    std::erase_if(node.items, [](const Node& item) { return item.tag == Node::Tag::reset; });
    for (auto& item : node.items) {
        item.tag = Node::Tag::none;
        std::vector<NodePath> ignored;
        take_resets(item, path, ignored);
    }
}

}  // namespace

std::vector<NodePath> take_reset_paths(Node& root) {
    std::vector<NodePath> found;
    NodePath path;
    take_resets(root, path, found);
    root.tag = Node::Tag::none;
    return found;
}

void drop_paths(Node& root, const std::vector<NodePath>& paths) {
    for (const auto& path : paths) {
        Node* node = &root;
        for (std::size_t i = 0; node != nullptr && i < path.size(); ++i) {
            if (i + 1 == path.size())
                node->erase(path[i]);
            else
                node = node->find(path[i]);
        }
    }
}

void merge_tree(Node& base, Node over) {
    Merger::merge(base, std::move(over), rules().root());
}

void merge_service(Node& base, Node over) {
    Merger::merge(base, std::move(over), rules().root().child("services").child("*"));
}

void remove_duplicates(Node& root) {
    remove_duplicates(root, rules().root());
}

}  // namespace compose
