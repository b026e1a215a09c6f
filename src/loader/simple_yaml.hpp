// A reader for the YAML that Compose files are mostly written in: block mappings and lists, plain and quoted scalars of
// one line, literal blocks, flow collections, anchors, aliases and tags, one document. Ten times as fast as the full
// parser, and it gives up without a word on anything else, so that the full parser decides what that means.
#pragma once

#include <cstdint>
#include <string_view>

#include "loader/yaml_builder.hpp"

namespace compose {

/// Feeds `builder` and returns true when the whole text is simple; after false the builder is of no use. `text` has no
/// carriage returns before line ends.
[[nodiscard]] bool read_simple_yaml(std::string_view text, std::uint32_t file, YamlBuilder& builder);

}  // namespace compose
