// JSON schema text -> Schema. Understands the part of draft 2020-12 that schemas/compose.json uses.
#include <algorithm>
#include <deque>
#include <map>

#include "base/error.hpp"
#include "base/json.hpp"
#include "loader/schema.hpp"

namespace compose {

std::string_view compose_schema();

namespace {

constexpr std::uint8_t bit(Node::Kind kind) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
}

class Compiler {
public:
    explicit Compiler(const json::value& document) : document_(document.as_object()) {}

    const Schema* compile(const json::value& value) {
        const auto& object = value.as_object();
        if (const auto* reference = object.if_contains("$ref")) return definition(view(*reference));
        auto& schema = schemas_.emplace_back();
        fill(schema, object);
        return &schema;
    }

private:
    static std::string_view view(const json::value& value) {
        const auto& text = value.as_string();
        return {text.data(), text.size()};
    }

    // A definition is entered before it is filled, so that it may refer to itself.
    const Schema* definition(std::string_view reference) {
        const auto found = definitions_.find(reference);
        if (found != definitions_.end()) return found->second;
        constexpr std::string_view kPrefix = "#/$defs/";
        if (!reference.starts_with(kPrefix)) throw make_error("schema: {} is no reference to a definition", reference);
        const auto& object = document_.at("$defs").as_object().at(reference.substr(kPrefix.size())).as_object();
        Schema* schema = &schemas_.emplace_back();
        definitions_.emplace(reference, schema);
        fill(*schema, object);
        return schema;
    }

    static std::uint8_t kinds_of(std::string_view type) {
        if (type == "string") return bit(Node::Kind::string);
        if (type == "boolean") return bit(Node::Kind::boolean);
        if (type == "integer") return bit(Node::Kind::integer);
        if (type == "number") return bit(Node::Kind::integer) | bit(Node::Kind::real);
        if (type == "array") return bit(Node::Kind::sequence);
        if (type == "object") return bit(Node::Kind::mapping);
        if (type == "null") return bit(Node::Kind::null);
        throw make_error("schema: unknown type {}", type);
    }

    void fill(Schema& schema, const json::object& object) {
        for (const auto& [name, value] : object) {
            const std::string_view key(name.data(), name.size());
            if (key == "type") {
                if (value.is_string()) schema.kinds = kinds_of(view(value));
                if (value.is_array())
                    for (const auto& type : value.as_array())
                        schema.kinds = static_cast<std::uint8_t>(schema.kinds | kinds_of(view(type)));
            } else if (key == "properties") {
                for (const auto& [property, child] : value.as_object())
                    schema.properties.emplace_back(std::string_view(property.data(), property.size()), compile(child));
            } else if (key == "patternProperties") {
                for (const auto& [pattern, child] : value.as_object())
                    if (pattern != "^x-") schema.named = compile(child);
            } else if (key == "additionalProperties") {
                if (value.is_object()) schema.additional = compile(value);
                if (value.is_bool() && !value.as_bool()) schema.extra = Schema::Extra::forbidden;
            } else if (key == "items") {
                schema.items = compile(value);
            } else if (key == "oneOf") {
                for (const auto& branch : value.as_array()) schema.branches.push_back(compile(branch));
            } else {
                fill_rule(schema, key, value);
            }
        }
        std::sort(schema.properties.begin(), schema.properties.end());
    }

    static void fill_rule(Schema& schema, std::string_view key, const json::value& value) {
        if (key == "required") {
            for (const auto& name : value.as_array()) schema.required.push_back(view(name));
        } else if (key == "enum") {
            for (const auto& choice : value.as_array()) schema.values.push_back(view(choice));
        } else if (key == "x-scalar") {
            const auto type = scalar_type_named(view(value));
            if (!type) throw make_error("schema: unknown x-scalar {}", view(value));
            schema.scalar = *type;
        } else if (key == "x-hint") {
            schema.hint = view(value);
        } else if (key == "uniqueItems") {
            schema.unique = value.as_bool();
        } else if (key == "minimum") {
            schema.minimum = value.as_int64();
        } else if (key == "maximum") {
            schema.maximum = value.as_int64();
        }
    }

    const json::object& document_;
    std::deque<Schema> schemas_;  // addresses stay
    std::map<std::string_view, const Schema*> definitions_;
};

struct Compiled {
    json::value document = parse_json(compose_schema());
    Compiler compiler{document};
    const Schema* root = compiler.compile(document);
};

}  // namespace

const Schema* Schema::property(std::string_view key) const {
    const auto at = std::lower_bound(properties.begin(), properties.end(), key,
                                     [](const auto& entry, std::string_view name) { return entry.first < name; });
    return at != properties.end() && at->first == key ? at->second : nullptr;
}

const Schema* Schema::child(std::string_view key) const {
    if (const auto* found = property(key)) return found;
    return named != nullptr ? named : additional;
}

bool Schema::takes(Node::Kind kind) const {
    if (!branches.empty()) return branch_for(kind) != nullptr;
    return kinds == 0 || (kinds & bit(kind)) != 0;
}

const Schema* Schema::branch_for(Node::Kind kind) const {
    if (branches.empty()) return takes(kind) ? this : nullptr;
    for (const auto* branch : branches)
        if (const auto* found = branch->branch_for(kind)) return found;
    return nullptr;
}

const Schema& compiled_schema() {
    static const Compiled compiled;
    return *compiled.root;
}

}  // namespace compose
