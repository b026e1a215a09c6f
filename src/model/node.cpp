#include "model/node.hpp"

#include <algorithm>

namespace compose {

const Node::Entry* Node::find_entry(std::string_view key) const {
    for (const auto& entry : entries)
        if (entry.key == key) return &entry;
    return nullptr;
}

const Node* Node::find(std::string_view key) const {
    const auto* entry = find_entry(key);
    return entry == nullptr ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

Node& Node::at_or_insert(std::string_view key, SourcePos key_pos) {
    if (auto* found = find(key)) return *found;
    entries.push_back({std::string(key), key_pos, {}});
    entries.back().value.pos = key_pos;
    return entries.back().value;
}

bool Node::erase(std::string_view key) {
    const auto at = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    if (at == entries.end()) return false;
    entries.erase(at);
    return true;
}

Node Node::make_string(std::string value, SourcePos at) {
    Node node;
    node.kind = Kind::string;
    node.text = std::move(value);
    node.pos = at;
    return node;
}

Node Node::make_bool(bool value, SourcePos at) {
    Node node;
    node.kind = Kind::boolean;
    node.boolean = value;
    node.text = value ? "true" : "false";
    node.pos = at;
    return node;
}

Node Node::make_int(std::int64_t value, SourcePos at) {
    Node node;
    node.kind = Kind::integer;
    node.integer = value;
    node.text = std::to_string(value);
    node.pos = at;
    return node;
}

Node Node::make_sequence(SourcePos at) {
    Node node;
    node.kind = Kind::sequence;
    node.pos = at;
    return node;
}

Node Node::make_mapping(SourcePos at) {
    Node node;
    node.kind = Kind::mapping;
    node.pos = at;
    return node;
}

const char* to_string(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::boolean:
            return "a boolean";
        case Node::Kind::integer:
            return "a number";
        case Node::Kind::real:
            return "a number";
        case Node::Kind::string:
            return "a string";
        case Node::Kind::sequence:
            return "a list";
        case Node::Kind::mapping:
            return "a mapping";
    }
    return "a value";
}

}  // namespace compose
