// Go templates, as `--format` takes them: the subset that people write (fields, pipelines, variables, if, range, with
// and Docker's functions) over JSON values. Hostile templates end in errors: depth, steps and output are limited.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace compose {

/// What JSON doesn't tell about the shape of its objects.
struct TemplateShape {
    std::set<std::string, std::less<>> optional;   // members that may be absent: nil, not an error
    std::set<std::string, std::less<>> maps;       // members whose keys are data: absent ones print "<no value>"
    const boost::json::object* methods = nullptr;  // maps that are no members: {{.Label "x"}}
    std::set<std::string, std::less<>> lists{};    // members that are lists: null prints "[]", as "map[]" for maps
};

namespace tpl {
struct Tree;
}

class Template {
public:
    /// Throws Error(invalid) with line and column of the mistake.
    explicit Template(std::string_view text);
    ~Template();
    Template(Template&&) noexcept;
    Template& operator=(Template&&) noexcept;

    /// Throws Error(invalid) for what can't be evaluated: a field that isn't there, an index out of range, wrong types.
    [[nodiscard]] std::string render(const boost::json::value& data, const TemplateShape& shape = {}) const;
    /// For the heading of a table: functions that change a text hand it on.
    [[nodiscard]] std::string render_heading(const boost::json::value& headers) const;

private:
    std::unique_ptr<const tpl::Tree> tree_;
};

/// "\t" and "\n" written as two characters, as Docker takes them on the command line.
[[nodiscard]] std::string unescape_format(std::string_view format);

}  // namespace compose
