// The files that a log consists of, and what they are called:
//
//   container.log          what is being written
//   container.log.1        what was before, and so on; the highest number is the oldest
//   container.log.1.gz     the same in place of it, where rotated files are compressed
//   container.log.gz.part  one that is not compressed to its end: nothing
//
// The plain one counts where both are there, which is so only for the moment between two calls, or when the writer died
// in it. A name may be missing for the same reason, and with it closed by the next rotation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "supervisor/log_gzip.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

/// `age` 0: the newest.
[[nodiscard]] std::string log_file_name(const std::string& path, int age);
[[nodiscard]] std::string compressed_log_name(const std::string& path, int age);
[[nodiscard]] std::string unfinished_log_name(const std::string& path);
/// In either form.
[[nodiscard]] bool log_file_exists(const std::string& path, int age);
/// In both forms. No error when it is not there.
void remove_log_file(const std::string& path, int age);
/// One older; there must be none of that age.
void age_log_file(const std::string& path, int age);
/// One more than the oldest there is.
[[nodiscard]] int count_log_files(const std::string& path);

class LogFile {
public:
    /// Nothing when there is none of that age.
    [[nodiscard]] static std::optional<LogFile> open(const std::string& path, int age);

    [[nodiscard]] bool compressed() const { return reader_.has_value(); }
    /// Reads its text from `offset`. A compressed one is read forwards.
    [[nodiscard]] std::size_t read_at(std::span<char> out, std::uint64_t offset);
    /// Bytes of text so far; of a plain one only.
    [[nodiscard]] std::uint64_t size() const;
    /// Is `other`, opened later, the same piece of the log, though compressed meanwhile?
    [[nodiscard]] bool same_as(LogFile& other);

private:
    explicit LogFile(sys::Fd file) : file_(std::move(file)) {}
    [[nodiscard]] std::string beginning();

    sys::Fd file_;
    std::optional<GzipReader> reader_;
};

}  // namespace compose::supervisor
