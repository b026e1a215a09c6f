// The validator: a walk over a tree beside the compiled schema.
#include "loader/schema.hpp"

#include <algorithm>
#include <set>

#include "base/strings.hpp"
#include "loader/path_pattern.hpp"
#include "loader/stages.hpp"

namespace compose {

namespace {

constexpr std::size_t kShownChoices = 8;

bool is_name(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

std::string listed(const std::vector<std::string_view>& words, std::string_view last_joint) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? last_joint : ", ";
        out += words[i];
    }
    return out;
}

// "a string, a list or a mapping"
std::string expected_kinds(const Schema& schema) {
    std::vector<std::string_view> words;
    const auto add = [&](std::string_view word) {
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    };
    if (schema.scalar != ScalarType::any && schema.scalar != ScalarType::text) add(describe(schema.scalar));
    for (const auto kind : {Node::Kind::string, Node::Kind::boolean, Node::Kind::integer, Node::Kind::real,
                            Node::Kind::sequence, Node::Kind::mapping}) {
        const auto* branch = schema.branch_for(kind);
        if (branch == nullptr) continue;
        const bool scalar = kind != Node::Kind::sequence && kind != Node::Kind::mapping;
        const bool special = branch->scalar != ScalarType::any && branch->scalar != ScalarType::text;
        add(scalar && special ? describe(branch->scalar) : to_string(kind));
    }
    return listed(words, " or ");
}

class Validator {
public:
    Validator(Diagnostics& findings, bool interpolated) : findings_(findings), interpolated_(interpolated) {}

    // `key_pos` is where the value's key stands: the place to name when a whole block has the wrong shape.
    void check(const Node& node, const Schema& schema, const PathFrame& path, SourcePos key_pos) {
        if (node.tag == Node::Tag::reset) return;
        if (!interpolated_ && node.is_string() && node.text.find('$') != std::string::npos) return;
        const auto* branch = schema.branch_for(node.kind);
        if (branch == nullptr) return wrong_kind(node, schema, path, key_pos);
        const auto& hint = branch->hint.empty() ? schema.hint : branch->hint;
        if (node.is_mapping()) return check_mapping(node, *branch, path, key_pos);
        if (node.is_sequence()) return check_sequence(node, *branch, path);
        check_scalar(node, *branch, path, hint);
    }

private:
    void wrong_kind(const Node& node, const Schema& schema, const PathFrame& path, SourcePos key_pos) {
        const bool block = !node.is_scalar() && key_pos.known();
        std::string hint(schema.hint);
        const auto* as_text = schema.branch_for(Node::Kind::string);
        if (hint.empty() && node.is_scalar() && !node.is_null() && as_text != nullptr) {
            const bool special = as_text->scalar != ScalarType::any && as_text->scalar != ScalarType::text;
            hint = special ? std::string(advice(as_text->scalar)) : "put it in quotes: " + shown(node.text);
        }
        if (hint.empty() && node.is_string() && schema.takes(Node::Kind::sequence) &&
            !schema.takes(Node::Kind::mapping))
            hint = "write [" + shown(node.text) + "]";
        if (hint.empty() && node.is_sequence() && schema.takes(Node::Kind::mapping) && as_text == nullptr)
            hint = "write key: value lines without dashes";
        findings_.error(block ? key_pos : node.pos, to_string(path),
                        "must be " + expected_kinds(schema) + ", not " + to_string(node.kind), hint);
    }

    void check_mapping(const Node& node, const Schema& schema, const PathFrame& path, SourcePos key_pos) {
        for (const auto& entry : node.entries) {
            if (entry.value.tag == Node::Tag::reset) continue;
            const auto* child = schema.child(entry.key);
            const bool extension = schema.named == nullptr && entry.key.starts_with("x-");
            if (child != nullptr && child == schema.named && !is_name(entry.key)) {
                findings_.error(entry.key_pos, to_string(path), shown(entry.key) + " is not a valid name",
                                "use letters, digits, _, . and -");
            } else if (child == nullptr && !extension && schema.extra == Schema::Extra::forbidden) {
                unknown_key(entry, schema, path);
                continue;
            }
            // An empty value says nothing: it keeps what the files before have.
            if (child == nullptr || entry.value.is_null()) continue;
            check(entry.value, *child, path.child(entry.key), entry.key_pos);
        }
        for (const auto name : schema.required) {
            const auto* value = node.find(name);
            if (value != nullptr && (!value->is_null() || value->tag == Node::Tag::reset)) continue;
            findings_.error(node.pos.known() ? node.pos : key_pos, to_string(path), fmt::format("needs {}", name),
                            std::string(schema.hint));
        }
    }

    void check_sequence(const Node& node, const Schema& schema, const PathFrame& path) {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const auto& item = node.items[i];
            if (schema.items != nullptr) check(item, *schema.items, path.item(i), item.pos);
            if (schema.unique && item.is_scalar() && !seen.insert(scalar_text(item)).second)
                findings_.error(item.pos, to_string(path), shown(scalar_text(item)) + " is listed twice",
                                "remove one: the items must be unique");
        }
    }

    void check_scalar(const Node& node, const Schema& schema, const PathFrame& path, std::string_view hint) {
        if (!fits_scalar(node, schema.scalar)) {
            findings_.error(node.pos, to_string(path), shown(scalar_text(node)) + " is not " + describe(schema.scalar),
                            hint.empty() ? advice(schema.scalar) : std::string(hint));
            return;
        }
        if (!schema.values.empty() &&
            std::find(schema.values.begin(), schema.values.end(), node.text) == schema.values.end()) {
            const auto near = nearest(node.text, schema.values);
            findings_.error(node.pos, to_string(path),
                            shown(node.text) + (schema.values.size() > 1 ? " is not one of " : " is not ") +
                                listed(schema.values, " or "),
                            near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
            return;
        }
        check_range(node, schema, path);
    }

    void check_range(const Node& node, const Schema& schema, const PathFrame& path) {
        if (!schema.minimum && !schema.maximum) return;
        const auto value = number_of(node);
        if (!value) return;
        if (schema.minimum && *value < static_cast<double>(*schema.minimum))
            findings_.error(node.pos, to_string(path),
                            fmt::format("{} is too small: {} is the least", scalar_text(node), *schema.minimum));
        if (schema.maximum && *value > static_cast<double>(*schema.maximum))
            findings_.error(node.pos, to_string(path),
                            fmt::format("{} is too large: {} is the most", scalar_text(node), *schema.maximum));
    }

    void unknown_key(const Node::Entry& entry, const Schema& schema, const PathFrame& path) {
        // Only what is shown gets advice, since the search for a near name is dear.
        if (findings_.error_count() > Diagnostics::kMaxFindings)
            return findings_.error(entry.key_pos, {}, "unknown attribute");
        const bool service = path.parent == nullptr && entry.value.is_mapping() &&
                             (entry.value.find("image") != nullptr || entry.value.find("build") != nullptr);
        if (service)
            return findings_.error(entry.key_pos, {}, "unknown attribute " + shown(entry.key),
                                   "services stand under services:, indented");
        std::vector<std::string_view> known;
        for (const auto& [name, child] : schema.properties) known.push_back(name);
        std::string hint;
        if (const auto near = nearest(entry.key, known); !near.empty()) {
            hint = fmt::format("did you mean \"{}\"?", near);
        } else if (known.size() <= kShownChoices) {
            hint = "known here: " + listed(known, " and ");
        } else {
            hint = fmt::format("remove it, or name it {} to keep it as an extension",
                               entry.key.size() <= 64 && is_name(entry.key) ? "x-" + entry.key : "x-...");
        }
        findings_.error(entry.key_pos, to_string(path), "unknown attribute " + shown(entry.key), hint);
    }

    Diagnostics& findings_;
    bool interpolated_;
};

}  // namespace

void validate_schema(const Node& root, Diagnostics& findings, bool interpolated) {
    Validator(findings, interpolated).check(root, compiled_schema(), PathFrame{}, root.pos);
}

}  // namespace compose
