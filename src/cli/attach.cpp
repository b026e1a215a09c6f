#include "cli/attach.hpp"

#include <csignal>
#include <exception>
#include <thread>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/log_follow.hpp"
#include "cli/output.hpp"
#include "cli/watching.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr int kInterrupted = 130;
constexpr auto kCheck = std::chrono::milliseconds(1000);  // whether another command is at work
constexpr auto kLook = std::chrono::milliseconds(100);    // for a supervisor that is not there yet

/// Work on an engine of its own in a thread of its own; `done` becomes readable when it has ended.
class Task {
public:
    using Body = std::function<void(Engine&, std::stop_token)>;
    Task(std::unique_ptr<Engine> engine, Body body)
        : engine_(std::move(engine)),
          pipe_(sys::make_pipe()),
          thread_([this, body = std::move(body)](std::stop_token stop) {
              try {
                  body(*engine_, stop);
              } catch (...) {
                  failure_ = std::current_exception();
              }
              pipe_.write.reset();
          }) {}

    [[nodiscard]] sys::FdRef done() const { return pipe_.read; }
    [[nodiscard]] bool is_done() const {
        std::array<sys::PollItem, 1> items{sys::PollItem{.fd = pipe_.read}};
        return sys::poll(items, std::chrono::milliseconds(0));
    }
    void cancel() { thread_.request_stop(); }
    void join() {
        if (thread_.joinable()) thread_.join();
    }
    /// What made it fail; null when it did not. Only after join().
    [[nodiscard]] std::exception_ptr failure() const { return failure_; }

private:
    std::unique_ptr<Engine> engine_;
    sys::Pipe pipe_;
    std::exception_ptr failure_;
    std::jthread thread_;  // last: its destructor joins before the others go
};

class Session {
public:
    Session(Context& context, sys::SignalSet& signals, const AttachOptions& options)
        : context_(context),
          signals_(signals),
          options_(options),
          start_events_(make_progress(
              mode(context.progress_mode == ProgressMode::tty ? ProgressMode::quiet : context.progress_mode))),
          stop_events_(make_progress(
              mode(context.progress_mode == ProgressMode::tty ? ProgressMode::plain : context.progress_mode))),
          engine_(context.make_engine(*start_events_)),
          printer_(options.style, standard_streams()),
          follow_(
              *engine_, options.project,
              [&options](const ContainerView& view) { return !view.oneoff && options.shown.contains(view.service); },
              LogRange{.tail = {}, .since = options.since, .until = 0}, printer_) {}

    int run(const Task::Body& start);

private:
    ProgressOptions mode(ProgressMode kind) const { return {.mode = kind, .color = context_.color_err, .title = "up"}; }
    void look_at_first();
    void on_signal();
    void on_change(const ContainerChange& change);
    void begin_stop(bool interrupted);
    void begin_kill();
    [[nodiscard]] bool is_target(const ContainerView& view) const {
        return !view.oneoff && options_.targets.contains(view.service);
    }
    [[nodiscard]] bool all_over() const;
    [[nodiscard]] std::vector<std::string> target_list() const {
        return {options_.targets.begin(), options_.targets.end()};
    }
    /// Those of the targets that have a container, or are provided: of no containers at all there is nothing to stop.
    [[nodiscard]] std::vector<std::string> stoppable(Engine& engine) const {
        std::set<std::string> there;
        for (const auto& view : engine.containers(options_.project))
            if (is_target(view)) there.insert(view.service);
        if (options_.written != nullptr)
            for (const auto& [name, service] : options_.written->services)
                if (service.provider && options_.targets.contains(name)) there.insert(name);
        return {there.begin(), there.end()};
    }
    /// A word about what goes on, beside the progress of the same mode.
    void say(const std::string& text) const {
        if (context_.progress_mode == ProgressMode::json)
            print_error(json::serialize(json::object{{"text", text}}) + "\n");
        else if (context_.progress_mode != ProgressMode::quiet)
            print_error(text + "\n");
    }
    void on_key();
    void toggle_watch();
    int finish();

    Context& context_;
    sys::SignalSet& signals_;
    const AttachOptions& options_;
    std::unique_ptr<Progress> start_events_;
    std::unique_ptr<Progress> stop_events_;
    std::unique_ptr<Engine> engine_;
    LogPrinter printer_;
    LogFollow follow_;
    std::set<std::string> ended_;       // ids that were over before we came
    std::map<std::string, bool> told_;  // ids whose last end was told; true: it was followed by a restart
    bool subscribed_ = false;
    bool working_ = false;  // another command changes the project
    std::optional<Task> start_;
    std::optional<Task> stop_;
    std::optional<Task> kill_;
    bool interrupted_ = false;
    bool aborted_ = false;
    int abort_code_ = 0;
    std::optional<sys::CharacterMode> keys_;
    std::unique_ptr<WatchThread> watch_;
    bool detached_ = false, watch_begun_ = false;
    std::optional<int> from_code_;  // of the --exit-code-from service
};

void Session::look_at_first() {
    follow_.refresh();
    std::string names;
    for (const auto& [id, view] : follow_.containers()) {
        // A subscription begins with the present states, those of containers that ended long ago too.
        if (is_over(view.state)) ended_.insert(id);
        if (follow_.is_shown(id)) names += (names.empty() ? "" : ", ") + log_name(view.name, options_.project);
    }
    if (!names.empty()) say("Attaching to " + names);
}

bool Session::all_over() const {
    for (const auto& [id, view] : follow_.containers())
        if (is_target(view) && !is_over(view.state)) return false;
    return true;
}

void Session::begin_stop(bool interrupted) {
    interrupted_ = interrupted_ || interrupted;
    if (stop_) return;
    start_->cancel();
    // The start holds the project's lock until it has noticed.
    stop_.emplace(context_.make_engine(*stop_events_), [this](Engine& engine, const std::stop_token& stop) {
        start_->join();
        const auto there = stoppable(engine);
        if (!there.empty()) engine.stop(options_.project, there, options_.timeout, stop, options_.written);
    });
}

void Session::begin_kill() {
    kill_.emplace(context_.make_engine(*stop_events_), [this](Engine& engine, const std::stop_token&) {
        engine.kill(options_.project, target_list(), SIGKILL);
    });
}

void Session::on_signal() {
    if (!stop_) {
        say("Gracefully Stopping... press Ctrl+C again to force");
        begin_stop(true);
    } else if (!kill_) {
        interrupted_ = true;
        begin_kill();
    } else {
        end_now();
    }
}

void Session::on_change(const ContainerChange& change) {
    const auto found = follow_.containers().find(change.id);
    if (found == follow_.containers().end() || !is_target(found->second)) return;
    const auto& view = found->second;
    if (change.state == "running" && !change.removed) {
        ended_.erase(change.id);
        told_.erase(change.id);
    }
    if (change.removed || change.state == "running" || change.state == "created") return;
    // One that was over may have come and gone again before there was a subscription: its own time tells.
    if (ended_.contains(change.id) && view.finished_at <= options_.since) return;
    const bool restarting = change.state == "restarting";
    if (const auto told = told_.find(change.id); told != told_.end() && told->second == restarting) return;
    told_[change.id] = restarting;
    if (follow_.is_shown(change.id)) {
        printer_.note(change.id,
                      fmt::format("exited with code {}{}", change.exit_code, restarting ? " (restarting)" : ""));
        printer_.flush();
    }
    if (restarting) return;
    if (view.service == options_.exit_code_from && !from_code_) from_code_ = change.exit_code;
    const bool abort = options_.abort == AttachOptions::Abort::on_exit ||
                       (options_.abort == AttachOptions::Abort::on_failure && change.exit_code != 0);
    if (!abort || stop_) return;
    aborted_ = true;
    abort_code_ = change.exit_code;
    say(options_.abort == AttachOptions::Abort::on_failure ? "Aborting on container failure..."
                                                           : "Aborting on container exit...");
    begin_stop(false);
}

void Session::toggle_watch() {
    if (watch_) {
        watch_.reset();
        return say("Watch disabled");
    }
    try {
        watch_ = std::make_unique<WatchThread>(context_, *options_.file, options_.watch_services);
    } catch (const Error& error) {
        say(std::string("watch: ") + error.what());
    }
}

void Session::on_key() {
    char key = 0;
    const auto n = sys::read_some(sys::FdRef(0), {&key, 1});
    if (!n) return;
    if (*n == 0) return keys_.reset();  // nobody types any more
    constexpr char kEndOfText = 3;
    switch (key) {
        case 'd':
            // What is being started must not be left half done.
            detached_ = true;
            break;
        case 'w':
            toggle_watch();
            break;
        case 'o':
            print_error(options_.config);
            break;
        case kEndOfText:
            on_signal();
            break;
        default:
            break;
    }
}

int Session::finish() {
    follow_.drain();
    for (const auto& [id, view] : follow_.containers()) printer_.end(id);
    printer_.flush();
    for (auto* task : {&kill_, &stop_, &start_}) {
        if (!*task) continue;
        (*task)->join();
        // After a signal or an abort, the start was cut short on purpose.
        if ((*task)->failure() && !(task == &start_ && stop_)) std::rethrow_exception((*task)->failure());
    }
    if (interrupted_) return kInterrupted;
    if (detached_) return 0;
    if (!options_.exit_code_from.empty()) {
        // Stopped by the abort: its code came last.
        for (const auto& [id, view] : follow_.containers())
            if (!from_code_ && view.service == options_.exit_code_from) from_code_ = view.exit_code;
        return from_code_.value_or(0);
    }
    return aborted_ ? abort_code_ : 0;
}

int Session::run(const Task::Body& start) {
    look_at_first();
    if (options_.menu) {
        keys_.emplace(sys::FdRef(0));
        say("d detaches, w watches files, o shows the configuration, Ctrl-C stops");
    }
    start_.emplace(context_.make_engine(*start_events_), start);
    for (;;) {
        // A task that has ended stays readable, so it is not waited for again.
        if (detached_ && start_->is_done()) {
            start_->join();
            if (!start_->failure()) return finish();
        }
        std::vector<sys::FdRef> others{signals_.fd()};
        if (keys_) others.push_back(sys::FdRef(0));
        const bool started = start_->is_done();
        if (!started) others.push_back(start_->done());
        const bool stopped = stop_ && stop_->is_done();
        if (stop_ && !stopped) others.push_back(stop_->done());
        if (stopped && (!kill_ || kill_->is_done())) break;
        if (started && !stop_) {
            start_->join();
            if (start_->failure()) break;
            if (options_.watching && !watch_ && !std::exchange(watch_begun_, true)) toggle_watch();
            // Who has ended may be about to start again, and what a supervisor has forgotten it tells nobody: while a
            // command is at work, and once after, the state itself is asked.
            const bool working = engine_->is_at_work(options_.project);
            if (std::exchange(working_, working) || working || !follow_.is_subscribed() || follow_.is_stale())
                follow_.refresh();
            if (all_over() && !engine_->is_at_work(options_.project)) {
                follow_.refresh();
                if (all_over()) break;
            }
            follow_.rest(all_over());
        }
        // The present states are read after the subscription began, so that both agree.
        if (const bool now = follow_.is_subscribed(); now != std::exchange(subscribed_, now)) follow_.refresh();
        const auto changes = follow_.wait(others, subscribed_ && !working_ ? kCheck : kLook);
        for (const auto& change : changes) on_change(change);
        while (signals_.next()) on_signal();
        std::array<sys::PollItem, 1> typed{sys::PollItem{.fd = keys_ ? sys::FdRef(0) : sys::FdRef()}};
        if (keys_ && sys::poll(typed, std::chrono::milliseconds(0)) && typed[0].readable) on_key();
    }
    // What the last changes were, and their lines.
    for (const auto& change : follow_.wait({}, std::chrono::milliseconds(0))) on_change(change);
    return finish();
}

}  // namespace

int attach(Context& context, sys::SignalSet& signals, const AttachOptions& options,
           const std::function<void(Engine&, std::stop_token)>& start) {
    Session session(context, signals, options);
    return session.run(start);
}

}  // namespace compose::cli
