// The digests of a folder's files, remembered by inode, size and times, so that a big context that has not changed is
// not read again. A loss of the memory costs time only.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "sys/fd.hpp"
#include "sys/tree.hpp"

namespace compose::build {

class FileDigests {
public:
    /// `file` holds what was remembered; empty: nothing is kept.
    explicit FileDigests(std::string file);
    /// SHA-256 in 64 hex digits. `info` is of `name` in `dir`, a regular file.
    [[nodiscard]] std::string digest(sys::FdRef dir, const std::string& name, const sys::FileInfo& info);
    /// Writes what was asked for since the beginning, if it differs from what was there. Never throws.
    void save() noexcept;

private:
    struct Stamp {
        std::uint64_t file_system = 0, inode = 0;
        std::int64_t size = 0, mtime = 0, ctime = 0;
        auto operator<=>(const Stamp&) const = default;
    };
    void load();

    std::string file_;
    std::mutex mutex_;
    std::map<Stamp, std::string> known_, used_;
    std::int64_t started_ = 0;
    bool fresh_ = false;  // something new was learnt
};

/// SHA-256 of a regular file.
[[nodiscard]] std::string hash_file(sys::FdRef dir, const std::string& name);

}  // namespace compose::build
