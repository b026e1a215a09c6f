#include "supervisor/log_format.hpp"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace compose::supervisor {
namespace {

// "<time> stdout " without the tag.
std::string head_of(Stream stream, sys::WallTime time) {
    std::string head = sys::rfc3339(time);
    head += stream == Stream::out ? " stdout " : " stderr ";
    return head;
}

void append_record(std::string& out, std::string_view head, std::string_view tag, std::string_view text) {
    out.append(head);
    out.append(tag);
    out.append(text);
    out.push_back('\n');
}

}  // namespace

std::size_t format_log(std::string_view raw, Stream stream, sys::WallTime time, bool ended, std::string& out,
                       std::uint64_t enough) {
    const std::string head = head_of(stream, time);
    std::size_t used = 0;
    const std::size_t begin = out.size();
    while (used < raw.size() && out.size() - begin < enough) {
        const char* const start = raw.data() + used;
        const std::size_t left = raw.size() - used;
        // A line feed right behind a full piece ends that piece: no empty line after it.
        const std::size_t look = std::min(left, kLogPiece + 1);
        const auto* const feed = static_cast<const char*>(std::memchr(start, '\n', look));
        if (feed != nullptr) {
            const auto length = static_cast<std::size_t>(feed - start);
            append_record(out, head, "F ", {start, length});
            used += length + 1;
        } else if (left > kLogPiece) {
            append_record(out, head, "P ", {start, kLogPiece});
            used += kLogPiece;
        } else {
            if (!ended) break;
            append_record(out, head, "F:n ", {start, left});
            used += left;
        }
    }
    return used;
}

std::string drop_marker(std::uint64_t bytes, sys::WallTime time) {
    std::string out;
    append_record(out, head_of(Stream::err, time), "F ",
                  fmt::format("[compose] {} bytes of output are missing here: there was no room for them", bytes));
    return out;
}

std::optional<LogLine> parse_log_line(std::string_view line) {
    if (line.size() < kLogTagAt + 2 || line[kLogTimeWidth] != ' ') return std::nullopt;
    LogLine result;
    result.time = line.substr(0, kLogTimeWidth);
    const auto stream = line.substr(kLogTimeWidth + 1, 7);
    if (stream == "stderr ")
        result.stream = Stream::err;
    else if (stream != "stdout ")
        return std::nullopt;
    const auto space = line.find(' ', kLogTagAt);
    if (space == std::string_view::npos) return std::nullopt;
    const auto tag = line.substr(kLogTagAt, space - kLogTagAt);
    result.continued = tag == "P";
    result.newline = tag == "F";
    if (!result.continued && !result.newline && tag != "F:n") return std::nullopt;
    result.bytes = line.substr(space + 1);
    return result;
}

std::optional<sys::WallTime> parse_log_time(std::string_view text) {
    if (text.size() != kLogTimeWidth || text.back() != 'Z') return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t width) -> std::optional<int> {
        int value = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + width, value);
        if (error != std::errc{} || end != text.data() + at + width || value < 0) return std::nullopt;
        return value;
    };
    const auto year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2),
               minute = number(14, 2), second = number(17, 2), nanos = number(20, 9);
    if (!year || !month || !day || !hour || !minute || !second || !nanos) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second) + std::chrono::nanoseconds(*nanos);
}

}  // namespace compose::supervisor
