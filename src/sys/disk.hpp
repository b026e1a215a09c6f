// A file system of a fixed size that lies in a file. It is never mounted where another process of the host could see
// it, and nothing of it stays when its last user is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sys/fd.hpp"

namespace compose::sys {

struct Disk {
    std::string file;   // empty: there is none
    std::string place;  // the empty folder where it is looked for
};

/// A new file: sparse, with an empty ext4 of `size` bytes. Throws Error; unavailable without mkfs.ext4.
void make_disk(const std::string& file, std::int64_t size);
/// Its file system as a mount that is nowhere yet (see move_mount(2)) and lives as long as the descriptor. However many
/// there are of one file, they are views of one file system.
[[nodiscard]] Fd open_disk(const std::string& file);
/// At its place, for everybody in this thread's mount namespace: that must be one of the thread's own.
void mount_disk(const Disk& disk);
/// Runs `body` with the disk at its place, in a thread with a mount namespace of its own; just runs it without a disk.
void visit_disk(const Disk& disk, const std::function<void()>& body);

}  // namespace compose::sys
