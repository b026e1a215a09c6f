// A parsed template: what the parser makes and the evaluator walks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/error.hpp"

namespace compose::tpl {

inline constexpr std::size_t kMaxText = 64 << 10;     // of a template
inline constexpr std::size_t kMaxDepth = 100;         // of blocks and of parentheses
inline constexpr std::size_t kMaxSteps = 2'000'000;   // of an evaluation
inline constexpr std::size_t kMaxOutput = 64U << 20;  // bytes, also of what functions make on the way

struct Place {
    std::size_t line = 1;
    std::size_t column = 1;
};

template <class... Args>
[[noreturn]] void fail(Place place, fmt::format_string<Args...> format, Args&&... args) {
    throw make_error(ErrorKind::invalid, "template:{}:{}: {}", place.line, place.column,
                     fmt::format(format, std::forward<Args>(args)...));
}

struct Expression {
    enum class Kind { dot, variable, constant, call, pipeline };
    Kind kind = Kind::dot;
    Place place;
    std::string name;                   // of a variable or function
    boost::json::value constant;        // a null is `nil`
    std::vector<Expression> arguments;  // of a call; the commands of a pipeline
    std::vector<std::string> fields;    // .A.B after it
};

struct Node {
    enum class Kind { text, print, set, branch, loop, with, leave, next };
    Kind kind = Kind::text;
    Place place;
    std::string text;
    Expression pipeline;
    std::vector<std::string> variables;  // of `$x :=`, at most two
    bool declares = false;               // := and not =
    std::vector<Node> body;
    std::vector<Node> otherwise;
};

struct Tree {
    std::vector<Node> nodes;
};

[[nodiscard]] Tree parse(std::string_view text);

/// Is there such a function? Fixes the number of arguments too: -1 for any.
struct FunctionInfo {
    std::string_view name;
    int least;
    int most;
};
[[nodiscard]] const FunctionInfo* find_function(std::string_view name);
[[nodiscard]] std::vector<std::string_view> function_names();

using Value = const boost::json::value*;  // null: there is no such value

/// Everything but and, or, which may leave arguments alone.
[[nodiscard]] boost::json::value call(std::string_view name, const std::vector<Value>& arguments, Place place);
[[nodiscard]] bool is_true(Value value);
/// As fmt.Print shows it.
void print_value(Value value, std::string& out, std::size_t depth = 0);

}  // namespace compose::tpl
