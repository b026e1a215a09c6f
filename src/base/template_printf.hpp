// Go's fmt.Sprintf over JSON values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/template_tree.hpp"

namespace compose::tpl {

/// Verbs v, s, q, d, x, X, o, b, t, f, g, e, c, % with flags, width and precision (at most 1000). What doesn't fit is
/// shown as Go shows it: "%!d(string=x)", "%!s(MISSING)".
[[nodiscard]] std::string go_printf(std::string_view format, const std::vector<Value>& arguments, Place place);

}  // namespace compose::tpl
