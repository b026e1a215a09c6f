// The times of image configs.
#include <charconv>
#include <chrono>

#include "image/config.hpp"

namespace compose::image {

namespace {

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    int out = 0;
    if (at + count > text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, out);
    if (error != std::errc{} || end != text.data() + at + count || out < 0) return std::nullopt;
    return out;
}

/// "Z" or "+02:00", in minutes.
std::optional<int> offset_of(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const auto hours = digits(text, 1, 2);
    const auto minutes = digits(text, 4, 2);
    if (!hours || !minutes) return std::nullopt;
    return (*hours * 60 + *minutes) * (text[0] == '-' ? -1 : 1);
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
    using namespace std::chrono;
    const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2), h = digits(text, 11, 2),
               mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (!y || !mo || !d || !h || !mi || !s || *y < 1700 || *y > 2200 || *h > 23 || *mi > 59 || *s > 60)
        return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' '))
        return std::nullopt;
    const year_month_day day{year{*y}, month{static_cast<unsigned>(*mo)}, std::chrono::day{static_cast<unsigned>(*d)}};
    if (!day.ok()) return std::nullopt;
    auto rest = text.substr(19);
    std::int64_t fraction = 0;
    if (rest.starts_with('.')) {
        std::int64_t unit = 100'000'000;
        for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1)) {
            fraction += (rest[0] - '0') * unit;
            unit /= 10;
        }
    }
    const auto offset = offset_of(rest);
    if (!offset) return std::nullopt;
    const auto time = sys_days(day) + hours(*h) + minutes(*mi - *offset) + seconds(*s) + nanoseconds(fraction);
    return duration_cast<nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace compose::image
