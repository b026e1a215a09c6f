// Compresses rotated log files, one after the other and a small piece at a time between the loop's other work, so that
// the capture never waits for it. A flood turns files away faster than they become small: one that is pushed out
// meanwhile is given up.
//
//   container.log.1 ──► container.log.gz.part ──rename──► container.log.1.gz, then container.log.1 goes
//
// Whoever dies in the middle has changed nothing that counts (see log_file.hpp); the next run begins again.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "supervisor/log_gzip.hpp"
#include "sys/event_loop.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

class LogCompressor {
public:
    explicit LogCompressor(sys::EventLoop& loop) : loop_(loop) {}

    /// There may be something to do in the log of this name.
    void look_at(const std::string& path);
    /// Its folder is about to go: nothing is made in it any more.
    void forget(const std::string& path);
    [[nodiscard]] bool idle() const { return !job_ && waiting_.empty(); }

private:
    struct Job {
        std::string path;
        sys::Fd source, target;
        GzipWriter writer;
        std::uint64_t read = 0;
    };
    void step_later(std::chrono::nanoseconds delay);
    void step();
    void begin_next();
    void compress_piece();
    void finish();
    void give_up();

    sys::EventLoop& loop_;
    std::set<std::string> waiting_;
    std::optional<Job> job_;
    sys::EventLoop::Watch timer_;
};

}  // namespace compose::supervisor
