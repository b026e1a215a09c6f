// Folders and files that belong to the engine alone. State that another user may write is a way to become root, so it
// is refused rather than repaired.
#pragma once

#include <string>

namespace compose::sys {

/// Makes the folder (0700, parents too) unless it is there; throws Error(unavailable) when what is there is no
/// directory, belongs to another user, or may be written by group or others.
void make_private_directory(const std::string& path);
/// Makes an empty file (0600) unless it is there, without opening it; refuses what another user owns or may write, and
/// anything but a regular file. False when it is not there and the file system is read-only.
bool make_private_file(const std::string& path);
/// Refuses (Error(unavailable)) a file that anyone but root may write or exchange for another: what it says is done
/// with root's rights. Links are followed.
void require_safe_file(const std::string& path);

}  // namespace compose::sys
