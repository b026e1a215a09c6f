// Contexts that are no folder: archives by their address, and what comes on standard input.
#include <filesystem>

#include <gmock/gmock.h>

#include "support/builds.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(BuildContext, StandardInputIsATarOfIt) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("in/Dockerfile", "FROM busybox\nCOPY . /all\n");
    box.write("in/.dockerignore", "secret\n");
    box.write("in/secret", "no");
    box.write("in/kept", "yes");
    for (const char* flag : {"-c", "-cz"}) {
        const auto tar = box.host({"tar", "-C", box.path("in"), flag, "."}).out;
        const auto done = box.compose({"image", "build", "-t", "built", "-"}, tar);
        ASSERT_EQ(done.exit_code, 0) << done.err;
        const auto root = view(box);
        EXPECT_EQ(sys::read_file(root + "/all/kept"), "yes");
        EXPECT_FALSE(fs::exists(root + "/all/secret"));
    }
    // One that climbs writes nothing outside, and one that is cut off is no context.
    ASSERT_TRUE(box.host({"sh", "-c", "tar -cPf slip.tar --transform 's,^in/,../../../../,' in/kept"}).ok());
    EXPECT_NE(box.compose({"image", "build", "-"}, sys::read_file(box.path("slip.tar"))).exit_code, 0);
    EXPECT_FALSE(fs::exists(box.state() + "/kept"));
    const auto whole = box.host({"tar", "-C", box.path("in"), "-c", "."}).out;
    EXPECT_NE(box.compose({"image", "build", "-"}, whole.substr(0, 700)).exit_code, 0);
}

TEST(BuildContext, ATextOnStandardInputIsADockerfile) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto done = box.compose({"image", "build", "-t", "built", "-"}, "FROM busybox\nRUN echo hello > /f\n");
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(sys::read_file(view(box) + "/f"), "hello\n");
    EXPECT_THAT(box.compose({"image", "build", "-"}, "FROM busybox\nCOPY x /x\n").err, HasSubstr("\"x\" is not there"));
    EXPECT_THAT(box.compose({"image", "build", "-"}, std::string("\0junk", 5)).err,
                HasSubstr("neither an archive nor a Dockerfile"));
    EXPECT_NE(box.compose({"image", "build", "-"}, "").exit_code, 0);
    EXPECT_THAT(box.compose({"image", "build", "-f", "../../../evil", "-"}, "FROM busybox\n").err,
                HasSubstr("the context is a Dockerfile itself"));
    EXPECT_FALSE(fs::exists(box.state() + "/evil"));
}

TEST(BuildContext, AnArchiveByItsAddressIsOne) {
    REQUIRE_ROOT();
    const Sandbox box;
    const FileServer web(box);
    box.write("in/Dockerfile", "FROM busybox\nARG from=nowhere\nCOPY . /all\nCOPY sub/f /f\n");
    box.write("in/sub/f", "inside\n");
    box.write("in/.dockerignore", "secret\n");
    box.write("in/secret", "no");
    box.write("in/other.Dockerfile", "FROM busybox\nCOPY sub /other\n");
    ASSERT_TRUE(box.host({"tar", "-cf", web.folder() + "/c.tar", "-C", box.path("in"), "."}).ok());
    ASSERT_TRUE(box.host({"tar", "-czf", web.folder() + "/c.tar.gz", "-C", box.path("in"), "."}).ok());
    web.put("Dockerfile.txt", "FROM busybox\nRUN echo text > /f\n");
    // Whoever runs the build may name his own machine; a redirect of somebody else's may not.
    for (const auto& url : {web.url("files/c.tar"), web.url("files/c.tar.gz", "127.0.0.1"),
                            web.redirect(kElsewhereToo, "files/c.tar.gz")}) {
        const auto done = box.compose({"image", "build", "-t", "built", url});
        ASSERT_EQ(done.exit_code, 0) << url << done.err;
        const auto root = view(box);
        EXPECT_EQ(sys::read_file(root + "/f"), "inside\n");
        EXPECT_FALSE(fs::exists(root + "/all/secret"));
    }
    EXPECT_EQ(
        box.compose({"image", "build", "-t", "built", "-f", "other.Dockerfile", web.url("files/c.tar")}).exit_code, 0);
    EXPECT_TRUE(fs::exists(view(box) + "/other/f"));
    EXPECT_EQ(box.compose({"image", "build", "-t", "built", web.url("files/Dockerfile.txt")}).exit_code, 0);
    EXPECT_EQ(sys::read_file(view(box) + "/f"), "text\n");
    EXPECT_THAT(box.compose({"image", "build", web.redirect("127.0.0.1", "files/c.tar")}).err,
                HasSubstr("is an address of this machine"));
    EXPECT_THAT(box.compose({"image", "build", web.url("files/missing.tar")}).err, HasSubstr("answered 404"));

    // As a further context, and of a service.
    built(box, "FROM busybox\nCOPY --from=more sub/f /f\n", {"--build-context", "more=" + web.url("files/c.tar.gz")});
    EXPECT_EQ(sys::read_file(view(box) + "/f"), "inside\n");
    box.write("compose.yaml", "services:\n  web:\n    build: {context: '" + web.url("files/c.tar.gz") + "'}\n");
    EXPECT_EQ(box.compose({"build", "-q"}).exit_code, 0);
    EXPECT_THAT(box.ok({"image", "ls"}), HasSubstr("demo-web"));
}

// K56: an archive that leads out, as it is unpacked and as it is read.
TEST(BuildContext, AnArchiveByItsAddressStaysInItsFolder) {
    REQUIRE_ROOT();
    const Sandbox box;
    const FileServer web(box);
    box.write("in/kept", "evil");
    ASSERT_TRUE(box.host({"sh", "-c",
                          "tar -cPf " + web.folder() +
                              "/slip.tar --transform 's,^in/,../../../../,' in/kept && cd in && ln -s /etc/passwd "
                              "Dockerfile && ln -s /etc away && tar -cf " +
                              web.folder() +
                              "/links.tar . && rm Dockerfile && printf 'FROM busybox\\nCOPY away/passwd "
                              "/f\\n' > Dockerfile && ln -s /etc/passwd .dockerignore && tar -cf " +
                              web.folder() + "/away.tar ."})
                    .ok());
    EXPECT_NE(box.compose({"image", "build", web.url("files/slip.tar")}).exit_code, 0);
    EXPECT_FALSE(fs::exists(box.state() + "/kept"));
    EXPECT_THAT(box.compose({"image", "build", web.url("files/links.tar")}).err,
                HasSubstr("there is no \"Dockerfile\""));
    const auto away = box.compose({"image", "build", web.url("files/away.tar")});
    EXPECT_NE(away.exit_code, 0);
    EXPECT_THAT(away.err, Not(HasSubstr("root:")));
}

TEST(BuildContext, AnImageInAFolderIsOne) {
    REQUIRE_ROOT();
    const Sandbox box;
    built(box, "FROM busybox\nRUN echo from the layout > /f\n");
    box.ok({"image", "save", "-o", box.path("image.tar"), "built"});
    fs::create_directory(box.path("layout"));
    ASSERT_TRUE(box.host({"tar", "-xf", box.path("image.tar"), "-C", box.path("layout")}).ok());
    box.ok({"image", "rm", "built"});
    for (const std::string tag : {"", ":latest"}) {
        built(box, "FROM busybox\nCOPY --from=base /f /g\n", {"--build-context", "base=oci-layout://layout" + tag});
        EXPECT_EQ(sys::read_file(view(box) + "/g"), "from the layout\n");
    }
    EXPECT_THAT(build(box, "FROM base\n", {"--build-context", "base=oci-layout://layout:other"}).err,
                HasSubstr("has 0 such images"));
    EXPECT_THAT(build(box, "FROM base\n", {"--build-context", "base=oci-layout://nosuch"}).err,
                HasSubstr("is no folder"));
    box.write("Dockerfile", "FROM base\nRUN cat /f\n");
    box.write(
        "compose.yaml",
        "services:\n  web:\n    build: {context: ., additional_contexts: {base: 'oci-layout://layout:latest'}}\n");
    box.ok({"build", "-q"});
    EXPECT_THAT(box.ok({"image", "ls"}), HasSubstr("demo-web"));
}

}  // namespace
}  // namespace compose::test
