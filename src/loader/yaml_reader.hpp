// YAML (and so JSON) text to trees. Owns everything that YAML means: typing of plain scalars, anchors and merge keys,
// duplicate keys, limits for hostile files. Knows nothing about Compose except the tags !reset and !override.
#pragma once

#include <compose/diagnostics.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/node.hpp"

namespace compose {

struct YamlOptions {
    std::size_t bytes = std::size_t{16} << 20U;
    std::size_t alias_nodes = 100'000;  // values that aliases may add
    std::size_t nodes = 400'000;        // values in all
    std::size_t depth = 100;
    bool quick = true;  // false: the full parser only, which simple texts do without
};

/// One tree for each document of the text that `findings.sources` holds under `file`. What is wrong goes to `findings`;
/// the result is empty when the text has no tree at all.
[[nodiscard]] std::vector<Node> read_yaml(std::uint32_t file, Diagnostics& findings, const YamlOptions& options = {});

/// The text as it should be kept for reading and for excerpts: without a byte order mark.
[[nodiscard]] std::string_view without_bom(std::string_view text);

/// Gives a plain (unquoted) scalar the type that YAML 1.2 gives it, with the spellings that Go's YAML library also
/// takes (017, 0b11, 1_000); a text otherwise.
[[nodiscard]] Node resolve_plain_scalar(std::string_view text, SourcePos pos);

}  // namespace compose
