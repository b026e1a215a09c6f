#include "sys/mapping.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

void* map_shared_file(const std::string& path, std::size_t size) {
    const auto fd = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) throw errno_error("stat {}", path);
    if (static_cast<std::size_t>(info.st_size) < size) {
        // Blocks are allocated now: a full disk must be an error here, not a SIGBUS at the first write.
        const int code = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
        if (code != 0) throw error_from(code, "grow " + path);
    }
    void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) throw errno_error("map {}", path);
    return address;
}

void unmap(void* address, std::size_t size) noexcept {
    if (address != nullptr) ::munmap(address, size);
}

}  // namespace compose::sys
