// What the commands of `bridge` share.
#pragma once

#include <string>
#include <vector>

namespace compose::cli {

class Context;

/// Of replace_files() and copy_templates().
void warn_left_out(Context& context, const std::vector<std::string>& paths);

}  // namespace compose::cli
