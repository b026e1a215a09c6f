#include "engine/process_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
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

std::string elapsed_text(std::int64_t seconds) {
    const auto days = seconds / 86400;
    const std::string days_text = days > 0 ? fmt::format("{}-", days) : "";
    const bool hours = days > 0 || seconds >= 3600;
    const std::string hours_text = hours ? fmt::format("{:02}:", seconds / 3600 % 24) : "";
    return fmt::format("{}{}{:02}:{:02}", days_text, hours_text, seconds / 60 % 60, seconds % 60);
}

/// The columns by ps's names; other names for them are in kColumns.
using Row = std::map<std::string, std::string>;

struct Host {
    std::map<std::string, std::string> users;
    Times times;
    std::uint64_t memory_kb = 1;
};

/// "Name:\tvalue" of /proc/N/status; the second number where it has several: ps shows effective ids.
std::string status_value(const std::vector<std::string>& lines, std::string_view title) {
    for (const std::string& line : lines)
        if (line.starts_with(title)) {
            const auto values = split(trim(std::string_view(line).substr(title.size())), '\t');
            return std::string(trim(values.size() > 1 ? values[1] : values[0]));
        }
    return "0";
}

void put_status(const std::string& folder, const Host& host, Row& row) {
    const auto lines = split(sys::read_kernel_file(folder + "/status"), '\n');
    row["uid"] = status_value(lines, "Uid:");
    row["gid"] = status_value(lines, "Gid:");
    const auto name = host.users.find(row["uid"]);
    row["user"] = name == host.users.end() ? row["uid"] : name->second;
    row["vsz"] = std::to_string(number(status_value(lines, "VmSize:")));
    const auto resident = number(status_value(lines, "VmRSS:"));
    row["rss"] = std::to_string(resident);
    row["nlwp"] = status_value(lines, "Threads:");
    row["pmem"] = fmt::format("{:.1f}", 100.0 * static_cast<double>(resident) / static_cast<double>(host.memory_kb));
}

/// Empty when it has ended.
Row describe(pid_t pid, const Host& host) {
    const std::string folder = fmt::format("/proc/{}", pid);
    const std::string stat = sys::read_kernel_file(folder + "/stat");
    const auto opening = stat.find('('), closing = stat.rfind(')');
    if (opening == std::string::npos || closing == std::string::npos) return {};
    // From the third field on; the second one may hold anything.
    const auto fields = split(trim(std::string_view(stat).substr(closing + 1)), ' ');
    constexpr std::size_t kNeeded = 20;
    if (fields.size() < kNeeded) return {};
    const auto ticks = number(fields[11]) + number(fields[12]);
    const auto cpu = static_cast<std::int64_t>(ticks / kTicks);
    const auto since_boot = static_cast<std::int64_t>(number(fields[19]) / kTicks);
    const auto lived = std::max<std::int64_t>(host.times.uptime - since_boot, 1);
    Row row;
    put_status(folder, host, row);
    row["comm"] = printable(stat.substr(opening + 1, closing - opening - 1));
    row["args"] = printable(sys::read_kernel_file(folder + "/cmdline"));
    if (row["args"].empty()) row["args"] = "[" + row["comm"] + "]";
    row["pid"] = std::to_string(pid);
    row["stat"] = fields[0];
    row["ppid"] = fields[1];
    row["pgid"] = fields[2];
    row["sid"] = fields[3];
    row["tty"] = terminal_name(number(fields[4]));
    row["pri"] = fields[15];
    row["ni"] = fields[16];
    row["c"] = std::to_string(std::min<std::int64_t>(cpu * 100 / lived, 99));
    row["pcpu"] = fmt::format("{:.1f}", static_cast<double>(ticks) / static_cast<double>(lived));
    row["stime"] = start_text(host.times, since_boot);
    row["time"] = clock_text(cpu);
    row["etime"] = elapsed_text(lived);
    row["etimes"] = std::to_string(lived);
    return row;
}

struct Known {
    const char* name;
    const char* key;
    const char* title;
};

constexpr std::array kColumns{Known{"pid", "pid", "PID"},
                              Known{"ppid", "ppid", "PPID"},
                              Known{"pgid", "pgid", "PGID"},
                              Known{"pgrp", "pgid", "PGRP"},
                              Known{"sid", "sid", "SID"},
                              Known{"sess", "sid", "SESS"},
                              Known{"uid", "uid", "UID"},
                              Known{"euid", "uid", "EUID"},
                              Known{"gid", "gid", "GID"},
                              Known{"user", "user", "USER"},
                              Known{"euser", "user", "EUSER"},
                              Known{"uname", "user", "USER"},
                              Known{"comm", "comm", "COMMAND"},
                              Known{"ucmd", "comm", "CMD"},
                              Known{"args", "args", "COMMAND"},
                              Known{"command", "args", "COMMAND"},
                              Known{"cmd", "args", "CMD"},
                              Known{"pcpu", "pcpu", "%CPU"},
                              Known{"%cpu", "pcpu", "%CPU"},
                              Known{"c", "c", "C"},
                              Known{"pmem", "pmem", "%MEM"},
                              Known{"%mem", "pmem", "%MEM"},
                              Known{"vsz", "vsz", "VSZ"},
                              Known{"rss", "rss", "RSS"},
                              Known{"tty", "tty", "TT"},
                              Known{"tt", "tty", "TT"},
                              Known{"tname", "tty", "TTY"},
                              Known{"stat", "stat", "STAT"},
                              Known{"state", "stat", "S"},
                              Known{"s", "stat", "S"},
                              Known{"stime", "stime", "STIME"},
                              Known{"start", "stime", "START"},
                              Known{"time", "time", "TIME"},
                              Known{"cputime", "time", "TIME"},
                              Known{"etime", "etime", "ELAPSED"},
                              Known{"etimes", "etimes", "ELAPSED"},
                              Known{"ni", "ni", "NI"},
                              Known{"nice", "ni", "NI"},
                              Known{"pri", "pri", "PRI"},
                              Known{"nlwp", "nlwp", "NLWP"},
                              Known{"thcount", "nlwp", "THCNT"}};

/// "pid,comm" or "pid=NUMBER", whose title is all that follows.
void add_columns(const std::string& text, std::vector<PsColumn>& out) {
    const auto equals = text.find('=');
    auto names = split(text.substr(0, equals), ',');
    std::size_t left = names.size();
    for (const std::string& written : names) {
        --left;
        const std::string name = lower(trim(written));
        const auto* const known =
            std::find_if(kColumns.begin(), kColumns.end(), [&](const Known& column) { return name == column.name; });
        if (known == kColumns.end())
            throw make_error(ErrorKind::usage, "{} is no column of ps that is known here", quote(written))
                .with_hint(
                    "pid, ppid, user, uid, comm, args, pcpu, pmem, vsz, rss, tty, stat, stime, time, etime, ni, nlwp");
        const bool titled = left == 0 && equals != std::string::npos;
        out.push_back({known->key, titled ? text.substr(equals + 1) : known->title});
    }
}

}  // namespace

std::vector<PsColumn> ps_columns(const std::vector<std::string>& options) {
    std::vector<PsColumn> out;
    bool bsd = false;
    for (std::size_t i = 0; i < options.size(); ++i) {
        const std::string letters = options[i].starts_with('-') ? options[i].substr(1) : options[i];
        const auto o = letters.find('o');
        const std::string before = letters.substr(0, o);
        if (letters.empty() || before.find_first_not_of("aAefuxwl") != std::string::npos)
            throw make_error(ErrorKind::usage, "{} is no option of ps that is known here", quote(options[i]))
                .with_hint("use -ef, aux, or -o with columns: -o pid,comm");
        bsd = bsd || before.find('u') != std::string::npos;
        if (o == std::string::npos) continue;
        const std::string attached = letters.substr(o + 1);
        if (attached.empty() && i + 1 == options.size())
            throw make_error(ErrorKind::usage, "{} needs the columns to show", quote(options[i]))
                .with_hint("such as -o pid,comm");
        add_columns(attached.empty() ? options[++i] : attached, out);
    }
    if (!out.empty()) return out;
    if (bsd)
        return {{"user", "USER"},   {"pid", "PID"},   {"pcpu", "%CPU"},   {"pmem", "%MEM"},
                {"vsz", "VSZ"},     {"rss", "RSS"},   {"tty", "TTY"},     {"stat", "STAT"},
                {"stime", "START"}, {"time", "TIME"}, {"args", "COMMAND"}};
    return {{"user", "UID"},    {"pid", "PID"}, {"ppid", "PPID"}, {"c", "C"},
            {"stime", "STIME"}, {"tty", "TTY"}, {"time", "TIME"}, {"args", "CMD"}};
}

ProcessTable list_processes(std::vector<pid_t> pids, const std::vector<PsColumn>& columns) {
    ProcessTable table;
    for (const PsColumn& column : columns) table.titles.push_back(column.title);
    std::sort(pids.begin(), pids.end());
    Host host;
    host.users = user_names();
    host.times.now = std::chrono::duration_cast<std::chrono::seconds>(sys::wall_now().time_since_epoch()).count();
    host.times.uptime = static_cast<std::int64_t>(number(sys::read_kernel_file("/proc/uptime")));
    const auto memory = sys::read_kernel_file("/proc/meminfo");  // its first line is MemTotal
    host.memory_kb = std::max<std::uint64_t>(number(trim(std::string_view(memory).substr(memory.find(':') + 1))), 1);
    for (const pid_t pid : pids) {
        Row row = describe(pid, host);
        if (row.empty()) continue;
        std::vector<std::string> cells;
        for (const PsColumn& column : columns) cells.push_back(row[column.key]);
        table.processes.push_back(std::move(cells));
    }
    return table;
}

}  // namespace compose::engine
