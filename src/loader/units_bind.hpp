// Scalars as users write them in a Compose file: what type the schema wants, whether the text fits, and its canonical
// form. Owns no knowledge of attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/node.hpp"

namespace compose {

/// The schema's `x-scalar`.
enum class ScalarType : std::uint8_t {
    any,
    text,  // numbers and booleans become texts
    boolean,
    integer,
    number,
    bytes,
    duration,
    microseconds,
    mode,
    count,
    restart,
    pull_policy,
    window,  // "1w2d", "12h"
    container_name,
    subnet,
    address,
};

[[nodiscard]] std::optional<ScalarType> scalar_type_named(std::string_view name);
/// "a boolean", "a size": what a message says was expected.
[[nodiscard]] const char* describe(ScalarType type);
/// Advice for the caret line, with an example.
[[nodiscard]] const char* advice(ScalarType type);

/// Brings a scalar to its canonical form ("64m" -> "67108864", "3" -> 3, 1.50 -> "1.5"); false when it doesn't fit,
/// and the node is left as it was.
[[nodiscard]] bool convert_scalar(Node& node, ScalarType type);
[[nodiscard]] bool fits_scalar(const Node& node, ScalarType type);

/// A scalar as text: the way Go prints it, since that is what files in the wild were tested with.
[[nodiscard]] std::string scalar_text(const Node& node);

/// In quotes for a message, cut where it is too long to be read.
[[nodiscard]] std::string shown(std::string_view text);

[[nodiscard]] std::optional<bool> boolean_of(const Node& node);
[[nodiscard]] std::optional<std::int64_t> integer_of(const Node& node);
[[nodiscard]] std::optional<double> number_of(const Node& node);
[[nodiscard]] std::optional<std::int64_t> bytes_of(const Node& node);
[[nodiscard]] std::optional<unsigned> mode_of(const Node& node);

[[nodiscard]] bool is_ipv4(std::string_view text);
[[nodiscard]] bool is_ipv6(std::string_view text);
/// ADDRESS/BITS of either family.
[[nodiscard]] bool is_subnet(std::string_view text);
[[nodiscard]] bool is_container_name(std::string_view text);

}  // namespace compose
