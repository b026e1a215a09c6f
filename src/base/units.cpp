#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace compose {

std::optional<Bytes> parse_bytes(std::string_view text) {
    text = trim(text);
    std::size_t digits = 0;
    while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) ++digits;
    if (digits == 0) return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
    if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
    const auto unit = lower(trim(text.substr(digits)));
    static constexpr std::array<std::pair<std::string_view, int>, 18> kUnits{{{"", 0},
                                                                              {"b", 0},
                                                                              {"k", 10},
                                                                              {"kb", 10},
                                                                              {"kib", 10},
                                                                              {"m", 20},
                                                                              {"mb", 20},
                                                                              {"mib", 20},
                                                                              {"g", 30},
                                                                              {"gb", 30},
                                                                              {"gib", 30},
                                                                              {"t", 40},
                                                                              {"tb", 40},
                                                                              {"tib", 40},
                                                                              {"p", 50},
                                                                              {"pb", 50},
                                                                              {"pib", 50},
                                                                              {"ki", 10}}};
    for (const auto& [name, shift] : kUnits) {
        if (unit != name) continue;
        const double value = std::ldexp(number, shift);
        if (value >= 9223372036854775807.0) return std::nullopt;
        return static_cast<Bytes>(value);
    }
    return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    bool negative = false;
    if (text.front() == '-' || text.front() == '+') {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (text == "0") return Duration{0};
    static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{{"ns", 1},
                                                                                {"us", 1e3},
                                                                                {"\xC2\xB5s", 1e3},
                                                                                {"\xCE\xBCs", 1e3},
                                                                                {"ms", 1e6},
                                                                                {"s", 1e9},
                                                                                {"m", 60e9},
                                                                                {"h", 3600e9}}};
    double total = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        double number = 0;
        std::size_t digits = 0;
        while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) ++digits;
        if (digits == 0) return std::nullopt;
        const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number, std::chars_format::fixed);
        if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
        text.remove_prefix(digits);
        std::size_t letters = 0;
        while (letters < text.size() && text[letters] != '.' && (text[letters] < '0' || text[letters] > '9')) ++letters;
        double scale = 0;
        for (const auto& [name, factor] : kUnits)
            if (text.substr(0, letters) == name) scale = factor;
        if (scale == 0) return std::nullopt;
        text.remove_prefix(letters);
        total += number * scale;
    }
    if (total >= 9223372036854775807.0) return std::nullopt;
    const auto value = static_cast<std::int64_t>(std::llround(total));
    return Duration{negative ? -value : value};
}

std::optional<Duration> parse_window(std::string_view text) {
    constexpr int kMostCount = 10'000;
    Duration out{0};
    bool any = false;
    for (const auto& [unit, hours] : {std::pair{'w', 7 * 24}, std::pair{'d', 24}}) {
        const auto at = text.find(unit);
        if (at == std::string_view::npos) continue;
        int count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + at, count);
        if (error != std::errc{} || end != text.data() + at || count < 0 || count > kMostCount) return std::nullopt;
        out += std::chrono::hours(std::int64_t{hours} * count);
        text.remove_prefix(at + 1);
        any = true;
    }
    if (text.empty()) return any ? std::optional(out) : std::nullopt;
    const auto rest = parse_duration(text);
    if (!rest || rest->count() < 0 || *rest > std::chrono::hours(kMostCount * 24)) return std::nullopt;
    return out + *rest;
}

std::string format_duration(Duration value) {
    const auto ns = value.count();
    if (ns == 0) return "0s";
    const std::string sign = ns < 0 ? "-" : "";
    auto rest = static_cast<std::uint64_t>(ns < 0 ? -ns : ns);
    const auto fraction = [](std::uint64_t n, std::uint64_t unit) {
        auto text = fmt::format("{}", static_cast<double>(n) / static_cast<double>(unit));
        return text;
    };
    if (rest < 1'000) return fmt::format("{}{}ns", sign, rest);
    if (rest < 1'000'000) return sign + fraction(rest, 1'000) + "\xC2\xB5s";
    if (rest < 1'000'000'000) return sign + fraction(rest, 1'000'000) + "ms";
    const auto hours = rest / 3'600'000'000'000ULL;
    rest %= 3'600'000'000'000ULL;
    const auto minutes = rest / 60'000'000'000ULL;
    rest %= 60'000'000'000ULL;
    std::string out = sign;
    if (hours > 0) out += fmt::format("{}h", hours);
    if (hours > 0 || minutes > 0) out += fmt::format("{}m", minutes);
    return out + fraction(rest, 1'000'000'000) + "s";
}

std::string human_duration(std::chrono::seconds value) {
    const auto s = value.count();
    if (s < 1) return "Less than a second";
    if (s == 1) return "1 second";
    if (s < 60) return fmt::format("{} seconds", s);
    const auto minutes = s / 60;
    if (minutes == 1) return "About a minute";
    if (minutes < 60) return fmt::format("{} minutes", minutes);
    const auto hours = (s + 1800) / 3600;
    if (hours == 1) return "About an hour";
    if (hours < 48) return fmt::format("{} hours", hours);
    if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
    if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
    if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
    return fmt::format("{} years", hours / 24 / 365);
}

std::string human_size(Bytes value) {
    static constexpr std::array<const char*, 6> kNames{"B", "kB", "MB", "GB", "TB", "PB"};
    auto number = static_cast<double>(value);
    std::size_t unit = 0;
    while (number >= 1000 && unit + 1 < kNames.size()) {
        number /= 1000;
        ++unit;
    }
    return fmt::format("{:.3g}{}", number, kNames[unit]);
}

std::string binary_size(Bytes value) {
    static constexpr std::array<const char*, 6> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto number = static_cast<double>(value);
    std::size_t unit = 0;
    while (number >= 1024 && unit + 1 < kNames.size()) {
        number /= 1024;
        ++unit;
    }
    return fmt::format("{:.4g}{}", number, kNames[unit]);
}

}  // namespace compose
