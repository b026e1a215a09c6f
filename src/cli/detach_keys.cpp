#include "cli/detach_keys.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::cli {

DetachKeys::DetachKeys(std::string_view text) {
    if (text.empty()) return;
    const auto bad = [&](const std::string& key) {
        throw make_error(ErrorKind::usage, "invalid detach keys {}: {}", quote(text), quote(key))
            .with_hint("write characters and ctrl-CHARACTER with commas between, for example ctrl-p,ctrl-q");
    };
    for (const auto& key : split(text, ',')) {
        if (key.size() == 1) {
            keys_ += key[0];
            continue;
        }
        const auto word = lower(key);
        if (!word.starts_with("ctrl-") || word.size() != 6) bad(key);
        const char c = word[5];
        if (c >= 'a' && c <= 'z')
            keys_ += static_cast<char>(c - 'a' + 1);
        else if (c == '@')
            keys_ += '\0';
        else if (c >= '[' && c <= '_')
            keys_ += static_cast<char>(c - '[' + 27);
        else
            bad(key);
    }
}

std::string DetachKeys::feed(std::string_view typed) {
    if (keys_.empty()) return std::string(typed);
    std::string out;
    for (const char c : typed) {
        if (detached_) break;
        if (c == keys_[matched_]) {
            detached_ = ++matched_ == keys_.size();
            continue;
        }
        // Not the sequence after all: what was held back goes on, and `c` may begin a new one.
        out += keys_.substr(0, matched_);
        matched_ = 0;
        if (c == keys_[0])
            matched_ = 1;
        else
            out += c;
    }
    return out;
}

}  // namespace compose::cli
