// Trees of files that others filled: everything here is relative to a directory descriptor, never follows a symbolic
// link unless it stays inside a root, and never leaves the file system it started in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS): links are followed but ".." and links that leave `dir` fail
/// (EXDEV).
[[nodiscard]] Fd open_beneath(FdRef dir, const std::string& path, int flags, unsigned mode = 0);
/// Is there something at `path`, and does no link on the way to it leave `dir` or its file system?
[[nodiscard]] bool leads_beneath(FdRef dir, const std::string& path);
/// openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): `root` is "/" for the lookup, as after chroot.
[[nodiscard]] Fd open_in_root(FdRef root, const std::string& path, int flags, unsigned mode = 0);
/// What a lookup answers with nothing: only a path that is not there, or also one that is something else (a file, a
/// loop of links, or, for a directory, a link in the last component).
enum class Missing { not_there, anything_else, anything_else_or_link };
/// The directory, for reading, looked up as by open_in_root().
[[nodiscard]] std::optional<Fd> find_directory_in_root(FdRef root, const std::string& path,
                                                       Missing missing = Missing::not_there);
/// The regular file, for reading; nothing when there is none. Never blocks on a fifo or a device.
[[nodiscard]] std::optional<Fd> find_regular_file_in_root(FdRef root, const std::string& path);
/// The raw call: -1 and errno for callers to whom a failure is an answer.
[[nodiscard]] int try_openat2(FdRef dir, const char* path, int flags, unsigned mode, std::uint64_t resolve) noexcept;

/// With parents, 0755; links on the way are followed inside the root.
void make_directories_in_root(FdRef root, const std::string& path);

[[nodiscard]] Fd open_directory(const std::string& path);
[[nodiscard]] bool is_empty_directory(const std::string& path);
/// Names in the directory without "." and "..", sorted.
[[nodiscard]] std::vector<std::string> list_directory(const std::string& path);
[[nodiscard]] std::vector<std::string> list_directory(FdRef dir);

/// Removes the file or the whole tree; no error when it is not there. Links are removed, not followed; mount points
/// inside are left alone and reported. Goes on after errors and throws the first one at the end. Depth does not matter.
void remove_tree(const std::string& path);
void remove_tree_at(FdRef dir, const std::string& name);

}  // namespace compose::sys
