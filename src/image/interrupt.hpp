// A stop token as something poll(2) can wait on, and waiting with both it and a deadline in view.
#pragma once

#include <chrono>
#include <stop_token>

#include "sys/fd.hpp"

namespace compose::image {

class Interrupt {
public:
    explicit Interrupt(std::stop_token token);
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// Throws Error when stopping was asked for.
    void check() const;
    /// Until `fd` is ready. False when `timeout` ran out; throws when stopped.
    [[nodiscard]] bool wait_readable(sys::FdRef fd, std::chrono::milliseconds timeout) const;
    [[nodiscard]] bool wait_writable(sys::FdRef fd, std::chrono::milliseconds timeout) const;
    /// Sleeps; throws when stopped.
    void sleep(std::chrono::milliseconds time) const;
    [[nodiscard]] const std::stop_token& token() const { return token_; }

private:
    struct Wake {
        sys::FdRef fd;
        void operator()() const noexcept;
    };
    [[nodiscard]] bool wait(sys::FdRef fd, bool read, bool write, std::chrono::milliseconds timeout) const;

    std::stop_token token_;
    sys::Pipe pipe_;
    std::stop_callback<Wake> callback_;
};

}  // namespace compose::image
