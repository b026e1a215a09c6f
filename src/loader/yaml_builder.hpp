// Builds trees from the events of a YAML parser: aliases, merge keys, duplicate keys and the limits are decided here,
// so that every parser in front gives the same trees.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "loader/yaml_reader.hpp"

namespace compose {

/// Ends the reading of a text; the finding has been added.
struct YamlAbort {};

class YamlBuilder {
public:
    using Anchor = std::size_t;  // 0: none

    YamlBuilder(Diagnostics& findings, const YamlOptions& limits) : findings_(findings), limits_(limits) {}

    /// `quoted` covers block scalars; `tag` is empty without a tag.
    void scalar(SourcePos pos, std::string_view tag, bool quoted, Anchor anchor, std::string text);
    void alias(SourcePos pos, Anchor anchor);
    void begin_sequence(SourcePos pos, std::string_view tag, Anchor anchor) {
        begin(Node::make_sequence(pos), tag, anchor);
    }
    void begin_mapping(SourcePos pos, std::string_view tag, Anchor anchor) {
        begin(Node::make_mapping(pos), tag, anchor);
    }
    void end();
    /// The finished document; a null for an empty one. The builder is ready for the next.
    Node take();

private:
    struct Frame {
        Node node;
        Anchor anchor = 0;
        std::size_t size = 1;  // values in the subtree
        bool has_key = false;
        bool merge_key = false;
        std::string key;
        SourcePos key_pos;
        std::vector<Node> merges;
        std::unordered_map<std::string, SourcePos> keys;  // used from kIndexFrom entries on
    };
    struct Stored {
        Node node;
        std::size_t size = 0;
    };

    void begin(Node node, std::string_view tag, Anchor anchor);
    void deliver(Node node, Anchor anchor, std::size_t size);
    void take_key(const Node& node);
    void add_entry(Frame& frame, Node value);
    void apply_merges(Frame& frame);
    void apply_tag(Node& node, std::string_view tag, bool quoted);
    void store(Anchor anchor, const Node& node, std::size_t size);
    [[noreturn]] void abort(SourcePos pos, std::string message, std::string hint = {});

    Diagnostics& findings_;
    const YamlOptions& limits_;
    std::vector<Frame> stack_;
    std::optional<Node> done_;
    std::unordered_map<Anchor, Stored> anchors_;
    std::unordered_set<Anchor> open_anchors_;
    std::size_t nodes_ = 0;
    std::size_t alias_nodes_ = 0;
    std::size_t stored_nodes_ = 0;
};

}  // namespace compose
