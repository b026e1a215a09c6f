// builder prune.
#pragma once

#include "cli/commands.hpp"

namespace compose::cli {

Run define_builder_prune(Arguments& arguments);

}  // namespace compose::cli
