#include "runtime/host_hook.hpp"

#include <csignal>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "runtime/arena.hpp"
#include "sys/file.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/process.hpp"
#include "sys/raw.hpp"
#include "sys/spool.hpp"

namespace compose::runtime {
namespace {

namespace raw = sys::raw;

constexpr std::size_t kShownOutput = 2048;
constexpr int kNotStarted = 127;

// All that the copy needs; it may make raw calls only.
struct Setup {
    int stdio[3];
    int container;
    std::uint64_t spaces;  // of the container that it is in
    const char* path;
    const char** argv;
    const char** envp;
};

void enter_hook(void* argument) noexcept {
    const auto& setup = *static_cast<const Setup*>(argument);
    if (setup.spaces != 0 && raw::call(SYS_setns, setup.container, setup.spaces) < 0) raw::end_process(kNotStarted);
    for (int i = 0; i < 3; ++i)
        if (raw::call(SYS_dup3, setup.stdio[i], i, 0) < 0) raw::end_process(kNotStarted);
    constexpr unsigned kCloexec = 4;  // CLOSE_RANGE_CLOEXEC
    raw::close_range(3, ~0U, kCloexec);
    raw::call(SYS_setsid);
    raw::call(SYS_chdir, "/");
    const std::uint64_t none = 0;
    raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
    raw::call(SYS_execve, setup.path, setup.argv, setup.envp);
    raw::end_process(kNotStarted);
}

// The namespaces of a waiting container that a hook is run in.
std::uint64_t spaces_of(const std::string& stage) {
    if (stage == "prestart" || stage == "createRuntime") return CLONE_NEWNS;
    if (stage == "createContainer") return CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    return 0;
}

// Above the three that they become.
sys::Fd raised(sys::Fd fd) {
    return fd.get() < 3 ? fd.duplicate() : std::move(fd);
}

}  // namespace

std::string to_json(const HookState& state) {
    json::object object{{"ociVersion", kOciVersion},
                        {"id", state.id},
                        {"status", state.status},
                        {"bundle", state.bundle},
                        {"annotations", json::object{}}};
    if (state.pid > 0) object["pid"] = state.pid;
    return json::serialize(object);
}

HookProcess HookProcess::start(const HostHook& hook, const HookState& state, sys::FdRef container, bool for_keeper) {
    if (!sys::is_regular_file(hook.path))
        throw make_error(ErrorKind::not_found, "{} hook {} of {}: there is no such program", hook.stage, hook.path,
                         hook.origin);
    // It all fits into the pipe, so that nobody need wait for it to be read.
    auto in = sys::make_pipe();
    sys::write_all(in.write, to_json(state));
    in.write.reset();
    HookProcess result;
    result.output_ = raised(sys::make_memory_file("compose-hook"));
    const auto input = raised(std::move(in.read));
    const auto spaces = container ? spaces_of(hook.stage) : 0;
    const auto target = spaces != 0 ? raised(sys::duplicate(container)) : sys::Fd();
    Arena arena;
    Setup setup{{input.get(), result.output_.get(), result.output_.get()},
                target ? target.get() : -1,
                spaces,
                arena.text(hook.path),
                arena.texts(hook.args.empty() ? std::vector{hook.path} : hook.args),
                arena.texts(hook.env)};
    sys::CloneRequest request;
    request.as_sibling = for_keeper;
    result.process_ = sys::clone_process(request, enter_hook, &setup);
    log::debug("{} hook {}: process {}", hook.stage, hook.path, result.pid());
    return result;
}

void HookProcess::kill() noexcept {
    try {
        sys::send_signal(process_.pidfd, SIGKILL);
    } catch (const Error& error) {
        log::debug("kill a hook: {}", error.what());
    }
}

std::string HookProcess::output() const {
    std::string text(kShownOutput, '\0');
    text.resize(sys::read_at(output_, text, 0));
    return std::string(trim(text));
}

std::string hook_failure(const HostHook& hook, int exit_code, bool timed_out, const std::string& output) {
    const auto how = timed_out ? fmt::format("was not ready after {} s", hook.timeout.count())
                               : fmt::format("failed with status {}", exit_code);
    return fmt::format("{} hook {} of {} {}{}{}", hook.stage, hook.path, hook.origin, how, output.empty() ? "" : ": ",
                       output);
}

}  // namespace compose::runtime
