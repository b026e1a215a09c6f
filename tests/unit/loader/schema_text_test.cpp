// The schema as editors read it: valid JSON, a description for every attribute, no keyword that a checker would not
// know.
#include <compose/config.hpp>
#include <string>

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace compose {
namespace {

class Walk {
public:
    explicit Walk(const json::object& root) : definitions_(root.at("$defs").as_object()) {
        visit(root, "");
        for (const auto& [name, value] : definitions_) visit(value.as_object(), "$defs." + std::string(name));
    }
    std::size_t attributes = 0;

private:
    bool described(const json::object& schema) const {
        if (schema.contains("description")) return true;
        const auto* reference = schema.if_contains("$ref");
        if (reference == nullptr) return false;
        const auto name = std::string_view(reference->as_string()).substr(std::string_view("#/$defs/").size());
        return definitions_.at(name).as_object().contains("description");
    }

    void visit(const json::object& schema, const std::string& path) {
        for (const char* key : {"properties", "patternProperties"}) {
            const auto* children = schema.if_contains(key);
            if (children == nullptr) continue;
            for (const auto& [name, child] : children->as_object()) {
                const auto at = path + "." + std::string(name);
                if (std::string(key) == "properties") {
                    ++attributes;
                    EXPECT_TRUE(described(child.as_object())) << at << " has no description";
                }
                visit(child.as_object(), at);
            }
        }
        for (const char* key : {"items", "additionalProperties"})
            if (const auto* child = schema.if_contains(key); child != nullptr && child->is_object())
                visit(child->as_object(), path + "[]");
        if (const auto* branches = schema.if_contains("oneOf"))
            for (const auto& branch : branches->as_array()) visit(branch.as_object(), path);
    }

    const json::object& definitions_;
};

TEST(SchemaText, DescribesEveryAttribute) {
    const auto document = parse_json(compose_schema());
    EXPECT_EQ(string_or(document.as_object(), "$schema"), "https://json-schema.org/draft/2020-12/schema");
    EXPECT_GT(Walk(document.as_object()).attributes, 250U);
}

}  // namespace
}  // namespace compose
