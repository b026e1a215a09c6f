#include "sys/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

#include "base/strings.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::sys {

std::optional<Fd> open_pidfd(pid_t pid) {
    Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (fd) return fd;
    if (errno == ESRCH || errno == EINVAL) return std::nullopt;
    throw errno_error("open process {}", pid);
}

bool send_signal(FdRef pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0) return true;
    if (errno == ESRCH) return false;
    throw errno_error("send signal {}", signal);
}

bool has_exited(FdRef pidfd) {
    pollfd item{pidfd.get(), POLLIN, 0};
    return ::poll(&item, 1, 0) == 1 && (item.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

std::optional<std::uint64_t> start_time(pid_t pid) {
    Fd fd(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    char buffer[1024];
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n <= 0) return std::nullopt;
    std::string_view text(buffer, static_cast<std::size_t>(n));
    // The command name may hold spaces and parentheses: fields are counted from the last one.
    const auto end = text.rfind(')');
    if (end == std::string_view::npos) return std::nullopt;
    const auto fields = split(text.substr(end + 2), ' ');
    constexpr std::size_t kStartTime = 19;  // field 22, counted from field 3
    if (fields.size() <= kStartTime) return std::nullopt;
    std::uint64_t value = 0;
    const auto& field = fields[kStartTime];
    if (std::from_chars(field.data(), field.data() + field.size(), value).ec != std::errc{}) return std::nullopt;
    return value;
}

namespace {

// Linux 6.15: struct pidfd_info and its ioctl, here since the build host's headers are older.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroupid;
    std::uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    std::int32_t exit_code;
};
constexpr std::uint64_t kPidfdInfoExit = 1U << 3U;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, PidfdInfo);

}  // namespace

namespace {

// While nobody has reaped it the kernel shows the status to the superuser in field 52 of /proc/PID/stat.
std::optional<ExitStatus> status_of_zombie(FdRef pidfd) {
    const auto facts = read_file_if_exists(fmt::format("/proc/self/fdinfo/{}", pidfd.get()));
    const auto at = facts ? facts->find("Pid:") : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    const pid_t pid = std::atoi(facts->c_str() + at + 4);
    if (pid <= 0) return std::nullopt;
    const auto text = read_file_if_exists(fmt::format("/proc/{}/stat", pid));
    const auto end = text ? text->rfind(')') : std::string::npos;
    if (end == std::string::npos) return std::nullopt;
    const auto fields = split(trim(std::string_view(*text).substr(end + 2)), ' ');
    constexpr std::size_t kExitCode = 49;  // counted from field 3
    if (fields.size() <= kExitCode || fields.front() != "Z") return std::nullopt;
    return decode_wait_status(std::atoi(fields[kExitCode].c_str()));
}

std::optional<ExitStatus> status_of_reaped(FdRef pidfd) {
    PidfdInfo info{};
    info.mask = kPidfdInfoExit;
    if (::ioctl(pidfd.get(), kPidfdGetInfo, &info) != 0 || (info.mask & kPidfdInfoExit) == 0) return std::nullopt;
    return decode_wait_status(info.exit_code);
}

}  // namespace

std::optional<ExitStatus> exit_status_of(FdRef pidfd) {
    if (auto status = status_of_reaped(pidfd)) return status;
    std::optional<ExitStatus> status;
    try {
        status = status_of_zombie(pidfd);
    } catch (const Error&) {
        status.reset();  // it was reaped between open and read
    }
    return status ? status : status_of_reaped(pidfd);
}

ExitStatus decode_wait_status(int raw) {
    if (WIFSIGNALED(raw)) return {128 + WTERMSIG(raw), WTERMSIG(raw)};
    return {WEXITSTATUS(raw), 0};
}

pid_t current_pid() {
    return ::getpid();
}

void set_process_title(int argc, char** argv, const std::string& title) {
    ::prctl(PR_SET_NAME, title.substr(0, 15).c_str());
    if (argc < 1) return;
    char* const start = argv[0];
    char* end = start;
    for (int i = 0; i < argc; ++i)
        if (argv[i] == end) end = argv[i] + std::strlen(argv[i]) + 1;
    // The environment follows the arguments: its room may be used too, once nobody reads it from there.
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
        if (*entry == end) end = *entry + std::strlen(*entry) + 1;
    const auto room = static_cast<std::size_t>(end - start);
    if (room == 0) return;
    std::memset(start, 0, room);
    std::memcpy(start, title.data(), std::min(title.size(), room - 1));
}

namespace {

constexpr std::array<std::pair<std::string_view, int>, 31> kSignals{{
    {"HUP", SIGHUP},       {"INT", SIGINT},       {"QUIT", SIGQUIT},   {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT},     {"BUS", SIGBUS},       {"FPE", SIGFPE},     {"KILL", SIGKILL}, {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},     {"CONT", SIGCONT},   {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU},     {"URG", SIGURG},     {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
    {"PROF", SIGPROF},     {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},
    {"SYS", SIGSYS},
}};
constexpr int kRealTimeMin = 34;
constexpr int kRealTimeMax = 64;

}  // namespace

std::optional<int> signal_number(std::string_view name) {
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size() && !name.empty())
        return number > 0 && number <= kRealTimeMax ? std::optional(number) : std::nullopt;
    std::string upper;
    for (const char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    std::string_view rest = upper;
    if (rest.starts_with("SIG")) rest.remove_prefix(3);
    for (const auto& [known, value] : kSignals)
        if (rest == known) return value;
    const bool from_min = rest.starts_with("RTMIN");
    if (!from_min && !rest.starts_with("RTMAX")) return std::nullopt;
    rest.remove_prefix(5);
    if (rest.empty()) return from_min ? kRealTimeMin : kRealTimeMax;
    int offset = 0;
    if (rest.front() != (from_min ? '+' : '-')) return std::nullopt;
    rest.remove_prefix(1);
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), offset);
    if (parsed.ec != std::errc{} || parsed.ptr != rest.data() + rest.size() || offset < 0) return std::nullopt;
    const int value = from_min ? kRealTimeMin + offset : kRealTimeMax - offset;
    return value >= kRealTimeMin && value <= kRealTimeMax ? std::optional(value) : std::nullopt;
}

std::string signal_name(int number) {
    for (const auto& [name, value] : kSignals)
        if (value == number) return "SIG" + std::string(name);
    if (number >= kRealTimeMin && number <= kRealTimeMax) return fmt::format("SIGRTMIN+{}", number - kRealTimeMin);
    return std::to_string(number);
}

}  // namespace compose::sys
