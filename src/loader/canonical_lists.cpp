#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.hpp"
#include "loader/canonical_rules.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

// The value that takes `node`'s place: same tag, same place.
Node in_place_of(const Node& node, Node made) {
    made.tag = node.tag;
    made.past = node.past;
    return made;
}

bool all_strings(const Node& list) {
    return std::all_of(list.items.begin(), list.items.end(), [](const Node& item) { return item.is_string(); });
}

// Splits "KEY=VALUE" items; the last one of a key wins and keeps the first one's position in the list.
void list_to_map(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (!node.is_sequence() || !all_strings(node)) return;
    for (const auto& item : node.items)
        if (context.opaque(item) && item.text.find('$') < item.text.find('=')) return;
    Node map = Node::make_mapping(node.pos);
    map.entries.reserve(node.items.size());
    std::unordered_map<std::string, std::size_t> index;
    for (auto& item : node.items) {
        const auto equals = item.text.find('=');
        auto key = item.text.substr(0, equals);
        if (has_control_character(key)) {
            context.error(item, path, "the key " + shown(key) + " has a control character", "remove it");
            continue;
        }
        Node value;
        value.pos = item.pos;
        if (equals != std::string::npos) value = Node::make_string(item.text.substr(equals + 1), item.pos);
        const auto [at, fresh] = index.try_emplace(key, map.entries.size());
        if (fresh) {
            map.entries.push_back({std::move(key), item.pos, std::move(value)});
        } else {
            map.entries[at->second].key_pos = item.pos;
            map.entries[at->second].value = std::move(value);
        }
    }
    node = in_place_of(node, std::move(map));
}

// Splits like Docker Compose: between quotes a backslash escapes every character, not only the four of a shell.
// Nothing when a quote has no end.
std::optional<std::vector<std::string>> command_words(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    bool in_word = false;
    char quoted = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            if (in_word) out.push_back(std::exchange(word, {}));
            in_word = false;
            continue;
        }
        in_word = true;
        if (c == '\\' && quoted != '\'') {
            if (++i < text.size()) word += text[i];
        } else if (quoted == 0 && (c == '\'' || c == '"')) {
            quoted = c;
        } else if (c == quoted) {
            quoted = 0;
        } else {
            word += c;
        }
    }
    if (quoted != 0) return std::nullopt;
    if (in_word) out.push_back(std::move(word));
    return out;
}

bool needs_a_shell(std::string_view word) {
    for (const std::string_view sign : {"&&", "||", ";", "|", "&", ">", ">>", "<"})
        if (word == sign) return true;
    return false;
}

}  // namespace

bool CanonicalContext::opaque(const Node& node) const {
    return !interpolated && node.is_string() && node.text.find('$') != std::string::npos;
}

void CanonicalContext::error(const Node& node, const PathFrame& path, std::string message, std::string hint) {
    findings.error(node.pos, to_string(path), std::move(message), std::move(hint));
}

void canonical_list(Node& node, const PathFrame&, CanonicalContext&) {
    if (!node.is_string()) return;
    Node list = Node::make_sequence(node.pos);
    list.items.push_back(Node::make_string(node.text, node.pos));
    node = in_place_of(node, std::move(list));
}

void canonical_unique_list(Node& node, const PathFrame& path, CanonicalContext& context) {
    canonical_list(node, path, context);
    if (!node.is_sequence() || node.items.size() < 2) return;
    std::unordered_set<std::string> seen;
    std::erase_if(node.items, [&](const Node& item) { return item.is_scalar() && !seen.insert(item.text).second; });
}

void canonical_command(Node& node, const PathFrame& path, CanonicalContext& context) {
    // Without interpolation a text is printed back as it was written.
    if (!node.is_string() || !context.interpolated) return;
    auto words = command_words(node.text);
    if (!words) {
        context.error(node, path, "can't be split into words: a quote has no end",
                      "close the quote, or write a list: [\"echo\", \"two words\"]");
        return;
    }
    Node list = Node::make_sequence(node.pos);
    for (auto& word : *words) {
        if (needs_a_shell(word))
            context.findings.warning(node.pos, to_string(path),
                                     shown(word) + " is passed on as a word: no shell runs here",
                                     "write [sh, -c, \"...\"] to use a shell");
        list.items.push_back(Node::make_string(std::move(word), node.pos));
    }
    node = in_place_of(node, std::move(list));
}

void canonical_test(Node& node, const PathFrame&, CanonicalContext&) {
    if (!node.is_string()) return;
    Node list = Node::make_sequence(node.pos);
    list.items.push_back(Node::make_string("CMD-SHELL", node.pos));
    list.items.push_back(Node::make_string(node.text, node.pos));
    node = in_place_of(node, std::move(list));
}

void canonical_map(Node& node, const PathFrame& path, CanonicalContext& context) {
    list_to_map(node, path, context);
}

void canonical_labels(Node& node, const PathFrame& path, CanonicalContext& context) {
    list_to_map(node, path, context);
    for (auto& entry : node.entries)
        if (entry.value.is_null() && entry.value.tag != Node::Tag::reset)
            entry.value = in_place_of(entry.value, Node::make_string("", entry.value.pos));
}

void canonical_hosts(Node& node, const PathFrame& path, CanonicalContext& context) {
    Node list = Node::make_sequence(node.pos);
    // What is added becomes a line of a hosts file.
    const auto is_word = [](std::string_view text) {
        return !text.empty() && std::none_of(text.begin(), text.end(),
                                             [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; });
    };
    const auto add = [&](std::string_view host, std::string_view address, SourcePos pos) {
        if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
        host = trim(host);
        address = trim(address);
        Node item = Node::make_string(fmt::format("{}={}", host, address), pos);
        if (!is_word(host) || !is_word(address))
            return context.error(item, path, shown(item.text) + " is not a host and an address",
                                 "write host=ip, for example \"db.local=10.0.0.5\"");
        list.items.push_back(std::move(item));
    };
    if (node.is_mapping()) {
        for (const auto& entry : node.entries) {
            if (entry.value.tag == Node::Tag::reset) return;
            if (entry.value.is_string()) add(entry.key, entry.value.text, entry.key_pos);
            for (const auto& item : entry.value.items)
                if (item.is_string()) add(entry.key, item.text, item.pos);
        }
    } else if (node.is_sequence() && all_strings(node)) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const auto& item = node.items[i];
            const std::string_view text = item.text;
            auto cut = text.find('=');
            if (cut == std::string_view::npos) cut = text.find(':');
            if (context.opaque(item)) {
                list.items.push_back(item);
            } else if (cut == std::string_view::npos || cut == 0 || cut + 1 == text.size()) {
                context.error(item, path.item(i), shown(text) + " is not a host and an address",
                              "write host=ip, for example \"db.local=10.0.0.5\"");
            } else {
                add(text.substr(0, cut), text.substr(cut + 1), item.pos);
            }
        }
    } else {
        return;
    }
    node = in_place_of(node, std::move(list));
}

void canonical_ssh(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (node.is_string()) return canonical_list(node, path, context);
    if (!node.is_mapping()) return;
    Node list = Node::make_sequence(node.pos);
    for (const auto& entry : node.entries)
        list.items.push_back(
            Node::make_string(entry.value.is_string() ? entry.key + "=" + entry.value.text : entry.key, entry.key_pos));
    node = in_place_of(node, std::move(list));
}

void canonical_names(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (!node.is_sequence() || !all_strings(node)) return;
    Node map = Node::make_mapping(node.pos);
    map.entries.reserve(node.items.size());
    std::unordered_set<std::string_view> seen;
    for (const auto& item : node.items) {
        if (!seen.insert(item.text).second) continue;
        if (has_control_character(item.text)) {
            context.error(item, path, shown(item.text) + " has a control character", "remove it");
            continue;
        }
        Node nothing;
        nothing.pos = item.pos;
        map.entries.push_back({item.text, item.pos, std::move(nothing)});
    }
    node = in_place_of(node, std::move(map));
}

void canonical_option_lists(Node& node, const PathFrame& path, CanonicalContext& context) {
    for (auto& entry : node.entries) canonical_list(entry.value, path, context);
}

}  // namespace compose
