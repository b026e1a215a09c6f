// Text helpers that more than one layer needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace compose {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);
/// In double quotes, with control characters escaped: safe to print.
[[nodiscard]] std::string quote(std::string_view text);
/// What stands before a port: "", "127.0.0.1:", "[::1]:".
[[nodiscard]] std::string address_prefix(std::string_view address);
/// The candidate nearest to `word` in edit distance, or empty when none is near enough to be meant.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// Splits like a POSIX shell does (quotes and backslashes, no expansion). Throws Error on an unterminated quote.
[[nodiscard]] std::vector<std::string> shell_split(std::string_view text);
[[nodiscard]] bool is_valid_utf8(std::string_view text);

}  // namespace compose
