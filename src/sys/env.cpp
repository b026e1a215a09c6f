#include "sys/env.hpp"

#include <unistd.h>

#include <string_view>

namespace compose::sys {

Environment environment_snapshot() {
    Environment out;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto at = text.find('=');
        if (at != std::string_view::npos) out.emplace(text.substr(0, at), text.substr(at + 1));
    }
    return out;
}

unsigned effective_user() {
    return ::geteuid();
}

unsigned effective_group() {
    return ::getegid();
}

bool running_as_root() {
    return ::geteuid() == 0;
}

}  // namespace compose::sys
