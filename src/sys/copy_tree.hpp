// Copies the content of a directory with everything that belongs to a file: owner, mode, times, hard and symbolic
// links, holes and extended attributes.
#pragma once

#include "sys/fd.hpp"

namespace compose::sys {

/// `target` is an empty directory that nobody else changes; it gets the owner, mode and times of `source` too. Links
/// are copied, not followed. Device nodes and sockets are left out. Mounts below `source` are not entered.
void copy_tree(FdRef source, FdRef target);
/// The same with further hard links to everything but directories: what is in one tree must not be changed through the
/// other. Both are on one file system. Device nodes are linked, too.
void link_tree(FdRef source, FdRef target);

}  // namespace compose::sys
