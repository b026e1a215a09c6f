#include "cli/interrupt.hpp"

#include <compose/error.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "cli/context.hpp"
#include "cli/output.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

constexpr int kInterrupted = 130;

class Interrupt {
public:
    Interrupt() : signals_({SIGINT, SIGTERM, SIGHUP}), wake_(sys::make_pipe()), thread_([this] { watch(); }) {}
    ~Interrupt() {
        wake_.write.reset();
        thread_.join();
    }
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
    [[nodiscard]] bool happened() const { return stop_.stop_requested(); }

private:
    void watch() {
        for (;;) {
            std::array<sys::PollItem, 2> items{sys::PollItem{.fd = signals_.fd()}, sys::PollItem{.fd = wake_.read}};
            sys::poll(items, std::nullopt);
            if (items[1].readable) return;
            while (signals_.next()) {
                if (stop_.stop_requested()) end_now();
                stop_.request_stop();
            }
        }
    }

    sys::SignalSet signals_;
    sys::Pipe wake_;
    std::stop_source stop_;
    std::thread thread_;
};

}  // namespace

void end_now() noexcept {
    if (sys::is_terminal(sys::FdRef(2))) print_error("\033[?25h");
    std::_Exit(kInterrupted);
}

int run_interruptible(Context& context, const std::function<int(std::stop_token)>& body) {
    const Interrupt interrupt;
    try {
        const int status = body(interrupt.token());
        return interrupt.happened() ? kInterrupted : status;
    } catch (const Error&) {
        if (!interrupt.happened()) throw;
        context.finish_progress();
        print_error("canceled\n");
        return kInterrupted;
    }
}

}  // namespace compose::cli
