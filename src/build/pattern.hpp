// Patterns of paths: Go's filepath.Match for each part, and "**" for any number of parts. The time is bounded by the
// product of the lengths, whatever the pattern. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace compose::build {

/// One part: "*" (but no slash), "?", "[a-z]", "[^a]", "\x". A malformed set matches nothing.
[[nodiscard]] bool match_part(std::string_view pattern, std::string_view name);
/// As the shell's ${v#pattern}: "*" and "?" match everything, slashes too.
[[nodiscard]] bool match_text(std::string_view pattern, std::string_view text);
[[nodiscard]] bool has_wildcard(std::string_view pattern);
/// False for a set that is not closed or an escape at the end.
[[nodiscard]] bool is_well_formed(std::string_view pattern);

class PathPattern {
public:
    explicit PathPattern(std::string_view pattern);  // relative, slashes between parts
    /// The whole path.
    [[nodiscard]] bool matches(std::string_view path) const;

private:
    std::vector<std::string> parts_;
    bool literal_ = false;  // no wildcard at all
    std::string text_;
};

}  // namespace compose::build
