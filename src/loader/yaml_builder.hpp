// Builds trees from the events of a YAML parser: aliases, merge keys, duplicate keys and the limits are decided here,
// so that every parser in front gives the same trees.
#pragma once

#include <deque>
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

    YamlBuilder(const SourceMap& sources, const YamlOptions& limits) : sources_(sources), limits_(limits) {}

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
    /// Hands over what was found wrong so far: kept until then, since a parser may give up and leave no trace.
    void report(Diagnostics& findings);
    [[noreturn]] void abort(SourcePos pos, std::string message, std::string hint = {});

private:
    /// A collection that is not finished. Frames stay when their collection ends, so that the next one at this depth
    /// finds its room ready; the finished node gets exactly the room that it needs.
    struct Frame {
        Node node;  // without its contents
        std::vector<Node> items;
        std::vector<Node::Entry> entries;
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

    void error(SourcePos pos, std::string message, std::string hint = {});
    [[nodiscard]] std::string place(SourcePos pos) const;
    [[nodiscard]] Frame& top() { return stack_[depth_ - 1]; }
    void begin(Node node, std::string_view tag, Anchor anchor);
    void deliver(Node node, Anchor anchor, std::size_t size);
    void take_key(Node& node);
    void add_entry(Frame& frame, Node value);
    void apply_merges(Frame& frame);
    void apply_tag(Node& node, std::string_view tag, bool quoted);
    void store(Anchor anchor, const Node& node, std::size_t size);

    const SourceMap& sources_;
    std::vector<Diagnostic> found_;
    const YamlOptions& limits_;
    std::deque<Frame> stack_;
    std::size_t depth_ = 0;  // frames in use
    std::optional<Node> done_;
    std::unordered_map<Anchor, Stored> anchors_;
    std::unordered_set<Anchor> open_anchors_;
    std::size_t nodes_ = 0;
    std::size_t alias_nodes_ = 0;
    std::size_t stored_nodes_ = 0;
};

}  // namespace compose
