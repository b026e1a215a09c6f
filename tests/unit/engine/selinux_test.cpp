// Labels of SELinux as a policy and a service's wishes make them, on a tree of a host that has it, and on real files:
// root may write the attribute on any kernel.
#include "engine/selinux.hpp"

#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/tree.hpp"
#include "sys/xattr.hpp"

namespace compose::engine {
namespace {

using testing::MatchesRegex;

const SelinuxContexts kContexts{"system_u:system_r:container_t:s0", "system_u:object_r:container_file_t:s0"};
constexpr const char* kLevel = "s0:c[0-9]+,c[0-9]+";

class Folder {
public:
    Folder() : path_(testing::TempDir() + "selinux-" + std::to_string(::getpid())) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() { sys::remove_tree(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
        sys::write_file(path_ + "/" + name, text);
    }

private:
    std::string path_;
};

TEST(Selinux, ContextsAreThePolicysOwn) {
    Folder host;
    EXPECT_FALSE(read_selinux_contexts(host / "")) << "no SELinux";
    host.write("sys/fs/selinux/enforce", "1");
    EXPECT_FALSE(read_selinux_contexts(host / "")) << "no policy";
    host.write("etc/selinux/config", "# remark\nSELINUX=enforcing\nSELINUXTYPE=targeted\n");
    EXPECT_FALSE(read_selinux_contexts(host / "")) << "one without containers";
    host.write("etc/selinux/targeted/contexts/lxc_contexts",
               "process = \"system_u:system_r:container_t:s0\"\ncontent = \"x\"\n"
               "file = \"system_u:object_r:container_file_t:s0\"\nro_file=\"y\"\n");
    const auto contexts = read_selinux_contexts(host / "");
    ASSERT_TRUE(contexts);
    EXPECT_EQ(contexts->process, kContexts.process);
    EXPECT_EQ(contexts->file, kContexts.file);
    host.write("etc/selinux/config", "SELINUXTYPE=../../etc\n");
    EXPECT_FALSE(read_selinux_contexts(host / ""));
}

TEST(Selinux, OnlyWhoAsksHasLabels) {
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"disable"}, {"type:spc_t", "disable"}}) {
        EXPECT_EQ(selinux_labels(kContexts, options, "a").process, "");
        EXPECT_EQ(selinux_labels(kContexts, options, "a").mount, "");
    }
}

TEST(Selinux, EachOptionChangesItsPart) {
    const auto process = [](const std::string& option) { return selinux_labels(kContexts, {option}, "a").process; };
    const auto mount = [](const std::string& option) { return selinux_labels(kContexts, {option}, "a").mount; };
    EXPECT_THAT(process("type:web_t"), MatchesRegex(std::string("system_u:system_r:web_t:") + kLevel));
    EXPECT_THAT(mount("type:web_t"), MatchesRegex(std::string("system_u:object_r:container_file_t:") + kLevel));
    EXPECT_THAT(process("user:u"), MatchesRegex(std::string("u:system_r:container_t:") + kLevel));
    EXPECT_THAT(mount("user:u"), MatchesRegex(std::string("u:object_r:container_file_t:") + kLevel));
    EXPECT_THAT(process("role:r"), MatchesRegex(std::string("system_u:r:container_t:") + kLevel));
    EXPECT_THAT(mount("role:r"), MatchesRegex(std::string("system_u:object_r:container_file_t:") + kLevel));
    EXPECT_EQ(process("level:s0:c1,c2"), "system_u:system_r:container_t:s0:c1,c2");
    EXPECT_EQ(mount("level:s0:c1,c2"), "system_u:object_r:container_file_t:s0:c1,c2");
    EXPECT_THAT(mount("filetype:web_file_t"), MatchesRegex(std::string("system_u:object_r:web_file_t:") + kLevel));
    EXPECT_THAT(process("filetype:x"), MatchesRegex(std::string("system_u:system_r:container_t:") + kLevel));
    for (const char* wrong : {"", "type", "type:", ":x", "color:red"})
        EXPECT_THROW((void)process(wrong), Error) << wrong;
}

TEST(Selinux, EachContainerHasItsOwnLevel) {
    const auto label = [](const std::string& id) { return private_file_label(kContexts, id); };
    EXPECT_THAT(label("a"), MatchesRegex(std::string("system_u:object_r:container_file_t:") + kLevel));
    EXPECT_EQ(label("a"), label("a"));
    EXPECT_NE(label("a"), label("b"));
    EXPECT_EQ(label("a").substr(label("a").find("s0")),
              selinux_labels(kContexts, {"type:x"}, "a").process.substr(std::string("system_u:system_r:x:").size()));
    EXPECT_EQ(shared_file_label(kContexts), kContexts.file);
    for (int i = 0; i < 2000; ++i) {
        const std::string text = label(std::to_string(i));
        int first = 0, second = 0;
        ASSERT_EQ(std::sscanf(text.c_str() + text.rfind(":c"), ":c%d,c%d", &first, &second), 2);
        EXPECT_TRUE(0 <= first && first < second && second < 1024) << text;
    }
}

std::string label_of(const std::string& path) {
    return sys::read_xattr(sys::open_for_reading(path), "security.selinux").value_or("none");
}

TEST(Selinux, RelabelingStaysInItsTreeAndFollowsNoLink) {
    Folder folder;
    folder.write("tree/in/file", "x");
    folder.write("outside/file", "x");
    std::filesystem::create_directory_symlink(folder / "outside", folder / "tree/out");
    std::filesystem::create_symlink(folder / "outside/file", folder / "tree/in/out");
    if (sys::set_xattr(sys::open_for_reading(folder / "outside"), "security.selinux", "kept") != 0)
        GTEST_SKIP() << "no attributes of SELinux can be written here";
    relabel(folder / "tree", "a:b:c:s0");
    for (const char* path : {"tree", "tree/in", "tree/in/file"}) EXPECT_EQ(label_of(folder / path), "a:b:c:s0") << path;
    EXPECT_EQ(label_of(folder / "outside"), "kept");
    EXPECT_EQ(label_of(folder / "outside/file"), "none");
    relabel(folder / "tree/in/file", "d:e:f:s0");  // one file
    EXPECT_EQ(label_of(folder / "tree/in/file"), "d:e:f:s0");
    EXPECT_EQ(label_of(folder / "tree/in"), "a:b:c:s0");
    EXPECT_THROW(relabel(folder / "absent", "a:b:c:s0"), Error);
}

TEST(Selinux, WhatASystemLivesInIsNeverRelabeled) {
    Folder folder;
    std::filesystem::create_directory_symlink("/etc", folder / "link");
    for (const std::string& path : {std::string("/"), std::string("/etc"), std::string("/usr/"),
                                    std::string("/var/lib"), std::string("/usr/../etc"), folder / "link"})
        EXPECT_THROW(relabel(path, "a:b:c:s0"), Error) << path;
}

}  // namespace
}  // namespace compose::engine
