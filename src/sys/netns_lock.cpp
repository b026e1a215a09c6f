#include "sys/netns_lock.hpp"

#include <sys/file.h>

#include "sys/error.hpp"
#include "sys/namespaces.hpp"

namespace compose::sys {

// flock(2) works on namespace files: there is one inode for each namespace, so nothing has to be made on any disk.
NetnsLock::NetnsLock() : fd_(open_own_netns()) {
    while (::flock(fd_.get(), LOCK_EX) != 0)
        if (errno != EINTR) throw errno_error("lock the network namespace");
}

}  // namespace compose::sys
