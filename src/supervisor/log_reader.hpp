// Reading a container's log: the last lines, a span of time, and what is still being written, across rotated files,
// compressed or not. It only reads files; no supervisor is needed.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/log_file.hpp"
#include "supervisor/log_format.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/inotify.hpp"

namespace compose::supervisor {

struct LogQuery {
    std::optional<std::size_t> tail = {};  // only the last lines (a line written in pieces is one)
    std::optional<sys::WallTime> since = {};
    std::optional<sys::WallTime> until = {};
};

class LogReader {
public:
    /// `path`: store::Layout::container_log(id). It need not exist yet.
    LogReader(std::string path, LogQuery query);
    ~LogReader();
    LogReader(LogReader&&) noexcept;
    LogReader& operator=(LogReader&&) noexcept;

    /// The next line that is there; false at the present end. Its texts are valid until the next call.
    [[nodiscard]] bool next(LogLine& line);

    /// For following: readable when there may be more (for poll(2), beside other descriptors). Call it before the first
    /// next(), or something may go unseen.
    [[nodiscard]] sys::FdRef watch();
    /// Waits until there may be more. False when `timeout` ran out. To follow a container to its end: when it has
    /// ended, call next() until it is false once more.
    bool wait(std::optional<std::chrono::milliseconds> timeout);

private:
    void open_start();
    [[nodiscard]] std::optional<LogFile> find_next();
    bool open_next();
    bool fill();
    bool read_line(std::string_view& line);
    [[nodiscard]] bool wanted(const LogLine& line) const;

    std::string path_;
    LogQuery query_;
    std::string since_, until_;  // as texts of the log's width: they compare like times
    std::optional<LogFile> file_;
    std::uint64_t offset_ = 0;  // of the end of buffer_ in the file
    std::string buffer_;
    std::size_t begin_ = 0;     // of what is unread in buffer_
    std::size_t searched_ = 0;  // no line feed before this
    bool started_ = false;
    std::unique_ptr<sys::FileWatcher> watcher_;
};

}  // namespace compose::supervisor
