// RUN: the container of one step.
#include <deque>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "engine/build_mounts.hpp"
#include "engine/build_run.hpp"
#include "engine/build_stage.hpp"
#include "engine/build_stubs.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"

namespace compose::engine {
namespace {

/// The last lines of an output, for errors.
class Tail {
public:
    void add(std::string_view text) {
        text_ += text;
        if (text_.size() > 2 * kMax) text_.erase(0, text_.size() - kMax);
    }
    [[nodiscard]] std::string text() const {
        constexpr std::size_t kLines = 20;
        auto lines = split(text_, '\n');
        if (!lines.empty() && lines.back().empty()) lines.pop_back();
        if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - kLines);
        return join(lines, "\n");
    }

private:
    static constexpr std::size_t kMax = 8192;
    std::string text_;
};

std::string shown_command(const build::RunStep& run) {
    auto text = run.script ? std::string("the script") : quote(join(run.argv, " "));
    constexpr std::size_t kMax = 300;
    if (text.size() > kMax) text = text.substr(0, kMax) + "...\"";
    return text;
}

Error failure_of(const RunOutcome& outcome, const build::RunStep& run) {
    if (!outcome.failure.empty())
        return make_error("{} could not be started: {}", shown_command(run), outcome.failure)
            .with_exit_code(outcome.exit_code);
    auto error = make_error("{} ended with exit code {}{}", shown_command(run), outcome.exit_code,
                            outcome.out_of_memory ? ": it ran out of memory" : "");
    return error;
}

}  // namespace

StageBuilder::Layer StageBuilder::run_command(const build::Step& step, const build::RunStep& run, const Told& told) {
    const auto folders = new_folders();
    auto spec = container_spec(run, folders);
    const StepMounts mounts(shared_, store_, run.mounts);
    spec.mounts = mounts.specs();
    spec.process.env.insert(spec.process.env.end(), mounts.environment().begin(), mounts.environment().end());
    if (run.script) {
        const auto path = folders.path + "/script";
        sys::write_file(path, *run.script, 0755);
        sys::set_mode(sys::open_for_reading(path), 0755);
        runtime::MountSpec script;
        script.source = path;
        script.target = run.argv.front();
        script.read_only = true;
        spec.mounts.push_back(std::move(script));
    }
    const auto network =
        run.network == "default" && !shared_.request.network.empty() ? shared_.request.network : run.network;
    std::unique_ptr<BuildNetwork::Seat> seat;
    if (network == "host")
        spec.network = runtime::NamespaceMode::host;
    else if (network != "none")
        seat = shared_.network.take_seat();
    write_host_files(spec, folders, seat.get());

    std::vector<std::string> targets{"/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc", "/sys", "/dev"};
    for (const auto& mount : spec.mounts) targets.push_back(mount.target);
    const MountStubs stubs(spec.lower, targets);

    Tail tail;
    shared_.workspace.note_container(spec.id);
    const auto outcome = run_container(
        spec, seat ? [&](sys::FdRef netns) { seat->connect(netns); } : std::function<void(sys::FdRef)>(),
        [&](std::string_view text) {
            tail.add(text);
            tell(BuildEvent::Kind::output, told, std::string(text));
        },
        shared_.cancel);
    shared_.workspace.forget_container(spec.id);
    if (outcome.cancelled) throw Error("the build was given up");
    if (!outcome.failure.empty() || outcome.exit_code != 0) fail(step.pos, failure_of(outcome, run), tail.text());
    stubs.remove_from(sys::open_directory(folders.upper));
    return adopt(folders);
}

}  // namespace compose::engine
