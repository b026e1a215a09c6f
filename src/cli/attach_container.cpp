#include "cli/attach_container.hpp"

#include <atomic>
#include <csignal>

#include "base/error.hpp"
#include "cli/attach_streams.hpp"
#include "cli/by_hand.hpp"
#include "cli/context.hpp"
#include "cli/exec_streams.hpp"
#include "cli/output.hpp"
#include "sys/clock.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

/// A container seen as a command: its end and its signals.
class Process : public ExecSession {
public:
    Process(const Context& context, std::string id, bool kill)
        : waiting_(make_containers(context)), signalling_(make_containers(context)), id_(std::move(id)), kill_(kill) {}

    [[nodiscard]] int terminal() const override { return -1; }
    [[nodiscard]] int wait() override { return waiting_->wait(id_); }
    void signal(int number) override {
        if (kill_ && number == SIGWINCH) return;
        if (kill_) killed_by_ = number;
        try {
            signalling_->kill(id_, kill_ ? SIGKILL : number);
        } catch (const Error&) {
            // It has just ended: there is nobody to tell.
        }
    }

    /// 0: by nobody.
    [[nodiscard]] int killed_by() const { return killed_by_; }

private:
    std::unique_ptr<Containers> waiting_, signalling_;
    std::string id_;
    bool kill_;
    std::atomic<int> killed_by_ = 0;
};

sys::Fd copy_of(int fd, bool wanted) {
    return fd >= 0 && wanted ? sys::duplicate(sys::FdRef(fd)) : sys::Fd();
}

}  // namespace

std::vector<int> attach_signal_numbers() {
    return {SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
}

void check_terminal(bool tty, bool input) {
    if (tty && input && !sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "the input device is not a TTY").with_hint("leave -t out");
}

std::optional<int> attach_container(Context& context, sys::SignalSet& signals, const std::string& id,
                                    std::unique_ptr<AttachSession> session, const AttachChoice& choice) {
    DetachKeys keys(choice.detach_keys);
    const bool terminal = session->terminal();
    const bool typing = choice.input && sys::is_terminal(sys::FdRef(0));
    ExecEnds ends{.in = copy_of(session->in(), choice.input),
                  .out = copy_of(session->out(), choice.out),
                  .err = copy_of(session->err(), choice.err),
                  .close_input = [&] { session->close_input(); },
                  .detach_keys = typing && terminal ? &keys : nullptr,
                  .shared = true,
                  .pass_signals = choice.sig_proxy};
    const auto containers = make_containers(context);
    const auto run_of = [&] { return containers->find(id).started_at; };
    // What a process that has closed its output gives ends at once, again and again.
    ends.renew = [&, run = run_of(), since = sys::monotonic_now()](ExecEnds& now, bool heard) mutable {
        constexpr std::chrono::seconds kShortest{1};
        if (!heard && sys::monotonic_now() - since < kShortest) return false;
        since = sys::monotonic_now();
        const auto next = reattach(*containers, id, false);
        if (!next || run_of() != run) return false;
        now.out = copy_of(next->out(), choice.out);
        now.err = copy_of(next->err(), choice.err);
        if (now.out || now.err) print_error("the supervisor was replaced: attached again\n");
        return true;
    };
    if (terminal && ends.in)
        if (const auto size = sys::window_size(sys::FdRef(1))) sys::set_window_size(ends.in, *size);
    std::optional<sys::RawMode> raw;
    if (terminal && typing) raw.emplace(sys::FdRef(0));
    const auto process = std::make_shared<Process>(context, id, choice.kill);
    const int code = carry_streams(process, std::move(ends), terminal, signals);
    raw.reset();
    if (const int signal = process->killed_by(); signal != 0) return 128 + signal;
    return keys.detached() ? std::nullopt : std::optional<int>(code);
}

}  // namespace compose::cli
