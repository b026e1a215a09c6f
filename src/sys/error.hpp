// errno as words.
#pragma once

#include <cerrno>
#include <string>

#include "base/error.hpp"

namespace compose::sys {

/// "No such file or directory" in lower case.
[[nodiscard]] std::string errno_text(int code);
[[nodiscard]] Error error_from(int code, const std::string& what);

/// An Error "what: reason" from errno, which is read before anything else can change it.
template <class... Args>
[[nodiscard]] Error errno_error(fmt::format_string<Args...> format, Args&&... args) {
    const int code = errno;
    return error_from(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace compose::sys
