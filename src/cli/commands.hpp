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
    int failure = 1;                       // the exit status for failures that have none of their own
};

[[nodiscard]] std::span<const CommandInfo> all_commands();
/// Those of the program when it is called by the name `docker`.
[[nodiscard]] std::span<const CommandInfo> docker_commands();

Run define_up(Arguments& arguments);
Run define_down(Arguments& arguments);
Run define_ps(Arguments& arguments);
Run define_logs(Arguments& arguments);
Run define_exec(Arguments& arguments);
Run define_start(Arguments& arguments);
Run define_stop(Arguments& arguments);
Run define_restart(Arguments& arguments);
Run define_kill(Arguments& arguments);
Run define_alpha_dry_run(Arguments& arguments);
Run define_alpha_scale(Arguments& arguments);
Run define_alpha_watch(Arguments& arguments);
Run define_attach(Arguments& arguments);
Run define_bridge_convert(Arguments& arguments);
Run define_bridge_create(Arguments& arguments);
Run define_bridge_list(Arguments& arguments);
Run define_generate(Arguments& arguments);
Run define_commit(Arguments& arguments);
Run define_completion(Arguments& arguments);
Run define_cp(Arguments& arguments);
Run define_create(Arguments& arguments);
Run define_events(Arguments& arguments);
Run define_explain(Arguments& arguments);
Run define_export(Arguments& arguments);
Run define_ls(Arguments& arguments);
Run define_man(Arguments& arguments);
Run define_pause(Arguments& arguments);
Run define_plan(Arguments& arguments);
Run define_port(Arguments& arguments);
Run define_rm(Arguments& arguments);
Run define_run(Arguments& arguments);
Run define_scale(Arguments& arguments);
Run define_stats(Arguments& arguments);
Run define_top(Arguments& arguments);
Run define_unpause(Arguments& arguments);
Run define_viz(Arguments& arguments);
Run define_volumes(Arguments& arguments);
Run define_wait(Arguments& arguments);
Run define_watch(Arguments& arguments);
Run define_config(Arguments& arguments);
Run define_schema(Arguments& arguments);
Run define_version(Arguments& arguments);
Run define_build(Arguments& arguments);
Run define_image_build(Arguments& arguments);
Run define_image_import(Arguments& arguments);
Run define_image_ls(Arguments& arguments);
Run define_image_rm(Arguments& arguments);
Run define_container_attach(Arguments& arguments);
Run define_container_commit(Arguments& arguments);
Run define_container_cp(Arguments& arguments);
Run define_container_create(Arguments& arguments);
Run define_container_diff(Arguments& arguments);
Run define_container_exec(Arguments& arguments);
Run define_container_export(Arguments& arguments);
Run define_container_inspect(Arguments& arguments);
Run define_container_kill(Arguments& arguments);
Run define_container_logs(Arguments& arguments);
Run define_container_ls(Arguments& arguments);
Run define_container_pause(Arguments& arguments);
Run define_container_port(Arguments& arguments);
Run define_container_prune(Arguments& arguments);
Run define_container_rename(Arguments& arguments);
Run define_container_restart(Arguments& arguments);
Run define_container_rm(Arguments& arguments);
Run define_container_run(Arguments& arguments);
Run define_container_start(Arguments& arguments);
Run define_container_stats(Arguments& arguments);
Run define_container_stop(Arguments& arguments);
Run define_container_top(Arguments& arguments);
Run define_container_unpause(Arguments& arguments);
Run define_container_update(Arguments& arguments);
Run define_container_wait(Arguments& arguments);
Run define_network_connect(Arguments& arguments);
Run define_network_create(Arguments& arguments);
Run define_network_disconnect(Arguments& arguments);
Run define_network_inspect(Arguments& arguments);
Run define_network_ls(Arguments& arguments);
Run define_network_prune(Arguments& arguments);
Run define_network_rm(Arguments& arguments);
Run define_volume_create(Arguments& arguments);
Run define_volume_inspect(Arguments& arguments);
Run define_volume_ls(Arguments& arguments);
Run define_volume_prune(Arguments& arguments);
Run define_volume_rm(Arguments& arguments);
Run define_system_df(Arguments& arguments);
Run define_system_events(Arguments& arguments);
Run define_system_boot(Arguments& arguments);
Run define_system_info(Arguments& arguments);
Run define_system_prune(Arguments& arguments);
Run define_inspect(Arguments& arguments);
Run define_docker_version(Arguments& arguments);
Run define_image_pull(Arguments& arguments);
Run define_image_push(Arguments& arguments);
Run define_image_tag(Arguments& arguments);
Run define_image_history(Arguments& arguments);
Run define_image_inspect(Arguments& arguments);
Run define_image_prune(Arguments& arguments);
Run define_image_save(Arguments& arguments);
Run define_image_load(Arguments& arguments);
Run define_image_bootstrap(Arguments& arguments);
Run define_images(Arguments& arguments);
Run define_login(Arguments& arguments);
Run define_logout(Arguments& arguments);
Run define_pull(Arguments& arguments);
Run define_publish(Arguments& arguments);
Run define_push(Arguments& arguments);

}  // namespace compose::cli
