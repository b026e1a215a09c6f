#include <csignal>
#include <map>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/pick.hpp"
#include "cli/project.hpp"
#include "cli/render_stats.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr std::chrono::seconds kPause{1};

struct Args {
    std::string service;
    std::string format;
    bool all = false, no_stream = false, no_trunc = false;
};

class Watcher {
public:
    Watcher(Context& context, const Args& args) : context_(context), args_(args), project_(project_name(context)) {}

    std::string look() {
        std::vector<std::string> services;
        if (!args_.service.empty()) services.push_back(args_.service);
        std::vector<StatsRow> rows;
        std::map<std::string, ContainerStats> samples;
        for (const auto& view : replicas_of(context_, project_, services)) {
            if (!args_.all && !is_live(view)) continue;
            StatsRow row{.id = view.id, .name = view.name, .before = {}, .now = context_.containers().stats(view.id)};
            if (!row.now && !args_.all) continue;
            if (const auto found = before_.find(view.id); found != before_.end()) row.before = found->second;
            if (row.now) samples[view.id] = *row.now;
            rows.push_back(std::move(row));
        }
        before_ = std::move(samples);
        return render_listing(stats_listing(rows, args_.no_trunc), args_.format, false);
    }

private:
    Context& context_;
    const Args& args_;
    std::string project_;
    std::map<std::string, ContainerStats> before_;
};

int run(Context& context, const Args& args) {
    Watcher watcher(context, args);
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP});
    const auto pause = [&] {
        std::array<sys::PollItem, 1> items{sys::PollItem{.fd = signals.fd()}};
        return !sys::poll(items, std::chrono::duration_cast<std::chrono::milliseconds>(kPause)) || !signals.next();
    };
    // The first sample only says where to count from.
    (void)watcher.look();
    while (pause()) {
        const auto text = watcher.look();
        if (args.no_stream) {
            print(text);
            return 0;
        }
        print(sys::is_terminal(sys::FdRef(1)) ? "\033[H\033[J" + text : text);
    }
    return 130;
}

}  // namespace

Run define_stats(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("What the containers use, once a second until Ctrl-C.");
    arguments.optional("SERVICE", args->service);
    arguments.flag("-a,--all", args->all, "Show containers that do not run too");
    arguments.value("--format", args->format, "FORMAT", "table, json, or a Go template");
    arguments.flag("--no-stream", args->no_stream, "Only once");
    arguments.flag("--no-trunc", args->no_trunc, "Show ids whole");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
