#include "supervisor/log_reader.hpp"

#include <algorithm>
#include <cstring>

#include "sys/poll.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

// Calls `ends_line(offset behind it)` for each record that ends a line, until it says false.
template <typename Visit>
void each_line_end(LogFile& file, Visit ends_line) {
    std::string text;  // from the last record's start
    std::string block(kBlock, '\0');
    std::uint64_t read = 0;
    for (;;) {
        const auto n = file.read_at(block, read);
        if (n == 0) return;
        read += n;
        text.append(block, 0, n);
        std::size_t start = 0;
        for (std::size_t feed = 0; (feed = text.find('\n', start)) != std::string::npos; start = feed + 1) {
            const auto line = parse_log_line(std::string_view(text).substr(start, feed - start));
            if (line && !line->continued && !ends_line(read - text.size() + feed + 1)) return;
        }
        text.erase(0, start);
    }
}

// The same for a file that can only be read forwards: its lines are counted, then skipped.
std::uint64_t find_tail_forwards(LogFile& file, std::size_t& lines) {
    std::size_t there = 0;
    each_line_end(file, [&](std::uint64_t) { return ++there, true; });
    if (there == 0 || (lines > 0 && there <= lines)) {
        lines -= there;
        return 0;
    }
    std::size_t skip = there - lines;
    lines = 0;
    std::uint64_t start = 0;
    each_line_end(file, [&](std::uint64_t end) {
        start = end;
        return --skip > 0;
    });
    return start;
}

// Where to begin so that `lines` lines follow. `lines` is less what is found when the file holds fewer.
std::uint64_t find_tail(LogFile& file, std::size_t& lines) {
    if (file.compressed()) return find_tail_forwards(file, lines);
    const std::uint64_t size = file.size();
    // `end` is the end of a record; records are found backwards from their line feeds.
    std::string text;  // the file from `base` on, as far as it was read
    std::uint64_t base = size;
    std::size_t end = 0;
    bool first = true;
    for (;;) {
        const auto feed = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
        if (feed == std::string::npos && base > 0) {
            const auto step = std::min<std::uint64_t>(base, kBlock);
            std::string block(step, '\0');
            base -= step;
            if (file.read_at(block, base) != step) return base;
            text.resize(end);
            text.insert(0, block);
            end += step;
            continue;
        }
        // [start, end) is a record without its line feed; the bytes behind the last line feed are none.
        const std::size_t start = feed == std::string::npos ? 0 : feed + 1;
        if (!first) {
            const auto line = parse_log_line(std::string_view(text).substr(start, end - start));
            // A record that ends a line belongs to the line after the wanted ones: the pieces before it are its own.
            if (line && !line->continued) {
                if (lines == 0) return base + end + 1;
                --lines;
            }
        }
        first = false;
        if (feed == std::string::npos) return 0;
        end = feed;
        // Only what is before `end` is still needed.
        if (text.size() > 4 * kBlock) text.resize(end);
    }
}

}  // namespace

LogReader::LogReader(std::string path, LogQuery query) : path_(std::move(path)), query_(query) {
    if (query_.since) since_ = sys::rfc3339(*query_.since);
    if (query_.until) until_ = sys::rfc3339(*query_.until);
}

LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;

void LogReader::open_start() {
    started_ = true;
    std::optional<std::size_t> lines = query_.tail;
    const int count = count_log_files(path_);
    for (int age = 0; age < count; ++age) {
        auto file = LogFile::open(path_, age);
        // Between two renames of a rotation a name is missing, and stays so if the writer was killed there.
        if (!file) continue;
        file_ = std::move(file);
        offset_ = 0;
        if (!lines) continue;
        offset_ = find_tail(*file_, *lines);
        if (*lines == 0 && offset_ > 0) return;
    }
}

std::optional<LogFile> LogReader::find_next() {
    // Ours has got an older name; the next one has the first name below it that there is.
    const auto is_ours = [&](int age) {
        auto file = LogFile::open(path_, age);
        return file && file_ && file_->same_as(*file);
    };
    constexpr int kTries = 8;
    for (int tries = 0; tries < kTries; ++tries) {
        int own = 0;
        if (is_ours(own)) return std::nullopt;
        const int count = count_log_files(path_);
        while (own < count && !is_ours(own)) ++own;
        // When it is gone altogether we were too slow: the oldest that is left comes next.
        for (int age = own - 1; age >= 0; --age) {
            auto next = LogFile::open(path_, age);
            if (!next) continue;
            // Turned meanwhile: what has this name now need not be the next one.
            if (own < count && !is_ours(own)) break;
            return next;
        }
        if (own == 0) return std::nullopt;
    }
    return std::nullopt;
}

bool LogReader::open_next() {
    auto next = find_next();
    if (!next || (file_ && file_->same_as(*next))) return false;
    // Whatever was written to ours before it was renamed.
    if (file_ && fill()) return true;
    file_ = std::move(next);
    offset_ = 0;
    buffer_.clear();
    begin_ = searched_ = 0;
    return true;
}

bool LogReader::fill() {
    if (!file_) return false;
    if (begin_ > 0) {
        buffer_.erase(0, begin_);
        searched_ -= begin_;
        begin_ = 0;
    }
    const auto before = buffer_.size();
    buffer_.resize(before + kBlock);
    const auto n = file_->read_at({buffer_.data() + before, kBlock}, offset_);
    buffer_.resize(before + n);
    offset_ += n;
    return n > 0;
}

bool LogReader::read_line(std::string_view& line) {
    for (;;) {
        const auto feed = buffer_.find('\n', searched_);
        if (feed != std::string::npos) {
            line = std::string_view(buffer_).substr(begin_, feed - begin_);
            begin_ = searched_ = feed + 1;
            return true;
        }
        searched_ = buffer_.size();
        if (!fill() && !open_next()) return false;
    }
}

bool LogReader::wanted(const LogLine& line) const {
    return (since_.empty() || line.time >= since_) && (until_.empty() || line.time <= until_);
}

bool LogReader::next(LogLine& line) {
    if (!started_ || !file_) open_start();
    std::string_view text;
    for (;;) {
        if (!read_line(text)) {
            // What happens after this look makes the watcher readable again.
            if (!watcher_) return false;
            watcher_->drain();
            if (!read_line(text)) return false;
        }
        const auto parsed = parse_log_line(text);
        if (!parsed || !wanted(*parsed)) continue;
        line = *parsed;
        return true;
    }
}

sys::FdRef LogReader::watch() {
    if (!watcher_) {
        watcher_ = std::make_unique<sys::FileWatcher>();
        watcher_->watch_directory(path_.substr(0, path_.rfind('/')));
    }
    return watcher_->fd();
}

bool LogReader::wait(std::optional<std::chrono::milliseconds> timeout) {
    // Before there was a watcher, a change may have gone unseen.
    const bool first = watcher_ == nullptr;
    std::array<sys::PollItem, 1> items{{{.fd = watch()}}};
    return first || sys::poll(items, timeout);
}

}  // namespace compose::supervisor
