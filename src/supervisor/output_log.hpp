// One container's output on its way to container.log, exactly once, whatever happens to this process.
//
//   pipe ──splice──► spool (memory file) ──format, one write──► container.log
//
// Pipe and spool are held by the keeper too. The spool's shared file position says what was taken from the pipe. A page
// that is shared in the same way says what of it is in the log already, and before each write to the log what that
// write is going to do: its successor compares the log's real size and knows whether it was done, and if it was done
// in part, cuts it back and does it again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/log_format.hpp"
#include "sys/fd.hpp"
#include "sys/spool.hpp"

namespace compose::supervisor {

/// What the page holds. Plain numbers: it is read by another version of this program.
struct LogState {
    std::uint64_t magic;
    std::uint64_t consumed[2];  // bytes of each spool that are in the log (or dropped)
    std::uint32_t active;       // a write is under way:
    std::uint32_t stream;
    std::uint64_t inode;  // of the file written to
    std::uint64_t size_before;
    std::uint64_t length;
    std::uint64_t consumed_after;
    std::uint64_t dropped;  // bytes for which there was no room, not yet mentioned in the log
    std::uint64_t dropped_after;
};

/// Shared by all logs of a process: one batch is in work at a time.
struct LogBuffers {
    std::vector<char> raw = std::vector<char>(96 * 1024);
    std::string text;
};

struct LogLimits {
    std::uint64_t file_size = 10 << 20;
    int files = 3;
    std::uint64_t backlog = 1 << 20;  // kept in memory while the log can't be written
    std::function<void()> rotated{};  // called when a file was turned
};

class OutputLog {
public:
    /// The descriptors that must survive this process; made at the container's start.
    struct Source {
        sys::Fd pipe[2];  // read ends; empty: that stream does not exist
        sys::Fd spool[2];
        sys::Fd page;
    };
    /// Spools and page for the given pipes.
    [[nodiscard]] static Source make_source(sys::Fd out, sys::Fd err);

    /// Opens the log and finishes what a predecessor left undone.
    OutputLog(std::string path, Source source, LogLimits limits);

    /// Everything taken from the pipes is shown to `tap` (may be empty), before it is written.
    using Tap = std::function<void(Stream, std::string_view)>;
    void set_tap(Tap tap) { tap_ = std::move(tap); }

    /// One bounded step: takes what the pipe has (not more than its size) and writes the whole lines of it.
    enum class Step { moved, idle, ended };
    Step step(Stream stream, LogBuffers& buffers);
    /// There are bytes that the log did not take: call flush() again after a while.
    [[nodiscard]] bool blocked(Stream stream) const { return blocked_[index(stream)]; }
    /// Writes what is in the spool.
    void flush(Stream stream, LogBuffers& buffers);
    /// Nothing more will come (all writers are dead): the unfinished last line is written as well.
    void finish(Stream stream, LogBuffers& buffers);

    [[nodiscard]] const Source& source() const { return source_; }
    [[nodiscard]] bool ended(Stream stream) const { return ended_[index(stream)]; }

private:
    [[nodiscard]] static std::size_t index(Stream stream) { return static_cast<std::size_t>(stream); }
    [[nodiscard]] LogState& state() const { return *static_cast<LogState*>(page_.get()); }
    void open_log();
    void recover();
    void cut_torn_tail();
    void rotate();
    bool write_batch(Stream stream, std::size_t used, LogBuffers& buffers);
    bool append(const std::string& text);
    void drop_excess(Stream stream);
    void release_memory(Stream stream);

    std::string path_;
    Source source_;
    LogLimits limits_;
    sys::SharedPage page_;
    sys::Fd log_;
    std::uint64_t size_ = 0;
    std::uint64_t inode_ = 0;
    std::uint64_t freed_[2] = {0, 0};
    bool ended_[2] = {false, false};
    bool blocked_[2] = {false, false};
    Tap tap_;
};

}  // namespace compose::supervisor
