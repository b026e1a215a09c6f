// Archives that a build was given: contexts, and what ADD unpacks.
#pragma once

#include <string>

#include "sys/fd.hpp"

namespace compose::engine {

/// By content, whatever the name: a tar, plain or compressed. Reads from where `file` stands.
[[nodiscard]] bool is_archive(sys::FdRef file);
/// Into the empty folder, where nothing that the archive names can meet anything that is not the archive's own.
void unpack_archive(sys::FdRef archive, const std::string& folder);

}  // namespace compose::engine
