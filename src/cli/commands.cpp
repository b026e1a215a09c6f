#include "cli/commands.hpp"

#include "cli/builder.hpp"
#include "cli/complete.hpp"
#include "cli/docker_context.hpp"

namespace compose::cli {

namespace {

constexpr CommandInfo kContainerCommands[] = {
    {"attach", "Attach our input and output to a running container", define_container_attach},
    {"commit", "Make an image of a container", define_container_commit},
    {"cp", "Copy files between a container and this machine", define_container_cp},
    {"create", "Make a container without starting it", define_container_create, true, {}, 125},
    {"diff", "Show which files of a container have changed", define_container_diff},
    {"exec", "Run a command in a running container", define_container_exec},
    {"export", "Write a container's file system as a tar file", define_container_export},
    {"inspect", "Show everything about containers", define_container_inspect},
    {"kill", "Send a signal to containers", define_container_kill},
    {"logs", "Show what a container wrote", define_container_logs},
    {"ls", "List containers", define_container_ls},
    {"list", "The same", define_container_ls},
    {"ps", "The same", define_container_ls},
    {"pause", "Freeze containers", define_container_pause},
    {"port", "Show the published ports of a container", define_container_port},
    {"prune", "Remove containers that do not run", define_container_prune},
    {"rename", "Give a container another name", define_container_rename},
    {"restart", "Restart containers", define_container_restart},
    {"rm", "Remove containers", define_container_rm},
    {"remove", "The same", define_container_rm},
    {"run", "Make and start a container", define_container_run, true, {}, 125},
    {"start", "Start containers", define_container_start},
    {"stats", "Show what containers use", define_container_stats},
    {"stop", "Stop containers", define_container_stop},
    {"top", "Show the processes of a container", define_container_top},
    {"unpause", "Let frozen containers go on", define_container_unpause},
    {"update", "Change the limits of containers", define_container_update},
    {"wait", "Wait for the end of containers", define_container_wait},
};

constexpr CommandInfo kNetworkCommands[] = {
    {"connect", "Put a container on a network", define_network_connect},
    {"create", "Make a network", define_network_create},
    {"disconnect", "Take a container off a network", define_network_disconnect},
    {"inspect", "Show everything about networks", define_network_inspect},
    {"ls", "List networks", define_network_ls},
    {"list", "The same", define_network_ls},
    {"prune", "Remove networks that nobody uses", define_network_prune},
    {"rm", "Remove networks", define_network_rm},
    {"remove", "The same", define_network_rm},
};

constexpr CommandInfo kVolumeCommands[] = {
    {"create", "Make a volume", define_volume_create},
    {"inspect", "Show everything about volumes", define_volume_inspect},
    {"ls", "List volumes", define_volume_ls},
    {"list", "The same", define_volume_ls},
    {"prune", "Remove volumes that nobody uses", define_volume_prune},
    {"rm", "Remove volumes", define_volume_rm},
    {"remove", "The same", define_volume_rm},
};

constexpr CommandInfo kSystemCommands[] = {
    {"boot", "Start what ran before the machine went down", define_system_boot},
    {"df", "Show what takes space on the disk", define_system_df},
    {"events", "Show what happens to all objects", define_system_events},
    {"info", "Describe this machine and installation", define_system_info},
    {"prune", "Remove what nobody uses", define_system_prune},
};

constexpr CommandInfo kImageCommands[] = {
    {"bootstrap", "Make a base image of a distribution's packages", define_image_bootstrap},
    {"build", "Build an image from a Dockerfile", define_image_build},
    {"history", "Show how an image was made", define_image_history},
    {"import", "Make an image of a root file system in a tar file", define_image_import},
    {"inspect", "Show images in detail", define_image_inspect},
    {"load", "Load images from a tar archive or an OCI layout", define_image_load},
    {"ls", "List images", define_image_ls},
    {"list", "The same", define_image_ls},
    {"prune", "Remove images that nothing uses", define_image_prune},
    {"pull", "Download an image from a registry", define_image_pull},
    {"push", "Upload an image to a registry", define_image_push},
    {"rm", "Remove images", define_image_rm},
    {"remove", "The same", define_image_rm},
    {"save", "Save images to a tar archive", define_image_save},
    {"tag", "Give an image a further name", define_image_tag},
};

constexpr CommandInfo kAlphaCommands[] = {
    {"dry-run", "Show what a command would do", define_alpha_dry_run, false},
    {"generate", "Write a Compose file of containers that exist", define_generate},
    {"publish", "Put the project into a registry", define_publish},
    {"scale", "The same as compose scale", define_alpha_scale},
    {"viz", "Draw the services as a Graphviz graph", define_viz, false},
    {"watch", "The same as compose watch", define_alpha_watch},
};

constexpr CommandInfo kTransformationCommands[] = {
    {"create", "Make the folder of a new transformation", define_bridge_create},
    {"list", "List transformations that are here", define_bridge_list},
    {"ls", "The same", define_bridge_list},
};

constexpr CommandInfo kBridgeCommands[] = {
    {"convert", "Convert the Compose file to Kubernetes manifests or others", define_bridge_convert},
    {"transformations", "Manage the images that do it", nullptr, true, kTransformationCommands},
};

constexpr CommandInfo kCommands[] = {
    {"alpha", "Experimental commands", nullptr, true, kAlphaCommands},
    {"attach", "Connect to a service's running process", define_attach},
    {"bridge", "Convert the Compose file for other platforms", nullptr, true, kBridgeCommands},
    {"build", "Build the images of services", define_build},
    {"commit", "Make an image of a service's container", define_commit},
    {"completion", "Print a completion script for a shell", define_completion, false},
    {"config", "Check the Compose file and show it in full", define_config, false},
    {"container", "Manage single containers", nullptr, true, kContainerCommands},
    {"convert", "The same as config", define_config, false},
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
    {"network", "Manage networks", nullptr, true, kNetworkCommands},
    {"pause", "Pause services", define_pause},
    {"plan", "Show what up would change, and why", define_plan},
    {"port", "Show where a port is published", define_port},
    {"ps", "List containers", define_ps},
    {"publish", "Put the project into a registry", define_publish},
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
    {"system", "Manage this installation", nullptr, true, kSystemCommands},
    {"top", "Show the processes of containers", define_top},
    {"unpause", "Unpause services", define_unpause},
    {"up", "Create and start containers", define_up},
    {"version", "Show the version", define_version, false},
    {"volume", "Manage volumes", nullptr, true, kVolumeCommands},
    {"volumes", "List the project's volumes", define_volumes},
    {"wait", "Wait until services have ended", define_wait},
    {"watch", "Follow files and keep containers up to date", define_watch},
};

constexpr CommandInfo kBuilderCommands[] = {
    {"build", "Build an image from a Dockerfile", define_image_build},
    {"prune", "Remove what builds keep for the next time", define_builder_prune},
};

constexpr CommandInfo kBuildxCommands[] = {
    {"build", "Build an image from a Dockerfile", define_image_build},
    {"b", "The same", define_image_build},
    {"du", "Show what builds keep for the next time", define_builder_du},
    {"inspect", "Describe the builder", define_buildx_inspect},
    {"ls", "List builders: there is one", define_buildx_ls},
    {"prune", "Remove what builds keep for the next time", define_builder_prune},
    {"use", "Choose a builder: there is one", define_buildx_use},
    {"version", "Show the version", define_buildx_version, false},
};

constexpr CommandInfo kContextCommands[] = {
    {"inspect", "Describe contexts: there is one", define_context_inspect, false},
    {"ls", "List contexts: there is one", define_context_ls, false},
    {"list", "The same", define_context_ls, false},
    {"show", "Show the name of the current one", define_context_show, false},
    {"use", "Choose a context: there is one", define_context_use, false},
};

// Docker's own words at the top: what it has in groups it also has without.
constexpr CommandInfo kDockerCommands[] = {
    {"attach", "Attach our input and output to a running container", define_container_attach},
    {"build", "Build an image from a Dockerfile", define_image_build},
    {"commit", "Make an image of a container", define_container_commit},
    {"completion", "Print a script that completes commands in a shell", define_docker_completion},
    {"cp", "Copy files between a container and this machine", define_container_cp},
    {"create", "Make a container without starting it", define_container_create, true, {}, 125},
    {"diff", "Show which files of a container have changed", define_container_diff},
    {"events", "Show what happens to all objects", define_system_events},
    {"exec", "Run a command in a running container", define_container_exec},
    {"export", "Write a container's file system as a tar file", define_container_export},
    {"history", "Show how an image was made", define_image_history},
    {"images", "List images", define_image_ls},
    {"import", "Make an image of a root file system in a tar file", define_image_import},
    {"info", "Describe this machine and installation", define_system_info},
    {"inspect", "Show everything about containers, images, networks and volumes", define_inspect},
    {"kill", "Send a signal to containers", define_container_kill},
    {"load", "Load images from a tar archive or an OCI layout", define_image_load},
    {"login", "Log in to a registry", define_login},
    {"logout", "Log out from a registry", define_logout},
    {"logs", "Show what a container wrote", define_container_logs},
    {"pause", "Freeze containers", define_container_pause},
    {"port", "Show the published ports of a container", define_container_port},
    {"ps", "List containers", define_container_ls},
    {"pull", "Download an image from a registry", define_image_pull},
    {"push", "Upload an image to a registry", define_image_push},
    {"rename", "Give a container another name", define_container_rename},
    {"restart", "Restart containers", define_container_restart},
    {"rm", "Remove containers", define_container_rm},
    {"rmi", "Remove images", define_image_rm},
    {"run", "Make and start a container", define_container_run, true, {}, 125},
    {"save", "Save images to a tar archive", define_image_save},
    {"start", "Start containers", define_container_start},
    {"stats", "Show what containers use", define_container_stats},
    {"stop", "Stop containers", define_container_stop},
    {"tag", "Give an image a further name", define_image_tag},
    {"top", "Show the processes of a container", define_container_top},
    {"unpause", "Let frozen containers go on", define_container_unpause},
    {"update", "Change the limits of containers", define_container_update},
    {"version", "Show the version", define_docker_version},
    {"wait", "Wait for the end of containers", define_container_wait},
    {"builder", "Build images", nullptr, true, kBuilderCommands},
    {"buildx", "Build images", nullptr, true, kBuildxCommands},
    {"container", "Manage containers", nullptr, true, kContainerCommands},
    {"context", "Where containers run: on this machine", nullptr, true, kContextCommands},
    {"image", "Manage images", nullptr, true, kImageCommands},
    {"network", "Manage networks", nullptr, true, kNetworkCommands},
    {"system", "Manage this installation", nullptr, true, kSystemCommands},
    {"volume", "Manage volumes", nullptr, true, kVolumeCommands},
};

}  // namespace

std::span<const CommandInfo> all_commands() {
    return kCommands;
}

std::span<const CommandInfo> docker_commands() {
    return kDockerCommands;
}

}  // namespace compose::cli
