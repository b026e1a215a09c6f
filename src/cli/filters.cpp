#include "cli/filters.hpp"

#include <algorithm>
#include <regex>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kLongestPattern = 256;

bool holds(const std::map<std::string, std::string>& labels, const std::string& wanted) {
    const auto equals = wanted.find('=');
    const auto found = labels.find(wanted.substr(0, equals));
    if (found == labels.end()) return false;
    return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

}  // namespace

Filters::Filters(const std::vector<std::string>& texts, std::initializer_list<std::string_view> known) {
    for (const auto& text : texts) {
        auto equals = text.find('=');
        if (equals == std::string::npos)
            throw make_error(ErrorKind::usage, "invalid filter {}", quote(text)).with_hint("write --filter KEY=VALUE");
        auto key = lower(trim(text.substr(0, equals)));
        const std::vector<std::string_view> names(known.begin(), known.end());
        if (std::find(names.begin(), names.end(), key) == names.end())
            throw make_error(ErrorKind::usage, "unknown filter {}", quote(key))
                .with_hint("use " + join(std::vector<std::string>(names.begin(), names.end()), ", "));
        values_[key].emplace_back(trim(std::string_view(text).substr(equals + 1)));
    }
}

const std::vector<std::string>& Filters::values(const std::string& key) const {
    static const std::vector<std::string> nothing;
    const auto found = values_.find(key);
    return found == values_.end() ? nothing : found->second;
}

bool Filters::any(const std::string& key, const std::function<bool(const std::string&)>& test) const {
    const auto& wanted = values(key);
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), test);
}

bool Filters::labels(const std::map<std::string, std::string>& labels) const {
    const auto& wanted = values("label");
    const auto& unwanted = values("label!");
    const auto has = [&](const std::string& text) { return holds(labels, text); };
    return std::all_of(wanted.begin(), wanted.end(), has) && std::none_of(unwanted.begin(), unwanted.end(), has);
}

bool Filters::truth(const std::string& key, bool fallback) const {
    for (const auto& value : values(key)) {
        if (value == "true" || value == "1") return true;
        if (value == "false" || value == "0") return false;
        throw make_error(ErrorKind::usage, "invalid filter {}", quote(key + "=" + value))
            .with_hint("use true or false");
    }
    return fallback;
}

bool matches(const std::string& pattern, const std::string& text) {
    if (pattern.size() > kLongestPattern) throw make_error(ErrorKind::usage, "this pattern is too long to be a name");
    // Most are plain names.
    if (pattern.find_first_of("\\^$.|?*+()[]{}") == std::string::npos) return text.find(pattern) != std::string::npos;
    try {
        return std::regex_search(text, std::regex(pattern));
    } catch (const std::regex_error& error) {
        throw make_error(ErrorKind::usage, "{} is no regular expression: {}", quote(pattern), error.what());
    }
}

}  // namespace compose::cli
