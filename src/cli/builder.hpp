// builder and buildx: the one builder there is, and what it keeps.
#pragma once

#include "cli/commands.hpp"

namespace compose::cli {

Run define_builder_prune(Arguments& arguments);
Run define_builder_du(Arguments& arguments);
Run define_buildx_inspect(Arguments& arguments);
Run define_buildx_ls(Arguments& arguments);
Run define_buildx_use(Arguments& arguments);
Run define_buildx_version(Arguments& arguments);

}  // namespace compose::cli
