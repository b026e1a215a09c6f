// Variables in a Dockerfile's words: $v, ${v}, ${v:-w} and its kin, quotes and escapes. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose::build {

/// The value of a variable; nothing when it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

struct Expansion {
    std::string text;
    std::vector<std::string> undefined;  // names that were used without a value or a default
};

/// Quotes and escapes are taken away. Throws Error(invalid): an open brace, a modifier that doesn't exist, the message
/// of ${v:?message}.
[[nodiscard]] Expansion expand_word(std::string_view text, char escape, const Lookup& lookup);
/// The same with quotes and backslashes kept, for the bodies of heredocs: only variables are replaced, and "\$" is "$".
[[nodiscard]] Expansion expand_body(std::string_view text, char escape, const Lookup& lookup);

}  // namespace compose::build
