// What a load did to values, kept only when somebody will ask (`config --explain`). Stages add to it as they go;
// explain() reads it together with the final tree.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/load.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/node.hpp"

namespace compose {

struct Trace {
    struct Variable {
        std::string name;
        std::optional<std::string> value;
    };
    /// A text with expressions, as it stands in the file.
    struct Expansion {
        std::string text;
        std::vector<Variable> variables;  // those that were looked up
    };
    struct Extends {
        std::string base;
        SourcePos pos;
    };
    struct Setting {
        std::string value;
        SourcePos pos;
    };

    std::map<SourcePos, Expansion> expansions;                       // by the place of the scalar
    std::map<std::pair<std::string, SourcePos>, Extends> inherited;  // by service and place of the value
    std::map<std::uint32_t, SourcePos> included;                     // by file: where `include` names it
    std::string name_from;                                           // what gave the project's name, if no file did
    std::map<std::string, std::string> shell;                        // the caller's environment
    std::map<std::string, std::vector<Setting>> dotenv;              // what .env files say of a variable
    std::map<SourcePos, std::vector<Setting>> beneath;               // by place: values of env_file that lost

    // The tree after each of the late stages.
    Node merged, defaulted, resolved;
};

}  // namespace compose
