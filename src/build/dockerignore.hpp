// Which files of a context a .dockerignore hides. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "build/pattern.hpp"

namespace compose::build {

class DockerIgnore {
public:
    /// Matches of each pattern with a directory or one above it: a pattern that hides a directory hides what is in it.
    using Matches = std::vector<bool>;

    DockerIgnore() = default;
    /// Comments, blank lines, "!" to show again; the last pattern that matches decides. Throws Error(invalid) for a
    /// pattern that is malformed, or a file that is too long.
    explicit DockerIgnore(std::string_view text);
    [[nodiscard]] bool empty() const { return rules_.empty(); }
    /// Whether something below a hidden directory may be shown again.
    [[nodiscard]] bool shows_again() const { return shows_again_; }
    /// `path` is relative to the context; `above` are the matches of its directory (empty at the top). `own` gets those
    /// of the path itself, for what lies in it.
    [[nodiscard]] bool hides(std::string_view path, const Matches& above, Matches& own) const;
    [[nodiscard]] bool hides(std::string_view path) const;

private:
    struct Rule {
        PathPattern pattern;
        bool show;
    };
    std::vector<Rule> rules_;
    bool shows_again_ = false;
};

}  // namespace compose::build
