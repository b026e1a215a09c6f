// One stage, instruction by instruction: replaces variables, keeps the config up to date and says what is to be done.
// Needs to know what the stage is based on, and does nothing itself. Pure.
#pragma once

#include <compose/diagnostics.hpp>
#include <map>
#include <string>
#include <vector>

#include "build/dockerfile.hpp"
#include "build/run_config.hpp"
#include "build/stages.hpp"
#include "build/steps.hpp"

namespace compose::build {

class StageEvaluator {
public:
    /// `globals`: what ARG without a default takes; `given`: --build-arg.
    StageEvaluator(char escape, Values globals, Values given, RunConfig base);

    /// Throws Error(invalid) for what can only be seen with the values at hand; undefined variables are warnings.
    [[nodiscard]] Step evaluate(const Instruction& one, Diagnostics& findings);
    [[nodiscard]] const RunConfig& config() const { return config_; }
    RunConfig& config() { return config_; }
    /// Names of --build-arg that some ARG has taken.
    [[nodiscard]] const std::map<std::string, bool>& used_args() const { return used_; }

private:
    [[nodiscard]] Lookup lookup() const;
    [[nodiscard]] std::string expand(const std::string& text, SourcePos pos, Diagnostics& findings) const;
    [[nodiscard]] std::vector<std::string> expand_words(const Instruction& one, Diagnostics& findings) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> key_values(const Instruction& one,
                                                                              Diagnostics& findings) const;
    [[nodiscard]] std::vector<std::string> command(const Instruction& one) const;
    [[nodiscard]] std::vector<std::string> shell() const;

    void arg(const Instruction& one, Diagnostics& findings);
    void env(const Instruction& one, Diagnostics& findings);
    void label(const Instruction& one, Diagnostics& findings);
    void expose(const Instruction& one, Diagnostics& findings);
    void volume(const Instruction& one, Diagnostics& findings);
    void user(const Instruction& one, Diagnostics& findings);
    void stop_signal(const Instruction& one, Diagnostics& findings);
    void health_check(const Instruction& one);
    [[nodiscard]] RunStep run(const Instruction& one, Diagnostics& findings) const;
    [[nodiscard]] CopyStep copy(const Instruction& one, Diagnostics& findings) const;
    [[nodiscard]] WorkdirStep workdir(const Instruction& one, Diagnostics& findings);

    char escape_;
    Values globals_, given_;
    RunConfig config_;
    Values args_;  // declared in this stage, with values
    std::map<std::string, bool> used_;
    bool cmd_set_ = false;
};

}  // namespace compose::build
