#include "sys/memory.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
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

TEST(Memory, AHugeHeapTakesFewPageFaults) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer has its own allocator";
#endif
    if (!kernel_has_huge_pages()) GTEST_SKIP() << "the kernel has no huge pages";
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        prefer_huge_heap(std::size_t{64} << 20U);
        // 16 MiB would take 4,096 faults; the part before the first huge page still takes up to 512.
        _exit(faults_of_small_allocations() < 1'500 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace compose::sys
