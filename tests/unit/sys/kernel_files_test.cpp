// Numbers in the text files of the kernel.
#include "sys/kernel_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace compose::sys {
namespace {

TEST(KernelFiles, Fields) {
    char name[] = "/tmp/compose-kernel-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name);
    const auto file = folder / "fields";
    std::ofstream(file) << "oom_kill 3\noom_kill_disable 1\nMemTotal:       24684092 kB\nempty \nword many\n";
    EXPECT_EQ(read_kernel_field(file, "oom_kill"), 3U);
    EXPECT_EQ(read_kernel_field(file, "oom_kill_disable"), 1U);
    EXPECT_EQ(read_kernel_field(file, "MemTotal:"), 24684092U);
    for (const auto* without : {"empty", "word", "oom", "missing"})
        EXPECT_FALSE(read_kernel_field(file, without)) << without;
    EXPECT_FALSE(read_kernel_field(folder / "none", "oom_kill"));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace compose::sys
