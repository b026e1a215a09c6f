#include "sys/tree_watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "sys/error.hpp"

namespace compose::sys {

namespace {

constexpr unsigned kWhat = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                           IN_MODIFY | IN_ONLYDIR | IN_EXCL_UNLINK;

bool is_real_directory(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> out;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
    if (!dir) return out;
    while (const dirent* entry = ::readdir(dir.get()))
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            out.emplace_back(entry->d_name);
    return out;
}

}  // namespace

void list_tree(const std::string& path, const std::function<bool(const std::string&)>& skip,
               std::set<std::string>& out) {
    if (!is_real_directory(path)) {
        struct stat info {};
        if (::lstat(path.c_str(), &info) == 0) out.insert(path);
        return;
    }
    if (skip(path)) return;
    const auto names = names_in(path);
    if (names.empty()) out.insert(path);
    for (const auto& name : names) list_tree(path + "/" + name, skip, out);
}

TreeWatcher::TreeWatcher(std::function<bool(const std::string&)> skip)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), skip_(std::move(skip)) {
    if (!fd_) throw errno_error("watch files");
}

void TreeWatcher::add(const std::string& path) {
    if (is_real_directory(path)) return watch_directory(path, nullptr);
    const auto slash = path.rfind('/');
    const auto folder = slash == 0 ? "/" : path.substr(0, slash);
    const int watch = ::inotify_add_watch(fd_.get(), folder.c_str(), kWhat | IN_MASK_ADD);
    if (watch < 0) throw errno_error("watch {}", folder);
    directories_.emplace(watch, folder);
}

void TreeWatcher::watch_directory(const std::string& path, std::set<std::string>* found) {
    if (skip_(path)) return;
    // Watched first, then looked into: what comes in between is seen twice, never missed.
    const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), kWhat);
    if (watch < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return;
        auto error = errno_error("watch {}", path);
        if (error.code() == ENOSPC) error.with_hint("raise fs.inotify.max_user_watches with sysctl");
        throw error;
    }
    directories_[watch] = path;
    for (const auto& name : names_in(path)) {
        const auto below = path + "/" + name;
        if (is_real_directory(below))
            watch_directory(below, found);
        else if (found != nullptr)
            found->insert(below);
    }
}

TreeWatcher::Changes TreeWatcher::take() {
    Changes changes;
    alignas(inotify_event) char buffer[std::size_t{64} << 10U];
    for (;;) {
        const auto n = ::read(fd_.get(), buffer, sizeof buffer);
        if (n <= 0) return changes;
        for (ssize_t at = 0; at < n;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
            at += static_cast<ssize_t>(sizeof *event + event->len);
            if ((event->mask & IN_Q_OVERFLOW) != 0) changes.lost = true;
            if ((event->mask & IN_IGNORED) != 0) {
                directories_.erase(event->wd);
                continue;
            }
            const auto directory = directories_.find(event->wd);
            if (directory == directories_.end() || event->len == 0) continue;
            const auto path = directory->second + "/" + event->name;
            if ((event->mask & IN_ISDIR) != 0) {
                if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) watch_directory(path, &changes.paths);
                if ((event->mask & IN_ATTRIB) != 0) continue;
            }
            changes.paths.insert(path);
        }
    }
}

}  // namespace compose::sys
