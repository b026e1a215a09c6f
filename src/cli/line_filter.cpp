#include "cli/line_filter.hpp"

#include <regex.h>

#include <array>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::cli {

namespace {

constexpr std::size_t kWindow = 2048;

}  // namespace

struct LineFilter::Compiled {
    regex_t expression{};
};

LineFilter::LineFilter(const std::string& pattern, bool ignore_case) : compiled_(std::make_unique<Compiled>()) {
    const int code =
        ::regcomp(&compiled_->expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB | (ignore_case ? REG_ICASE : 0));
    if (code == 0) return;
    std::array<char, 128> reason{};
    ::regerror(code, &compiled_->expression, reason.data(), reason.size());
    compiled_.reset();
    throw make_error(ErrorKind::usage, "{} is no regular expression: {}", quote(pattern), lower(reason.data()));
}

LineFilter::~LineFilter() {
    if (compiled_) ::regfree(&compiled_->expression);
}

bool LineFilter::matches(std::string_view line) const {
    for (std::size_t begin = 0;; begin += kWindow / 2) {
        const auto part = line.substr(begin, kWindow);
        const bool last = begin + part.size() == line.size();
        // The text has no end of its own: where it ends is said beside it.
        regmatch_t range{};
        range.rm_eo = static_cast<regoff_t>(part.size());
        const int flags = REG_STARTEND | (begin == 0 ? 0 : REG_NOTBOL) | (last ? 0 : REG_NOTEOL);
        if (::regexec(&compiled_->expression, part.data(), 1, &range, flags) == 0) return true;
        if (last) return false;
    }
}

}  // namespace compose::cli
