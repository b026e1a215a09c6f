// alpha generate: a Compose file of containers that exist.
#include <compose/config.hpp>
#include <compose/objects.hpp>
#include <map>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/generated_service.hpp"
#include "cli/inspect_json.hpp"
#include "cli/output.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> containers;
    std::string name, folder, format = "yaml";
};

json::object image_of(const Context& context, const ContainerDetails& details) {
    const auto image = image_details(context.engine_options(), details.image_id);
    if (!image) return {};
    auto config = parse_json(image->config);
    return config.is_object() ? std::move(config.get_object()) : json::object{};
}

/// Volumes are taken over as they are, with their data; networks are made anew.
json::object volume_of(const std::string& name) {
    return {{"name", name}, {"external", true}};
}

json::object network_of(Networks& networks, const std::string& name) {
    const auto view = networks.find(name);
    json::object out;
    if (view.driver != "bridge") out["driver"] = view.driver;
    if (view.internal) out["internal"] = true;
    if (!view.subnet6.empty()) out["enable_ipv6"] = true;
    if (view.stacked && !view.options.empty()) out["driver_opts"] = json::value_from(view.options);
    return out;
}

/// "container:web" is "service:web" where that one is in the file, too.
void join_services(json::object& services, const std::map<std::string, std::string>& service_of) {
    for (auto& [name, value] : services)
        for (const char* key : {"network_mode", "pid", "ipc"}) {
            auto& service = value.as_object();
            const auto mode = string_or(service, key);
            if (!mode.starts_with("container:")) continue;
            if (const auto found = service_of.find(mode.substr(mode.find(':') + 1)); found != service_of.end())
                service[key] = "service:" + found->second;
        }
}

json::object generate(Context& context, const Args& args) {
    Networks networks(context.engine_options());
    const auto wanted = args.folder.empty() ? context.globals.project_directory.value_or("") : args.folder;
    const auto folder = wanted.empty() ? "" : sys::absolute_path(wanted);
    json::object services, used_networks, used_volumes;
    std::map<std::string, std::string> service_of;  // containers by name and id
    for (const auto& reference : args.containers) {
        const auto details = context.containers().inspect(reference);
        auto made = generated_service(inspect_container(details), image_of(context, details), folder);
        service_of[details.view.name] = service_of[details.view.id] = made.name;
        if (auto* other = services.if_contains(made.name)) {  // a further replica
            auto& service = other->as_object();
            service["scale"] = int_or(service, "scale", 1) + 1;
            continue;
        }
        for (const auto& target : made.unknown)
            context.warn(fmt::format("{}: what is at {} is left out", details.view.name, target),
                         "it comes from a config or a secret: write where its content is");
        for (const auto& name : made.networks) used_networks[name] = network_of(networks, name);
        for (const auto& name : made.volumes) used_volumes[name] = volume_of(name);
        services[made.name] = std::move(made.service);
    }
    join_services(services, service_of);
    json::object out;
    const auto name = args.name.empty() ? context.globals.project_name.value_or("") : args.name;
    if (!name.empty()) out["name"] = name;
    out["services"] = std::move(services);
    if (!used_networks.empty()) out["networks"] = std::move(used_networks);
    if (!used_volumes.empty()) out["volumes"] = std::move(used_volumes);
    return out;
}

}  // namespace

Run define_generate(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Prints a Compose file of containers, whoever made them: what their images do not say already. Volumes are\n"
        "taken over with their data, networks are made anew. Read it before you use it.");
    arguments.rest("CONTAINER", args->containers, true);
    arguments.value("--format", args->format, "FORMAT", "yaml or json");
    arguments.value("--name", args->name, "NAME", "Name of the project");
    arguments.value("--project-dir", args->folder, "DIR", "Binds below this folder become relative to it");
    arguments.example("compose alpha generate --name shop web db > compose.yaml", "of two containers made by hand");
    return [args](Context& context) {
        const auto format = parse_config_format(args->format);
        print(render_model(json::serialize(generate(context, *args)), format));
        return 0;
    };
}

}  // namespace compose::cli
