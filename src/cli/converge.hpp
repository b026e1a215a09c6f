// What `up`, `create` and `scale` share: making containers what the file says.
#pragma once

#include <compose/engine.hpp>
#include <map>
#include <string>
#include <vector>

namespace compose::cli {

class Arguments;
class Context;

/// "web=3" of --scale and of `scale`. Throws Error(usage).
[[nodiscard]] std::map<std::string, int> parse_scale(const std::vector<std::string>& texts, const char* flag);
/// Throws Error(usage) when both are given.
void exclude(const char* command, bool first, const char* first_name, bool second, const char* second_name);
/// Orphans as flags and COMPOSE_REMOVE_ORPHANS, COMPOSE_IGNORE_ORPHANS say.
void set_orphans(const Context& context, const char* command, bool remove, UpOptions& options);
/// --build, --pull and their like, as `create` and `run` have them.
struct ImageArgs {
    bool build = false, no_build = false, quiet_pull = false, quiet_build = false;
    std::string pull;
};
void define_images(Arguments& arguments, ImageArgs& args);
/// Throws Error(usage).
void set_images(const char* command, const ImageArgs& args, UpOptions& options);
/// A volume is never made anew without an answer, or `yes`: its data is lost then.
void ask_for_volumes(Context& context, const char* command, bool yes, const Project& project, UpOptions& options);
/// Loads, plans and does. `yes` answers all questions. Returns the exit status.
int converge(Context& context, const char* title, const std::vector<std::string>& services, UpOptions options,
             bool yes = false);

}  // namespace compose::cli
