// Which variables a project's texts use: a scan for expressions, without their values.
#include <algorithm>
#include <compose/config.hpp>
#include <map>

#include "base/strings.hpp"
#include "model/canonical.hpp"
#include "model/node.hpp"

namespace compose {

namespace {

constexpr std::size_t kMaxNesting = 50;
constexpr std::size_t kColumn = 20;

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
    return starts_name(c) || (c >= '0' && c <= '9');
}

class Scanner {
public:
    void scan(std::string_view text, std::size_t nesting = 0) {
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            if (text[i] != '$') continue;
            if (text[i + 1] == '$') {
                ++i;
            } else if (text[i + 1] == '{') {
                i = expression(text, i + 2, nesting);
            } else if (starts_name(text[i + 1])) {
                std::size_t end = i + 1;
                while (end < text.size() && in_name(text[end])) ++end;
                add(text.substr(i + 1, end - i - 1));
                i = end - 1;
            }
        }
    }

    std::map<std::string, ConfigVariable> found;

private:
    ConfigVariable& add(std::string_view name) {
        auto& variable = found[std::string(name)];
        variable.name = name;
        return variable;
    }

    // `at` is behind "${"; returns the place of the closing brace.
    std::size_t expression(std::string_view text, std::size_t at, std::size_t nesting) {
        std::size_t close = at;
        for (std::size_t open = 1; close < text.size(); ++close) {
            if (text[close] == '{' && text[close - 1] == '$') ++open;
            if (text[close] == '}' && --open == 0) break;
        }
        auto body = text.substr(at, close - at);
        std::size_t end = 0;
        while (end < body.size() && in_name(body[end])) ++end;
        if (end == 0 || !starts_name(body[0])) return close;
        auto& variable = add(body.substr(0, end));
        body.remove_prefix(end);
        if (body.starts_with(':')) body.remove_prefix(1);
        if (body.empty()) return close;
        const char kind = body[0];
        body.remove_prefix(1);
        if (kind == '?') variable.required = true;
        if (kind == '-' && variable.default_value.empty()) variable.default_value = body;
        if (kind == '+' && variable.alternate_value.empty()) variable.alternate_value = body;
        if (nesting < kMaxNesting) scan(body, nesting + 1);
        return close;
    }
};

void walk(const Node& node, Scanner& scanner) {
    if (node.is_string()) scanner.scan(node.text);
    for (const auto& entry : node.entries) walk(entry.value, scanner);
    for (const auto& item : node.items) walk(item, scanner);
}

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    out.append(width > text.size() ? width - text.size() : 1, ' ');
    return out;
}

}  // namespace

std::vector<ConfigVariable> config_variables(const LoadedProject& uninterpolated) {
    Scanner scanner;
    if (uninterpolated.tree) walk(uninterpolated.tree->root, scanner);
    std::vector<ConfigVariable> out;
    for (auto& [name, variable] : scanner.found) out.push_back(std::move(variable));
    return out;
}

std::string render_variables(const std::vector<ConfigVariable>& variables) {
    std::size_t name = kColumn;
    std::size_t fallback = kColumn;
    for (const auto& variable : variables) {
        name = std::max(name, variable.name.size() + 3);
        fallback = std::max(fallback, variable.default_value.size() + 3);
    }
    std::string out =
        padded("NAME", name) + padded("REQUIRED", kColumn) + padded("DEFAULT VALUE", fallback) + "ALTERNATE VALUE\n";
    for (const auto& variable : variables)
        out += padded(variable.name, name) + padded(variable.required ? "true" : "false", kColumn) +
               padded(variable.default_value, fallback) + variable.alternate_value + "\n";
    return out;
}

std::string render_variables(const std::vector<ConfigVariable>& variables, ConfigFormat format) {
    // Docker's YAML has the keys of its JSON in lower case.
    const bool json = format == ConfigFormat::json;
    Node root = Node::make_mapping({});
    for (const auto& variable : variables) {
        Node value = Node::make_mapping({});
        const auto add = [&](const char* name, Node node) {
            value.entries.push_back({json ? name : lower(name), {}, std::move(node)});
        };
        add("Name", Node::make_string(variable.name, {}));
        add("DefaultValue", Node::make_string(variable.default_value, {}));
        add("PresenceValue", Node::make_string(variable.alternate_value, {}));
        add("Required", Node::make_bool(variable.required, {}));
        root.entries.push_back({variable.name, {}, std::move(value)});
    }
    return json ? render_json(root) + "\n" : render_yaml(root);
}

}  // namespace compose
