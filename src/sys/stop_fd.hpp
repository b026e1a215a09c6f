// A stop token as a descriptor, for poll(2) beside others.
#pragma once

#include <stop_token>

#include "sys/fd.hpp"

namespace compose::sys {

class StopFd {
public:
    explicit StopFd(const std::stop_token& token) : pipe_(make_pipe()), wake_(token, Wake{this}) {}
    /// Readable from the moment that a stop is requested.
    [[nodiscard]] FdRef fd() const { return pipe_.read; }

private:
    struct Wake {
        StopFd* self;
        void operator()() const noexcept { self->pipe_.write.reset(); }
    };
    Pipe pipe_;
    std::stop_callback<Wake> wake_;
};

}  // namespace compose::sys
