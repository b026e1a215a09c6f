#include "image/content_store.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "image/reference.hpp"
#include "sys/clock.hpp"
#include "sys/dir.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/spool.hpp"
#include "sys/tree.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr std::chrono::milliseconds kLookAgain{100};
constexpr std::string_view kNew = "tmp-";

std::string hex_of(const std::string& digest) {
    // A digest becomes a path: nothing else may.
    if (!is_digest(digest)) throw make_error(ErrorKind::invalid, "{} is no digest", digest);
    return digest.substr(7);
}

}  // namespace

ContentStore::ContentStore(std::string folder) : folder_(std::move(folder)) {
    for (const char* sub : {"", "/sha256", "/partial"}) sys::make_directory(folder_ + sub, 0700);
}

std::string ContentStore::path(const std::string& digest) const {
    return folder_ + "/sha256/" + hex_of(digest);
}

bool ContentStore::has(const std::string& digest) const {
    return sys::exists(path(digest));
}

std::optional<sys::Fd> ContentStore::open(const std::string& digest) const {
    return sys::open_to_read(path(digest));
}

std::int64_t ContentStore::size(const std::string& digest) const {
    const auto file = open(digest);
    if (!file) throw make_error(ErrorKind::not_found, "blob {} is not here", digest);
    return static_cast<std::int64_t>(sys::facts_of(*file).size);
}

std::int64_t ContentStore::remove_unused(const std::vector<std::string>& keep, bool partial) {
    std::vector<std::string> kept;
    for (const auto& digest : keep) kept.push_back(hex_of(digest));
    std::sort(kept.begin(), kept.end());
    std::int64_t freed = 0;
    const auto remove = [&](const std::string& file) {
        if (const auto open = sys::open_to_read(file)) freed += static_cast<std::int64_t>(sys::facts_of(*open).size);
        log::debug("remove blob {}", file);
        sys::remove_file(file);
    };
    for (const auto& name : sys::list_directory(folder_ + "/sha256"))
        if (!std::binary_search(kept.begin(), kept.end(), name)) remove(folder_ + "/sha256/" + name);
    for (const auto& name : sys::list_directory(folder_ + "/partial")) {
        if (!partial && !name.starts_with(kNew)) continue;
        const auto file = folder_ + "/partial/" + name;
        const auto open = sys::open_to_read(file);
        if (open && sys::lock(*open, sys::LockMode::exclusive, std::chrono::milliseconds(0))) remove(file);
    }
    return freed;
}

PartialBlob::PartialBlob(const ContentStore& store, std::string digest, const Interrupt& interrupt)
    : store_(store), digest_(std::move(digest)) {
    const auto path = store_.folder_ + "/partial/" + hex_of(digest_);
    for (;;) {
        if (store_.has(digest_)) {
            complete_ = true;
            return;
        }
        fd_ = sys::open_to_append(path);
        while (!sys::lock(fd_, sys::LockMode::exclusive, std::chrono::milliseconds(0))) interrupt.sleep(kLookAgain);
        // Meanwhile it may have become a blob, or have been cleaned away: only the file of that name counts.
        const auto there = sys::open_to_read(path);
        if (there && sys::facts_of(*there).inode == sys::facts_of(fd_).inode) break;
    }
    size_ = static_cast<std::int64_t>(sys::facts_of(fd_).size);
}

void PartialBlob::replay(const std::function<void(std::string_view)>& out) {
    std::vector<char> buffer(kBuffer);
    std::uint64_t at = 0;
    while (at < static_cast<std::uint64_t>(size_)) {
        const auto size = sys::read_at(fd_, buffer, at);
        if (size == 0) break;
        hash_.update(buffer.data(), size);
        out({buffer.data(), size});
        at += size;
    }
    size_ = static_cast<std::int64_t>(at);
}

void PartialBlob::append(std::string_view bytes) {
    sys::write_all(fd_, bytes);
    hash_.update(bytes.data(), bytes.size());
    size_ += static_cast<std::int64_t>(bytes.size());
}

void PartialBlob::restart() {
    if (const int code = sys::truncate_file(fd_, 0); code != 0) throw sys::error_from(-code, "empty " + digest_);
    hash_ = Sha256();
    size_ = 0;
}

void PartialBlob::verify() {
    const auto found = "sha256:" + hash_.hex();
    hash_ = Sha256();
    if (found == digest_) return;
    restart();
    throw make_error(ErrorKind::invalid, "{} was asked for, but the bytes that came are {}", digest_, found);
}

void PartialBlob::commit() {
    sys::rename_file(store_.folder_ + "/partial/" + hex_of(digest_), store_.path(digest_));
    complete_ = true;
}

void ContentStore::remove_stale() const {
    for (const auto& name : sys::list_directory(folder_ + "/partial")) {
        if (!name.starts_with(kNew)) continue;
        const auto file = folder_ + "/partial/" + name;
        const auto open = sys::open_to_read(file);
        if (open && sys::lock(*open, sys::LockMode::exclusive, std::chrono::milliseconds(0))) sys::remove_file(file);
    }
}

NewBlob::NewBlob(const ContentStore& store) : store_(store) {
    store_.remove_stale();
    for (;;) {
        path_ = store.folder_ + "/partial/" + std::string(kNew) + sys::random_id().substr(0, 16);
        fd_ = sys::open_to_append(path_);
        // Someone who cleans up may have come between: only a file that still has its name is ours.
        if (sys::lock(fd_, sys::LockMode::exclusive, std::chrono::milliseconds(0)) && sys::facts_of(fd_).linked) return;
    }
}

NewBlob::~NewBlob() {
    try {
        if (fd_) sys::remove_file(path_);
    } catch (const Error& error) {
        log::debug("{}", error.what());  // the next clean-up takes it
    }
}

void NewBlob::write(std::string_view bytes) {
    sys::write_all(fd_, bytes);
    hash_.update(bytes.data(), bytes.size());
    size_ += static_cast<std::int64_t>(bytes.size());
}

std::string NewBlob::commit() {
    auto digest = "sha256:" + hash_.hex();
    sys::sync_file_system(fd_);
    sys::rename_file(path_, store_.path(digest));
    fd_.reset();
    return digest;
}

}  // namespace compose::image
