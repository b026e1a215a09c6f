// A tree as text: JSON and YAML with sorted keys, so that the same model always gives the same bytes. Knows nothing of
// what the attributes mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/node.hpp"

namespace compose {

struct RenderOptions {
    bool double_dollars = false;              // `$` -> `$$` in values, so that the text can be loaded again
    std::vector<std::string_view> top_first;  // keys of the root that come first, in this order
};

/// Indented by two spaces, without a newline at the end.
[[nodiscard]] std::string render_json(const Node& root, const RenderOptions& options = {});
/// Without any blanks: what hashes are made over. Keys of the root in `without` are left out.
[[nodiscard]] std::string render_compact_json(const Node& root, const std::vector<std::string_view>& without = {});
/// Block style, ending in a newline.
[[nodiscard]] std::string render_yaml(const Node& root, const RenderOptions& options = {});

/// A number the way Go prints it: 0.5, 1000, 1e+21.
[[nodiscard]] std::string number_text(double value);
/// In double quotes, escaped for JSON (and so for YAML).
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace compose
