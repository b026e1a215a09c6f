// Order and cycles of a directed graph whose nodes are 0..n-1.
#pragma once

#include <cstddef>
#include <vector>

namespace compose {

/// `edges[i]` lists what node i needs first. Deterministic: among ready nodes the lowest comes first.
struct Ordering {
    std::vector<std::size_t> order;  // every node after all that it needs; empty when there is a cycle
    std::vector<std::size_t> cycle;  // a path that ends where it starts (a, b, a); empty when there is none
};
[[nodiscard]] Ordering topological_order(const std::vector<std::vector<std::size_t>>& edges);

}  // namespace compose
