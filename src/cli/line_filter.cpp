#include "cli/line_filter.hpp"

#include <regex.h>

#include <array>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::cli {

namespace {

// What is searched at once.
constexpr std::size_t kWindow = 2048;

// "(a|b)\\1": that is no matter of one pass.
bool refers_back(std::string_view pattern) {
    for (std::size_t at = 0; (at = pattern.find('\\', at)) != std::string_view::npos; at += 2)
        if (at + 1 < pattern.size() && pattern[at + 1] >= '1' && pattern[at + 1] <= '9') return true;
    return false;
}

}  // namespace

struct LineFilter::Compiled {
    explicit Compiled(const std::string& pattern, int flags)
        : code(::regcomp(&expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB | flags)) {}
    ~Compiled() {
        if (code == 0) ::regfree(&expression);
    }
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;

    [[nodiscard]] bool matches(std::string_view text, int flags) const {
        // The text has no end of its own: where it ends is said beside it.
        regmatch_t range{};
        range.rm_eo = static_cast<regoff_t>(text.size());
        return ::regexec(&expression, text.data(), 1, &range, REG_STARTEND | flags) == 0;
    }

    regex_t expression{};
    int code;
};

LineFilter::LineFilter(const std::string& pattern, bool ignore_case) {
    const int flags = ignore_case ? REG_ICASE : 0;
    searching_ = std::make_unique<Compiled>(pattern, flags);
    if (searching_->code != 0) {
        std::array<char, 128> reason{};
        ::regerror(searching_->code, &searching_->expression, reason.data(), reason.size());
        throw make_error(ErrorKind::usage, "{} is no regular expression: {}", quote(pattern), lower(reason.data()));
    }
    if (refers_back(pattern)) return;
    // A search begins anew at every byte, which takes minutes for a line made for it; anchored, one pass decides.
    // "([^a]|a)" is any byte, as "." is not.
    anchored_ = std::make_unique<Compiled>("^([^a]|a)*(" + pattern + ")", flags);
    if (anchored_->code != 0) anchored_.reset();
}

LineFilter::~LineFilter() = default;

bool LineFilter::matches(std::string_view line) const {
    if (anchored_ && line.size() > kWindow) return anchored_->matches(line, 0);
    for (std::size_t begin = 0;; begin += kWindow / 2) {
        const auto part = line.substr(begin, kWindow);
        const bool last = begin + part.size() == line.size();
        if (searching_->matches(part, (begin == 0 ? 0 : REG_NOTBOL) | (last ? 0 : REG_NOTEOL))) return true;
        if (last) return false;
    }
}

}  // namespace compose::cli
