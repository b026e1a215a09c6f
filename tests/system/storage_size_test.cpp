// storage_opt: a container's own files on a disk of a fixed size.
#include <csignal>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/traffic.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// KiB that the host's file system gives to the disks of all containers.
long used_by_disks(const Sandbox& box) {
    const auto out = box.host({"sh", "-c", "du -ck " + box.state() + "/containers/*/disk.img | tail -1"}).out;
    return std::atol(out.c_str());
}

bool has_loop_device(const Sandbox& box) {
    return box.host({"sh", "-c", "cat /sys/block/loop*/loop/backing_file"}).out.find(box.state()) != std::string::npos;
}

TEST(StorageSize, IsAllThatAContainerCanWrite) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  a: {image: busybox, command: sleep 1000, storage_opt: {size: 32m}}
  b: {image: busybox, command: sleep 1000, storage_opt: {size: 48m}}
  free: {image: busybox, command: sleep 1000}
)");
    box.ok({"up", "-d"});
    const long total = std::atol(in(box, "a", "df -k / | tail -1 | awk '{print $2}'").c_str());
    EXPECT_GT(total, 24 << 10);
    EXPECT_LE(total, 32 << 10);
    EXPECT_THAT(in(box, "a", "dd if=/dev/zero of=/big bs=1M count=64 2>&1; echo $?"),
                AllOf(HasSubstr("No space left on device"), HasSubstr("\n1\n")));
    EXPECT_EQ(in(box, "a", "head -c 4 /bin/busybox | tail -c 3"), "ELF") << "what the image has can still be read";
    EXPECT_EQ(in(box, "b", "dd if=/dev/zero of=/big bs=1M count=20 2>/dev/null; echo $?"), "0\n");
    EXPECT_EQ(in(box, "free", "dd if=/dev/zero of=/big bs=1M count=50 2>/dev/null; echo $?"), "0\n");
    EXPECT_THAT(in(box, "a", "grep ' / ' /proc/mounts"), AllOf(HasSubstr(" / overlay "), Not(HasSubstr("nosuid"))));
    EXPECT_EQ(box.host({"sh", "-c", "grep -c " + box.state() + " /proc/self/mountinfo"}).out, "0\n");
    EXPECT_GT(used_by_disks(box), 20 << 10);
    (void)in(box, "a", "rm /big && sync");
    (void)in(box, "b", "rm /big && sync");
    EXPECT_TRUE(eventually([&] { return used_by_disks(box) < (12 << 10); })) << used_by_disks(box);
}

TEST(StorageSize, FilesStayUntilTheContainerGoes) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [](const char* size) {
        return std::string(
                   "services:\n  a:\n    image: busybox\n    command: sleep 1000\n    stop_grace_period: 0s\n") +
               "    storage_opt: {size: " + size + "}\n";
    };
    box.write("compose.yaml", file("32m"));
    box.ok({"up", "-d"});
    EXPECT_TRUE(has_loop_device(box));
    (void)in(box, "a", "echo kept > /note");
    const int supervisor = box.resident_pid("supervisor");
    ::kill(supervisor, SIGKILL);
    ASSERT_TRUE(eventually([&] {
        const int now = box.resident_pid("supervisor");
        return now != 0 && now != supervisor;
    }));
    EXPECT_EQ(in(box, "a", "cat /note"), "kept\n");
    for (int i = 0; i < 5; ++i) {  // the device of the last run may still be there, or just be going
        box.ok({"restart", "a"});
        EXPECT_EQ(in(box, "a", "cat /note; echo more >> /more; wc -l < /more"), fmt::format("kept\n{}\n", i + 1));
    }
    box.ok({"stop"});
    EXPECT_TRUE(eventually([&] { return !has_loop_device(box); }));
    box.ok({"start"});
    EXPECT_EQ(in(box, "a", "cat /note"), "kept\n");
    const auto before = box.field("demo-a-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-a-1", "ID"), before);
    box.write("compose.yaml", file("40m"));
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-a-1", "ID"), before);
    EXPECT_GT(std::atol(in(box, "a", "df -k / | tail -1 | awk '{print $2}'").c_str()), 32 << 10);
    box.ok({"down"});
    EXPECT_TRUE(eventually([&] { return !has_loop_device(box); }));
}

TEST(StorageSize, FilesAreReachedWhetherItRunsOrNot) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("note", "from outside\n");
    box.ok({"container", "create", "--name", "one", "--storage-opt", "size=32m", "busybox", "sleep", "1000"});
    EXPECT_THAT(box.ok({"container", "inspect", "one"}), HasSubstr("\"size\": \"32m\""));
    box.ok({"container", "cp", "note", "one:/early"});
    box.ok({"container", "start", "one"});
    box.ok(
        {"container", "exec", "one", "sh", "-c", "cat /early > /copy; dd if=/dev/zero of=/zero bs=1M count=3; sync"});
    for (const bool running : {true, false}) {
        const std::string name = running ? "live" : "still";
        if (!running) box.ok({"container", "stop", "-t", "0", "one"});
        EXPECT_THAT(box.ok({"container", "diff", "one"}), AllOf(HasSubstr("A /early\n"), HasSubstr("A /copy\n")));
        box.ok({"container", "cp", "note", "one:/" + name});
        box.ok({"container", "cp", "one:/copy", name});
        EXPECT_EQ(box.host({"cat", name}).out, "from outside\n");
        box.ok({"container", "export", "-o", name + ".tar", "one"});
        EXPECT_EQ(box.host({"tar", "-xOf", name + ".tar", name}).out, "from outside\n");
        box.ok({"container", "commit", "one", "from-" + name});
        EXPECT_EQ(box.ok({"container", "run", "--rm", "from-" + name, "cat", "/" + name}), "from outside\n");
        EXPECT_THAT(box.ok({"container", "ls", "-a", "-s", "--format", "{{.Names}} {{.Size}}"}), HasSubstr("one 3.1"));
    }
    box.ok({"container", "rm", "one"});
}

TEST(StorageSize, WhatCannotBeIsSaid) {
    REQUIRE_ROOT();
    Sandbox box;
    const std::pair<const char*, const char*> refused[] = {
        {"{size: much}", "\"much\" is not a size"},
        {"{size: 1m}", "\"1m\" is too small"},
        {"{size: 17t}", "\"17t\" is too large"},
        {"{inodes: 5}", "inodes"},
    };
    for (const auto& [value, error] : refused) {
        box.write("compose.yaml", std::string("services:\n  a:\n    image: busybox\n    storage_opt: ") + value + "\n");
        EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("compose.yaml:4:"), HasSubstr(error)));
    }
    EXPECT_THAT(box.fails({"container", "run", "--storage-opt", "size=1m", "busybox", "true"}, 125),
                HasSubstr("too small"));
    EXPECT_THAT(box.fails({"container", "run", "--storage-opt", "size", "busybox", "true"}, 125),
                HasSubstr("KEY=VALUE"));
    // In the mount namespace of the tests.
    const auto tool = box.host({"sh", "-c", "readlink -f $(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4)"}).out;
    const std::string program(trim(tool));
    ASSERT_TRUE(box.host({"mount", "--bind", "/dev/null", program}).ok());
    box.write("compose.yaml", "services: {a: {image: busybox, command: sleep 1000, storage_opt: {size: 32m}}}\n");
    EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("takes mkfs.ext4"), HasSubstr("install e2fsprogs")));
    ASSERT_TRUE(box.host({"umount", program}).ok());
    EXPECT_TRUE(std::filesystem::is_empty(box.state() + "/containers"));
}

}  // namespace
}  // namespace compose::test
