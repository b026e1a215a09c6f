#include "build/pattern.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace compose::build {

namespace {

/// Whether `c` is in the set that begins at pattern[at] == '['; moves `at` behind it. Nothing matches a broken set.
bool in_set(std::string_view pattern, std::size_t& at, char c) {
    std::size_t i = at + 1;
    bool negated = false;
    if (i < pattern.size() && (pattern[i] == '^' || pattern[i] == '!')) {
        negated = true;
        ++i;
    }
    bool found = false;
    bool any = false;
    const auto take = [&](char& out) {
        if (i < pattern.size() && pattern[i] == '\\') ++i;
        if (i >= pattern.size()) return false;
        out = pattern[i++];
        return true;
    };
    while (i < pattern.size() && (pattern[i] != ']' || !any)) {
        char low = 0;
        if (!take(low)) break;
        char high = low;
        if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
            ++i;
            if (!take(high)) break;
        }
        any = true;
        const auto u = static_cast<unsigned char>(c);
        found = found || (static_cast<unsigned char>(low) <= u && u <= static_cast<unsigned char>(high));
    }
    if (i >= pattern.size()) {
        at = pattern.size();
        return false;
    }
    at = i + 1;
    return found != negated;
}

/// The greedy matcher with one point to go back to: a later star makes earlier ones irrelevant.
bool match(std::string_view pattern, std::string_view text, bool stop_at_slash) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
            continue;
        }
        bool same = false;
        auto next = p;
        if (p < pattern.size()) {
            if (pattern[p] == '?') {
                same = !(stop_at_slash && text[t] == '/');
                next = p + 1;
            } else if (pattern[p] == '[') {
                same = in_set(pattern, next, text[t]);
            } else {
                if (pattern[p] == '\\' && p + 1 < pattern.size()) ++next;
                same = pattern[next] == text[t];
                ++next;
            }
        }
        if (same) {
            p = next;
            ++t;
        } else if (star != std::string_view::npos && !(stop_at_slash && text[mark] == '/')) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace

bool match_part(std::string_view pattern, std::string_view name) {
    return match(pattern, name, true);
}

bool match_text(std::string_view pattern, std::string_view text) {
    return match(pattern, text, false);
}

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[\\") != std::string_view::npos;
}

bool is_well_formed(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size();) {
        if (pattern[i] == '\\') {
            if (i + 1 == pattern.size()) return false;
            i += 2;
        } else if (pattern[i] == '[') {
            auto at = i;
            static_cast<void>(in_set(pattern, at, '\0'));
            if (at == pattern.size() && pattern.back() != ']') return false;
            i = at;
        } else {
            ++i;
        }
    }
    return true;
}

PathPattern::PathPattern(std::string_view pattern) : literal_(!has_wildcard(pattern)), text_(pattern) {
    if (literal_) return;
    for (auto& part : split(pattern, '/')) {
        if (part.empty() || part == ".") continue;
        // Two in a row say no more than one.
        if (part == "**" && !parts_.empty() && parts_.back() == "**") continue;
        parts_.push_back(std::move(part));
    }
}

bool PathPattern::matches(std::string_view path) const {
    if (literal_) return path == text_;
    const auto names = split(path, '/');
    // The same greedy way, a part at a time: "**" is the star.
    std::size_t p = 0, t = 0, star = std::string::npos, mark = 0;
    while (t < names.size()) {
        if (p < parts_.size() && parts_[p] == "**") {
            star = p++;
            mark = t;
        } else if (p < parts_.size() && match_part(parts_[p], names[t])) {
            ++p;
            ++t;
        } else if (star != std::string::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < parts_.size() && parts_[p] == "**") ++p;
    return p == parts_.size();
}

}  // namespace compose::build
