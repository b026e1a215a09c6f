#include "cli/time_argument.hpp"

#include <charconv>
#include <ctime>

#include "base/units.hpp"

namespace compose::cli {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool digits(std::size_t count, int& value) {
        if (rest_.size() < count) return false;
        for (const char c : rest_.substr(0, count))
            if (c < '0' || c > '9') return false;
        std::from_chars(rest_.data(), rest_.data() + count, value);
        rest_.remove_prefix(count);
        return true;
    }
    /// ".123" -> nanoseconds; true when there is none.
    bool fraction(std::int64_t& ns) {
        if (!take('.')) return true;
        std::int64_t unit = kSecond / 10;
        std::size_t count = 0;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count, unit /= 10) {
            ns += unit * (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return count > 0;
    }

private:
    std::string_view rest_;
};

std::optional<std::int64_t> parse_unix(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || seconds < 0 || seconds > 9'000'000'000) return std::nullopt;
    Reader rest(text.substr(static_cast<std::size_t>(end - text.data())));
    std::int64_t ns = 0;
    if (!rest.fraction(ns) || !rest.at_end()) return std::nullopt;
    return seconds * kSecond + ns;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
    Reader in(text);
    std::tm parts{};
    std::int64_t ns = 0;
    if (!in.digits(4, parts.tm_year) || !in.take('-') || !in.digits(2, parts.tm_mon) || !in.take('-') ||
        !in.digits(2, parts.tm_mday))
        return std::nullopt;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    if (in.take('T')) {
        if (!in.digits(2, parts.tm_hour) || !in.take(':') || !in.digits(2, parts.tm_min)) return std::nullopt;
        if (in.take(':') && (!in.digits(2, parts.tm_sec) || !in.fraction(ns))) return std::nullopt;
    }
    if (parts.tm_mon > 11 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
        parts.tm_sec > 60)
        return std::nullopt;
    if (in.at_end()) {
        parts.tm_isdst = -1;
        return static_cast<std::int64_t>(std::mktime(&parts)) * kSecond + ns;
    }
    std::int64_t offset = 0;
    if (!in.take('Z')) {
        const int sign = in.take('+') ? 1 : in.take('-') ? -1 : 0;
        int hours = 0;
        int minutes = 0;
        if (sign == 0 || !in.digits(2, hours) || !in.take(':') || !in.digits(2, minutes)) return std::nullopt;
        offset = sign * (hours * 3600 + minutes * 60);
    }
    if (!in.at_end()) return std::nullopt;
    return (static_cast<std::int64_t>(::timegm(&parts)) - offset) * kSecond + ns;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now_ns) {
    if (text.empty()) return std::nullopt;
    if (const auto date = parse_date(text)) return date;
    if (const auto seconds = parse_unix(text)) return seconds;
    if (const auto ago = parse_duration(text)) return now_ns - ago->count();
    return std::nullopt;
}

}  // namespace compose::cli
