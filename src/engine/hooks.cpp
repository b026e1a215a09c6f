#include "engine/hooks.hpp"

#include <array>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "supervisor/container_options.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/stop_fd.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMostOutput = std::size_t{64} << 10U;

// What a hook says is read to its end, so that it never blocks; the last of it explains a failure.
std::string read_output(sys::FdRef pipe, const std::stop_token& cancel) {
    const sys::StopFd stop(cancel);
    std::string all;
    char buffer[4096];
    for (;;) {
        std::array<sys::PollItem, 2> items{sys::PollItem{.fd = pipe}, sys::PollItem{.fd = stop.fd()}};
        sys::poll(items, std::nullopt);
        if (!items[0].readable && items[1].readable) throw make_error("canceled").with_exit_code(130);
        if (!items[0].readable) continue;
        const auto n = sys::read_some(pipe, buffer);
        if (!n || *n == 0) return all;
        all.append(buffer, *n);
        if (all.size() > kMostOutput) all.erase(0, all.size() - kMostOutput);
    }
}

int run_hook(const supervisor::HookConfig& hook, const std::string& id, supervisor::Client& client, std::string& output,
             const std::stop_token& cancel) {
    supervisor::ExecRequest request;
    request.container_id = id;
    request.process.args = hook.command;
    request.process.env = hook.environment;
    request.process.user = hook.user;
    request.process.cwd = hook.working_dir;
    request.process.privileged = hook.privileged;
    auto pipe = sys::make_pipe();
    const sys::Fd nothing = sys::open_for_reading("/dev/null");
    const auto exec = client.exec(request, {nothing, pipe.write, pipe.write});
    pipe.write.reset();
    output = read_output(pipe.read, cancel);
    return client.wait_exec(exec.exec_id);
}

}  // namespace

void run_hooks(HookKind kind, const std::string& container_id, Session& session) {
    const auto row = session.store().container(container_id);
    if (!row || row->config.options_json.empty()) return;
    const auto options = supervisor::options_from_json(row->config.options_json);
    const auto& hooks = kind == HookKind::post_start ? options.post_start : options.pre_stop;
    if (hooks.empty() || row->state != store::ContainerState::running) return;
    const char* const word = kind == HookKind::post_start ? "post_start" : "pre_stop";
    for (const auto& hook : hooks) {
        int code = 0;
        std::string output;
        const auto run = [&](supervisor::Client& client) {
            code = run_hook(hook, container_id, client, output, session.cancel());
        };
        if (!session.ask_running(run)) return;
        log::debug("{} of {}: {}", word, row->name, code);
        if (code == 0) continue;
        auto error = make_error("{} hook exited with status {}", word, code);
        if (const auto said = trim(output); !said.empty()) error.with_hint("it said:\n" + std::string(said));
        throw error;
    }
}

}  // namespace compose::engine
