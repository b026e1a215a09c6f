#include "base/dag.hpp"

#include <algorithm>
#include <functional>
#include <queue>

namespace compose {
namespace {

// Walks needs from any unfinished node: each has an unfinished need, so a node must come back.
std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& edges, const std::vector<bool>& done) {
    std::vector<std::size_t> path;
    std::vector<std::size_t> seen_at(edges.size(), static_cast<std::size_t>(-1));
    auto node = static_cast<std::size_t>(std::find(done.begin(), done.end(), false) - done.begin());
    while (seen_at[node] == static_cast<std::size_t>(-1)) {
        seen_at[node] = path.size();
        path.push_back(node);
        node = *std::find_if(edges[node].begin(), edges[node].end(), [&](std::size_t n) { return !done[n]; });
    }
    std::vector<std::size_t> cycle(path.begin() + static_cast<std::ptrdiff_t>(seen_at[node]), path.end());
    cycle.push_back(node);
    return cycle;
}

}  // namespace

Ordering topological_order(const std::vector<std::vector<std::size_t>>& edges) {
    const std::size_t n = edges.size();
    std::vector<std::size_t> missing(n);
    std::vector<std::vector<std::size_t>> needed_by(n);
    for (std::size_t i = 0; i < n; ++i) {
        missing[i] = edges[i].size();
        for (const auto need : edges[i]) needed_by[need].push_back(i);
    }
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < n; ++i)
        if (missing[i] == 0) ready.push(i);
    Ordering out;
    std::vector<bool> done(n, false);
    while (!ready.empty()) {
        const auto node = ready.top();
        ready.pop();
        done[node] = true;
        out.order.push_back(node);
        for (const auto user : needed_by[node])
            if (--missing[user] == 0) ready.push(user);
    }
    if (out.order.size() < n) {
        out.order.clear();
        out.cycle = find_cycle(edges, done);
    }
    return out;
}

}  // namespace compose
