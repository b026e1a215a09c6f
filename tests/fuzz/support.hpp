// What every fuzz target needs: a way to fail that libFuzzer notices, and files in memory.
#pragma once

#include <compose/load.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "unit/loader/memory_files.hpp"
#include "unit/loader/tree_text.hpp"

namespace compose::fuzz {

/// A promise was broken: says which, with the two texts that should be equal, and ends as a crash.
[[noreturn]] inline void broken(std::string_view promise, std::string_view left = {}, std::string_view right = {}) {
    std::fprintf(stderr, "broken promise: %.*s\n---- one\n%.*s\n---- other\n%.*s\n", static_cast<int>(promise.size()),
                 promise.data(), static_cast<int>(left.size()), left.data(), static_cast<int>(right.size()),
                 right.data());
    std::abort();
}

inline LoadRequest request() {
    LoadRequest out;
    out.working_directory = "/p";
    out.environment = {{"HOME", "/home/me"}, {"SET", "value"}, {"EMPTY", ""}};
    return out;
}

}  // namespace compose::fuzz
