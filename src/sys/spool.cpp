#include "sys/spool.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "sys/error.hpp"

namespace compose::sys {
namespace {

Spooled splice_now(FdRef from, FdRef to, std::size_t limit, const char* what) {
    for (;;) {
        const auto n = ::splice(from.get(), nullptr, to.get(), nullptr, limit, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (n > 0) return Spooled::some;
        if (n == 0) return Spooled::end;
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return Spooled::nothing;
        if (errno == EIO) return Spooled::end;  // a terminal whose last user is gone
        throw errno_error("{}", what);
    }
}

}  // namespace

Fd make_memory_file(const char* name) {
    Fd fd(::memfd_create(name, MFD_CLOEXEC));
    if (!fd) throw errno_error("create memory file");
    return fd;
}

Spooled spool_from_pipe(FdRef pipe, FdRef spool, std::size_t limit) {
    return splice_now(pipe, spool, limit, "read the output of a container");
}

Spooled pipe_from_terminal(FdRef terminal, FdRef pipe, std::size_t limit) {
    return splice_now(terminal, pipe, limit, "read a terminal");
}

std::uint64_t spool_position(FdRef spool) {
    const auto at = ::lseek(spool.get(), 0, SEEK_CUR);
    if (at < 0) throw errno_error("find the position");
    return static_cast<std::uint64_t>(at);
}

std::size_t read_at(FdRef file, std::span<char> out, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < out.size()) {
        const auto n = ::pread(file.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw errno_error("read");
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

void free_spool(FdRef spool, std::uint64_t end) noexcept {
    // When it fails the memory is given back with the next one.
    if (::fallocate(spool.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(end)) != 0) return;
}

SharedPage::SharedPage(FdRef file) {
    if (facts_of(file).size < kSize && ::ftruncate(file.get(), kSize) != 0) throw errno_error("grow memory file");
    void* const address = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) throw errno_error("map memory file");
    address_ = address;
}

SharedPage::SharedPage(SharedPage&& other) noexcept : address_(std::exchange(other.address_, nullptr)) {}

SharedPage& SharedPage::operator=(SharedPage&& other) noexcept {
    std::swap(address_, other.address_);
    return *this;
}

SharedPage::~SharedPage() {
    if (address_ != nullptr) ::munmap(address_, kSize);
}

Fd open_to_append(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) throw errno_error("open {}", path);
    return fd;
}

std::optional<Fd> open_to_read(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd) return fd;
    if (errno == ENOENT) return std::nullopt;
    throw errno_error("open {}", path);
}

FileFacts facts_of(FdRef file) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) throw errno_error("stat");
    return {static_cast<std::uint64_t>(info.st_size), info.st_ino, info.st_nlink > 0};
}

std::int64_t append_some(FdRef file, std::string_view data) noexcept {
    for (;;) {
        const auto n = ::write(file.get(), data.data(), data.size());
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

int truncate_file(FdRef file, std::uint64_t size) noexcept {
    return ::ftruncate(file.get(), static_cast<off_t>(size)) == 0 ? 0 : -errno;
}

void rename_file(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) throw errno_error("rename {}", from);
}

}  // namespace compose::sys
