#include "runtime/cgroup_real_time.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "sys/file.hpp"
#include "sys/kernel_files.hpp"

namespace compose::runtime {
namespace {

constexpr const char* kRuntime = "/cpu.rt_runtime_us";
constexpr const char* kPeriod = "/cpu.rt_period_us";

std::int64_t number_in(const std::string& file) {
    return static_cast<std::int64_t>(sys::read_kernel_number(file).value_or(0));
}

double share_of(const std::string& directory) {
    const auto period = number_in(directory + kPeriod);
    return period <= 0 ? 0 : static_cast<double>(number_in(directory + kRuntime)) / static_cast<double>(period);
}

// What the children of `directory` have, all but one.
double shares_below(const std::string& directory, const std::string& but) {
    double sum = 0;
    for (const auto& child : sys::kernel_directories(directory))
        if (child != but) sum += share_of(child);
    return sum;
}

}  // namespace

void share_real_time(const std::string& base, const std::vector<std::string>& parts, const RealTime& wanted) {
    std::vector<std::string> path;
    for (const auto& part : parts) path.push_back((path.empty() ? base : path.back()) + "/" + part);
    const std::string& own = path.back();
    if (!sys::exists(own + kRuntime))
        throw make_error(ErrorKind::unavailable, "this host can't limit real-time cpu use: {} does not exist",
                         own + kRuntime);
    if (wanted.period) sys::write_kernel_file(own + kPeriod, std::to_string(*wanted.period));
    if (!wanted.runtime) return;

    double share =
        static_cast<double>(*wanted.runtime) / static_cast<double>(std::max<std::int64_t>(number_in(own + kPeriod), 1));
    std::vector<std::pair<std::string, std::int64_t>> raised;
    for (std::size_t i = path.size() - 1; i-- > 0;) {
        share += shares_below(path[i], path[i + 1]);
        const auto period = static_cast<double>(number_in(path[i] + kPeriod));
        raised.emplace_back(path[i], static_cast<std::int64_t>(std::ceil(share * period)));
    }
    // From the top down, since none may have more than the one above it.
    std::reverse(raised.begin(), raised.end());
    for (const auto& [directory, runtime] : raised)
        if (runtime > number_in(directory + kRuntime) &&
            !sys::try_write_kernel_file(directory + kRuntime, std::to_string(runtime)))
            throw make_error(ErrorKind::unavailable, "this host has no real-time cpu use left: {} takes no {}",
                             directory + kRuntime, runtime)
                .with_hint("ask for a smaller cpu_rt_runtime");
    sys::write_kernel_file(own + kRuntime, std::to_string(*wanted.runtime));
}

}  // namespace compose::runtime
