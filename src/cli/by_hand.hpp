// What the commands for single objects share: access to the containers, targets one after the other, questions.
#pragma once

#include <compose/containers.hpp>
#include <compose/error.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace compose::cli {

class Context;
class Filters;

/// Its progress goes nowhere: what these commands say are names, one a line.
[[nodiscard]] std::unique_ptr<Containers> make_containers(const Context& context);

/// Does `action` for each, prints what it returns (nothing: no line), reports failures and goes on. 1 when one failed.
int each_target(const Context& context, const std::vector<std::string>& targets,
                const std::function<std::string(const std::string&)>& action);
void report_failure(const Context& context, const Error& error);

/// The earliest time of --filter until=; the far future when there is none. Throws Error(usage).
[[nodiscard]] std::int64_t until_filter(const Filters& filters);

/// Asks on the terminal; without one it is an error that names --force.
[[nodiscard]] bool confirm(const std::string& warning);

/// For containers without a name: two words, "calm_turing"; after a few attempts with a number.
[[nodiscard]] std::string made_up_name(int attempt);

[[nodiscard]] int signal_argument(const std::string& text);

}  // namespace compose::cli
