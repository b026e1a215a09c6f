// Lines that match a regular expression. The C library's matcher: its time and stack do not grow with what a container
// writes, as those of std::regex do.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace compose::cli {

class LineFilter {
public:
    /// Throws Error(usage) for a pattern that is none.
    LineFilter(const std::string& pattern, bool ignore_case);
    ~LineFilter();
    LineFilter(const LineFilter&) = delete;
    LineFilter& operator=(const LineFilter&) = delete;
    [[nodiscard]] bool matches(std::string_view line) const;

private:
    struct Compiled;
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace compose::cli
