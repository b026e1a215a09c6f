// What could come next on a command line, told from the same declarations that parse it.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace compose::cli {

class Arguments;
class Context;

/// `words` after "compose", the last one unfinished. One "word<tab>meaning" a line, ":files" where files fit too.
int complete(Context& context, const std::vector<std::string>& words);
/// The same for Docker's grammar; `root` has its global options.
int complete_docker(Context& context, const std::vector<std::string>& words, const Arguments& root);

/// `completion` under the name docker.
Run define_docker_completion(Arguments& arguments);

}  // namespace compose::cli
