// explain: what became of a service's containers, and why. Everything here is on the disk already; nothing is asked of
// what runs.
#include <compose/containers.hpp>
#include <compose/event_log.hpp>
#include <compose/logs.hpp>
#include <deque>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/render_table.hpp"
#include "sys/clock.hpp"
#include "sys/process.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kExits = 5;
constexpr int kSignalBase = 128;

struct Args {
    std::vector<std::string> services;
    std::optional<int> lines;
    std::string format = "text";
};

struct Exit {
    std::int64_t time = 0;
    std::string code, error;
};

/// The last ends of a container, the newest last.
std::deque<Exit> exits_of(const EngineOptions& options, const std::string& id) {
    std::deque<Exit> out;
    EventStream events(options, 1, false);
    while (const auto event = events.next()) {
        if (event->id != id || event->action != "die") continue;
        const auto text = [&](const char* key) {
            const auto found = event->attributes.find(key);
            return found == event->attributes.end() ? std::string() : found->second;
        };
        out.push_back({event->time, text("exitCode"), text("error")});
        if (out.size() > kExits) out.pop_front();
    }
    return out;
}

/// Why it is in the state it is in, in words.
std::string reason(const ContainerDetails& details) {
    const auto& view = details.view;
    if (view.state == "running") {
        if (view.health == "unhealthy")
            return fmt::format("it runs, but {} probes in a row have failed", details.failing_streak);
        if (view.health == "starting") return "it runs, and no probe has succeeded yet";
        return view.restart_count > 0 ? fmt::format("it runs after {} restarts", view.restart_count) : "it runs";
    }
    if (view.state == "paused") return "it was paused; 'compose unpause' lets it go on";
    if (view.state == "created") return details.error.empty() ? "it was never started" : details.error;
    if (!details.error.empty()) return details.error;
    if (details.oom_killed)
        return "it needed more memory than it may have, and the kernel killed it; raise mem_limit or find the leak";
    if (view.exit_code > kSignalBase && view.exit_code < kSignalBase + 65) {
        const int number = view.exit_code - kSignalBase;
        const auto name = sys::signal_name(number);
        if (details.stopped_by_user)
            return number == 9 ? "it was stopped by hand, and did not end in time or was killed (SIGKILL)"
                               : fmt::format("it was stopped by hand ({})", name);
        return fmt::format("a signal ended it: {}", name);
    }
    if (details.stopped_by_user) return fmt::format("it was stopped by hand and exited with code {}", view.exit_code);
    if (view.exit_code == 0) return "it has done its work (exit code 0)";
    if (view.exit_code == 126) return "its command can't be executed (exit code 126)";
    if (view.exit_code == 127) return "its command was not found (exit code 127)";
    return fmt::format("it exited with code {}", view.exit_code);
}

std::string next_step(const ContainerDetails& details) {
    const auto& view = details.view;
    if (view.state == "restarting") return fmt::format("it is started again (restart: {})", details.restart);
    if ((view.state == "exited" || view.state == "dead") && !details.stopped_by_user && view.exit_code != 0)
        return details.restart == "no" ? "it stays down (restart: no)"
                                       : fmt::format("it stays down (restart: {})", details.restart);
    return {};
}

std::vector<std::string> last_lines(const ContainerView& view, std::size_t count) {
    ContainerLogs logs(false);
    logs.add(view.id, view.log_path, {.tail = count, .since = 0, .until = 0});
    std::vector<std::string> out;
    while (const auto entry = logs.next()) {
        std::string text = entry->text;
        // It must not be able to forge what stands around it.
        for (char& c : text)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = ' ';
        out.push_back(std::move(text));
    }
    return out;
}

std::string as_text(const ContainerDetails& details, const std::deque<Exit>& exits,
                    const std::vector<std::string>& lines, std::int64_t now) {
    const auto& view = details.view;
    std::string out = fmt::format("{}: {}\n  {}\n", view.name, view.status, reason(details));
    if (const auto next = next_step(details); !next.empty()) out += "  " + next + "\n";
    if (!exits.empty()) {
        out += "  exits:\n";
        for (const auto& exit : exits)
            out += fmt::format("    {}  code {}{}{}\n", render_age(exit.time, now), exit.code,
                               exit.error.empty() ? "" : "  ", exit.error);
    }
    for (const auto& probe : details.probes) {
        if (probe.exit_code == 0 || &probe != &details.probes.back()) continue;
        out += fmt::format("  last probe, {}: {}\n", render_age(probe.began, now),
                           probe.exit_code < 0 ? "timed out" : fmt::format("exit code {}", probe.exit_code));
        for (const auto& line : split(trim(probe.output), '\n')) out += "    " + quote(line) + "\n";
    }
    if (!lines.empty()) {
        out += "  last output:\n";
        for (const auto& line : lines) out += "    " + line + "\n";
    }
    return out;
}

std::string as_json(const ContainerDetails& details, const std::deque<Exit>& exits,
                    const std::vector<std::string>& lines) {
    json::array ends, probes;
    for (const auto& exit : exits)
        ends.push_back(json::object{{"time", sys::rfc3339(sys::WallTime(std::chrono::nanoseconds(exit.time)))},
                                    {"code", exit.code},
                                    {"error", exit.error}});
    for (const auto& probe : details.probes)
        probes.push_back(json::object{{"exit", probe.exit_code}, {"output", probe.output}});
    return json::serialize(json::object{{"name", details.view.name},
                                        {"service", details.view.service},
                                        {"state", details.view.state},
                                        {"health", details.view.health},
                                        {"exitCode", details.view.exit_code},
                                        {"oomKilled", details.oom_killed},
                                        {"restartCount", details.view.restart_count},
                                        {"reason", reason(details)},
                                        {"exits", std::move(ends)},
                                        {"probes", std::move(probes)},
                                        {"output", json::array(lines.begin(), lines.end())}}) +
           "\n";
}

int run(Context& context, const Args& args) {
    if (args.format != "text" && args.format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(args.format))
            .with_hint("use text or json");
    const auto project = project_name(context);
    const auto now = sys::wall_now().time_since_epoch().count();
    const auto views = replicas_of(context, project, args.services);
    if (views.empty())
        throw make_error(ErrorKind::not_found, "no container found for project \"{}\"", project)
            .with_hint("'compose up' makes them");
    std::string out;
    for (const auto& view : views) {
        const auto details = context.containers().inspect(view.id);
        const auto exits = exits_of(context.engine_options(), view.id);
        const auto lines = last_lines(view, static_cast<std::size_t>(std::max(args.lines.value_or(10), 0)));
        if (args.format == "json")
            out += as_json(details, exits, lines);
        else
            out += (out.empty() ? "" : "\n") + as_text(details, exits, lines, now);
    }
    print(out);
    return 0;
}

}  // namespace

Run define_explain(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text(
        "Why a service's containers are in the state they are in: who or what ended them, how often, the last failed\n"
        "probe, the last lines they wrote.");
    arguments.rest("SERVICE", args->services);
    arguments.number("-n,--lines", args->lines, "N", "So many lines of output (default 10)");
    arguments.value("--format", args->format, "FORMAT", "text, or json: one object a container");
    arguments.example("compose explain db", "why is it down?");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
