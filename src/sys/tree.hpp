// Making the entries of a tree relative to directory descriptors: nothing here follows a symbolic link in the last
// component, and nothing overwrites. "False" or "nothing" means that the name is taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

enum class FileKind { regular, directory, symlink, fifo, character, block, socket };

struct FileInfo {
    FileKind kind = FileKind::regular;
    std::uint32_t owner = 0;
    std::uint32_t group = 0;
    std::uint32_t mode = 0;  // 07777
    std::int64_t size = 0;
    std::int64_t mtime_s = 0;
    std::int64_t mtime_ns = 0;
    std::uint64_t device = 0;  // of a node
    std::uint64_t inode = 0;
    std::uint64_t links = 1;
    std::int64_t ctime_s = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t file_system = 0;  // the device that holds it
};
/// Nothing when the name is not there.
[[nodiscard]] std::optional<FileInfo> inspect_at(FdRef dir, const std::string& name);
[[nodiscard]] FileInfo inspect(FdRef fd);

[[nodiscard]] std::optional<Fd> create_file_at(FdRef dir, const std::string& name);  // write-only, 0600
/// A regular file that is there, for writing; a link is not followed, nor is anything but a regular file opened.
[[nodiscard]] Fd open_mounted_file_at(FdRef dir, const std::string& name);
bool create_directory_at(FdRef dir, const std::string& name, unsigned mode);
bool create_symlink_at(const std::string& target, FdRef dir, const std::string& name);
bool create_fifo_at(FdRef dir, const std::string& name);
/// The character device 0:0 by which overlayfs marks a name as removed.
bool create_whiteout_at(FdRef dir, const std::string& name);
bool create_link_at(FdRef from, const std::string& name, FdRef dir, const std::string& new_name);
/// The directory, if the name is one and no link; else nothing.
[[nodiscard]] std::optional<Fd> open_directory_at(FdRef dir, const std::string& name);
void rename_at(FdRef from, const std::string& name, FdRef dir, const std::string& new_name);
[[nodiscard]] std::string read_link_at(FdRef dir, const std::string& name);

void set_owner(FdRef fd, std::uint32_t owner, std::uint32_t group);
void set_owner_at(FdRef dir, const std::string& name, std::uint32_t owner, std::uint32_t group);
void set_mode(FdRef fd, unsigned mode);
void set_mode_at(FdRef dir, const std::string& name, unsigned mode);  // never of a symbolic link
/// Out of range for the file system: the nearest that is not.
void set_mtime(FdRef fd, std::int64_t seconds, std::int64_t nanoseconds);
void set_mtime_at(FdRef dir, const std::string& name, std::int64_t seconds, std::int64_t nanoseconds);
void set_length(FdRef fd, std::int64_t length);
void seek(FdRef fd, std::int64_t offset);

/// 0 or the errno. `fd` may be a symbolic link's only through the _at form, which does not follow.
[[nodiscard]] int set_xattr(FdRef fd, const std::string& name, const std::string& value) noexcept;
[[nodiscard]] int set_xattr_at(FdRef dir, const std::string& file, const std::string& name,
                               const std::string& value) noexcept;

/// Everything of the file system that holds `fd` is on the disk when this returns.
void sync_file_system(FdRef fd);
/// Bytes that may still be written to the file system of `fd`.
[[nodiscard]] std::int64_t free_space(FdRef fd);

/// An empty file to lock, made when missing.
[[nodiscard]] Fd open_lock_file(const std::string& path);
enum class LockMode { shared, exclusive };
/// flock(2) on what is open already, a directory too. False when someone else is in the way for longer than `timeout`.
[[nodiscard]] bool lock(FdRef fd, LockMode mode, std::chrono::milliseconds timeout);

}  // namespace compose::sys
