// What could come next on a command line, told from the same declarations that parse it.
#pragma once

#include <string>
#include <vector>

namespace compose::cli {

class Context;

/// `words` after "compose", the last one unfinished. One "word<tab>meaning" a line, ":files" where files fit too.
int complete(Context& context, const std::vector<std::string>& words);

}  // namespace compose::cli
