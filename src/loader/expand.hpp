// The grammar of `${VAR:-default}` in one text. Knows no tree and no file: values come from a lookup, what happens on
// the way goes to hooks. One pass, so time is linear in the text and the values; a value is never looked into again.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace compose {

using VariableLookup = std::function<const std::string*(const std::string& name)>;

struct ExpandHooks {
    std::function<void(std::string_view name, std::size_t offset)> unset;  // used without default though not set
};

struct ExpandFailure {
    enum class Kind { malformed, required, too_deep, too_large };
    Kind kind = Kind::malformed;
    std::size_t offset = 0;  // in the text
    std::string message;
};

/// The expanded text. Throws ExpandFailure. `$$` gives `$`, and a `$` that starts no name stays.
[[nodiscard]] std::string expand(std::string_view text, const VariableLookup& lookup, const ExpandHooks& hooks = {});

}  // namespace compose
