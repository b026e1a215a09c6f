// Reading the extended attributes of open files. Setting them stands in tree.hpp.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

/// Nothing when the file has no such attribute or its file system knows none.
[[nodiscard]] std::optional<std::string> read_xattr(FdRef fd, const std::string& name);
/// All that this process may see.
[[nodiscard]] std::map<std::string, std::string> read_xattrs(FdRef fd);
void remove_xattr(FdRef fd, const std::string& name);  // no error when it is not there

}  // namespace compose::sys
