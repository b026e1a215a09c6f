#include "engine/process_list.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::engine {
namespace {

constexpr std::uint64_t kTicks = 100;  // a second: USER_HZ, which /proc counts in
constexpr std::size_t kLongestCommand = 4096;

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// "name:x:1000:..." of this host: the numbers are the same in the container, the names need not be.
std::map<std::string, std::string> user_names() {
    std::map<std::string, std::string> names;
    for (const std::string& line : split(sys::read_file_if_exists("/etc/passwd").value_or(""), '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() > 2) names.emplace(fields[2], fields[0]);
    }
    return names;
}

std::string printable(std::string text) {
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text) {
        if (c == '\0')
            c = ' ';
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    }
    if (text.size() > kLongestCommand) text.resize(kLongestCommand);
    return text;
}

std::string terminal_name(std::uint64_t device) {
    if (device == 0) return "?";
    const auto major = (device >> 8U) & 0xfffU;
    const auto minor = (device & 0xffU) | ((device >> 12U) & 0xfff00U);
    constexpr std::uint64_t kFirstPts = 136;
    if (major >= kFirstPts && major < kFirstPts + 8) return fmt::format("pts/{}", (major - kFirstPts) * 256 + minor);
    if (major == 4) return fmt::format("tty{}", minor);
    return "?";
}

std::string clock_text(std::int64_t seconds) {
    return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

struct Times {
    std::int64_t now = 0;     // seconds since 1970
    std::int64_t uptime = 0;  // seconds since the boot
};

std::string start_text(const Times& times, std::int64_t since_boot) {
    const std::time_t started = times.now - times.uptime + since_boot;
    std::tm parts{};
    ::localtime_r(&started, &parts);
    char text[16] = {};
    constexpr std::int64_t kDay = 24 * 3600;
    std::strftime(text, sizeof text, times.now - started < kDay ? "%H:%M" : "%b%d", &parts);
    return text;
}

std::vector<std::string> describe(pid_t pid, const std::map<std::string, std::string>& names, const Times& times) {
    const std::string folder = fmt::format("/proc/{}", pid);
    const std::string stat = sys::read_kernel_file(folder + "/stat");
    const auto closing = stat.rfind(')');
    if (closing == std::string::npos) return {};
    // From the third field on; the second one may hold anything.
    const auto fields = split(trim(std::string_view(stat).substr(closing + 1)), ' ');
    constexpr std::size_t kNeeded = 20;
    if (fields.size() < kNeeded) return {};
    std::string uid = "0";
    for (const std::string& line : split(sys::read_kernel_file(folder + "/status"), '\n'))
        if (line.starts_with("Uid:")) {
            const auto ids = split(line.substr(4), '\t');
            if (ids.size() > 2) uid = ids[2];  // real, effective: ps shows the effective one
        }
    const auto name = names.find(uid);
    const auto cpu = static_cast<std::int64_t>((number(fields[11]) + number(fields[12])) / kTicks);
    const auto since_boot = static_cast<std::int64_t>(number(fields[19]) / kTicks);
    const auto lived = std::max<std::int64_t>(times.uptime - since_boot, 1);
    std::string command = printable(sys::read_kernel_file(folder + "/cmdline"));
    if (command.empty()) {
        const auto opening = stat.find('(');
        command = "[" + printable(stat.substr(opening + 1, closing - opening - 1)) + "]";
    }
    return {name == names.end() ? uid : name->second,
            std::to_string(pid),
            fields[1],
            std::to_string(std::min<std::int64_t>(cpu * 100 / lived, 99)),
            start_text(times, since_boot),
            terminal_name(number(fields[4])),
            clock_text(cpu),
            std::move(command)};
}

}  // namespace

ProcessTable list_processes(std::vector<pid_t> pids) {
    ProcessTable table;
    table.titles = {"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"};
    std::sort(pids.begin(), pids.end());
    const auto names = user_names();
    Times times;
    times.now = std::chrono::duration_cast<std::chrono::seconds>(sys::wall_now().time_since_epoch()).count();
    times.uptime = static_cast<std::int64_t>(number(sys::read_kernel_file("/proc/uptime")));
    for (const pid_t pid : pids)
        if (auto row = describe(pid, names, times); !row.empty()) table.processes.push_back(std::move(row));
    return table;
}

}  // namespace compose::engine
