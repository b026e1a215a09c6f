#include "build/dockerignore.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"

namespace compose::build {

namespace {
constexpr std::size_t kMaxText = std::size_t{4} << 20U;
constexpr std::size_t kMaxPattern = 4096;
}  // namespace

DockerIgnore::DockerIgnore(std::string_view text) {
    if (text.size() > kMaxText) throw make_error(ErrorKind::invalid, "is longer than {} bytes", kMaxText);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    std::size_t number = 0;
    for (const auto& raw : split(text, '\n')) {
        ++number;
        if (raw.starts_with('#')) continue;
        auto line = std::string(trim(raw));
        if (line.empty()) continue;
        bool show = false;
        if (line.front() == '!') {
            show = true;
            line = std::string(trim(std::string_view(line).substr(1)));
            if (line.empty()) throw make_error(ErrorKind::invalid, "line {}: \"!\" alone shows nothing again", number);
        }
        if (line.size() > kMaxPattern || !is_well_formed(line))
            throw make_error(ErrorKind::invalid, "line {}: {} is not a pattern", number, quote(line.substr(0, 100)));
        line = clean_relative(line);
        if (line.empty()) continue;
        shows_again_ = shows_again_ || show;
        rules_.push_back({PathPattern(line), show});
    }
}

bool DockerIgnore::hides(std::string_view path, const Matches& above, Matches& own) const {
    own.assign(rules_.size(), false);
    bool hidden = false;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        own[i] = (i < above.size() && above[i]) || rules_[i].pattern.matches(path);
        if (own[i]) hidden = !rules_[i].show;
    }
    return hidden;
}

bool DockerIgnore::hides(std::string_view path) const {
    Matches above, own;
    bool hidden = false;
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find('/', end + 1), path.size());
        hidden = hides(path.substr(0, end), above, own);
        above.swap(own);
    }
    return hidden;
}

}  // namespace compose::build
