#include "engine/host_program.hpp"

#include "base/strings.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kPluginFolders[] = {"/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
                                          "/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"};

std::string value_of(const sys::Environment& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
}

std::string in_path(const std::string& name, const sys::Environment& environment) {
    std::string path = value_of(environment, "PATH");
    if (path.empty()) path = kDefaultPath;
    for (const std::string& folder : split(path, ':'))
        // An empty element means the current folder, which no program should be taken from.
        if (!folder.empty() && sys::is_program(folder + "/" + name)) return folder + "/" + name;
    return {};
}

}  // namespace

std::string find_plugin(const std::string& name) {
    const sys::Environment environment = sys::environment_snapshot();
    const std::string program = "docker-" + name;
    std::string own = value_of(environment, "DOCKER_CONFIG");
    if (own.empty() && !value_of(environment, "HOME").empty()) own = value_of(environment, "HOME") + "/.docker";
    if (!own.empty() && sys::is_program(own + "/cli-plugins/" + program)) return own + "/cli-plugins/" + program;
    for (const char* folder : kPluginFolders)
        if (const std::string path = std::string(folder) + "/" + program; sys::is_program(path)) return path;
    return in_path(program, environment);
}

std::string find_provider(const std::string& type, const std::string& folder) {
    if (type.find('/') != std::string::npos) {
        const std::string path = type.starts_with('/') ? type : folder + "/" + type;
        return sys::is_program(path) ? path : std::string{};
    }
    if (std::string plugin = find_plugin(type); !plugin.empty() && type != "compose") return plugin;
    return in_path(type, sys::environment_snapshot());
}

std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

}  // namespace compose::engine
