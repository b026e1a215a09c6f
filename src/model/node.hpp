// The tree of a Compose file: scalars, sequences and mappings, each with the place it came from. Mappings keep their
// order. Every stage of the loader works on this; `config` prints it.
#pragma once

#include <compose/diagnostics.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compose {

struct Node {
    enum class Kind : std::uint8_t { null, boolean, integer, real, string, sequence, mapping };
    enum class Tag : std::uint8_t { none, reset, override_ };

    struct Entry;

    Kind kind = Kind::null;
    Tag tag = Tag::none;  // !reset, !override; gone after the merge
    bool quoted = false;  // a string that was quoted or a block scalar: never re-typed
    bool boolean = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;            // string: the value; numbers and booleans: the spelling in the file
    std::vector<Node> items;     // sequence
    std::vector<Entry> entries;  // mapping
    SourcePos pos;               // of the value; a null takes its key's place

    using Past = std::vector<std::shared_ptr<const Node>>;
    std::shared_ptr<const Past> past;  // the values that this one replaced in merges, newest first; null: none

    [[nodiscard]] bool is_null() const { return kind == Kind::null; }
    [[nodiscard]] bool is_scalar() const { return kind != Kind::sequence && kind != Kind::mapping; }
    [[nodiscard]] bool is_string() const { return kind == Kind::string; }
    [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }
    [[nodiscard]] bool is_mapping() const { return kind == Kind::mapping; }

    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] Node* find(std::string_view key);
    [[nodiscard]] const Entry* find_entry(std::string_view key) const;
    /// The value of `key`, made (null) when missing.
    Node& at_or_insert(std::string_view key, SourcePos key_pos);
    bool erase(std::string_view key);

    [[nodiscard]] static Node make_string(std::string value, SourcePos at);
    [[nodiscard]] static Node make_bool(bool value, SourcePos at);
    [[nodiscard]] static Node make_int(std::int64_t value, SourcePos at);
    [[nodiscard]] static Node make_sequence(SourcePos at);
    [[nodiscard]] static Node make_mapping(SourcePos at);
};

struct Node::Entry {
    std::string key;
    SourcePos key_pos;
    Node value;
};

/// What `config` prints: the whole canonical model.
struct ConfigTree {
    Node root;
};

[[nodiscard]] const char* to_string(Node::Kind kind);  // "a string", "a list", "a mapping"

}  // namespace compose
