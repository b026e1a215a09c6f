#include "build/file_digests.hpp"

#include <cstring>
#include <span>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/spool.hpp"

namespace compose::build {

namespace {

constexpr std::string_view kHeader = "compose context digests 1\n";
constexpr std::size_t kRecord = 5 * 8 + 64;
// A file that changes twice within one tick of the file system's clock looks the same both times.
constexpr std::int64_t kTooYoung = 50'000'000;

std::int64_t nanoseconds(std::int64_t seconds, std::int64_t part) {
    return seconds * 1'000'000'000 + part;
}

}  // namespace

FileDigests::FileDigests(std::string file) : file_(std::move(file)) {
    started_ = sys::wall_now().time_since_epoch().count();
    if (!file_.empty()) load();
}

void FileDigests::load() {
    std::optional<std::string> text;
    try {
        text = sys::read_file_if_exists(file_);
    } catch (const Error& error) {
        log::debug("digests of the context: {}", error.what());
    }
    if (!text || !text->starts_with(kHeader)) return;
    for (auto at = kHeader.size(); at + kRecord <= text->size(); at += kRecord) {
        std::uint64_t numbers[5];
        std::memcpy(numbers, text->data() + at, sizeof numbers);
        const Stamp stamp{.file_system = numbers[0],
                          .inode = numbers[1],
                          .size = static_cast<std::int64_t>(numbers[2]),
                          .mtime = static_cast<std::int64_t>(numbers[3]),
                          .ctime = static_cast<std::int64_t>(numbers[4])};
        known_.emplace_hint(known_.end(), stamp, text->substr(at + sizeof numbers, 64));
    }
}

std::string FileDigests::digest(sys::FdRef dir, const std::string& name, const sys::FileInfo& info) {
    const Stamp stamp{.file_system = info.file_system,
                      .inode = info.inode,
                      .size = info.size,
                      .mtime = nanoseconds(info.mtime_s, info.mtime_ns),
                      .ctime = nanoseconds(info.ctime_s, info.ctime_ns)};
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = known_.find(stamp); found != known_.end()) {
            used_.insert(*found);
            return found->second;
        }
    }
    auto hash = hash_file(dir, name);
    if (stamp.ctime < started_ - kTooYoung) {
        const std::lock_guard lock(mutex_);
        known_.emplace(stamp, hash);
        used_.emplace(stamp, hash);
        fresh_ = true;
    }
    return hash;
}

void FileDigests::save() noexcept {
    try {
        const std::lock_guard lock(mutex_);
        if (file_.empty() || (!fresh_ && used_.size() == known_.size())) return;
        std::string text(kHeader);
        text.reserve(text.size() + used_.size() * kRecord);
        for (const auto& [stamp, hash] : used_) {
            const std::uint64_t numbers[5] = {stamp.file_system, stamp.inode, static_cast<std::uint64_t>(stamp.size),
                                              static_cast<std::uint64_t>(stamp.mtime),
                                              static_cast<std::uint64_t>(stamp.ctime)};
            text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
            text += hash;
        }
        // No sync: a torn file is told by its length, and costs time only.
        const auto fresh = file_ + "." + sys::random_id().substr(0, 8);
        sys::write_file(fresh, text, 0600);
        sys::rename_file(fresh, file_);
        fresh_ = false;
    } catch (const std::exception& error) {
        log::debug("keep the digests of the context: {}", error.what());
    }
}

std::string hash_file(sys::FdRef dir, const std::string& name) {
    const auto file = sys::find_regular_file_in_root(dir, name);
    if (!file) throw make_error("{} is no regular file any more", name);
    Sha256 hash;
    thread_local std::string buffer(std::size_t{256} << 10U, '\0');
    for (;;) {
        const auto got = sys::read_some(*file, std::span(buffer.data(), buffer.size()));
        if (!got || *got == 0) break;
        hash.update(buffer.data(), *got);
    }
    return hash.hex();
}

}  // namespace compose::build
