// How system call filters are put together, whatever policy they follow: the numbers of all calls, and a search tree
// that leads from a number to a small program, its leaf.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sys/kernel_abi.hpp"

namespace compose::runtime {

using Program = std::vector<sock_filter>;
/// Of one call, in one audit architecture (x32 shares x86_64's).
using CallNumbers = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;
/// Number -> index of the leaf that decides about it.
using LeafOfNumber = std::map<std::uint32_t, std::size_t>;

struct CallTable {
    std::uint32_t audit;
    CallNumbers calls;
};
/// Of every architecture whose programs the kernel can run here; the native one first.
[[nodiscard]] const std::vector<CallTable>& call_tables();

[[nodiscard]] sock_filter bpf_statement(int code, std::uint32_t k);
[[nodiscard]] sock_filter bpf_jump(int code, std::uint32_t k, std::size_t yes, std::size_t no);
[[nodiscard]] sock_filter bpf_give(std::uint32_t action);

/// A filter begins so, goes on with one table for each architecture, and ends with what all others get.
[[nodiscard]] Program begin_filter();
void append_table(Program& program, std::uint32_t audit, const LeafOfNumber& known, std::size_t unknown,
                  const std::vector<Program>& leaves);

}  // namespace compose::runtime
