// Lines of containers as the user sees them: prefix, colour, timestamp; pieces of a line put together again. Bytes of
// the container go through as they are, as Docker does it.
#pragma once

#include <compose/logs.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace compose::cli {

struct LogStyle {
    bool prefix = true;
    bool timestamps = false;
    bool color = false;
    bool json = false;                               // one object a line instead
    bool details = false;                            // the container's details before each line, as Docker does it
    std::function<bool(std::string_view)> wanted{};  // which lines; empty: all
};

class LogPrinter {
public:
    /// Where the text goes; `error` tells stderr from stdout.
    using Sink = std::function<void(std::string_view text, bool error)>;
    LogPrinter(LogStyle style, Sink sink);

    /// `name` is what stands before the lines: "web-1". Colours go round in the order of adding.
    /// `service` and `container` are for JSON.
    void add(const std::string& container_id, const std::string& name, const std::string& service = {},
             const std::string& container = {}, const std::map<std::string, std::string>& details = {});
    void print(const LogEntry& entry);
    /// Ends lines that have no end yet: the container is gone.
    void end(const std::string& container_id);
    /// "web-1 exited with code 0"
    void note(const std::string& container_id, const std::string& text);
    /// Hands over what was collected. Call it whenever there is nothing more to print for now.
    void flush();

private:
    struct Source {
        std::string name, service, container;
        std::map<std::string, std::string> details;
        std::size_t color = 0;
        std::string pieces[2];  // of a line that is not complete: stdout, stderr
        std::int64_t times[2] = {0, 0};
    };
    void line(const Source& source, std::int64_t time, std::string_view text, bool error);
    void append(std::string_view text, bool error);

    LogStyle style_;
    Sink sink_;
    std::map<std::string, Source> sources_;
    std::size_t width_ = 0;
    std::string buffer_;
    bool buffer_is_error_ = false;
};

/// "2026-01-02T03:04:05.123456789Z"
[[nodiscard]] std::string log_time(std::int64_t time_ns);
/// What a container is called in logs: its name without "<project>-".
[[nodiscard]] std::string log_name(const std::string& container, const std::string& project);
/// All to stdout, in the order in which it came.
[[nodiscard]] LogPrinter::Sink standard_output();
/// stdout to stdout, stderr to stderr.
[[nodiscard]] LogPrinter::Sink standard_streams();

}  // namespace compose::cli
