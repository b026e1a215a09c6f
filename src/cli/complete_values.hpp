// What may stand where a value or an argument does: for the completion of a command line that is still being typed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/arguments.hpp"

namespace compose::cli {

class Context;

struct Completions {
    std::vector<std::pair<std::string, std::string>> words;  // and what they mean
    bool files = false;                                      // names of files fit, too
    void add(const std::string& word, const std::string& meaning = {}) { words.emplace_back(word, meaning); }
};

/// Of an option. Never fails: who can't be asked adds nothing.
void complete_value(Context& context, const Arguments::OptionInfo& option, Completions& out);
/// Of an argument, by its name in the usage line: "SERVICE".
void complete_argument(Context& context, const std::string& name, Completions& out);

}  // namespace compose::cli
