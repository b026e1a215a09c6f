// What looks like a key, a token or a password in a text that is about to be shown to others. Knows the forms that
// services give their keys, and guesses at nothing else. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compose {

struct FoundSecret {
    std::string type;        // "AWS Client ID"
    std::uint32_t line = 0;  // from 1
    std::string value;       // shortened: enough to find it, too little to use it
};

/// In order, at most 100.
[[nodiscard]] std::vector<FoundSecret> find_secrets(std::string_view text);

/// Is a variable of this name likely to hold a secret ("DB_PASSWORD", "api-key")?
[[nodiscard]] bool is_called_like_a_secret(std::string_view name);

}  // namespace compose
