// What containers wrote, as it was recorded: several logs merged in time order, then followed. Reads files only; no
// supervisor is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace compose {

struct LogRange {
    std::optional<std::size_t> tail;  // the last so many lines of each container; nothing: all
    std::int64_t since = 0;           // nanoseconds since 1970; 0: no bound
    std::int64_t until = 0;
};

/// One line of a container, or a piece of one that was too long or has no end yet.
struct LogEntry {
    std::string container_id;
    std::int64_t time = 0;  // nanoseconds since 1970
    bool error = false;     // written to stderr
    bool partial = false;   // the line goes on in the next entry of the same container and stream
    std::string text;       // without the line end; bytes as the container wrote them
};

class ContainerLogs {
public:
    /// `follow` off: next() ends where the logs end.
    explicit ContainerLogs(bool follow);
    ~ContainerLogs();
    ContainerLogs(const ContainerLogs&) = delete;
    ContainerLogs& operator=(const ContainerLogs&) = delete;

    /// `path` is ContainerView::log_path; it need not exist yet. Adding one twice does nothing.
    void add(const std::string& container_id, const std::string& path, const LogRange& range);
    /// A container whose log will not grow any more.
    void remove(const std::string& container_id);
    /// The oldest entry not yet returned; nothing when there is none now.
    [[nodiscard]] std::optional<LogEntry> next();
    /// For poll(2): readable when there may be more. -1 unless following.
    [[nodiscard]] int fd() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace compose
