// As ../support.hpp, for targets that know nothing of Compose files.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace compose::fuzz {

[[noreturn]] inline void broken(std::string_view promise, std::string_view left = {}, std::string_view right = {}) {
    std::fprintf(stderr, "broken promise: %.*s\n---- one\n%.*s\n---- other\n%.*s\n", static_cast<int>(promise.size()),
                 promise.data(), static_cast<int>(left.size()), left.data(), static_cast<int>(right.size()),
                 right.data());
    std::abort();
}

}  // namespace compose::fuzz
