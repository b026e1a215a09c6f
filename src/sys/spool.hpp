// A memory file between a pipe and a log. Bytes go from the pipe into the file inside the kernel, and the file's own
// position, which all holders of the descriptor share, says how many: a process that dies at any instant has neither
// lost nor doubled one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sys/fd.hpp"

namespace compose::sys {

[[nodiscard]] Fd make_memory_file(const char* name);
enum class Spooled { some, nothing, end };
/// Moves up to `limit` bytes that are there now from a pipe to the end of the spool.
[[nodiscard]] Spooled spool_from_pipe(FdRef pipe, FdRef spool, std::size_t limit);
/// Moves what a terminal has to offer into a pipe (a pipe is the only thing that splice(2) takes on one side).
[[nodiscard]] Spooled pipe_from_terminal(FdRef terminal, FdRef pipe, std::size_t limit);
/// Bytes ever put into the spool.
[[nodiscard]] std::uint64_t spool_position(FdRef spool);
/// Reads from `offset`; returns how many bytes there were.
[[nodiscard]] std::size_t read_at(FdRef file, std::span<char> out, std::uint64_t offset);
/// Gives the memory of [0, end) back; positions stay as they are.
void free_spool(FdRef spool, std::uint64_t end) noexcept;

/// A memory file's first page, mapped: what is stored here is what the next process finds.
class SharedPage {
public:
    static constexpr std::size_t kSize = 4096;
    SharedPage() = default;
    explicit SharedPage(FdRef file);
    SharedPage(SharedPage&& other) noexcept;
    SharedPage& operator=(SharedPage&& other) noexcept;
    ~SharedPage();
    [[nodiscard]] void* get() const noexcept { return address_; }

private:
    void* address_ = nullptr;
};

// Files that are appended to.

/// Made when missing (0600); a symbolic link is refused. Readable too.
[[nodiscard]] Fd open_to_append(const std::string& path);
/// Nothing when it is not there.
[[nodiscard]] std::optional<Fd> open_to_read(const std::string& path);
struct FileFacts {
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool linked = true;  // false: nobody finds it by a name any more
};
[[nodiscard]] FileFacts facts_of(FdRef file);
/// One write(2): how much of it was taken, or -errno.
[[nodiscard]] std::int64_t append_some(FdRef file, std::string_view data) noexcept;
/// 0 or -errno.
[[nodiscard]] int truncate_file(FdRef file, std::uint64_t size) noexcept;
/// No error when `from` is not there.
void rename_file(const std::string& from, const std::string& to);

}  // namespace compose::sys
