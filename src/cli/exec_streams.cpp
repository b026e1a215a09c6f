#include "cli/exec_streams.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "cli/output.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr int kForceCode = 130;
// A pty hands its last bytes over with a delay; a child that stays behind may hold it open for ever.
constexpr auto kTerminalLinger = std::chrono::seconds(1);

/// wait() in a thread of its own: it blocks. When the carrying ends early (nobody reads our output any more), the
/// thread is left alone until the program ends, so it owns all that it touches.
class Waiter {
public:
    explicit Waiter(std::shared_ptr<ExecSession> session) : state_(std::make_shared<State>()) {
        thread_ = std::thread([state = state_, session = std::move(session)] {
            try {
                state->code = session->wait();
            } catch (...) {
                state->failure = std::current_exception();
            }
            state->pipe.write.reset();
        });
    }
    ~Waiter() {
        if (thread_.joinable()) thread_.detach();
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    [[nodiscard]] sys::FdRef ended() const { return state_->pipe.read; }
    int code() {
        thread_.join();
        if (state_->failure) std::rethrow_exception(state_->failure);
        return state_->code;
    }

private:
    struct State {
        sys::Pipe pipe = sys::make_pipe();
        int code = 0;
        std::exception_ptr failure;
    };
    std::shared_ptr<State> state_;
    std::thread thread_;
};

class Carrier {
public:
    Carrier(std::shared_ptr<ExecSession> session, ExecEnds ends, bool terminal, sys::SignalSet& signals)
        : session_(std::move(session)), ends_(std::move(ends)), terminal_(terminal), signals_(signals) {
        for (const auto* fd : {&ends_.in, &ends_.out, &ends_.err})
            if (*fd) sys::set_nonblocking(*fd, true);
        input_open_ = static_cast<bool>(ends_.in);
    }

    int run();

private:
    void take_input();
    void give_input();
    bool take_output(sys::Fd& fd, bool error);  // false: nothing there now
    void on_signal(int number);
    void drain();
    void renew();

    std::shared_ptr<ExecSession> session_;
    ExecEnds ends_;
    bool terminal_;
    sys::SignalSet& signals_;
    std::string input_;  // read from the user, not yet taken by the command
    bool input_open_ = false;
    bool signalled_ = false;
    bool heard_ = false;
};

void Carrier::take_input() {
    std::array<char, kBlock> buffer;
    const auto count = sys::read_some(sys::FdRef(0), buffer);
    if (!count) return;
    if (*count == 0) input_open_ = false;
    const std::string_view typed(buffer.data(), *count);
    if (ends_.detach_keys != nullptr)
        input_ += ends_.detach_keys->feed(typed);
    else
        input_.append(typed);
}

void Carrier::give_input() {
    try {
        if (!input_.empty()) input_.erase(0, sys::write_some(ends_.in, input_).value_or(0));
    } catch (const Error&) {  // the command has closed its input: what the user types is of no use
        input_open_ = false;
        input_.clear();
    }
    // A terminal has no end of input to pass on; closing it would hang it up.
    if (input_open_ || !input_.empty() || terminal_) return;
    ends_.in.reset();
    if (ends_.close_input) ends_.close_input();
}

bool Carrier::take_output(sys::Fd& fd, bool error) {
    std::array<char, kBlock> buffer;
    const auto count = sys::read_some(fd, buffer);
    if (!count) return false;
    if (*count == 0) {
        fd.reset();
        return false;
    }
    heard_ = true;
    const std::string_view text(buffer.data(), *count);
    if (error)
        print_error(text);
    else
        print(text);
    return true;
}

void Carrier::on_signal(int number) {
    if (number == SIGWINCH) {
        const auto size = sys::window_size(sys::FdRef(1));
        if (terminal_ && size) sys::set_window_size(ends_.in ? ends_.in : ends_.out, *size);
        return;
    }
    if (!ends_.pass_signals) throw Exit{128 + number};
    if (signalled_ && number == SIGINT) throw Exit{kForceCode};
    signalled_ = true;
    session_->signal(number);
}

void Carrier::drain() {
    if (!terminal_ && !ends_.shared) {
        // All that the command wrote is in the pipes; what its children may still write is not waited for.
        for (auto* fd : {&ends_.out, &ends_.err})
            while (*fd && take_output(*fd, fd == &ends_.err)) {
            }
        return;
    }
    const auto deadline = sys::monotonic_now() + kTerminalLinger;
    while (ends_.out || ends_.err) {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_now());
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = ends_.out}, sys::PollItem{.fd = ends_.err}};
        if (rest.count() <= 0 || !sys::poll(items, rest)) return;
        if (items[0].readable) take_output(ends_.out, false);
        if (items[1].readable) take_output(ends_.err, true);
    }
}

void Carrier::renew() {
    if (!ends_.renew(ends_, std::exchange(heard_, false))) ends_.renew = nullptr;
    for (const auto* fd : {&ends_.out, &ends_.err})
        if (*fd) sys::set_nonblocking(*fd, true);
}

int Carrier::run() {
    Waiter waiter(session_);
    for (;;) {
        std::array<sys::PollItem, 6> items{};
        items[0] = {.fd = waiter.ended()};
        items[1] = {.fd = signals_.fd()};
        items[2] = {.fd = input_open_ && input_.size() < kBlock ? sys::FdRef(0) : sys::FdRef()};
        items[3] = {.fd = input_.empty() ? sys::FdRef() : sys::FdRef(ends_.in), .want_read = false, .want_write = true};
        items[4] = {.fd = ends_.out};
        items[5] = {.fd = ends_.err};
        sys::poll(items, std::nullopt);
        while (const auto number = signals_.next()) on_signal(*number);
        if (items[2].readable) take_input();
        if (ends_.in) give_input();
        if (ends_.detach_keys != nullptr && ends_.detach_keys->detached()) return 0;
        if (items[4].readable) take_output(ends_.out, false);
        if (items[5].readable) take_output(ends_.err, true);
        if (items[0].readable) break;
        if (ends_.renew && !ends_.out && !ends_.err) renew();
    }
    drain();
    return waiter.code();
}

}  // namespace

int carry_streams(std::shared_ptr<ExecSession> session, ExecEnds ends, bool terminal, sys::SignalSet& signals) {
    return Carrier(std::move(session), std::move(ends), terminal, signals).run();
}

}  // namespace compose::cli
