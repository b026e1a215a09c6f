// Every verb: its name, one line about it, and the function that declares its options and returns what it does. Only
// the verb that is asked for is ever declared, which keeps the start of the program short.
#pragma once

#include <functional>
#include <span>

namespace compose::cli {

class Arguments;
class Context;

/// Does the command; the result is the exit status. Failures are exceptions.
using Run = std::function<int(Context&)>;

struct CommandInfo {
    const char* name;
    const char* summary;
    Run (*define)(Arguments&);  // null for a group
    bool needs_root = true;
    std::span<const CommandInfo> group{};  // "image" -> import, ls, rm
};

[[nodiscard]] std::span<const CommandInfo> all_commands();

Run define_up(Arguments& arguments);
Run define_down(Arguments& arguments);
Run define_ps(Arguments& arguments);
Run define_logs(Arguments& arguments);
Run define_exec(Arguments& arguments);
Run define_start(Arguments& arguments);
Run define_stop(Arguments& arguments);
Run define_restart(Arguments& arguments);
Run define_kill(Arguments& arguments);
Run define_config(Arguments& arguments);
Run define_schema(Arguments& arguments);
Run define_version(Arguments& arguments);
Run define_build(Arguments& arguments);
Run define_image_build(Arguments& arguments);
Run define_image_import(Arguments& arguments);
Run define_image_ls(Arguments& arguments);
Run define_image_rm(Arguments& arguments);

}  // namespace compose::cli
