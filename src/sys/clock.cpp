#include "sys/clock.hpp"

#include <sys/random.h>

#include <array>
#include <ctime>

#include "base/ids.hpp"
#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

WallTime wall_now() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return WallTime{std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)};
}

MonotonicTime monotonic_now() {
    return std::chrono::steady_clock::now();
}

std::string rfc3339(WallTime time) {
    const auto since = time.time_since_epoch();
    auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto nanos = (since - seconds).count();
    const auto when = static_cast<std::time_t>(seconds.count());
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, nanos);
}

std::string random_id() {
    std::array<std::byte, 32> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw errno_error("read random bytes");
    return object_id(bytes);
}

std::string boot_id() {
    const Fd fd = open_file("/proc/sys/kernel/random/boot_id", 0);
    return std::string(trim(read_all(fd, 128)));
}

}  // namespace compose::sys
