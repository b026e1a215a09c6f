#include "loader/scalar_edits.hpp"

#include <algorithm>

namespace compose {

std::size_t ScalarEdits::offset_of(SourcePos pos) const {
    std::size_t at = 0;
    for (std::uint32_t line = 1; line < pos.line; ++line) {
        const auto newline = text_.find('\n', at);
        if (newline == std::string_view::npos) return std::string_view::npos;
        at = newline + 1;
    }
    at += pos.column > 0 ? pos.column - 1 : 0;
    return at < text_.size() ? at : std::string_view::npos;
}

/// npos: not a scalar on one line that says what the tree says.
std::size_t ScalarEdits::end_of(std::size_t at, const Node& scalar) const {
    const auto rest = text_.substr(at);
    const auto line = rest.substr(0, rest.find('\n'));
    if (line.empty()) return std::string_view::npos;
    if (line.front() == '*') return at + std::min(line.find_first_of(" \t\r,]}#"), line.size());
    if (line.front() == '"' || line.front() == '\'') {
        for (std::size_t i = 1; i < line.size(); ++i) {
            if (line.front() == '"' && line[i] == '\\')
                ++i;
            else if (line[i] == line.front() && i + 1 < line.size() && line[i + 1] == '\'' && line.front() == '\'')
                ++i;
            else if (line[i] == line.front())
                return at + i + 1;
        }
        return std::string_view::npos;
    }
    return line.starts_with(scalar.text) ? at + scalar.text.size() : std::string_view::npos;
}

bool ScalarEdits::replace(const Node& scalar, const std::string& value) {
    auto at = offset_of(scalar.pos);
    // Its anchor and its tag stand before it.
    while (at != std::string_view::npos && (text_[at] == '&' || text_[at] == '!')) {
        at = text_.find_first_of(" \n", at);
        if (at != std::string_view::npos) at = text_.find_first_not_of(' ', at);
    }
    if (at == std::string_view::npos) return false;
    const auto end = end_of(at, scalar);
    if (end == std::string_view::npos) return false;
    edits_[at] = {end, value};
    return true;
}

std::string ScalarEdits::result() const {
    std::string out;
    std::size_t done = 0;
    for (const auto& [at, edit] : edits_) {
        out += text_.substr(done, at - done);
        out += edit.value;
        done = edit.end;
    }
    out += text_.substr(done);
    return out;
}

}  // namespace compose
