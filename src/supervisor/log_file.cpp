#include "supervisor/log_file.hpp"

#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose::supervisor {
namespace {

constexpr int kMostAges = 1000;
constexpr int kMostMissing = 16;  // names in a row; each death of a writer leaves one at most
// A file begins with the time of its first line to the nanosecond: no other one of this log begins with it.
constexpr std::size_t kBeginning = 64;

}  // namespace

std::string log_file_name(const std::string& path, int age) {
    return age == 0 ? path : path + "." + std::to_string(age);
}

std::string compressed_log_name(const std::string& path, int age) {
    return log_file_name(path, age) + ".gz";
}

std::string unfinished_log_name(const std::string& path) {
    return path + ".gz.part";
}

bool log_file_exists(const std::string& path, int age) {
    return sys::exists(log_file_name(path, age)) || (age > 0 && sys::exists(compressed_log_name(path, age)));
}

void remove_log_file(const std::string& path, int age) {
    // The one that doesn't count first.
    sys::remove_file(compressed_log_name(path, age));
    sys::remove_file(log_file_name(path, age));
}

void age_log_file(const std::string& path, int age) {
    const auto plain = log_file_name(path, age);
    if (!sys::exists(plain))
        return sys::rename_file(compressed_log_name(path, age), compressed_log_name(path, age + 1));
    // Left alone for a moment, it would count as a second one.
    if (age > 0) sys::remove_file(compressed_log_name(path, age));
    sys::rename_file(plain, log_file_name(path, age + 1));
}

int count_log_files(const std::string& path) {
    int count = 0;
    for (int age = 0; age < kMostAges && age - count < kMostMissing; ++age)
        if (log_file_exists(path, age)) count = age + 1;
    return count;
}

std::optional<LogFile> LogFile::open(const std::string& path, int age) {
    if (auto plain = sys::open_to_read(log_file_name(path, age))) return LogFile(std::move(*plain));
    if (age == 0) return std::nullopt;
    auto packed = sys::open_to_read(compressed_log_name(path, age));
    if (!packed) return std::nullopt;
    LogFile file(packed->duplicate());
    file.reader_.emplace(std::move(*packed));
    return file;
}

std::size_t LogFile::read_at(std::span<char> out, std::uint64_t offset) {
    return reader_ ? reader_->read_at(out, offset) : sys::read_at(file_, out, offset);
}

std::uint64_t LogFile::size() const {
    return sys::facts_of(file_).size;
}

std::string LogFile::beginning() {
    std::string text(kBeginning, '\0');
    text.resize(read_at(text, 0));
    return text;
}

bool LogFile::same_as(LogFile& other) {
    // Ours is open, so that its number is nobody else's.
    if (sys::facts_of(file_).inode == sys::facts_of(other.file_).inode) return true;
    return !compressed() && other.compressed() && size() > 0 && beginning() == other.beginning();
}

}  // namespace compose::supervisor
