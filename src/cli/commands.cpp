#include "cli/commands.hpp"

namespace compose::cli {

namespace {

constexpr CommandInfo kImageCommands[] = {
    {"bootstrap", "Make a base image of a distribution's packages", define_image_bootstrap},
    {"history", "Show how an image was made", define_image_history},
    {"import", "Make an image of a root file system in a tar file", define_image_import},
    {"inspect", "Show images in detail", define_image_inspect},
    {"load", "Load images from a tar archive or an OCI layout", define_image_load},
    {"ls", "List images", define_image_ls},
    {"prune", "Remove images that nothing uses", define_image_prune},
    {"pull", "Download an image from a registry", define_image_pull},
    {"push", "Upload an image to a registry", define_image_push},
    {"rm", "Remove images", define_image_rm},
    {"save", "Save images to a tar archive", define_image_save},
    {"tag", "Give an image a further name", define_image_tag},
};

constexpr CommandInfo kAlphaCommands[] = {
    {"viz", "Draw the services as a Graphviz graph", define_viz, false},
};

constexpr CommandInfo kCommands[] = {
    {"alpha", "Experimental commands", nullptr, true, kAlphaCommands},
    {"attach", "Connect to a service's running process", define_attach},
    {"commit", "Make an image of a service's container", define_commit},
    {"completion", "Print a completion script for a shell", define_completion, false},
    {"config", "Check the Compose file and show it in full", define_config, false},
    {"cp", "Copy files between here and a service's containers", define_cp},
    {"create", "Create containers without starting them", define_create},
    {"down", "Stop and remove containers and networks", define_down},
    {"events", "Show what happens to the project's containers", define_events},
    {"exec", "Run a command in a running container", define_exec},
    {"explain", "Say why containers are in the state they are in", define_explain},
    {"export", "Write the files of a service's container as a tar", define_export},
    {"image", "Manage images", nullptr, true, kImageCommands},
    {"images", "List the images of the project's containers", define_images},
    {"kill", "Send a signal to containers", define_kill},
    {"login", "Log in to a registry", define_login},
    {"logout", "Log out from a registry", define_logout},
    {"logs", "Show what containers wrote", define_logs},
    {"ls", "List projects", define_ls},
    {"man", "Print manual pages", define_man, false},
    {"pause", "Pause services", define_pause},
    {"plan", "Show what up would change, and why", define_plan},
    {"port", "Show where a port is published", define_port},
    {"ps", "List containers", define_ps},
    {"pull", "Pull the images of services", define_pull},
    {"push", "Push the images of services", define_push},
    {"restart", "Restart containers", define_restart},
    {"rm", "Remove stopped containers", define_rm},
    {"run", "Run a command in a container of its own", define_run},
    {"scale", "Run so many containers of services", define_scale},
    {"schema", "Print the JSON schema of the Compose file", define_schema, false},
    {"start", "Start containers that exist", define_start},
    {"stats", "Show what containers use", define_stats},
    {"stop", "Stop containers", define_stop},
    {"top", "Show the processes of containers", define_top},
    {"unpause", "Unpause services", define_unpause},
    {"up", "Create and start containers", define_up},
    {"version", "Show the version", define_version, false},
    {"volumes", "List the project's volumes", define_volumes},
    {"wait", "Wait until services have ended", define_wait},
    {"watch", "Follow files and keep containers up to date", define_watch},
};

}  // namespace

std::span<const CommandInfo> all_commands() {
    return kCommands;
}

}  // namespace compose::cli
