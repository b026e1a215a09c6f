// A Dockerfile as stages: which instructions belong to which, what each is based on and needs, and whether every
// instruction is one that can be carried out. Pure.
#pragma once

#include <compose/diagnostics.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "build/dockerfile.hpp"
#include "build/variables.hpp"

namespace compose::build {

using Values = std::map<std::string, std::string>;

struct Stage {
    std::size_t index = 0;
    std::string name;      // lower case; empty when it has none
    std::string base;      // expanded
    std::string platform;  // of --platform, expanded
    SourcePos pos;         // of FROM
    SourcePos base_pos;
    std::string from_text;  // "FROM debian AS x"
    std::optional<std::size_t> base_stage;
    std::vector<Instruction> instructions;
    std::vector<std::size_t> needs;  // stages, sorted
};

struct BuildFile {
    Dockerfile file;                       // without its instructions
    std::vector<Instruction> global_args;  // before the first FROM
    Values globals;                        // their values, and the platform's
    std::vector<Stage> stages;

    /// By name or number; nothing when there is no such stage.
    [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;
};

struct StageOptions {
    Values build_args;
    Values platform_args;               // TARGETPLATFORM and the like
    std::vector<std::string> contexts;  // names that stand for something given from outside
};

/// Everything that can be checked without doing anything is.
[[nodiscard]] BuildFile plan_stages(Dockerfile file, const StageOptions& options, Diagnostics& findings);
/// The stages that `target` needs, itself last, each after all that it needs.
[[nodiscard]] std::vector<std::size_t> needed_stages(const BuildFile& file, std::size_t target);

/// One instruction alone: its flags, the number of its arguments, JSON where it must be.
void check_instruction(const Instruction& instruction, char escape, Diagnostics& findings);
[[nodiscard]] const Flag* find_flag(const Instruction& instruction, std::string_view name);
/// "HTTP_PROXY" and its kin: values that a build may be given without declaring them.
[[nodiscard]] bool is_proxy_arg(std::string_view name);

}  // namespace compose::build
