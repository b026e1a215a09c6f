// Scalars of a YAML text exchanged for others, everything else left as its author wrote it.
#pragma once

#include <compose/diagnostics.hpp>
#include <map>
#include <string>
#include <string_view>

#include "model/node.hpp"

namespace compose {

class ScalarEdits {
public:
    explicit ScalarEdits(std::string_view text) : text_(text) {}

    /// Puts `value`, a plain word, in the place of the scalar, or of the alias that stands there. False: it is written
    /// in a way that can't be exchanged (a block, several lines).
    [[nodiscard]] bool replace(const Node& scalar, const std::string& value);
    [[nodiscard]] std::string result() const;

private:
    [[nodiscard]] std::size_t offset_of(SourcePos pos) const;
    [[nodiscard]] std::size_t end_of(std::size_t at, const Node& scalar) const;

    struct Edit {
        std::size_t end;
        std::string value;
    };
    std::string_view text_;
    std::map<std::size_t, Edit> edits_;  // by where they begin
};

}  // namespace compose
