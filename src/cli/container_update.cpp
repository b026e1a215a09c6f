// container update: new limits for containers, also while they run.
#include <compose/containers.hpp>

#include "base/error.hpp"
#include "cli/arguments.hpp"
#include "cli/by_hand.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/flag_values.hpp"

namespace compose::cli {

namespace {

constexpr std::int64_t kHuge = INT64_MAX / 4;

class Update {
public:
    void declare(Arguments& arguments) {
        arguments.rest("CONTAINER", names, true);
        for (const auto& flag : kFlags) arguments.value(flag.names, values_[flag.key], flag.placeholder, flag.help);
        arguments.refuse("--kernel-memory", "kernels no longer have such a limit");
    }

    [[nodiscard]] LimitChanges changes() const {
        LimitChanges out;
        with("cpus", [&](const std::string& text) { out.cpus = cpus_flag(text); });
        whole("cpu-period", out.cpu_period, 1000, 1'000'000);
        whole("cpu-quota", out.cpu_quota, -1, kHuge);
        whole("cpu-rt-period", out.cpu_rt_period, 0, kHuge);
        whole("cpu-rt-runtime", out.cpu_rt_runtime, 0, kHuge);
        whole("cpu-shares", out.cpu_shares, 2, 262'144);
        with("cpuset-cpus", [&](const std::string& text) { out.cpuset_cpus = text; });
        with("cpuset-mems", [&](const std::string& text) { out.cpuset_mems = text; });
        bytes("memory", out.memory);
        bytes("memory-reservation", out.memory_reservation);
        with("memory-swap",
             [&](const std::string& text) { out.memory_swap = text == "-1" ? -1 : bytes_flag("--memory-swap", text); });
        whole("blkio-weight", out.blkio_weight, 10, 1000);
        whole("pids-limit", out.pids, -1, kHuge);
        with("restart", [&](const std::string& text) {
            (void)restart_flag(text);
            out.restart = text;
        });
        if (out.cpus && (out.cpu_quota || out.cpu_period))
            throw make_error(ErrorKind::usage, "conflicting options: --cpus and --cpu-quota or --cpu-period");
        const bool any = std::any_of(values_.begin(), values_.end(), [](const auto& pair) { return pair.second; });
        if (!any) throw make_error(ErrorKind::usage, "nothing to update").with_hint("give at least one of the options");
        return out;
    }

    std::vector<std::string> names;

private:
    struct Flag {
        const char* names;
        const char* key;
        const char* placeholder;
        const char* help;
    };
    static constexpr Flag kFlags[] = {
        {"--cpus", "cpus", "N", "Most CPUs"},
        {"-c,--cpu-shares", "cpu-shares", "N", "Its weight among others"},
        {"--cpu-quota", "cpu-quota", "MICROSECONDS", "CPU time in a period"},
        {"--cpu-period", "cpu-period", "MICROSECONDS", "The period (100000)"},
        {"--cpu-rt-runtime", "cpu-rt-runtime", "MICROSECONDS", "Real-time CPU time in a period"},
        {"--cpu-rt-period", "cpu-rt-period", "MICROSECONDS", "The period of that"},
        {"--cpuset-cpus", "cpuset-cpus", "LIST", "Only these CPUs"},
        {"--cpuset-mems", "cpuset-mems", "LIST", "Only these memory nodes"},
        {"-m,--memory", "memory", "BYTES", "Most memory"},
        {"--memory-swap", "memory-swap", "BYTES", "Most memory and swap together; -1: no limit"},
        {"--memory-reservation", "memory-reservation", "BYTES", "Memory kept for it under pressure"},
        {"--blkio-weight", "blkio-weight", "10-1000", "Its weight at block devices"},
        {"--pids-limit", "pids-limit", "N", "Most processes; -1: no limit"},
        {"--restart", "restart", "POLICY", "no, always, unless-stopped, on-failure[:N]"},
    };

    template <class Function>
    void with(const char* name, const Function& use) const {
        if (const auto& text = values_.at(name)) use(*text);
    }
    template <class Number>
    void whole(const char* name, std::optional<Number>& target, std::int64_t least, std::int64_t most) const {
        with(name, [&](const std::string& text) {
            target = static_cast<Number>(whole_flag("--" + std::string(name), text, least, most));
        });
    }
    void bytes(const char* name, std::optional<std::int64_t>& target) const {
        with(name, [&](const std::string& text) { target = bytes_flag("--" + std::string(name), text); });
    }

    std::map<std::string, std::optional<std::string>, std::less<>> values_;
};

}  // namespace

Run define_container_update(Arguments& arguments) {
    const auto update = std::make_shared<Update>();
    arguments.text("New limits hold at once and stay over restarts.");
    update->declare(arguments);
    return [update](Context& context) {
        context.refuse_dry_run("update");
        const auto changes = update->changes();
        const auto containers = make_containers(context);
        return each_target(context, update->names, [&](const std::string& name) {
            containers->update(name, changes);
            return name;
        });
    };
}

}  // namespace compose::cli
