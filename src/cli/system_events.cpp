// system events: what happens to all containers, networks, volumes and images.
#include <compose/event_log.hpp>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/event_follow.hpp"
#include "cli/filters.hpp"
#include "cli/log_printer.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> filters;
    std::string since, until, format;
};

json::object as_object(const RecordedEvent& event) {
    json::object attributes;
    for (const auto& [key, value] : event.attributes) attributes[key] = value;
    attributes["name"] = event.name;
    return {{"status", event.action},
            {"id", event.id},
            {"Type", event.type},
            {"Action", event.action},
            {"Actor", {{"ID", event.id}, {"Attributes", std::move(attributes)}}},
            {"scope", "local"},
            {"time", event.time / 1'000'000'000},
            {"timeNano", event.time}};
}

std::string as_line(const RecordedEvent& event) {
    std::string attributes;
    for (const auto& [key, value] : event.attributes) attributes += key + "=" + value + ", ";
    return fmt::format("{} {} {} {} ({}name={})\n", log_time(event.time), event.type, event.action, event.id,
                       attributes, event.name);
}

class Watch {
public:
    explicit Watch(const Args& args)
        : filters_(args.filters, {"container", "event", "image", "label", "network", "scope", "type", "volume"}) {
        if (!args.format.empty() && args.format != "json") template_.emplace(unescape_format(args.format));
        json_ = args.format == "json";
    }

    [[nodiscard]] std::string shown(const RecordedEvent& event) const {
        if (!is_wanted(event)) return {};
        if (json_) return json::serialize(as_object(event)) + "\n";
        if (!template_) return as_line(event);
        // Docker's structure has these by other names than its JSON.
        const auto image = event.attributes.find("image");
        const json::object aliases{{"ID", event.id},
                                   {"Status", event.action},
                                   {"From", image == event.attributes.end() ? "" : image->second},
                                   {"Scope", "local"},
                                   {"Time", event.time / 1'000'000'000},
                                   {"TimeNano", event.time}};
        const TemplateShape shape{{}, {"Attributes"}, &aliases};
        return template_->render(as_object(event), shape) + "\n";
    }

private:
    [[nodiscard]] bool is_object(const RecordedEvent& event, const char* type) const {
        return filters_.any(type, [&](const std::string& text) {
            return event.type == type && (event.name == text || (!text.empty() && event.id.starts_with(text)));
        });
    }
    [[nodiscard]] bool is_wanted(const RecordedEvent& event) const {
        for (const char* type : {"container", "network", "volume"})
            if (!is_object(event, type)) return false;
        const auto image = event.attributes.find("image");
        return filters_.any("type", [&](const auto& text) {
            return event.type == text;
        }) && filters_.any("event", [&](const auto& text) {
            return event.action == text || event.action.starts_with(text + ":");
        }) && filters_.any("image", [&](const auto& text) {
            return event.name == text || (image != event.attributes.end() && image->second == text);
        }) && filters_.any("scope", [](const auto& text) {
            return text == "local";
        }) && filters_.labels(event.attributes);
    }

    Filters filters_;
    std::optional<Template> template_;
    bool json_ = false;
};

int run(Context& context, const Args& args) {
    const Watch watch(args);
    const auto since = parse_event_time(args.since, "--since"), until = parse_event_time(args.until, "--until");
    return follow_events(context, since, until, [&](const RecordedEvent& event) { return watch.shown(event); });
}

}  // namespace

Run define_system_events(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("What happens to all objects of this installation, as it happens, until Ctrl-C.");
    arguments.list("-f,--filter", args->filters, "KEY=VALUE", "Only those: type=, event=, container=, label=, ...");
    arguments.value("--format", args->format, "FORMAT", "json, or a Go template: '{{.Actor.Attributes.name}}'");
    arguments.value("--since", args->since, "TIME", "What happened after a time, or a while ago: 42m");
    arguments.value("--until", args->until, "TIME", "Only until a time; ends then");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
