// system info, and the version as Docker tells it.
#include <compose/objects.hpp>
#include <compose/version.hpp>
#include <set>

#include "base/strings.hpp"
#include "base/units.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/inspect_json.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

/// Those that hold for every container, as Docker lists them.
json::array security_of(const HostDescription& host) {
    json::array out{"name=seccomp,profile=builtin", "name=cgroupns"};
    if (host.apparmor) out.insert(out.begin(), "name=apparmor");
    return out;
}

json::object info_of(Context& context) {
    std::size_t running = 0, paused = 0, stopped = 0;
    const auto views = make_containers(context)->list();
    for (const auto& view : views)
        ++(view.state == "paused" ? paused : view.state == "running" || view.state == "restarting" ? running : stopped);
    std::set<std::string> images;
    for (const auto& image : context.engine().images()) images.insert(image.id);
    const auto host = host_description(context.engine_options());
    return {{"ID", host.installation},
            {"Containers", views.size()},
            {"ContainersRunning", running},
            {"ContainersPaused", paused},
            {"ContainersStopped", stopped},
            {"Images", images.size()},
            {"Driver", "overlay2"},
            {"LoggingDriver", "json-file"},
            {"CgroupDriver", "cgroupfs"},
            {"CgroupVersion", std::to_string(host.cgroup_version)},
            {"KernelVersion", host.kernel},
            {"OperatingSystem", host.system},
            {"OSType", "linux"},
            {"Architecture", host.machine},
            {"NCPU", host.cpus},
            {"MemTotal", host.memory},
            {"DockerRootDir", host.state_folder},
            {"Name", host.name},
            {"ServerVersion", kVersion},
            {"DefaultRuntime", "compose"},
            {"Runtimes", {{"compose", json::object{}}}},
            {"SecurityOptions", security_of(host)},
            {"Plugins",
             {{"Volume", {"local"}}, {"Network", {"bridge", "host", "null"}}, {"Log", {"json-file", "local", "none"}}}},
            {"IndexServerAddress", "https://index.docker.io/v1/"},
            {"OomKillDisable", host.cgroup_version == 1},
            {"MemoryLimit", true},
            {"SwapLimit", true},
            {"PidsLimit", true},
            {"IPv4Forwarding", true},
            {"Labels", json::array{}},
            {"Warnings", nullptr},
            {"Swarm", {{"LocalNodeState", "inactive"}}}};
}

int info(Context& context, const std::string& format) {
    const auto object = info_of(context);
    if (format == "json") {
        print(json::serialize(object) + "\n");
    } else if (!format.empty()) {
        print(Template(unescape_format(format)).render(object) + "\n");
    } else {
        std::string out = "Server:\n";
        const auto line = [&](const char* title, const char* key) {
            const auto& value = object.at(key);
            out += fmt::format(" {}: {}\n", title,
                               value.is_string() ? std::string(value.as_string()) : json::serialize(value));
        };
        line("Containers", "Containers");
        line(" Running", "ContainersRunning");
        line(" Paused", "ContainersPaused");
        line(" Stopped", "ContainersStopped");
        line("Images", "Images");
        line("Server Version", "ServerVersion");
        line("Storage Driver", "Driver");
        line("Logging Driver", "LoggingDriver");
        line("Cgroup Driver", "CgroupDriver");
        line("Cgroup Version", "CgroupVersion");
        line("Kernel Version", "KernelVersion");
        line("Operating System", "OperatingSystem");
        line("OSType", "OSType");
        line("Architecture", "Architecture");
        line("CPUs", "NCPU");
        out += fmt::format(" Total Memory: {}\n", binary_size(object.at("MemTotal").to_number<std::int64_t>()));
        line("Name", "Name");
        line("ID", "ID");
        line("Docker Root Dir", "DockerRootDir");
        print(out);
    }
    return 0;
}

int docker_version(Context& context, const std::string& format) {
    const auto host = host_description(context.engine_options());
    const json::object one{
        {"Version", kVersion},       {"ApiVersion", "1.47"},         {"Os", "linux"},
        {"Arch", host.architecture}, {"KernelVersion", host.kernel}, {"Platform", {{"Name", "compose"}}}};
    const json::object object{{"Client", one}, {"Server", one}};
    if (format == "json")
        print(json::serialize(object) + "\n");
    else if (!format.empty())
        print(Template(unescape_format(format)).render(object) + "\n");
    else
        print(fmt::format("Client and engine: compose\n Version:    {}\n OS/Arch:    linux/{}\n Kernel:     {}\n",
                          kVersion, host.architecture, host.kernel));
    return 0;
}

template <class Function>
Run with_format(Arguments& arguments, Function function) {
    const auto format = std::make_shared<std::string>();
    arguments.value("-f,--format", *format, "FORMAT", "json, or a Go template");
    return [format, function](Context& context) { return function(context, *format); };
}

}  // namespace

Run define_system_info(Arguments& arguments) {
    return with_format(arguments, info);
}

Run define_docker_version(Arguments& arguments) {
    return with_format(arguments, docker_version);
}

}  // namespace compose::cli
