// Whole-file operations and the small questions about paths. Paths here are the engine's own: never use these on a path
// inside a container's root (see dir.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sys/fd.hpp"

namespace compose::sys {

[[nodiscard]] Fd open_file(const std::string& path, int flags, unsigned mode = 0600);
[[nodiscard]] Fd open_for_reading(const std::string& path);
/// For writing; made when missing, emptied when not.
[[nodiscard]] Fd create_file(const std::string& path, unsigned mode = 0644);
/// The whole file; throws when it is longer than `limit` bytes or no regular file.
[[nodiscard]] std::string read_file(const std::string& path, std::size_t limit = std::size_t{64} << 20U);
/// Nothing when the file does not exist.
[[nodiscard]] std::optional<std::string> read_file_if_exists(const std::string& path);
/// Up to end of file, at most `limit` bytes.
[[nodiscard]] std::string read_all(FdRef fd, std::size_t limit);
void write_all(FdRef fd, std::string_view data);
/// Writes in place (for kernel files and files nobody else reads).
void write_file(const std::string& path, std::string_view data, unsigned mode = 0644);
/// Readers see the old or the new content; survives a power loss.
void replace_file(const std::string& path, std::string_view data, unsigned mode = 0644);

/// What is there under the new name is replaced.
void rename_over(const std::string& from, const std::string& to);

struct Ownership {
    unsigned uid = 0, gid = 0, mode = 0600;
};
/// A new file, or an old one anew; never seen by its owner before it is whole.
void write_owned_file(const std::string& path, std::string_view data, const Ownership& ownership);

void make_directory(const std::string& path, unsigned mode = 0700);    // no error when it exists
void make_directories(const std::string& path, unsigned mode = 0700);  // with parents
[[nodiscard]] bool exists(const std::string& path);
[[nodiscard]] bool exists_no_follow(const std::string& path);  // a link that leads nowhere counts
[[nodiscard]] bool is_directory(const std::string& path);
[[nodiscard]] bool is_regular_file(const std::string& path);       // links followed
[[nodiscard]] bool is_socket(const std::string& path);             // links followed
[[nodiscard]] std::string own_program();                           // the path of this process's binary
[[nodiscard]] bool is_program(const std::string& path);            // a regular file that may be run
void remove_file(const std::string& path);                         // no error when it is not there
[[nodiscard]] std::string absolute_path(const std::string& path);  // lexically clean, symbolic links kept
[[nodiscard]] std::string real_path(const std::string& path);      // links resolved; throws when it does not exist
[[nodiscard]] std::string current_directory();

/// An exclusive flock(2) on a file that is made when missing. Released by the destructor or by death.
class FileLock {
public:
    /// Nothing when someone else holds it.
    [[nodiscard]] static std::optional<FileLock> try_acquire(const std::string& path);
    /// Waits until `timeout`; nothing when it runs out.
    [[nodiscard]] static std::optional<FileLock> acquire(const std::string& path, std::chrono::milliseconds timeout);
    /// Is it held by anyone now?
    [[nodiscard]] static bool held(const std::string& path);
    [[nodiscard]] FdRef fd() const noexcept { return fd_; }

private:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace compose::sys
