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

constexpr CommandInfo kCommands[] = {
    {"config", "Check the Compose file and show it in full", define_config, false},
    {"down", "Stop and remove containers and networks", define_down},
    {"exec", "Run a command in a running container", define_exec},
    {"image", "Manage images", nullptr, true, kImageCommands},
    {"images", "List the images of the project's containers", define_images},
    {"kill", "Send a signal to containers", define_kill},
    {"login", "Log in to a registry", define_login},
    {"logout", "Log out from a registry", define_logout},
    {"logs", "Show what containers wrote", define_logs},
    {"ps", "List containers", define_ps},
    {"pull", "Pull the images of services", define_pull},
    {"push", "Push the images of services", define_push},
    {"restart", "Restart containers", define_restart},
    {"schema", "Print the JSON schema of the Compose file", define_schema, false},
    {"start", "Start containers that exist", define_start},
    {"stop", "Stop containers", define_stop},
    {"up", "Create and start containers", define_up},
    {"version", "Show the version", define_version, false},
};

}  // namespace

std::span<const CommandInfo> all_commands() {
    return kCommands;
}

}  // namespace compose::cli
