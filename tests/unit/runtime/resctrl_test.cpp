// Groups of resctrl, on folders that look like the kernel's: they have its files only where the test makes them.
#include "runtime/resctrl.hpp"

#include <unistd.h>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"

namespace compose::runtime {
namespace {

using testing::HasSubstr;

class Resctrl : public testing::Test {
protected:
    Resctrl() : root_(testing::TempDir() + "resctrl-" + std::to_string(::getpid())) { sys::make_directories(root_); }
    ~Resctrl() override { sys::remove_tree(root_); }

    void group(const std::string& name, const std::string& schemata) const {
        const std::string folder = name.empty() ? root_ : root_ + "/" + name;
        sys::make_directory(folder);
        sys::write_file(folder + "/schemata", schemata);
        sys::write_file(folder + "/tasks", "");
    }
    [[nodiscard]] std::string content(const std::string& path) const { return sys::read_file(root_ + "/" + path); }
    [[nodiscard]] std::string refusal(const CacheShare& share) const {
        try {
            join_resctrl(share, "id", 42, root_);
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    }

    std::string root_;
};

TEST_F(Resctrl, WithoutTheFileSystemNothingIsDone) {
    EXPECT_THAT(refusal({"fast", {"L3:0=f"}}), HasSubstr("there is no resctrl file system"));
    EXPECT_FALSE(sys::exists(root_ + "/fast"));
}

TEST_F(Resctrl, ANamedGroupMustBeAsItIsWanted) {
    group("", "L3:0=fffff;1=fffff\n");
    group("fast", "    MB:0=100;1= 50\n    L3:0=0000f;1=000ff\n");
    for (const CacheShare& share : {CacheShare{"fast", {}}, CacheShare{"fast", {"L3:0=F;1=ff", "MB:1=50"}}}) {
        sys::write_file(root_ + "/fast/tasks", "");
        EXPECT_EQ(refusal(share), "");
        EXPECT_EQ(content("fast/tasks"), "42\n");
    }
    for (const char* other : {"L3:0=1f", "L2:0=f", "L3:2=f"})
        EXPECT_THAT(refusal({"fast", {other}}), HasSubstr("other schemata")) << other;
    EXPECT_THAT(refusal({"absent", {}}), HasSubstr("there is no group"));
    EXPECT_FALSE(sys::exists(root_ + "/absent"));
    leave_resctrl("id", root_);
    EXPECT_TRUE(sys::exists(root_ + "/fast")) << "it is not the container's alone";
}

TEST_F(Resctrl, AGroupOfItsOwnComesAndGoes) {
    group("", "L3:0=fffff\n");
    group("compose-id", "");
    EXPECT_EQ(refusal({"", {"L3:0=f", "MB:0=50"}}), "");
    EXPECT_EQ(content("compose-id/schemata"), "L3:0=f\nMB:0=50\n");
    EXPECT_EQ(content("compose-id/tasks"), "42\n");
    sys::remove_file(root_ + "/compose-id/schemata");
    sys::remove_file(root_ + "/compose-id/tasks");
    leave_resctrl("id", root_);
    EXPECT_FALSE(sys::exists(root_ + "/compose-id"));
    leave_resctrl("id", root_);
}

TEST_F(Resctrl, AGroupThatTheKernelRefusesIsTakenBack) {
    group("", "L3:0=fffff\n");
    sys::make_directory(root_ + "/info");
    sys::write_file(root_ + "/info/last_cmd_status", "Mask too wide\n");
    // A folder of this file system has no schemata to be written.
    EXPECT_THAT(refusal({"new", {"L3:0=f"}}), HasSubstr("(Mask too wide)"));
    EXPECT_FALSE(sys::exists(root_ + "/new"));
}

}  // namespace
}  // namespace compose::runtime
