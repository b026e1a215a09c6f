// The attributes of mounts as mount_setattr(2) and fsmount(2) take them. The calls themselves are in raw.hpp.
#pragma once

#include <cstdint>

namespace compose::sys::mount_attribute {

inline constexpr std::uint64_t kReadOnly = 0x01;
inline constexpr std::uint64_t kNosuid = 0x02;
inline constexpr std::uint64_t kNodev = 0x04;
inline constexpr std::uint64_t kNoexec = 0x08;
inline constexpr std::uint64_t kNoatime = 0x10;
inline constexpr std::uint64_t kStrictatime = 0x20;
inline constexpr std::uint64_t kNodiratime = 0x80;
inline constexpr std::uint64_t kAtime = 0x70;  // all that says how access times are kept
inline constexpr std::uint64_t kNosymfollow = 0x200000;

}  // namespace compose::sys::mount_attribute
