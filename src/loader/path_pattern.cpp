#include "loader/path_pattern.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {

namespace {

void append(std::string& out, const PathFrame& path) {
    if (path.parent != nullptr) append(out, *path.parent);
    if (path.is_item) {
        out += fmt::format("[{}]", path.index);
    } else if (!path.key.empty()) {
        if (!out.empty()) out += '.';
        const bool printable = std::all_of(path.key.begin(), path.key.end(),
                                           [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
        constexpr std::size_t kShown = 80;
        const auto key = path.key.substr(0, kShown);
        out += printable ? std::string(key) : quote(key);
        if (path.key.size() > kShown) out += "...";
    }
}

const auto kKeyLess = [](const auto& entry, std::string_view key) { return entry.first < key; };

}  // namespace

std::string to_string(const PathFrame& path) {
    std::string out;
    append(out, path);
    return out;
}

PathTrie::PathTrie() {
    nodes_.emplace_back();
}

std::uint32_t PathTrie::step_in(std::uint32_t node, std::string_view part) {
    const auto fresh = static_cast<std::uint32_t>(nodes_.size());
    if (part == "*" || part == "[]") {
        auto& slot = part == "*" ? nodes_[node].any : nodes_[node].item;
        if (slot != 0) return slot;
        slot = fresh;
    } else {
        auto& keys = nodes_[node].keys;
        const auto at = std::lower_bound(keys.begin(), keys.end(), part, kKeyLess);
        if (at != keys.end() && at->first == part) return at->second;
        keys.insert(at, {std::string(part), fresh});
    }
    nodes_.emplace_back();
    return fresh;
}

void PathTrie::add(std::string_view pattern, std::size_t rule) {
    std::uint32_t node = 0;
    for (const auto& part : split(pattern, '.')) node = step_in(node, part);
    nodes_[node].rule = rule;
}

PathTrie::Cursor PathTrie::root() const {
    Cursor out;
    out.trie_ = this;
    out.add(0);
    return out;
}

PathTrie::Cursor PathTrie::Cursor::child(std::string_view key) const {
    Cursor out;
    out.trie_ = trie_;
    for (std::size_t i = 0; i < count_; ++i) {
        const auto& node = trie_->nodes_[nodes_[i]];
        const auto at = std::lower_bound(node.keys.begin(), node.keys.end(), key, kKeyLess);
        if (at != node.keys.end() && at->first == key) out.add(at->second);
    }
    for (std::size_t i = 0; i < count_; ++i)
        if (const auto any = trie_->nodes_[nodes_[i]].any; any != 0) out.add(any);
    return out;
}

PathTrie::Cursor PathTrie::Cursor::item() const {
    Cursor out;
    out.trie_ = trie_;
    for (std::size_t i = 0; i < count_; ++i)
        if (const auto item = trie_->nodes_[nodes_[i]].item; item != 0) out.add(item);
    return out;
}

std::optional<std::size_t> PathTrie::Cursor::rule() const {
    for (std::size_t i = 0; i < count_; ++i)
        if (const auto& rule = trie_->nodes_[nodes_[i]].rule) return rule;
    return std::nullopt;
}

}  // namespace compose
