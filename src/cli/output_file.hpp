// The file that `-o` names.
#pragma once

#include <functional>
#include <string>

#include "sys/fd.hpp"

namespace compose::cli {

/// Calls `write` with the open file. The name appears, or gets its new content, when all is written: what broke off
/// must not look whole. A device or a pipe (/dev/null, /dev/stdout) is written to as it stands.
void write_output_file(const std::string& path, unsigned mode, const std::function<void(sys::FdRef)>& write);

}  // namespace compose::cli
