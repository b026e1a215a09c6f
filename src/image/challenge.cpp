#include "image/challenge.hpp"

#include <optional>

#include "base/strings.hpp"

namespace compose::image {

namespace {

bool is_token(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
    void skip(std::string_view what) {
        while (!at_end() && what.find(text_[at_]) != std::string_view::npos) ++at_;
    }
    void skip_one() { ++at_; }
    std::string token() {
        const auto begin = at_;
        while (!at_end() && is_token(text_[at_])) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }
    std::optional<std::string> value() {
        if (peek() != '"') return token();
        std::string out;
        for (++at_; !at_end(); ++at_) {
            char c = text_[at_];
            if (c == '"') {
                ++at_;
                return out;
            }
            if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
            out += c;
        }
        return std::nullopt;
    }
    [[nodiscard]] std::size_t place() const { return at_; }
    void go_to(std::size_t place) { at_ = place; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

/// "name=value, name=value": ends before the next scheme.
void read_parameters(Reader& reader, Challenge& challenge) {
    for (;;) {
        reader.skip(" \t,");
        const auto before = reader.place();
        const auto name = lower(reader.token());
        reader.skip(" \t");
        if (name.empty() || reader.peek() != '=') {
            reader.go_to(before);
            return;
        }
        reader.skip_one();
        reader.skip(" \t");
        const auto value = reader.value();
        if (!value) return;
        challenge.parameters.emplace(name, *value);
    }
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
    std::vector<Challenge> out;
    Reader reader(header);
    while (!reader.at_end() && out.size() < 16) {
        reader.skip(" \t,");
        Challenge challenge;
        challenge.scheme = lower(reader.token());
        if (challenge.scheme.empty()) break;
        read_parameters(reader, challenge);
        out.push_back(std::move(challenge));
    }
    return out;
}

}  // namespace compose::image
