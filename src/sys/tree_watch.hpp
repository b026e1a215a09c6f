// Hearing of every change below some directories. Directories that appear are watched too, and what was in them before
// that could happen is reported as well; when the kernel had to drop events, that is said.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

class TreeWatcher {
public:
    /// `skip` says which directories are not looked into.
    explicit TreeWatcher(std::function<bool(const std::string& path)> skip);
    /// A directory with all below it, or a file (through its directory). Throws when a watch can't be had.
    void add(const std::string& path);
    [[nodiscard]] FdRef fd() const noexcept { return fd_; }

    struct Changes {
        std::set<std::string> paths;  // absolute; made, written, renamed or removed
        bool lost = false;            // there were more: look at everything
    };
    /// What was heard since the last time.
    [[nodiscard]] Changes take();

private:
    void watch_directory(const std::string& path, std::set<std::string>* found);

    Fd fd_;
    std::function<bool(const std::string&)> skip_;
    std::map<int, std::string> directories_;
};

/// Paths of everything below `path` that is no directory, and of empty directories; `skip` as above.
void list_tree(const std::string& path, const std::function<bool(const std::string&)>& skip,
               std::set<std::string>& out);

}  // namespace compose::sys
