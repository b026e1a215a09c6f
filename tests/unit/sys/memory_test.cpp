#include "sys/memory.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace compose::sys {
namespace {

bool kernel_has_huge_pages() {
    std::ifstream in("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string text;
    std::getline(in, text);
    return !text.empty() && text.find("[never]") == std::string::npos;
}

long faults_of_small_allocations() {
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    std::vector<std::vector<char>> blocks;
    for (int i = 0; i < 16 * 1024; ++i) blocks.emplace_back(1024, 'x');
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

// Whether the kernel can give huge pages now: memory may be too scattered for them.
bool gets_huge_pages() {
    constexpr std::size_t kHuge = std::size_t{2} << 20U;
    constexpr std::size_t kSize = std::size_t{16} << 20U;
    void* const mapping =
        mmap(nullptr, kSize + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return false;
    auto* const begin =
        reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(mapping) + kHuge - 1) / kHuge * kHuge);
    (void)madvise(begin, kSize, MADV_HUGEPAGE);
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    for (std::size_t at = 0; at < kSize; at += 4096) *static_cast<volatile char*>(begin + at) = 1;
    getrusage(RUSAGE_SELF, &after);
    munmap(mapping, kSize + kHuge);
    return after.ru_minflt - before.ru_minflt < 64;
}

TEST(Memory, AHugeHeapTakesFewPageFaults) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer has its own allocator";
#endif
    if (!kernel_has_huge_pages()) GTEST_SKIP() << "the kernel has no huge pages";
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        prefer_huge_heap(std::size_t{64} << 20U);
        if (!gets_huge_pages()) _exit(2);
        // 16 MiB would take 4,096 faults; the part before the first huge page still takes up to 512.
        _exit(faults_of_small_allocations() < 1'500 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "the kernel has no huge pages left";
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace compose::sys
