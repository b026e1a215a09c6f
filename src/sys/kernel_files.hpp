// The folders and one-line files through which the kernel is configured, cgroups above all. Never for files of users or
// containers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.hpp"

namespace compose::sys {

/// The file must exist, and take all of `value` in one write.
void write_kernel_file(const std::string& path, std::string_view value);
/// Each value in a write of its own, through one descriptor.
void write_kernel_file(const std::string& path, const std::vector<std::string>& values);
/// For writing later, by whoever gets the descriptor.
[[nodiscard]] Fd open_kernel_file_for_writing(const std::string& path);
bool try_write_kernel_file(const std::string& path, std::string_view value);
/// Empty when it cannot be read.
[[nodiscard]] std::string read_kernel_file(const std::string& path);
/// A file that holds one number; nothing when it does not.
[[nodiscard]] std::optional<std::uint64_t> read_kernel_number(const std::string& path);
/// The number after `key` in a file of "key number" lines.
[[nodiscard]] std::optional<std::uint64_t> read_kernel_field(const std::string& path, std::string_view key);

/// False when its parent is missing; no error when it exists already.
[[nodiscard]] bool make_kernel_directory(const std::string& path);
/// True when it is gone now.
bool remove_kernel_directory(const std::string& path);
/// Paths of the folders in a folder.
[[nodiscard]] std::vector<std::string> kernel_directories(const std::string& path);
/// Names of everything in a folder, sorted; empty when it can't be read.
[[nodiscard]] std::vector<std::string> kernel_names(const std::string& path);
/// The text of a symbolic link; nothing when it is none.
[[nodiscard]] std::optional<std::string> link_text(const std::string& path);

}  // namespace compose::sys
