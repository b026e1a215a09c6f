// The developers' log: decisions and kernel calls, off unless asked for. Users see errors and progress, never this.
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

namespace compose::log {

/// Sends debug lines to stderr (empty path) or appends them to a file.
void enable(const std::string& file = {});
[[nodiscard]] bool enabled() noexcept;
void write(const std::string& line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled()) write(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace compose::log
