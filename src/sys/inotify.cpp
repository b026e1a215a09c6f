#include "sys/inotify.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace compose::sys {

FileWatcher::FileWatcher() : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!fd_) throw errno_error("watch files");
}

void FileWatcher::watch_directory(const std::string& directory) {
    constexpr unsigned kWhat = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR;
    if (::inotify_add_watch(fd_.get(), directory.c_str(), kWhat) < 0) throw errno_error("watch {}", directory);
}

void FileWatcher::drain() noexcept {
    alignas(inotify_event) char buffer[4096];
    while (::read(fd_.get(), buffer, sizeof buffer) > 0) {
    }
}

}  // namespace compose::sys
