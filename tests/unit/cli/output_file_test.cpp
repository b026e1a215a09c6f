// Where -o writes: never over a device, never half a file.
#include "cli/output_file.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose::cli {
namespace {

class OutputFile : public testing::Test {
protected:
    OutputFile() {
        char name[] = "/tmp/compose-output-XXXXXX";
        folder_ = ::mkdtemp(name);
    }
    ~OutputFile() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
    static void write(const std::string& path, const char* text) {
        write_output_file(path, 0600, [&](sys::FdRef file) { sys::write_all(file, text); });
    }
    std::filesystem::path folder_;
};

TEST_F(OutputFile, IsWholeOrAsItWas) {
    write(path("out"), "one");
    EXPECT_EQ(sys::read_file(path("out")), "one");
    EXPECT_THROW(write_output_file(path("out"), 0600,
                                   [](sys::FdRef file) {
                                       sys::write_all(file, "half");
                                       throw Error("broken off");
                                   }),
                 Error);
    EXPECT_EQ(sys::read_file(path("out")), "one");
    EXPECT_FALSE(sys::exists(path("out.part")));
    // Through a link, which stays one.
    std::filesystem::create_symlink("out", path("link"));
    write(path("link"), "two");
    EXPECT_EQ(sys::read_file(path("out")), "two");
    EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
}

TEST_F(OutputFile, ADeviceStaysOne) {
    const std::string device = path("null");
    if (::mknod(device.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) GTEST_SKIP() << "needs root";
    write(device, "gone");
    EXPECT_TRUE(std::filesystem::is_character_file(device));
    EXPECT_FALSE(sys::exists(device + ".part"));
}

}  // namespace
}  // namespace compose::cli
