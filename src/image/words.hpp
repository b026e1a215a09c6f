// The words of a Dockerfile instruction: quotes, backslashes and variables. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace compose::image {

using Variables = std::map<std::string, std::string, std::less<>>;

/// Splits at blanks outside quotes, takes quotes and backslashes away and replaces $NAME, ${NAME}, ${NAME:-default} and
/// ${NAME:+replacement} outside single quotes. Throws Error(invalid) on an unterminated quote or brace.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text, const Variables& variables);
/// The same without splitting.
[[nodiscard]] std::string expand_word(std::string_view text, const Variables& variables);
/// Where a blank outside quotes ends the first word; text.size() when none does.
[[nodiscard]] std::size_t first_word_end(std::string_view text);

}  // namespace compose::image
