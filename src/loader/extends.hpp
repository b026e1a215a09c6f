// `extends`: services built on others, of the same file or of another.
#pragma once

#include <string>

#include "loader/compose_file.hpp"

namespace compose {

/// Resolves every `extends` of a file in place. Other files are named relative to `folder`; their own relative paths
/// are made absolute against the folder that they stand in.
void apply_extends(LoadSession& session, ComposeFile& file, const std::string& folder, const Environment& environment);

}  // namespace compose
