// inspect, of one kind or of whatever has the name.
#include <compose/objects.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/image_platform.hpp"
#include "cli/inspect_json.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> names;
    std::string format, type, platform;
    bool size = false, verbose = false;
};

class Inspector {
public:
    Inspector(Context& context, const Args& args) : context_(context), args_(args) {}

    /// Throws Error(not_found) when nothing has the name.
    json::object find(const std::string& name) {
        if (!args_.type.empty()) return of_type(args_.type, name);
        for (const char* type : {"container", "image", "network", "volume"}) {
            try {
                return of_type(type, name);
            } catch (const Error& error) {
                const bool other = error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::invalid;
                if (!other) throw;
            }
        }
        throw make_error(ErrorKind::not_found, "no such object: {}", name);
    }

private:
    json::object of_type(const std::string& type, const std::string& name) {
        const auto options = context_.engine_options();
        if (type == "container") return container(name);
        if (type == "network") return inspect_network(Networks(options).find(name));
        if (type == "volume") return inspect_volume(Volumes(options).find(name));
        if (type != "image")
            throw make_error(ErrorKind::usage, "{} is no type", quote(type))
                .with_hint("use container, image, network or volume");
        check_platform(context_, name, args_.platform);
        return parse_json(context_.images().inspect(name)).as_object();
    }

    json::object container(const std::string& name) {
        if (!containers_) containers_ = make_containers(context_);
        auto object = inspect_container(containers_->inspect(name));
        if (args_.size) {
            const auto size = container_size(context_.engine_options(), std::string(object.at("Id").as_string()));
            object["SizeRw"] = size.writable;
            object["SizeRootFs"] = size.total;
        }
        return object;
    }

    Context& context_;
    const Args& args_;
    std::unique_ptr<Containers> containers_;
};

/// Docker knows some members by two names.
json::object other_names(const json::object& object) {
    json::object out;
    if (const auto* id = object.if_contains("Id")) out["ID"] = *id;
    return out;
}

int inspect(Context& context, const Args& args) {
    const bool whole = args.format.empty();
    std::optional<Template> format;
    if (!whole && args.format != "json") format.emplace(unescape_format(args.format));
    Inspector inspector(context, args);
    json::array found;
    std::string out;
    int status = 0;
    for (const auto& name : args.names) {
        try {
            auto object = inspector.find(name);
            if (whole) {
                found.push_back(std::move(object));
            } else if (!format) {
                out += json::serialize(object) + "\n";
            } else {
                const auto aliases = other_names(object);
                TemplateShape shape = inspect_shape();
                shape.methods = &aliases;
                out += format->render(object, shape) + "\n";
            }
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::usage) throw;
            report_failure(context, error);
            status = 1;
        }
    }
    print(whole ? pretty(found) + "\n" : out);
    return status;
}

void common(Arguments& arguments, Args& args) {
    arguments.value("-f,--format", args.format, "FORMAT", "json, or a Go template: '{{.State.Status}}'");
}

Run one_kind(Arguments& arguments, const char* type, const char* placeholder) {
    const auto args = std::make_shared<Args>();
    args->type = type;
    arguments.rest(placeholder, args->names, true);
    common(arguments, *args);
    if (args->type == "image") define_platform(arguments, args->platform);
    if (args->type == "network")
        arguments.flag("-v,--verbose", args->verbose, "More about Swarm's, of which there are none");
    if (args->type == "container") arguments.flag("-s,--size", args->size, "How much it has written");
    return [args](Context& context) { return inspect(context, *args); };
}

}  // namespace

Run define_inspect(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Everything that is known of containers, images, networks and volumes, as Docker's API has it.");
    arguments.rest("NAME", args->names, true);
    common(arguments, *args);
    arguments.flag("-s,--size", args->size, "How much containers have written");
    arguments.value("--type", args->type, "TYPE", "container, image, network or volume");
    arguments.example("inspect -f '{{.State.Health.Status}}' web", "one field");
    return [args](Context& context) { return inspect(context, *args); };
}

Run define_container_inspect(Arguments& arguments) {
    return one_kind(arguments, "container", "CONTAINER");
}
Run define_image_inspect(Arguments& arguments) {
    return one_kind(arguments, "image", "IMAGE");
}
Run define_network_inspect(Arguments& arguments) {
    return one_kind(arguments, "network", "NETWORK");
}
Run define_volume_inspect(Arguments& arguments) {
    return one_kind(arguments, "volume", "VOLUME");
}

}  // namespace compose::cli
