// What is in one open file, into another: bytes with their holes, and extended attributes.
#pragma once

#include <cstdint>

#include "sys/fd.hpp"

namespace compose::sys {

/// `to` is empty. A source that becomes shorter meanwhile leaves a hole at the end.
void copy_file_data(FdRef from, FdRef to, std::int64_t size);
/// Without those that are the host's or overlayfs's own business.
void copy_file_xattrs(FdRef from, FdRef to);

}  // namespace compose::sys
