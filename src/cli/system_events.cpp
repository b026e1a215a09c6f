// system events: what happens to all containers, networks, volumes and images.
#include <compose/event_log.hpp>
#include <csignal>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/log_printer.hpp"
#include "cli/output.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> filters;
    std::string since, until, format;
};

std::int64_t bound(const std::string& text, const char* flag) {
    if (text.empty()) return 0;
    const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
    if (time) return *time;
    throw make_error(ErrorKind::usage, "invalid time {} for {}", quote(text), flag)
        .with_hint("use a time such as 2026-01-02T15:04:05Z, or how long ago: 42m");
}

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
        static const TemplateShape shape{{}, {"Attributes"}, nullptr};
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
    const auto since = bound(args.since, "--since"), until = bound(args.until, "--until");
    const auto now = [] { return sys::wall_now().time_since_epoch().count(); };
    const bool follow = until == 0 || until > now();
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP});
    EventStream events(context.engine_options(), since, follow);
    for (;;) {
        std::string out;
        while (const auto event = events.next()) {
            if (until != 0 && event->time > until) {
                print(out);
                return 0;
            }
            out += watch.shown(*event);
        }
        print(out);
        if (!follow || (until != 0 && now() >= until)) return 0;
        std::optional<std::chrono::milliseconds> patience;
        if (until != 0) patience = std::chrono::milliseconds((until - now()) / 1'000'000 + 1);
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = sys::FdRef(events.fd())},
                                           sys::PollItem{.fd = signals.fd()}};
        sys::poll(items, patience);
        if (signals.next()) return 130;
    }
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
