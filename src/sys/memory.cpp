#include "sys/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace compose::sys {

void prefer_huge_heap(std::size_t bytes) {
    constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20U;
    constexpr std::size_t kProbe = 100'000;  // below the limit from which malloc maps instead of growing the heap
    const int pad = static_cast<int>(bytes);
    if (mallopt(M_TOP_PAD, pad) != 1 || mallopt(M_TRIM_THRESHOLD, 4 * pad) != 1) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(sbrk(0));
    // The heap grows, by the pad too, only when a request doesn't fit what it has left.
    void* probes[64] = {};
    for (auto& probe : probes) {
        probe = std::malloc(kProbe);
        if (reinterpret_cast<std::uintptr_t>(sbrk(0)) != begin) break;
    }
    for (auto* probe : probes) std::free(probe);
    const auto first = (begin + kHugePage - 1) & ~(kHugePage - 1);
    const auto last = reinterpret_cast<std::uintptr_t>(sbrk(0)) & ~(kHugePage - 1);
    if (last > first) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace compose::sys
