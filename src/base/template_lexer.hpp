// The words between {{ and }} of a template, and the text around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/template_tree.hpp"

namespace compose::tpl {

struct Token {
    enum class Kind {
        text,
        open,
        close,
        dot,
        field,
        variable,
        word,
        constant,
        pipe,
        left,
        right,
        declare,
        set,
        comma,
        end
    };
    Kind kind = Kind::end;
    Place place;
    std::string text;             // of text, field (without its dot), variable (with $), word
    boost::json::value constant;  // of strings and numbers
    bool glued = false;           // no space before it
};

[[nodiscard]] std::vector<Token> tokenize(std::string_view text);

}  // namespace compose::tpl
