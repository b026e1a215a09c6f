// Making errors: formatted, and with context added on the way up.
#pragma once

#include <compose/error.hpp>
#include <utility>

#include <fmt/format.h>

namespace compose {

template <class... Args>
[[nodiscard]] Error make_error(fmt::format_string<Args...> format, Args&&... args) {
    return Error(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
[[nodiscard]] Error make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return Error(fmt::format(format, std::forward<Args>(args)...), kind);
}

/// Runs `body`; an Error that leaves it gets the text of `frame()` in front.
template <class Frame, class Body>
auto in_context(Frame&& frame, Body&& body) -> decltype(body()) {
    try {
        return body();
    } catch (Error& error) {
        error.add_context(frame());
        throw;
    }
}

}  // namespace compose
