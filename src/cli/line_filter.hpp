// Lines that match a regular expression, with the C library's matcher: its stack does not grow with what a container
// writes, as that of std::regex does. One pass over the line decides; only patterns that refer back to a group see long
// lines in windows that overlap, where a match longer than 1,024 characters may go unseen.
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
    std::unique_ptr<Compiled> searching_;
    std::unique_ptr<Compiled> anchored_;  // none: the pattern refers back
};

}  // namespace compose::cli
