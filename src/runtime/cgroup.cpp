#include "runtime/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/cgroup_limits.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"
#include "sys/process.hpp"

namespace compose::runtime {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::milliseconds(2000);

// From the leaves up; false while something is still in use.
bool try_remove_tree(const std::string& directory) {
    if (sys::remove_kernel_directory(directory)) return true;
    bool all = true;
    for (const auto& child : sys::kernel_directories(directory)) all = try_remove_tree(child) && all;
    return all && sys::remove_kernel_directory(directory);
}

void collect_processes(const std::string& directory, std::vector<pid_t>& out) {
    for (const auto& line : split(sys::read_kernel_file(directory + "/cgroup.procs"), '\n')) {
        pid_t pid = 0;
        if (std::from_chars(line.data(), line.data() + line.size(), pid).ec == std::errc{} && pid > 0)
            out.push_back(pid);
    }
    for (const auto& child : sys::kernel_directories(directory)) collect_processes(child, out);
}

// Until `done` says so; false when time runs out.
template <class Done>
bool wait_until(Done done) {
    const auto deadline = Clock::now() + kPatience;
    for (auto pause = std::chrono::microseconds(200);; pause = std::min(pause * 2, std::chrono::microseconds(10000))) {
        if (done()) return true;
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace

Cgroup::Cgroup(std::string root, std::string parent, std::string id)
    : place_(std::make_unique<CgroupPlace>(std::move(root), std::move(parent), std::move(id))) {}

Cgroup::~Cgroup() = default;
Cgroup::Cgroup(Cgroup&&) noexcept = default;

void Cgroup::create(const Resources& resources, bool privileged, const std::vector<DeviceRule>& more) {
    for (const auto& name : place_->wanted(resources)) place_->make_directory(name);
    if (place_->v2) place_->enable_controllers(resources);
    write_limits(*place_, resources);
    if (!privileged) restrict_devices(*place_, more);
}

void Cgroup::attach(pid_t pid, bool in_v2_already) {
    for (const auto& name : place_->existing()) {
        if (in_v2_already && (name.empty() || name == kUnified)) continue;
        sys::write_kernel_file(place_->directory(name) + "/cgroup.procs", std::to_string(pid));
    }
}

std::vector<sys::Fd> Cgroup::open_v1_entrances() const {
    std::vector<sys::Fd> result;
    for (const auto& name : v1_hierarchies())
        result.push_back(sys::open_kernel_file_for_writing(place_->directory(name) + "/cgroup.procs"));
    return result;
}

sys::Fd Cgroup::open_v2_directory() const {
    if (!place_->v2 && !place_->unified) return {};
    return sys::open_directory(place_->v2_directory());
}

void Cgroup::update(const Resources& resources) {
    for (const auto& name : place_->wanted(resources)) {
        const bool is_new = !sys::is_directory(place_->directory(name));
        if (!is_new) continue;
        const auto members = processes();
        place_->make_directory(name);
        for (const pid_t pid : members)
            sys::try_write_kernel_file(place_->directory(name) + "/cgroup.procs", std::to_string(pid));
    }
    if (place_->v2) place_->enable_controllers(resources);
    write_limits(*place_, resources);
}

void Cgroup::freeze(bool on) {
    if (place_->v2 || place_->unified) {
        const std::string base = place_->v2_directory();
        sys::write_kernel_file(base + "/cgroup.freeze", on ? "1" : "0");
        if (!wait_until([&] {
                return sys::read_kernel_field(base + "/cgroup.events", "frozen") == std::uint64_t{on ? 1U : 0U};
            }))
            throw make_error("cgroup {} does not {}", base, on ? "freeze" : "thaw");
        return;
    }
    const std::string file = place_->of("freezer") + "/freezer.state";
    const std::string_view wanted = on ? "FROZEN" : "THAWED";
    // Forks in the meantime may leave it half frozen: the state is written until it holds.
    if (!wait_until([&] {
            sys::write_kernel_file(file, wanted);
            return trim(sys::read_kernel_file(file)) == wanted;
        }))
        throw make_error("cgroup {} does not become {}", file, wanted);
}

bool Cgroup::frozen() const {
    if (place_->v2 || place_->unified)
        if (trim(sys::read_kernel_file(place_->v2_directory() + "/cgroup.freeze")) == "1") return true;
    const std::string state = sys::read_kernel_file(place_->of("freezer") + "/freezer.state");
    return state.starts_with("FR");  // FROZEN, FREEZING
}

void Cgroup::kill() {
    const std::string freezer = place_->of("freezer") + "/freezer.state";
    const bool can_freeze_v1 = !place_->v2 && sys::exists(freezer);
    if (place_->v2 || place_->unified) {
        const std::string base = place_->v2_directory();
        if (!sys::is_directory(base)) return;
        sys::try_write_kernel_file(base + "/cgroup.freeze", "0");
        const bool killed = sys::try_write_kernel_file(base + "/cgroup.kill", "1");
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "THAWED");
        if (killed) return;
    }
    // Frozen members can't fork away, nor exit and leave their number to a stranger.
    wait_until([&] {
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "FROZEN");
        const auto members = processes();
        for (const pid_t pid : members)
            if (const auto process = sys::open_pidfd(pid)) sys::send_signal(*process, 9);
        if (can_freeze_v1) sys::try_write_kernel_file(freezer, "THAWED");
        return members.empty();
    });
}

void Cgroup::remove() {
    const auto names = place_->existing();
    std::string left;
    const bool done = wait_until([&] {
        left.clear();
        for (const auto& name : names)
            if (!try_remove_tree(place_->directory(name))) left = place_->directory(name);
        return left.empty();
    });
    if (!done) throw make_error(ErrorKind::conflict, "cgroup {} still holds processes", left);
    if (place_->keep_parents) return;
    for (const auto& name : names) {
        const std::string base = name.empty() ? place_->root : place_->root + "/" + name;
        for (std::string path = base + "/" + place_->parent; path.size() > base.size() + 1;
             path.resize(path.rfind('/')))
            if (!sys::remove_kernel_directory(path)) break;
    }
}

std::uint64_t Cgroup::oom_kills() const {
    return read_oom_kills(*place_);
}

CgroupStats Cgroup::stats() const {
    return read_stats(*place_);
}

std::vector<pid_t> Cgroup::processes() const {
    std::vector<pid_t> result;
    const auto names = place_->existing();
    if (!names.empty()) collect_processes(place_->directory(names.back()), result);
    return result;
}

bool Cgroup::exists() const {
    return !place_->existing().empty();
}

bool Cgroup::pure_v2() const {
    return place_->v2;
}

std::vector<std::string> Cgroup::v1_hierarchies() const {
    if (place_->v2) return {};
    auto names = place_->existing();
    std::erase(names, kUnified);
    return names;
}

const char* cgroup_root() {
    return "/sys/fs/cgroup";
}

}  // namespace compose::runtime
