#include "cli/commands.hpp"

namespace compose::cli {

namespace {

constexpr CommandInfo kImageCommands[] = {
    {"build", "Build an image from a Dockerfile", define_image_build},
    {"import", "Make an image of a root file system in a tar file", define_image_import},
    {"ls", "List images", define_image_ls},
    {"rm", "Remove images", define_image_rm},
};

constexpr CommandInfo kCommands[] = {
    {"build", "Build the images of services", define_build},
    {"config", "Check the Compose file and show it in full", define_config, false},
    {"down", "Stop and remove containers and networks", define_down},
    {"exec", "Run a command in a running container", define_exec},
    {"image", "Manage images", nullptr, true, kImageCommands},
    {"kill", "Send a signal to containers", define_kill},
    {"logs", "Show what containers wrote", define_logs},
    {"ps", "List containers", define_ps},
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
