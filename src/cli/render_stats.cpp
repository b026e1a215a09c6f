#include "cli/render_stats.hpp"

#include <array>

#include <fmt/format.h>

#include "base/ids.hpp"

namespace compose::cli {

namespace {

template <std::size_t N>
std::string scaled(double value, double base, const std::array<const char*, N>& units, int digits) {
    std::size_t unit = 0;
    while (value >= base && unit + 1 < N) {
        value /= base;
        ++unit;
    }
    return fmt::format("{:.{}g}{}", value, digits, units[unit]);
}

double cpu_percent(const ContainerStats& before, const ContainerStats& now) {
    const auto span = static_cast<double>(now.time - before.time);
    if (span <= 0 || now.cpu_ns < before.cpu_ns) return 0;
    return static_cast<double>(now.cpu_ns - before.cpu_ns) / span * 100;
}

}  // namespace

std::string binary_size(double bytes) {
    return scaled(bytes, 1024, std::array{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}, 4);
}

std::string decimal_size(double bytes) {
    return scaled(bytes, 1000, std::array{"B", "kB", "MB", "GB", "TB", "PB"}, 3);
}

Listing stats_listing(const std::vector<StatsRow>& rows, bool whole_ids) {
    Listing out;
    out.columns = {
        {"ID", "CONTAINER ID"}, {"Name", "NAME"},     {"CPUPerc", "CPU %"},     {"MemUsage", "MEM USAGE / LIMIT"},
        {"MemPerc", "MEM %"},   {"NetIO", "NET I/O"}, {"BlockIO", "BLOCK I/O"}, {"PIDs", "PIDS"}};
    out.more = {{"Container", "CONTAINER"}};
    out.raw = kRawStats;
    for (const auto& row : rows) {
        const auto shown = whole_ids ? row.id : std::string(short_id(row.id));
        const ContainerStats now = row.now.value_or(ContainerStats{});
        const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
        const double part = now.memory_limit == 0 ? 0 : number(now.memory) / number(now.memory_limit) * 100;
        out.rows.push_back(
            {{"BlockIO", decimal_size(number(now.read)) + " / " + decimal_size(number(now.written))},
             {"CPUPerc", fmt::format("{:.2f}%", row.before && row.now ? cpu_percent(*row.before, now) : 0.0)},
             {"Container", shown},
             {"ID", shown},
             {"MemPerc", fmt::format("{:.2f}%", part)},
             {"MemUsage", binary_size(number(now.memory)) + " / " + binary_size(number(now.memory_limit))},
             {"Name", row.name},
             {"NetIO", decimal_size(number(now.received)) + " / " + decimal_size(number(now.sent))},
             {"PIDs", std::to_string(now.processes)}});
    }
    return out;
}

}  // namespace compose::cli
