#include "cli/attach_streams.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/output.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr int kInterrupted = 130;

constexpr std::chrono::seconds kShortest{1};
constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kPatience{5};  // until a new supervisor listens
constexpr const char* kReattached =
    "the supervisor was replaced: attached again, lines in between are in 'compose logs'\n";

bool is_running(Containers& containers, const std::string& id) {
    const std::string state = containers.find(id).state;
    return state == "running" || state == "paused";
}

class Carrier {
public:
    Carrier(AttachSession& session, const AttachedEnds& ends, sys::SignalSet& signals)
        : session_(session), ends_(ends), signals_(signals) {
        input_open_ = ends.input && session.in() >= 0;
        if (session.in() >= 0) sys::set_nonblocking(sys::FdRef(session.in()), true);
        out_open_ = session.out() >= 0;
        err_open_ = session.err() >= 0;
    }

    [[nodiscard]] bool heard() const { return heard_; }

    AttachEnd run() {
        std::optional<sys::RawMode> raw;
        if (session_.terminal() && input_open_ && sys::is_terminal(sys::FdRef(0))) raw.emplace(sys::FdRef(0));
        resize();
        while (out_open_ || err_open_) {
            const bool writing = !pending_.empty();
            std::array<sys::PollItem, 5> items{};
            items[0] = {.fd = signals_.fd()};
            items[1] = {.fd = input_open_ && pending_.size() < kBlock ? sys::FdRef(0) : sys::FdRef()};
            items[2] = {
                .fd = writing ? sys::FdRef(session_.in()) : sys::FdRef(), .want_read = false, .want_write = true};
            items[3] = {.fd = out_open_ ? sys::FdRef(session_.out()) : sys::FdRef()};
            items[4] = {.fd = err_open_ ? sys::FdRef(session_.err()) : sys::FdRef()};
            sys::poll(items, std::nullopt);
            while (const auto number = signals_.next()) on_signal(*number);
            if (items[1].readable && !take_input()) return AttachEnd::detached;
            give_input();
            if (items[3].readable) take_output(session_.out(), out_open_, false);
            if (items[4].readable) take_output(session_.err(), err_open_, true);
        }
        return AttachEnd::ended;
    }

private:
    void resize() const {
        const auto size = sys::window_size(sys::FdRef(1));
        if (session_.terminal() && size && session_.in() >= 0) sys::set_window_size(sys::FdRef(session_.in()), *size);
    }

    void on_signal(int number) {
        if (number == SIGWINCH) return resize();
        if (!ends_.pass) throw Exit{kInterrupted};
        ends_.pass(number);
    }

    /// False: the keys that detach.
    bool take_input() {
        std::array<char, kBlock> buffer;
        const auto count = sys::read_some(sys::FdRef(0), buffer);
        if (!count) return true;
        if (*count == 0) input_open_ = false;
        if (!session_.terminal() || ends_.detach_keys.empty()) {
            pending_.append(buffer.data(), *count);
            return true;
        }
        for (const char c : std::string_view(buffer.data(), *count)) {
            // What could be the beginning of the keys is held back until it is known to be none.
            typed_ += c;
            while (!ends_.detach_keys.starts_with(typed_)) {
                pending_ += typed_.front();
                typed_.erase(0, 1);
            }
            if (typed_ == ends_.detach_keys) return false;
        }
        return true;
    }

    void give_input() {
        if (session_.in() < 0) return;
        try {
            if (!pending_.empty()) pending_.erase(0, sys::write_some(sys::FdRef(session_.in()), pending_).value_or(0));
        } catch (const Error&) {  // it has closed its input
            input_open_ = false;
            pending_.clear();
        }
        if (!input_open_ && pending_.empty() && !session_.terminal() && ends_.input) session_.close_input();
    }

    void take_output(int fd, bool& open, bool error) {
        std::array<char, kBlock> buffer;
        const auto count = sys::read_some(sys::FdRef(fd), buffer);
        if (!count) return;
        if (*count == 0) {
            open = false;
            return;
        }
        heard_ = true;
        const std::string_view text(buffer.data(), *count);
        if (error)
            print_error(text);
        else
            print(text);
    }

    AttachSession& session_;
    const AttachedEnds& ends_;
    sys::SignalSet& signals_;
    std::string pending_, typed_;
    bool input_open_ = false, out_open_ = false, err_open_ = false, heard_ = false;
};

}  // namespace

std::unique_ptr<AttachSession> reattach(Containers& containers, const std::string& id, bool input) {
    const sys::MonotonicTime deadline = sys::monotonic_now() + kPatience;
    for (;;) {
        try {
            return containers.attach(id, input);
        } catch (const Error&) {
            if (!is_running(containers, id)) return nullptr;
            if (sys::monotonic_now() > deadline) throw;
            (void)sys::poll({}, kPause);
        }
    }
}

AttachEnd carry_attached(Containers& containers, const std::string& id, std::unique_ptr<AttachSession> session,
                         const AttachedEnds& ends, sys::SignalSet& signals) {
    const auto run_of = [&] { return containers.find(id).started_at; };
    const std::int64_t run = run_of();
    for (;;) {
        Carrier carrier(*session, ends, signals);
        const sys::MonotonicTime before = sys::monotonic_now();
        if (carrier.run() == AttachEnd::detached) return AttachEnd::detached;
        // A process may close its output and run on: then the streams end at once, again and again.
        const bool served = carrier.heard() || sys::monotonic_now() - before > kShortest;
        if (!served || !is_running(containers, id) || run_of() != run) return AttachEnd::ended;
        session = reattach(containers, id, ends.input);
        if (!session) return AttachEnd::ended;
        if (session->out() >= 0 || session->err() >= 0) print_error(kReattached);
    }
}

std::string parse_detach_keys(const std::string& text) {
    std::string out;
    if (text.empty()) return out;
    for (const auto& key : split(text, ',')) {
        if (key.size() == 1) {
            out += key;
            continue;
        }
        const bool control = key.size() == 6 && key.starts_with("ctrl-");
        const char last = control ? key[5] : '\0';
        const bool known = (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z') ||
                           std::string_view("@[\\]^_").find(last) != std::string_view::npos;
        if (!control || !known)
            throw make_error(ErrorKind::usage, "{} is no key for --detach-keys", quote(key))
                .with_hint("write single characters or ctrl-X, with commas between: ctrl-p,ctrl-q");
        out += static_cast<char>(static_cast<unsigned char>(last) & 0x1fU);
    }
    return out;
}

}  // namespace compose::cli
