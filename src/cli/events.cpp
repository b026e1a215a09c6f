#include <compose/event_log.hpp>
#include <ctime>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/event_follow.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "sys/clock.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::vector<std::string> services;
    bool json = false;
    std::string since, until;
};

/// "2026-01-02 15:04:05.123456"
std::string local_time(std::int64_t time_ns) {
    const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time_ns % 1'000'000'000 / 1000);
}

/// Made by `run`.
bool is_oneoff(const RecordedEvent& event) {
    const auto label = event.attributes.find("com.docker.compose.oneoff");
    return label != event.attributes.end() && label->second == "True";
}

std::string render(const RecordedEvent& event, bool as_json) {
    auto attributes = event.attributes;
    std::erase_if(attributes, [](const auto& entry) { return entry.first.starts_with("com.docker.compose."); });
    attributes["name"] = event.name;
    if (as_json) {
        json::object values;
        for (const auto& [key, value] : attributes) values[key] = value;
        return json::serialize(json::object{{"time", sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(event.time)))},
                                            {"type", event.type},
                                            {"service", event.service},
                                            {"id", event.id},
                                            {"action", event.action},
                                            {"attributes", std::move(values)}}) +
               "\n";
    }
    std::vector<std::string> shown;
    for (const auto& [key, value] : attributes) shown.push_back(key + "=" + value);
    return fmt::format("{} {} {} {} ({})\n", local_time(event.time), event.type, event.action, event.id,
                       join(shown, ", "));
}

int run(Context& context, const Args& args) {
    const auto since = parse_event_time(args.since, "--since");
    const auto until = parse_event_time(args.until, "--until");
    const auto project = project_name(context);
    if (!args.services.empty()) (void)containers_of(context, project, args.services);
    const std::set<std::string> services(args.services.begin(), args.services.end());
    return follow_events(context, since, until, [&](const RecordedEvent& event) {
        const bool wanted = event.project == project && event.type == "container" && !is_oneoff(event) &&
                            (services.empty() || services.contains(event.service));
        return wanted ? render(event, args.json) : std::string();
    });
}

}  // namespace

Run define_events(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("What happens to the project's containers, as it happens, until Ctrl-C.");
    arguments.rest("SERVICE", args->services);
    arguments.flag("--json", args->json, "One JSON object a line");
    arguments.value("--since", args->since, "TIME", "What happened after a time, or a while ago: 42m");
    arguments.value("--until", args->until, "TIME", "Only until a time; ends then");
    arguments.example("compose events --json", "for programs");
    arguments.example("compose events --since 1h --until 0s", "the last hour");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
