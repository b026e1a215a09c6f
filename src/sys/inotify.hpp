// Hearing of changes in one directory and one file.
#pragma once

#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

class FileWatcher {
public:
    FileWatcher();
    /// Changes of content and of names inside `directory`.
    void watch_directory(const std::string& directory);
    /// Readable when something has happened; drain() makes it quiet again.
    [[nodiscard]] FdRef fd() const noexcept { return fd_; }
    void drain() noexcept;

private:
    Fd fd_;
};

}  // namespace compose::sys
