#define BOOST_PROCESS_V2_SEPARATE_COMPILATION
#define BOOST_PROCESS_USE_STD_FS
#include "sys/command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

// Boost 1.81 forgets the first two when the standard file system is chosen, so they have to come first.
// clang-format off
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/src.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>
// clang-format on

#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"

namespace compose::sys {

namespace process_v2 = boost::process::v2;

namespace {

// The caller may have signals blocked and SIGPIPE ignored; a tool expects the defaults. Runs between fork and exec.
struct DefaultSignals {
    boost::system::error_code on_exec_setup(process_v2::posix::default_launcher&, const std::filesystem::path&,
                                            const char* const*) {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        return {};
    }
};

std::string find_program(const std::string& name, const Environment& environment) {
    if (name.find('/') != std::string::npos) return name;
    const auto variable = environment.find("PATH");
    std::string path = variable == environment.end() ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                                                     : variable->second;
    for (std::size_t from = 0; from <= path.size();) {
        const auto to = std::min(path.find(':', from), path.size());
        // An empty element means the current folder, which no program of ours should be taken from.
        if (to > from) {
            auto candidate = path.substr(from, to - from) + "/" + name;
            if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
        }
        from = to + 1;
    }
    throw make_error(ErrorKind::not_found, "{}: program not found in PATH", name).with_exit_code(127);
}

struct Stream {
    Fd fd;
    std::string* into = nullptr;
    const std::function<void(std::string_view)>* heard = nullptr;  // instead of into
};

/// False at the end of the stream.
bool drain(Stream& stream, std::size_t limit, bool& truncated) {
    std::array<char, 65536> buffer;
    const auto count = read_some(stream.fd, buffer);
    if (!count) return true;
    if (stream.heard != nullptr && *stream.heard) {
        (*stream.heard)(std::string_view(buffer.data(), *count));
        return *count > 0;
    }
    const auto room = limit - std::min(limit, stream.into->size());
    if (*count > room) truncated = true;
    stream.into->append(buffer.data(), std::min(room, *count));
    return *count > 0;
}

/// Feeds and drains until the process has ended; then takes what is there without waiting for grandchildren.
void pump(const Command& command, FdRef pidfd, Fd input, std::array<Stream, 2>& outputs, CommandResult& result) {
    std::string_view left = command.input;
    if (left.empty()) input.reset();
    const auto deadline = command.timeout ? monotonic_now() + *command.timeout : MonotonicTime::max();
    bool ended = false;
    while (!ended || outputs[0].fd || outputs[1].fd) {
        std::array<PollItem, 4> items{};
        items[0] = {.fd = ended ? FdRef() : pidfd};
        items[1] = {.fd = outputs[0].fd};
        items[2] = {.fd = outputs[1].fd};
        items[3] = {.fd = input, .want_read = false, .want_write = true};
        std::optional<std::chrono::milliseconds> wait;
        if (ended) wait = std::chrono::milliseconds(0);
        if (command.timeout && !ended) {
            const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now());
            if (rest.count() <= 0) {
                result.timed_out = true;
                send_signal(pidfd, SIGKILL);
            }
            wait = std::max(rest, std::chrono::milliseconds(100));
        }
        if (!poll(items, wait)) {
            if (ended) return;
            continue;
        }
        if (items[0].readable) ended = true;
        for (std::size_t i = 0; i < 2; ++i)
            if (items[i + 1].readable && !drain(outputs[i], command.output_limit, result.truncated))
                outputs[i].fd.reset();
        if (items[3].broken) input.reset();
        if (items[3].writable && input) {
            try {
                left.remove_prefix(write_some(input, left).value_or(0));
            } catch (const Error& error) {  // it may have closed its input since the poll
                if (error.code() != EPIPE) throw;
                left = {};
            }
            if (left.empty()) input.reset();
        }
    }
}

process_v2::process start(boost::asio::io_context& context, const Command& command, const Environment& environment,
                          FdRef in, FdRef out, FdRef err) {
    const auto program = find_program(command.argv[0], environment);
    const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    const std::string folder = command.working_dir.empty() ? "." : command.working_dir;

    process_v2::posix::default_launcher launcher;
    boost::system::error_code error;
    auto process = launcher(
        context.get_executor(), error, program, arguments, process_v2::process_stdio{in.get(), out.get(), err.get()},
        process_v2::process_environment(variables), process_v2::process_start_dir(folder), DefaultSignals{});
    if (!error) return process;
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
    throw error_from(error.value(), "run " + program).with_exit_code(error.value() == ENOENT ? 127 : 126);
}

}  // namespace

CommandResult run_command(const Command& command) {
    if (command.argv.empty()) throw make_error("no command to run");
    const auto environment = command.environment ? *command.environment : environment_snapshot();
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    boost::asio::io_context context{1};
    auto process =
        start(context, command, environment, in.read, out.write, command.merge_stderr ? out.write : err.write);
    // Not closed before: the child had to inherit them.
    in.read.reset();
    out.write.reset();
    err.write.reset();
    set_nonblocking(in.write, true);
    set_nonblocking(out.read, true);
    set_nonblocking(err.read, true);

    const auto pidfd = open_pidfd(process.id());
    if (!pidfd) throw errno_error("watch {}", command.argv[0]);
    CommandResult result;
    std::array<Stream, 2> outputs{Stream{std::move(out.read), &result.out, &command.on_output},
                                  Stream{std::move(err.read), &result.err}};
    pump(command, *pidfd, std::move(in.write), outputs, result);
    boost::system::error_code error;
    process.wait(error);
    if (error) throw error_from(error.value(), "wait for " + command.argv[0]);
    const auto status = decode_wait_status(process.native_exit_code());
    result.exit_code = status.code;
    result.signal = status.signal;
    return result;
}

}  // namespace compose::sys
