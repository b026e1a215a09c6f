// Builds from what lies elsewhere: ADD of addresses and repositories, contexts from git. The servers are real
// ones on addresses of the test's own network namespace.
#include <filesystem>

#include <gmock/gmock.h>

#include "support/builds.hpp"
#include "support/git_server.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(BuildAdd, AddressesAreFetchedCheckedAndCached) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    web.put("one.txt", "one\n");
    const std::string add = "FROM busybox\nADD " + web.url("files/one.txt") + " /in/\nADD --chmod=640 --chown=5:6 " +
                            web.redirect(kElsewhere, "files/one.txt") + " /in/two.txt\n";
    auto result = build(box, add);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto root = view(box);
    EXPECT_EQ(sys::read_file(root + "/in/one.txt"), "one\n");
    EXPECT_EQ(sys::read_file(root + "/in/two.txt"), "one\n");
    EXPECT_EQ(box.host({"stat", "-c", "%a %u:%g %Y", root + "/in/one.txt"}).out, "600 0:0 784111777\n")
        << "the time is the server's";
    EXPECT_EQ(box.host({"stat", "-c", "%a %u:%g", root + "/in/two.txt"}).out, "640 5:6\n");

    // The same content is the same step; another content is another one.
    EXPECT_THAT(build(box, add).err, HasSubstr("CACHED"));
    web.put("one.txt", "changed\n");
    EXPECT_THAT(build(box, add).err, Not(HasSubstr("CACHED")));
    EXPECT_EQ(sys::read_file(view(box) + "/in/one.txt"), "changed\n");
}

TEST(BuildAdd, ChecksumsAreHeldTo) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    web.put("f", "content");
    const auto sum = box.host({"sha256sum", web.folder() + "/f"}).out.substr(0, 64);
    const auto with = [&](const std::string& checksum) {
        return build(box, "FROM busybox\nADD --checksum=" + checksum + " " + web.url("files/f") + " /f\n");
    };
    EXPECT_EQ(with("sha256:" + sum).exit_code, 0);
    const auto asked = web.asked().size();
    EXPECT_EQ(with("sha256:" + sum).exit_code, 0);
    EXPECT_EQ(web.asked().size(), asked) << "what is known by its checksum is not fetched again";
    const auto wrong = with("sha256:" + std::string(64, '0'));
    EXPECT_NE(wrong.exit_code, 0);
    EXPECT_THAT(wrong.err, HasSubstr("has the checksum sha256:" + sum));
    EXPECT_THAT(with("md5:1234").err, HasSubstr("is no checksum"));
}

TEST(BuildAdd, ArchivesOfAddressesAreUnpackedWhenAsked) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    box.write("in/a", "a");
    ASSERT_TRUE(box.host({"tar", "-czf", web.folder() + "/x.tgz", "-C", box.path("in"), "."}).ok());
    const auto url = web.url("files/x.tgz");
    ASSERT_EQ(build(box, "FROM busybox\nADD " + url + " /kept/\nADD --unpack=true " + url + " /out/\n").exit_code, 0);
    const auto root = view(box);
    EXPECT_TRUE(fs::exists(root + "/kept/x.tgz"));
    EXPECT_EQ(sys::read_file(root + "/out/a"), "a");
}

TEST(BuildAdd, FailuresNameTheAddressAndWriteNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    const auto add = [&](const std::string& url) {
        auto result = build(box, "FROM busybox\nADD " + url + " /f\n");
        EXPECT_NE(result.exit_code, 0) << url;
        return result.err;
    };
    EXPECT_THAT(add(web.url("files/missing")), HasSubstr("the server answered 404"));
    EXPECT_THAT(add(web.url("files/missing")), HasSubstr("Dockerfile:2"));
    EXPECT_THAT(add(web.url("loop")), HasSubstr("it redirects for ever"));
    EXPECT_THAT(add(web.url("short")), HasSubstr("/short"));
    EXPECT_NE(box.compose({"image", "inspect", "built"}).exit_code, 0);
}

// What only this machine can reach is no source of a Dockerfile, not by a redirect either.
TEST(BuildAdd, ThisMachinesOwnServersAreOutOfReach) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    web.put("secret", "of the host");
    for (const auto& url : {web.url("files/secret", "127.0.0.1"), web.url("files/secret", "localhost"),
                            web.redirect("127.0.0.1", "files/secret"), web.redirect("[::1]", "files/secret")}) {
        const auto result = build(box, "FROM busybox\nADD " + url + " /f\n");
        EXPECT_NE(result.exit_code, 0) << url;
        EXPECT_THAT(result.err, HasSubstr("is an address of this machine")) << url;
    }
    // A name of somebody else's may lead here as well: known before anything is sent.
    box.write("hosts", "127.0.0.1 innocent.example\n");
    box.write("Dockerfile", "FROM busybox\nADD " + web.url("files/secret", "innocent.example") + " /f\n");
    const auto named =
        box.host({"env", "COMPOSE_STATE_DIR=" + box.state(), "COMPOSE_RUN_DIR=" + box.run_dir(), "unshare", "--mount",
                  "--propagation", "private", "sh", "-c", "mount --bind hosts /etc/hosts && exec \"$@\"", "sh",
                  COMPOSE_BINARY, "image", "build", "."});
    EXPECT_NE(named.exit_code, 0);
    EXPECT_THAT(named.err, HasSubstr("is 127.0.0.1, an address of this machine"));
    for (const auto& path : web.asked()) EXPECT_THAT(path, Not(testing::StartsWith("/files")));
    EXPECT_EQ(
        build(box, "FROM busybox\nADD " + web.url("files/secret", "127.0.0.1") + " /f\n", {"--allow", "network.host"})
            .exit_code,
        0);
}

// K68: a login goes to the server that it is for, and is shown to nobody.
TEST(BuildAdd, LoginsGoToTheirOwnServerAndAreShownNowhere) {
    REQUIRE_ROOT();
    Sandbox box;
    const FileServer web(box);
    web.put("f", "content");
    auto url = web.url("auth/files/f");
    url.insert(7, "user:hunter2@");
    const auto done = built(box, "FROM busybox\nADD " + url + " /f\nRUN cat /f\n");
    EXPECT_EQ(sys::read_file(view(box) + "/f"), "content");
    // Where it sends us, nobody hears of the password.
    auto away = web.url("auth/to/" + web.port() + "/" + std::string(kElsewhereToo) + "/files/f");
    away.insert(7, "user:hunter2@");
    built(box, "FROM busybox\nADD " + away + " /f\n");
    EXPECT_FALSE(fs::exists(web.folder() + "/leaks"));
    for (const auto& text : {done.err, box.ok({"image", "history", "--no-trunc", "built"}),
                             box.ok({"image", "inspect", "built"}), box.ok({"image", "ls"})})
        EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    EXPECT_EQ(box.host({"grep", "-rl", "hunter2", box.state()}).out, "") << "nor is it kept";
    EXPECT_THAT(build(box, "FROM busybox\nADD " + web.url("auth/files/f") + " /f\n").err, HasSubstr("answered 401"));
}

/// A repository with two branches, a tag and a link.
class Repository : public GitServer {
public:
    explicit Repository(const Sandbox& box) : GitServer(box) {
        put("Dockerfile", "FROM busybox\nCOPY . /all\n");
        put("sub/Dockerfile", "FROM busybox\nCOPY inner /inner\n");
        put("sub/inner", "inside\n");
        link("/etc", "away");
        commit("first");
        git({"tag", "-a", "v1", "-m", "one"});
        git({"checkout", "--quiet", "-b", "feature/main"});
        put("only", "on the branch\n");
        commit("second");
        git({"checkout", "--quiet", "main"});
        serve();
    }
};

TEST(BuildGit, ARepositoryIsAContext) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    const Repository repository(box);
    const auto build_of = [&](const std::string& part) {
        return box.compose({"image", "build", "-t", "built", Repository::url() + part});
    };
    ASSERT_EQ(build_of("").exit_code, 0) << build_of("").err;
    auto root = view(box);
    EXPECT_FALSE(fs::exists(root + "/all/.git"));
    EXPECT_FALSE(fs::exists(root + "/all/only"));
    EXPECT_TRUE(fs::is_symlink(root + "/all/away")) << "a link is copied, and never followed";
    ASSERT_EQ(box.compose({"image", "build", "-t", "built", "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1",
                           Repository::url()})
                  .exit_code,
              0);
    EXPECT_TRUE(fs::exists(view(box) + "/all/.git"));
    ASSERT_EQ(build_of("#feature/main").exit_code, 0);
    EXPECT_TRUE(fs::exists(view(box) + "/all/only"));
    ASSERT_EQ(build_of("#v1:sub").exit_code, 0);
    EXPECT_EQ(sys::read_file(view(box) + "/inner"), "inside\n");
    // A commit that is no branch's head any more.
    const auto first = repository.git({"rev-parse", "v1^{}"});
    ASSERT_EQ(build_of("#" + first).exit_code, 0) << build_of("#" + first).err;

    // K56: a folder that is a link of the repository leads nowhere.
    EXPECT_THAT(build_of("#main:away").err, HasSubstr("there is no folder"));
    EXPECT_THAT(build_of("#nosuch").err, HasSubstr("nosuch"));
}

TEST(BuildGit, AddTakesTheCommitThatIsNamed) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    const Repository repository(box);
    const auto add = [&](const std::string& flags, const std::string& url) {
        return build(box, "FROM busybox\nADD " + flags + " " + url + " /repo\n");
    };
    ASSERT_EQ(add("", Repository::url() + "#main").exit_code, 0) << add("", Repository::url() + "#main").err;
    EXPECT_FALSE(fs::exists(view(box) + "/repo/only"));
    EXPECT_FALSE(fs::exists(view(box) + "/repo/.git"));
    EXPECT_THAT(add("", Repository::url() + "#main").err, HasSubstr("CACHED"));
    repository.put("new", "later\n");
    repository.commit("third");
    ASSERT_EQ(add("", Repository::url() + "#main").exit_code, 0);
    EXPECT_EQ(sys::read_file(view(box) + "/repo/new"), "later\n") << "a branch that moved is fetched again";
    ASSERT_EQ(add("--keep-git-dir=true", Repository::url() + "#v1").exit_code, 0);
    EXPECT_TRUE(fs::exists(view(box) + "/repo/.git"));

    const auto tagged = repository.git({"rev-parse", "v1^{}"});
    EXPECT_EQ(add("--checksum=" + tagged, Repository::url() + "#v1").exit_code, 0);
    EXPECT_THAT(add("--checksum=" + tagged, Repository::url() + "#main").err, HasSubstr("not at " + tagged));
    EXPECT_THAT(add("", Repository::url("127.0.0.1")).err, HasSubstr("is an address of this machine"));
}

/// A bare repository that the file server gives by git's own protocol.
void put_repository(const Sandbox& box, const FileServer& web) {
    const auto done =
        box.host({"sh", "-c",
                  "cd " + web.folder() +
                      " && git init -q -b main work && cd work && printf 'FROM busybox\\nCOPY . /all\\n' > "
                      "Dockerfile && git add . && git -c user.name=t -c user.email=t@example.org commit -q "
                      "-m one && cd .. && git clone -q --bare work repo.git"});
    ASSERT_TRUE(done.ok()) << done.err;
}

// K68: git has the login by another way than its command line, which everybody can read.
TEST(BuildGit, ALoginIsNotOnTheCommandLine) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!box.host({"git", "--version"}).ok()) GTEST_SKIP() << "git is not installed";
    const FileServer web(box);
    put_repository(box, web);
    auto url = web.url("auth/git/repo.git");
    url.insert(7, "user:hunter2@");
    const auto done = box.compose({"image", "build", "-t", "built", url + "#main"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_TRUE(fs::exists(view(box) + "/all/Dockerfile"));
    built(box, "FROM busybox\nADD --keep-git-dir=true " + url + "#main /repo\n");
    EXPECT_EQ(box.host({"grep", "-r", "hunter2", view(box)}).out, "");
    const auto programs = sys::read_file(web.folder() + "/ps");
    EXPECT_THAT(programs, HasSubstr("git"));
    EXPECT_THAT(programs, Not(HasSubstr("hunter2")));
    EXPECT_THAT(box.ok({"image", "history", "--no-trunc", "built"}), Not(HasSubstr("hunter2")));
    EXPECT_EQ(box.host({"grep", "-rl", "hunter2", box.state()}).out, "");
    EXPECT_FALSE(fs::exists(web.folder() + "/leaks"));
}

TEST(BuildGit, RedirectsAreNotFollowed) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!box.host({"git", "--version"}).ok()) GTEST_SKIP() << "git is not installed";
    const FileServer web(box);
    put_repository(box, web);
    const auto away = web.redirect("127.0.0.1", "git/repo.git");
    for (const auto& result :
         {box.compose({"image", "build", away + "#main"}), build(box, "FROM busybox\nADD " + away + "#main /r\n")}) {
        EXPECT_NE(result.exit_code, 0);
        EXPECT_THAT(result.err, HasSubstr("redirects are not followed"));
    }
    for (const auto& path : web.asked()) EXPECT_THAT(path, Not(testing::StartsWith("/git")));
    // A name of somebody else's that means this machine.
    box.write("hosts", "127.0.0.1 innocent.example\n");
    box.write("Dockerfile", "FROM busybox\nADD " + web.url("git/repo.git", "innocent.example") + "#main /r\n");
    const auto named =
        box.host({"env", "COMPOSE_STATE_DIR=" + box.state(), "COMPOSE_RUN_DIR=" + box.run_dir(), "unshare", "--mount",
                  "--propagation", "private", "sh", "-c", "mount --bind hosts /etc/hosts && exec \"$@\"", "sh",
                  COMPOSE_BINARY, "image", "build", "."});
    EXPECT_THAT(named.err, HasSubstr("is 127.0.0.1, an address of this machine"));
}

}  // namespace
}  // namespace compose::test
