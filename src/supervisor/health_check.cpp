#include "supervisor/health_check.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "supervisor/exec_process.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/namespaces.hpp"
#include "sys/poll.hpp"
#include "sys/process_tree.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kKeptOutput = 4096;
constexpr std::size_t kKeptResults = 5;
constexpr std::chrono::seconds kDefaultTimeout{30};
constexpr int kNoExitCode = -1;

}  // namespace

HealthCheck::HealthCheck(Core& core, HealthConfig config, Subject subject, std::function<void(store::Health)> on_change)
    : core_(core),
      config_(std::move(config)),
      subject_(std::move(subject)),
      on_change_(std::move(on_change)),
      monitor_(config_, subject_.started, subject_.known) {
    if (config_.timeout.count() <= 0) config_.timeout = kDefaultTimeout;
    schedule();
}

HealthCheck::~HealthCheck() {
    if (pid_ == 0) return;
    core_.processes.forget(pid_);
    try {
        kill_probe();
    } catch (const std::exception& error) {
        log::debug("kill probe: {}", error.what());
    }
    core_.keeper.drop(keeper_name(subject_.id));
}

void HealthCheck::schedule() {
    next_ = core_.loop.after(monitor_.pause(sys::monotonic_now()), [this] { begin(); });
}

void HealthCheck::begin() {
    began_ = sys::monotonic_now();
    result_ = {};
    result_.began = sys::wall_now().time_since_epoch().count();
    timed_out_ = false;
    if (config_.net) return begin_net_probe();
    try {
        const auto container = core_.store.container(subject_.id);
        if (!container) return;
        const auto spec = runtime::spec_from_json(container->config.spec);
        runtime::ProcessSpec process;
        process.args = config_.command;
        process.cwd.clear();  // the container's own, as everything else
        complete_from(spec, process);
        auto pipe = sys::make_pipe();
        runtime::Stdio stdio;
        stdio.err = pipe.write.duplicate();
        stdio.out = std::move(pipe.write);
        launch_ = runtime::begin_exec(spec, {subject_.pid, subject_.pidfd}, process, std::move(stdio), true);
        output_ = std::move(pipe.read);
    } catch (const Error& error) {
        // It is ending, or this host is out of something: the next time decides.
        log::debug("probe {}: {}", subject_.id, error.what());
        launch_.reset();
        return schedule();
    }
    sys::set_nonblocking(output_, true);
    pid_ = launch_->pid();
    core_.processes.expect(pid_, [this](const ChildExit& exit) {
        if (launch_) on_channel();  // its last word comes before its end
        if (pid_ == exit.pid) finish(exit.status.code);
    });
    core_.keeper.store(keeper_name(subject_.id), pid_, {launch_->pidfd()});
    channel_ = core_.loop.on_readable(launch_->channel(), [this] { on_channel(); });
    readable_ = core_.loop.on_readable(output_, [this] { read_output(); });
    deadline_ = core_.loop.after(config_.timeout, [this] { on_timeout(); });
    launch_->release();
}

void HealthCheck::begin_net_probe() {
    try {
        const auto netns = sys::open_netns_of(subject_.pid);
        // Alive after the open: so the number was still its own.
        if (!netns || sys::has_exited(subject_.pidfd)) return schedule();
        net_.emplace(core_.loop, *netns, *config_.net, [this](bool ok, const std::string& output) {
            result_.output = output;
            finish(ok ? 0 : 1);
        });
        deadline_ = core_.loop.after(config_.timeout, [this] { on_timeout(); });
    } catch (const Error& error) {
        log::debug("probe {}: {}", subject_.id, error.what());
        net_.reset();
        schedule();
    }
}

void HealthCheck::on_channel() {
    const auto state = launch_->poll();
    if (state == runtime::Launch::State::pending) return;
    channel_.cancel();
    if (state == runtime::Launch::State::running) {
        pidfd_ = launch_->take_pidfd();
        launch_.reset();
        return;
    }
    result_.output = launch_->failure().message;
    const auto code = launch_->failure().exit_code;
    core_.processes.forget(pid_);
    launch_.reset();
    finish(code);
}

void HealthCheck::read_output() {
    char buffer[4096];
    std::optional<std::size_t> n;
    try {
        n = sys::read_some(output_, buffer);
    } catch (const Error&) {
        n = 0;
    }
    if (!n) return;
    if (*n == 0) return readable_.cancel();
    // The rest is read and thrown away: a probe that talks much must not hang for it.
    result_.output.append(buffer, std::min(*n, kKeptOutput - std::min(kKeptOutput, result_.output.size())));
}

void HealthCheck::kill_probe() {
    if (pid_ != 0) sys::kill_process_tree(pid_);
}

void HealthCheck::on_timeout() {
    timed_out_ = true;
    if (net_) return finish(kNoExitCode);
    kill_probe();
    // finish() follows from its exit: as long as it lives there is no other probe.
}

void HealthCheck::finish(int exit_code) {
    while (readable_) {
        const auto before = result_.output.size();
        read_output();
        if (result_.output.size() == before) break;
    }
    channel_.cancel();
    readable_.cancel();
    deadline_.cancel();
    output_.reset();
    pidfd_.reset();
    launch_.reset();
    pid_ = 0;
    if (net_)
        net_.reset();
    else
        core_.keeper.drop(keeper_name(subject_.id));
    result_.ended = sys::wall_now().time_since_epoch().count();
    result_.exit_code = timed_out_ ? kNoExitCode : exit_code;
    if (timed_out_)
        result_.output =
            fmt::format("health check exceeded timeout ({}): {}", format_duration(config_.timeout), result_.output);
    results_.push_back(std::move(result_));
    if (results_.size() > kKeptResults) results_.pop_front();
    const bool changed = monitor_.record(began_, !timed_out_ && exit_code == 0);
    publish_results();
    schedule();
    if (changed) on_change_(monitor_.state());
}

/// For whoever asks why it is unhealthy; the next probe writes it again.
void HealthCheck::publish_results() const {
    json::array list;
    for (const auto& result : results_)
        list.push_back(json::object{
            {"began", result.began}, {"ended", result.ended}, {"exit", result.exit_code}, {"output", result.output}});
    try {
        const json::object text{{"streak", monitor_.failing_streak()}, {"results", std::move(list)}};
        sys::write_file(core_.store.layout().container_probes(subject_.id), json::serialize(text), 0600);
    } catch (const std::exception& error) {
        log::debug("results of the probes of {}: {}", subject_.id, error.what());
    }
}

void HealthCheck::kill_leftover(const Held& held) {
    const auto pid = static_cast<pid_t>(held.value);
    if (pid <= 0 || held.fds.empty() || sys::has_exited(held.fds.front())) return;
    sys::kill_process_tree(pid);
}

}  // namespace compose::supervisor
