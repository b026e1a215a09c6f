// Bytes to the user: results to stdout, everything else to stderr. Nothing else in the program writes there.
#pragma once

#include <string>
#include <string_view>

namespace compose::cli {

/// Nobody reads stdout any more (`compose logs | head`): end without a word.
struct OutputClosed {};
/// End with this status; everything has been said already.
struct Exit {
    int code = 1;
};

/// Throws OutputClosed when the reader is gone, Error when the disk is full.
void print(std::string_view text);
/// Never fails: where would one say so?
void print_error(std::string_view text) noexcept;
/// As print_error, for progress that was sent to stdout.
void print_progress(bool to_stdout, std::string_view text) noexcept;

/// "error: ..." in the colours of the terminal; `label` is "error" or "warning".
[[nodiscard]] std::string labelled(std::string_view label, std::string_view message, std::string_view hint, bool color);

}  // namespace compose::cli
