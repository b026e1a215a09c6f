// Trees and findings as short text, for expectations in tests.
#pragma once

#include <compose/diagnostics.hpp>
#include <string>

#include <fmt/format.h>

#include "model/node.hpp"

namespace compose {

/// Flow style: {a: 1, b: [x, "2"], c: null}. Strings that another type could be taken for are quoted.
inline std::string flow(const Node& node) {
    std::string out;
    switch (node.kind) {
        case Node::Kind::null:
            return "null";
        case Node::Kind::boolean:
            return node.boolean ? "true" : "false";
        case Node::Kind::integer:
            return fmt::format("{}", node.integer);
        case Node::Kind::real:
            return fmt::format("{}r", node.real);
        case Node::Kind::string:
            return "'" + node.text + "'";
        case Node::Kind::sequence:
            for (const auto& item : node.items) out += (out.empty() ? "" : ", ") + flow(item);
            return "[" + out + "]";
        case Node::Kind::mapping:
            for (const auto& entry : node.entries)
                out += (out.empty() ? "" : ", ") + entry.key + ": " + flow(entry.value);
            return "{" + out + "}";
    }
    return out;
}

/// "FILE:LINE:COLUMN: message" for each, one a line.
inline std::string text_of(const Diagnostics& findings) {
    std::string out;
    for (const auto& item : findings.sorted())
        out += fmt::format("{}:{}:{}: {}{}{}\n", item.pos.file == 0 ? "" : findings.sources.name(item.pos.file),
                           item.pos.line, item.pos.column, item.path, item.path.empty() ? "" : ": ", item.message);
    return out;
}

}  // namespace compose
