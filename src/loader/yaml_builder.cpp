#include "loader/yaml_builder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/tree_edit.hpp"

namespace compose {

namespace {

constexpr std::size_t kIndexFrom = 16;
constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

}  // namespace

void YamlBuilder::error(SourcePos pos, std::string message, std::string hint) {
    found_.push_back({Severity::error, pos, "", std::move(message), std::move(hint)});
}

void YamlBuilder::abort(SourcePos pos, std::string message, std::string hint) {
    error(pos, std::move(message), std::move(hint));
    throw YamlAbort{};
}

std::string YamlBuilder::place(SourcePos pos) const {
    return fmt::format("{}:{}:{}", sources_.name(pos.file), pos.line, pos.column);
}

void YamlBuilder::report(Diagnostics& findings) {
    for (auto& item : found_) {
        if (item.severity == Severity::error)
            findings.error(item.pos, "", std::move(item.message), std::move(item.hint));
        else
            findings.warning(item.pos, "", std::move(item.message), std::move(item.hint));
    }
    found_.clear();
}

void YamlBuilder::apply_tag(Node& node, std::string_view tag, bool quoted) {
    if (tag.empty()) return;
    if (tag == "!reset" || tag == "!override") {
        node.tag = tag == "!reset" ? Node::Tag::reset : Node::Tag::override_;
        return;
    }
    const auto core = tag.starts_with(kCoreTag) ? tag.substr(kCoreTag.size()) : std::string_view{};
    if (core == "map" || core == "seq" || core == "str") return;
    if (core == "int" || core == "float" || core == "bool" || core == "null") {
        if (!node.is_scalar()) return;
        if (quoted) node = resolve_plain_scalar(node.text, node.pos);
        const bool number = node.kind == Node::Kind::integer || node.kind == Node::Kind::real;
        const bool fits = core == "int"     ? node.kind == Node::Kind::integer
                          : core == "float" ? number
                          : core == "bool"  ? node.kind == Node::Kind::boolean
                                            : node.is_null();
        if (!fits) error(node.pos, fmt::format("{} is not of type !!{}", quote(node.text), core));
        return;
    }
    found_.push_back({Severity::warning, node.pos, "",
                      fmt::format("the tag {} means nothing in a Compose file", quote(tag)),
                      "tags that count are !reset and !override"});
}

void YamlBuilder::scalar(SourcePos pos, std::string_view tag, bool quoted, Anchor anchor, std::string text) {
    if (text.find('\0') != std::string::npos) abort(pos, "a NUL character is not allowed in a value");
    Node node;
    const bool is_text = quoted || tag == "tag:yaml.org,2002:str";
    if (is_text) {
        node = Node::make_string(std::move(text), pos);
        node.quoted = true;
    } else {
        node = resolve_plain_scalar(text, pos);
    }
    apply_tag(node, tag, quoted);
    deliver(std::move(node), anchor, 1);
}

void YamlBuilder::alias(SourcePos pos, Anchor anchor) {
    if (open_anchors_.contains(anchor))
        abort(pos, "an anchor that contains itself: this alias stands inside its own anchor");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) abort(pos, "the alias has no anchor before it");
    alias_nodes_ += found->second.size;
    if (alias_nodes_ > limits_.alias_nodes)
        abort(pos, fmt::format("the aliases expand to more than {} values", limits_.alias_nodes));
    Node copy = found->second.node;
    copy.pos = pos;
    deliver(std::move(copy), 0, found->second.size);
}

void YamlBuilder::begin(Node node, std::string_view tag, Anchor anchor) {
    if (depth_ >= limits_.depth) abort(node.pos, fmt::format("nested more than {} levels deep", limits_.depth));
    apply_tag(node, tag, false);
    if (anchor != 0) open_anchors_.insert(anchor);
    if (depth_ == stack_.size()) stack_.emplace_back();
    Frame& frame = stack_[depth_++];
    frame.node = std::move(node);
    frame.anchor = anchor;
    frame.size = 1;
    frame.has_key = false;
}

namespace {

template <class T>
std::vector<T> exactly(std::vector<T>& room) {
    std::vector<T> out(std::make_move_iterator(room.begin()), std::make_move_iterator(room.end()));
    room.clear();
    return out;
}

}  // namespace

void YamlBuilder::end() {
    Frame& frame = top();
    if (!frame.merges.empty()) apply_merges(frame);
    if (!frame.items.empty()) frame.node.items = exactly(frame.items);
    if (!frame.entries.empty()) frame.node.entries = exactly(frame.entries);
    frame.keys.clear();
    --depth_;
    if (frame.anchor != 0) open_anchors_.erase(frame.anchor);
    deliver(std::move(frame.node), frame.anchor, frame.size);
}

void YamlBuilder::store(Anchor anchor, const Node& node, std::size_t size) {
    stored_nodes_ += size;
    if (stored_nodes_ > limits_.alias_nodes)
        abort(node.pos, fmt::format("the anchors hold more than {} values", limits_.alias_nodes));
    anchors_[anchor] = {node, size};
}

void YamlBuilder::deliver(Node node, Anchor anchor, std::size_t size) {
    if (anchor != 0) store(anchor, node, size);
    if (node.is_scalar() && ++nodes_ > limits_.nodes)
        abort(node.pos, fmt::format("more than {} values", limits_.nodes));
    if (depth_ == 0) {
        done_ = std::move(node);
        return;
    }
    Frame& frame = top();
    if (frame.node.is_sequence()) {
        frame.size += size;
        frame.items.push_back(std::move(node));
    } else if (!frame.has_key) {
        take_key(node);
    } else {
        frame.size += size;
        add_entry(frame, std::move(node));
    }
}

void YamlBuilder::take_key(Node& node) {
    Frame& frame = top();
    frame.has_key = true;
    frame.key_pos = node.pos;
    frame.key = node.text;
    frame.merge_key = node.is_string() && !node.quoted && node.text == "<<";
    if (node.is_scalar() && !node.is_string()) {
        error(node.pos,
              fmt::format("the key {} is {}, not a string", node.is_null() ? "null" : node.text,
                          node.is_null() ? "nothing" : to_string(node.kind)),
              "put it in quotes");
        if (node.is_null()) frame.key = "null";
    } else if (!node.is_scalar()) {
        error(node.pos, fmt::format("{} cannot be a key", to_string(node.kind)));
    } else if (has_control_character(node.text)) {
        error(node.pos, fmt::format("the key {} has a control character", quote(node.text)));
    }
}

void YamlBuilder::add_entry(Frame& frame, Node value) {
    frame.has_key = false;
    if (value.is_null()) value.pos = frame.key_pos;
    if (frame.merge_key) {
        if (value.is_sequence())
            for (auto& item : value.items) frame.merges.push_back(std::move(item));
        else
            frame.merges.push_back(std::move(value));
        return;
    }
    auto& entries = frame.entries;
    std::optional<SourcePos> earlier;
    if (entries.size() < kIndexFrom) {
        for (const auto& entry : entries)
            if (entry.key == frame.key) earlier = entry.key_pos;
    } else {
        if (frame.keys.empty())
            for (const auto& entry : entries) frame.keys.emplace(entry.key, entry.key_pos);
        const auto [at, fresh] = frame.keys.emplace(frame.key, frame.key_pos);
        if (!fresh) earlier = at->second;
    }
    if (earlier) {
        error(frame.key_pos, fmt::format("duplicate key {}: already set at {}", quote(frame.key), place(*earlier)));
        return;
    }
    entries.push_back({std::move(frame.key), frame.key_pos, std::move(value)});
}

// What stands in the mapping itself wins over every merged one, and an earlier merged one over a later.
void YamlBuilder::apply_merges(Frame& frame) {
    std::unordered_set<std::string> seen;
    for (const auto& entry : frame.entries) seen.insert(entry.key);
    for (auto& merged : frame.merges) {
        if (!merged.is_mapping()) {
            error(merged.pos, fmt::format("<< takes a mapping or a list of mappings, not {}", to_string(merged.kind)));
            continue;
        }
        for (auto& entry : merged.entries)
            if (seen.insert(entry.key).second) frame.entries.push_back(std::move(entry));
    }
    frame.merges.clear();
}

Node YamlBuilder::take() {
    depth_ = 0;
    stack_.clear();
    anchors_.clear();
    open_anchors_.clear();
    Node out = done_ ? std::move(*done_) : Node{};
    done_.reset();
    return out;
}

}  // namespace compose
