// A service with a device that the host describes, in a folder of descriptions that is this test's alone.
#pragma once

#include <string>

#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {

class CdiTest : public testing::Test {
protected:
    static constexpr const char* kFolder = "/etc/cdi";  // a file system of this test alone

    void SetUp() override {
        REQUIRE_ROOT();
        ASSERT_TRUE(box_.host({"sh", "-c",
                               std::string("mkdir -p ") + kFolder + " && mount -t tmpfs -o mode=755 cdi " + kFolder})
                        .ok());
        box_.write("compose.yaml", R"(
services:
  app: {image: busybox, command: sleep 1000, stop_grace_period: 0s, devices: ["test.example/thing=one"]}
)");
    }
    void TearDown() override { (void)box_.host({"umount", kFolder}); }

    /// `edits`: what it adds to a container.
    static void describe(const std::string& edits) {
        sys::write_file(
            std::string(kFolder) + "/test.yaml",
            "cdiVersion: 1.0.0\nkind: test.example/thing\ndevices:\n- name: one\n  containerEdits: " + edits + "\n",
            0644);
    }
    /// What a shell in the container prints.
    [[nodiscard]] std::string in(const std::string& script) const {
        return box_.ok({"exec", "-T", "app", "sh", "-c", script});
    }

    Sandbox box_;
};

}  // namespace compose::test
