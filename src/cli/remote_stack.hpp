// A project that was fetched is a stranger's: before it runs, people see where it lies, what it fetched in turn, and
// which variables of theirs it takes.
#pragma once

#include <compose/load.hpp>

namespace compose::cli {

class Context;

/// Does nothing for a project of this machine, and asks nothing with `yes`. Without a terminal variables are taken as
/// they are. Throws Error when somebody declines, and when nobody can be asked about what a stranger made us fetch.
void confirm_remote_stack(Context& context, const LoadedProject& loaded, bool yes);

}  // namespace compose::cli
