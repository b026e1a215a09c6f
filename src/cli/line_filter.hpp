// Lines that match a regular expression, with the C library's matcher: its stack does not grow with what a container
// writes, as that of std::regex does. Its time may grow with the square of the text, so that long lines are looked at
// in windows that overlap: a match longer than 1,024 characters may go unseen.
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
