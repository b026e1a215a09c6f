#include "image/interrupt.hpp"

#include "base/error.hpp"
#include "sys/clock.hpp"
#include "sys/poll.hpp"

namespace compose::image {

void Interrupt::Wake::operator()() const noexcept {
    try {
        (void)sys::write_some(fd, "x");
    } catch (...) {  // nobody waits any more
        return;
    }
}

Interrupt::Interrupt(std::stop_token token)
    : token_(std::move(token)), pipe_(sys::make_pipe()), callback_(token_, Wake{pipe_.write}) {}

void Interrupt::check() const {
    if (token_.stop_requested()) throw Error("interrupted").with_exit_code(130);
}

bool Interrupt::wait(sys::FdRef fd, bool read, bool write, std::chrono::milliseconds timeout) const {
    const auto end = sys::monotonic_now() + timeout;
    for (;;) {
        check();
        sys::PollItem items[2];
        items[0].fd = fd;
        items[0].want_read = read;
        items[0].want_write = write;
        items[1].fd = pipe_.read;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - sys::monotonic_now());
        const bool ready = left.count() > 0 && sys::poll(items, left);
        check();
        if (ready && fd && (items[0].readable || items[0].writable || items[0].broken)) return true;
        if (sys::monotonic_now() >= end) return false;
    }
}

bool Interrupt::wait_readable(sys::FdRef fd, std::chrono::milliseconds timeout) const {
    return wait(fd, true, false, timeout);
}

bool Interrupt::wait_writable(sys::FdRef fd, std::chrono::milliseconds timeout) const {
    return wait(fd, false, true, timeout);
}

void Interrupt::sleep(std::chrono::milliseconds time) const {
    (void)wait({}, false, false, time);
}

}  // namespace compose::image
