// --filter KEY=VALUE, given several times: values of one key are alternatives, different keys must all hold. Pure.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace compose::cli {

class Filters {
public:
    /// Throws Error(usage) for a text without "=" and a key that is not among `known`.
    Filters(const std::vector<std::string>& texts, std::initializer_list<std::string_view> known);

    [[nodiscard]] bool empty() const { return values_.empty(); }
    [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }
    [[nodiscard]] const std::vector<std::string>& values(const std::string& key) const;
    /// True when `key` isn't asked for, or `test` holds for one of its values.
    [[nodiscard]] bool any(const std::string& key, const std::function<bool(const std::string&)>& test) const;
    /// label and label!: all of them must hold.
    [[nodiscard]] bool labels(const std::map<std::string, std::string>& labels) const;
    /// A value that is true or false; Error(usage) for another.
    [[nodiscard]] bool truth(const std::string& key, bool fallback) const;

private:
    std::map<std::string, std::vector<std::string>> values_;
};

/// Does the regular expression `pattern` match somewhere in `text`? Throws Error(usage) when it is none.
[[nodiscard]] bool matches(const std::string& pattern, const std::string& text);

}  // namespace compose::cli
