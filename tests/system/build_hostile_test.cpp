// Builds that mean harm. Where each row of the two catalogues of hostile input stands:
//
//   D01-D07, D09-D13  tests/unit/build (DockerfileHostileTest, WrongDockerfile, WordsTest), and whole builds here: Rows
//   D08               Rows, AnArchiveThatClimbsWritesNothingOutside
//   D14, K30          LinksNeverReachTheHost, Rows
//   D15, D16          OddContextsAreReadToTheEnd
//   K55, K57          tests/unit/build (RemoteTest), AddressesOfRepositoriesGiveGitNoOptions
//   K56               build_remote_test.cpp (BuildGit), build_context_test.cpp
//   K58               ASharedCacheThatIsSwappedMeanwhileLeadsNowhere, LinksNeverReachTheHost
//   K59               CleaningUpMountTargetsFollowsNoLink
//   K60, K62          NoStepIsMorePrivilegedThanWasAllowed
//   K61               MalformedRequestsAreErrors, tests/fuzz, tests/unit/build (the whole corpus)
//   K63               TargetsAboveTheRootAreTheRoot
//   K64               AContextFromATarStaysInItsFolder
//   K65               Rows, LinksNeverReachTheHost
//   K66               WritesToABindMountStayInTheStep
//   K67               TheIgnoreFileIsOneOfTheContext, TheCacheKnowsTheWholeConfig
//   K68               CredentialsOfAddressesAreNotShown, build_remote_test.cpp
//   K69               TheGroupOfAUserIsDeniedWhatItsModeDenies
//   K70               AnotherUserHasNoCapabilitiesAndNobodyHasTheHostsEnvironment
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>

#include "support/builds.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

struct Row {
    const char* name;
    std::string dockerfile;
    const char* says;  // on stderr; empty: it is built
    const char* ignore = "";
};

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

class BuildRow : public testing::TestWithParam<Row> {};
TEST_P(BuildRow, EndsWell) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("f", "x");
    if (*GetParam().ignore != '\0') box.write(".dockerignore", GetParam().ignore);
    const auto began = std::chrono::steady_clock::now();
    const auto result = build(box, GetParam().dockerfile);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    if (*GetParam().says == '\0') {
        EXPECT_EQ(result.exit_code, 0) << result.err;
        return;
    }
    EXPECT_THAT(result.exit_code, AnyOf(1, 2)) << result.err;
    EXPECT_THAT(result.err, HasSubstr(GetParam().says));
    EXPECT_THAT(box.ok({"image", "ls"}), Not(HasSubstr("built")));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BuildRow,
    testing::Values(
        Row{"D01_line", "FROM busybox\nRUN " + std::string(2 << 20, 'x') + "\n",
            "Dockerfile:2:1: error: a line of more"},
        Row{"D02_continuations", "FROM busybox\nRUN true" + repeated(" \\\n y", 700'000),
            "an instruction of more than"},
        Row{"D02_at_the_end", "FROM busybox\nRUN true \\", ""},
        Row{"D03_unended_heredoc", "FROM busybox\nRUN <<EOF\ntrue\n", "the heredoc \"EOF\" is not ended"},
        Row{"D03_nested_heredoc", "FROM busybox\nRUN <<A\ncat > /f <<B\nx\nB\ntest -s /f\nA\n", ""},
        Row{"D04_odd_escape", "# escape=x\nFROM busybox\n", "can't be the escape character"},
        Row{"D04_escape_twice", "# escape=`\n# escape=\\\nFROM busybox\n", "stands here twice"},
        Row{"D05_front_end", "# syntax=evil/frontend\nFROM busybox\n", ""},
        Row{"D06_stage_named_0", "FROM busybox AS 0\n", "can't be the name of a stage"},
        Row{"D06_copies_itself", "FROM busybox AS a\nCOPY --from=a /bin /b\n", "can't copy from itself"},
        Row{"D06_copies_a_later_one", "FROM busybox AS a\nCOPY --from=b / /b\nFROM a AS b\n", "comes later"},
        Row{"D07_stage_99", "FROM busybox\nCOPY --from=99 /x /x\n", "there is no stage 99"},
        Row{"D08_above", "FROM busybox\nCOPY ../../../../../../etc/passwd /x\n",
            "Dockerfile:2:1: error: \"etc/passwd\""},
        Row{"D08_absolute", "FROM busybox\nCOPY /etc/passwd /x\n", "is not there"},
        Row{"D08_local_link", "FROM busybox\nADD http://169.254.169.254/latest /x\n", "local link"},
        Row{"D08_file_scheme", "FROM busybox\nADD file:///etc/passwd /x\n", "no address that is understood"},
        Row{"D09_owner", "FROM busybox\nCOPY --chown=99999999999 f /x\n", "Dockerfile:2:1: error: "},
        Row{"D09_mode", "FROM busybox\nCOPY --chmod=99999 f /x\n", "Dockerfile:2:1: error: "},
        Row{"D10_arg_of_itself", "ARG A=${A}\nFROM busybox\nARG A=${A}\nENV A=${A}\n", ""},
        Row{"D10_args_of_each_other", "ARG A=$B\nARG B=$A\nFROM ${A}busybox\n", ""},
        Row{"D11_type", "FROM busybox\nRUN --mount=type=evil,target=/x true\n", "unknown type \"evil\""},
        Row{"D11_root", "FROM busybox\nRUN --mount=target=/ true\n", "nothing can be mounted on"},
        Row{"D11_proc_by_variable", "FROM busybox\nENV P=/proc\nRUN --mount=target=${P}/x true\n",
            "nothing can be mounted on"},
        Row{"D11_source_above", "FROM busybox\nRUN --mount=source=../../../etc/passwd,target=/x true\n",
            "Dockerfile:2:1: error: "},
        Row{"D12_onbuild", "FROM busybox\nONBUILD ONBUILD RUN true\n", "ONBUILD ONBUILD is not allowed"},
        Row{"D12_from", "FROM busybox\nONBUILD FROM x\n", "ONBUILD FROM is not allowed"},
        Row{"D13_json", "FROM busybox\nRUN [\"true\", \n", "ended with exit code"},
        Row{"D13_nul", std::string("FROM busybox\nRUN tr\0ue\n", 23), "the file contains a NUL byte"},
        Row{"D13_crlf", "FROM busybox\r\nRUN true\r\n", ""},
        Row{"D14_magic_link", "FROM busybox\nWORKDIR /proc/self/fd/9\nWORKDIR /proc/self/root/evil\n", ""},
        Row{"D15_patterns", "FROM busybox\nCOPY . /all\n", "", "**/a*b*c*d*e*f*g*h\n!**/x*y*z*\n**/**/**/**/q\n"},
        Row{"K65_source_of_an_image",
            "FROM busybox AS evil\nRUN ln -s / /host\nFROM busybox\nRUN "
            "--mount=from=evil,source=/host/etc/hostname-of-nobody,target=/x true\n",
            "Dockerfile:4:1: error: "},
        Row{"K65_propagation", "FROM busybox\nRUN --mount=type=bind,propagation=shared,target=/x true\n",
            "has no option \"propagation\""},
        Row{"K65_propagation_of_a_cache",
            "FROM busybox\nRUN --mount=type=cache,bind-propagation=rshared,target=/x true\n",
            "has no option \"bind-propagation\""}),
    [](const auto& test) { return std::string(test.param.name); });

// D08: an archive of the context that climbs out of where it is added.
TEST(BuildHostile, AnArchiveThatClimbsWritesNothingOutside) {
    REQUIRE_ROOT();
    const Sandbox box;
    ASSERT_TRUE(
        box.host({"sh", "-c",
                  "cd " + box.folder() +
                      " && mkdir d && echo x > d/evil && tar -cPf slip.tar --transform 's,^d/,../../../,' d/evil"})
            .ok());
    EXPECT_NE(build(box, "FROM busybox\nADD slip.tar /x/\n").exit_code, 0);
    EXPECT_FALSE(fs::exists(box.state() + "/evil"));
}

// K30, K63, K65, D14: links of the image and of the context, in every place where a step names a path.
TEST(BuildHostile, LinksNeverReachTheHost) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto canary = box.path("../canary");
    fs::create_directories(canary);
    const auto target = fs::canonical(canary).string();
    box.write("f", "x");
    fs::create_symlink(target, box.path("out"));
    built(box, "FROM busybox\nRUN mkdir -p " + target + " && ln -s " + target + " /w && ln -s ../../../../../.." +
                   target + " /up\nWORKDIR /w/x\nUSER 1000\nWORKDIR /w/y\nCOPY f /w/copied\nCOPY f /up/copied\n");
    EXPECT_EQ(std::distance(fs::directory_iterator(canary), {}), 0);
    EXPECT_EQ(box.host({"stat", "-c", "%u %a", target}).out, "0 755\n") << "nor is it another's now";
    EXPECT_NE(build(box, "FROM busybox\nCOPY out/ /x/\n").exit_code, 0);
    EXPECT_NE(build(box, "FROM busybox\nRUN --mount=source=out,target=/x true\n").exit_code, 0);
    EXPECT_NE(
        build(box, "FROM busybox\nRUN ln -s / /host\nRUN --mount=type=cache,target=/x,source=../../.. ls /x/state.db\n")
            .exit_code,
        0);
    // K58: a folder of a shared cache that is a link by now.
    built(box, "FROM busybox\nRUN --mount=type=cache,id=c,target=/c ln -s / /c/evil\n");
    built(box, "FROM busybox\nRUN --mount=type=cache,id=c,target=/x,source=evil test -L /x/evil\n");
    fs::remove_all(canary);
}

// K58: one build swaps a folder of the cache for a link while others mount it.
TEST(BuildHostile, ASharedCacheThatIsSwappedMeanwhileLeadsNowhere) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto out = fs::canonical(box.folder()).string();
    box.write(
        "swap/Dockerfile",
        "FROM busybox\nRUN --mount=type=cache,id=c,target=/c cd /c; while ! test -e stop; do mkdir -p s; rmdir s; "
        "ln -s / s; rm -f s; ln -s ../../../../../.. s; rm -f s; done\n");
    Background swapper(box,
                       {"env", "COMPOSE_STATE_DIR=" + box.state(), "COMPOSE_RUN_DIR=" + box.run_dir(), COMPOSE_BINARY,
                        "image", "build", "--no-cache", box.path("swap")},
                       box.path("../swapper.log"));
    int mounted = 0;
    for (int round = 0; round < 12; ++round) {
        const auto result = build(box,
                                  "FROM busybox\nRUN --mount=type=cache,id=c,target=/x,source=s test -e /x" + out +
                                      "/Dockerfile && echo REACHED\" THE HOST\"; true\n",
                                  {"--no-cache"});
        mounted += result.ok() ? 1 : 0;
        EXPECT_THAT(result.err, Not(HasSubstr("REACHED THE HOST")));
    }
    built(box, "FROM busybox\nRUN --mount=type=cache,id=c,target=/x touch /x/stop\n");
    EXPECT_TRUE(eventually(
        [&] { return ::kill(swapper.pid(), 0) != 0 || !fs::exists("/proc/" + std::to_string(swapper.pid()) + "/exe"); },
        std::chrono::seconds(30)));
    RecordProperty("mounted", mounted);
}

// K59: a step replaces the parent of a mount's target by a link.
TEST(BuildHostile, CleaningUpMountTargetsFollowsNoLink) {
    REQUIRE_ROOT();
    const Sandbox box;
    fs::create_directories(box.path("../victim/sub"));
    box.write("../victim/empty", "");
    const auto victim = fs::canonical(box.path("../victim")).string();
    built(box, "FROM busybox\nRUN --mount=type=tmpfs,target=/p/sub cd / && umount /p/sub; mv /p /q; ln -s " + victim +
                   " /p; true\n");
    // Of a parent that no mount is in the way of: the name of an empty file, which the clean-up would take for its own.
    box.write("key", "k");
    built(box,
          "FROM busybox\nRUN --mount=type=secret,id=k,target=/r/deep/empty mv /r /s; mkdir /r; ln -s " + victim +
              " /r/deep; true\n",
          {"--secret", "id=k,src=" + box.path("key")});
    EXPECT_TRUE(fs::exists(victim + "/sub"));
    EXPECT_TRUE(fs::exists(victim + "/empty"));
    fs::remove_all(victim);
}

// K60, K62: what a Dockerfile may not ask for.
TEST(BuildHostile, NoStepIsMorePrivilegedThanWasAllowed) {
    REQUIRE_ROOT();
    const Sandbox box;
    EXPECT_THAT(build(box, "FROM busybox\nRUN --security=insecure true\n").err,
                HasSubstr("--security=insecure is not allowed"));
    EXPECT_NE(build(box, "FROM busybox\nRUN --security=unknown true\n").exit_code, 0);
    built(box, "# syntax=evil/frontend\nFROM busybox\nRUN cat /proc/self/status > /status\n");
    const auto status = in_image(box, "cat /status");
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(status, HasSubstr("CapEff:\t00000000a80425fb"));
}

// K61: whatever is asked for, the answer is an error that says why, and no signal.
TEST(BuildHostile, MalformedRequestsAreErrors) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("Dockerfile", "FROM busybox\n");
    box.write("folder/Dockerfile/x", "");
    const std::vector<std::vector<std::string>> requests{{"--build-arg", "=x", "."},
                                                         {"--build-arg", "", "."},
                                                         {"--secret", "id=", "."},
                                                         {"--secret", ",,=", "."},
                                                         {"--secret", "id=x,src=/nosuch", "."},
                                                         {"--output", "type=", "."},
                                                         {"--output", "type=local", "."},
                                                         {"--output", "type=evil,dest=x", "."},
                                                         {"--ulimit", "nofile", "."},
                                                         {"--ulimit", "nofile=x:y", "."},
                                                         {"--platform", "a/b/c/d", "."},
                                                         {"--target", "nosuch", "."},
                                                         {"--target", "99999999999999999999", "."},
                                                         {"--build-context", "=x", "."},
                                                         {"--build-context", "x", "."},
                                                         {"--add-host", ":", "."},
                                                         {"--shm-size", "-1", "."},
                                                         {"--network", "evil", "."},
                                                         {"--tag", "UPPER CASE", "."},
                                                         {"--tag", "x@sha256:0", "."},
                                                         {"-f", "nosuch", "."},
                                                         {"-f", "folder", "."},
                                                         {"nosuch"},
                                                         {"Dockerfile"},
                                                         {"folder"},
                                                         {"ext::sh -c id"},
                                                         {"http://"},
                                                         {"http://[::1"},
                                                         {"git@"},
                                                         {""},
                                                         {std::string(70000, 'x')}};
    for (const auto& request : requests) {
        std::vector<std::string> words{"image", "build"};
        words.insert(words.end(), request.begin(), request.end());
        const auto result = box.compose(words);
        EXPECT_GT(result.exit_code, 0) << join(request, " ").substr(0, 100);
        EXPECT_LT(result.exit_code, 126) << join(request, " ").substr(0, 100) << result.err;
        EXPECT_THAT(result.err, HasSubstr("error: ")) << join(request, " ").substr(0, 100);
    }
    EXPECT_EQ(box.ok({"image", "ls", "-q"}).size(), std::string("0123456789ab\n").size());
}

// K63: what is above the root is the root, of COPY, ADD and in archives; a mark of removal removes nothing below it.
TEST(BuildHostile, TargetsAboveTheRootAreTheRoot) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("f", "x");
    ASSERT_TRUE(box.host({"python3", "-c",
                          "import tarfile, io\n"
                          "t = tarfile.open('marks.tar', 'w')\n"
                          "for name in ['.wh.etc', '.wh..', '.wh...', '.wh..wh..opq', 'etc/.wh.passwd', 'added']:\n"
                          "    t.addfile(tarfile.TarInfo(name))\n"})
                    .ok());
    built(box,
          "FROM busybox\nWORKDIR /w\nCOPY f ..\nCOPY f ../../../../a\nCOPY f /../../b\nADD f /w/../../tmp/c\n"
          "COPY f /\nRUN rm -rf /w/.. /../tmp/c; true\n");
    EXPECT_EQ(in_image(box, "sh -c 'cat /f /a /b; ls /tmp; ls -d /etc'"), "xxx/etc\n");
    const auto marks = build(box, "FROM busybox\nADD marks.tar /\n");
    if (marks.ok()) {
        EXPECT_EQ(in_image(box, "sh -c 'ls /etc/passwd /bin/sh'"), "/bin/sh\n/etc/passwd\n");
    }
    EXPECT_LT(marks.exit_code, 126);
}

// K64: names of an uploaded context.
TEST(BuildHostile, AContextFromATarStaysInItsFolder) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto out = fs::canonical(box.folder()).string();
    const std::string script =
        "import tarfile, io, sys\n"
        "t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')\n"
        "def put(name, kind=tarfile.REGTYPE, link='', text=b'x'):\n"
        "    i = tarfile.TarInfo(name); i.type = kind; i.linkname = link\n"
        "    i.size = len(text) if kind == tarfile.REGTYPE else 0\n"
        "    t.addfile(i, io.BytesIO(text) if i.size else None)\n"
        "put('Dockerfile', text=b'FROM busybox\\nCOPY . /all\\n')\n"
        "exec(sys.argv[1])\n"
        "t.close()\n";
    const std::vector<std::string> entries{
        "put('../evil')",
        "put('a/../../../evil')",
        "put('" + out + "/evil')",
        "put('l', tarfile.SYMTYPE, '" + out + "'); put('l/evil')",
        "put('l', tarfile.SYMTYPE, '../../../../demo'); put('l/evil')",
        "put('l', tarfile.LNKTYPE, '" + out + "/key'); put('l', text=b'overwritten')",
        "put('l', tarfile.LNKTYPE, '../../../demo/key')",
        "put('.wh...'); put('.wh.' + '/' * 3)",
        "put('n' * 300)",
        "put('dev', tarfile.CHRTYPE); put('fifo', tarfile.FIFOTYPE)",
    };
    box.write("key", "of the host");
    for (const auto& entry : entries) {
        const auto made = box.host({"python3", "-c", script, entry});
        ASSERT_TRUE(made.ok()) << made.err;
        const auto result = box.compose({"image", "build", "-t", "built", "-"}, made.out);
        EXPECT_LT(result.exit_code, 126) << entry << result.err;
        EXPECT_FALSE(fs::exists(out + "/evil")) << entry;
        EXPECT_FALSE(fs::exists(box.state() + "/evil")) << entry;
        EXPECT_EQ(sys::read_file(out + "/key"), "of the host") << entry;
        if (result.ok()) {
            EXPECT_EQ(box.host({"grep", "-rl", "of the host", box.state()}).out, "") << entry;
        } else {
            EXPECT_THAT(result.err, HasSubstr("unpack the context")) << entry;
        }
    }
}

// K66
TEST(BuildHostile, WritesToABindMountStayInTheStep) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("src/file", "context");
    built(box,
          "FROM busybox\nRUN --mount=type=bind,source=src,target=/m,rw echo changed > /m/file && echo new > /m/new && "
          "chmod 777 /m\nRUN --mount=type=bind,source=src,target=/m cat /m/file > /seen; echo x > /m/file || echo "
          "denied >> /seen\n");
    EXPECT_EQ(in_image(box, "cat /seen"), "contextdenied\n");
    EXPECT_EQ(sys::read_file(box.path("src/file")), "context");
    EXPECT_EQ(box.host({"stat", "-c", "%a", box.path("src")}).out, "755\n");
    EXPECT_FALSE(fs::exists(box.path("src/new")));
}

// K67: a .dockerignore that is a link to something of the host is not read.
TEST(BuildHostile, TheIgnoreFileIsOneOfTheContext) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("f", "x");
    box.write("../outside", "f\n");
    for (const auto& target : {fs::canonical(box.path("../outside")).string(), std::string("../outside")}) {
        fs::remove(box.path(".dockerignore"));
        fs::create_symlink(target, box.path(".dockerignore"));
        built(box, "FROM busybox\nCOPY f /f\n", {"--no-cache"});
    }
    // One inside the context counts.
    fs::remove(box.path(".dockerignore"));
    box.write("ignored", "f\n");
    fs::create_symlink("ignored", box.path(".dockerignore"));
    EXPECT_NE(build(box, "FROM busybox\nCOPY f /f\n", {"--no-cache"}).exit_code, 0);
}

// K67: what stands above a step in another file, layer for layer the same, decides neither its result nor its config.
TEST(BuildHostile, TheCacheKnowsTheWholeConfig) {
    REQUIRE_ROOT();
    const Sandbox box;
    box.write("f", "x");
    const auto config = [&](const std::string& field) {
        return std::string(trim(box.ok({"image", "inspect", "--format", "{{json .Config." + field + "}}", "built"})));
    };
    for (const std::string base : {"scratch", "busybox"}) {
        built(box,
              "FROM " + base +
                  "\nCOPY f /f\nHEALTHCHECK CMD evil\nONBUILD RUN evil\nENTRYPOINT [\"evil\"]\nUSER 666\n"
                  "LABEL evil=1\nENV EVIL=1\nVOLUME /evil\nEXPOSE 666\nSTOPSIGNAL 9\nSHELL [\"/evil\"]\nWORKDIR /\n");
        const auto clean = built(box, "FROM " + base + "\nCOPY f /f\n");
        EXPECT_EQ(count(clean.err, "CACHED"), 1U);
        EXPECT_THAT(box.ok({"image", "inspect", "built"}), Not(HasSubstr("evil")));
        EXPECT_THAT(config("Env"), Not(HasSubstr("EVIL")));
    }
    // The same command after another instruction is another step.
    const std::string run = "RUN (id -u; pwd; echo $V; id -un) > /seen\n";
    built(box, "FROM busybox\n" + run);
    for (const std::string before : {"USER 1000\nRUN true\nUSER 0:5\n", "WORKDIR /tmp\n", "ENV V=1\n", "ARG V=3\n",
                                     "SHELL [\"/bin/sh\", \"-ec\"]\n"})
        EXPECT_EQ(count(built(box, "FROM busybox\n" + before + run).err, "CACHED"), 0U) << before;
    built(box, "FROM busybox\nENV V=1\n" + run);
    EXPECT_THAT(in_image(box, "cat /seen"), HasSubstr("\n1\n"));
    built(box, "FROM busybox\nENV V=2\n" + run);
    EXPECT_THAT(in_image(box, "cat /seen"), HasSubstr("\n2\n"));
}

// K68: credentials of an address appear nowhere.
TEST(BuildHostile, CredentialsOfAddressesAreNotShown) {
    REQUIRE_ROOT();
    const Sandbox box;
    const auto result = build(box, "FROM busybox\nADD https://user:hunter2@127.0.0.1:1/x /x\n");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_THAT(result.err, Not(HasSubstr("hunter2")));
    EXPECT_THAT(box.compose({"image", "build", "https://user:hunter2@127.0.0.1:1/x.git#main"}).err,
                Not(HasSubstr("hunter2")));
    EXPECT_THAT(box.compose({"image", "build", "https://user:hunter2@127.0.0.1:1/x.tar"}).err,
                Not(HasSubstr("hunter2")));
}

// K55, K57
TEST(BuildHostile, AddressesOfRepositoriesGiveGitNoOptions) {
    REQUIRE_ROOT();
    const Sandbox box;
    if (!box.host({"git", "--version"}).ok()) GTEST_SKIP() << "git is not installed";
    EXPECT_THAT(box.compose({"image", "build", "https://127.0.0.1:1/x.git#main:../x"}).err,
                HasSubstr("leads out of the repository"));
    EXPECT_THAT(box.compose({"image", "build", "https://127.0.0.1:1/x.git#--upload-pack=id"}).err,
                HasSubstr("can't be a branch"));
    EXPECT_THAT(box.compose({"image", "build", "ext::sh -c 'touch " + box.path("evil") + "'"}).err,
                HasSubstr("error: "));
    EXPECT_THAT(build(box, "FROM busybox\nADD ext::sh%20-c%20id /x\n").err, HasSubstr("error: "));
    EXPECT_THAT(build(box, "FROM busybox\nADD git@-oProxyCommand=id:x.git /x\n").err, HasSubstr("names no host"));
    EXPECT_FALSE(fs::exists(box.path("evil")));
}

// K69: the primary group is among the supplementary ones, so leaving it does not get around what it is denied.
TEST(BuildHostile, TheGroupOfAUserIsDeniedWhatItsModeDenies) {
    REQUIRE_ROOT();
    const Sandbox box;
    const std::string look = "(cat /secret || echo denied) && grep ^Groups /proc/self/status";
    built(box,
          "FROM busybox\nRUN echo shown > /secret && chown 0:1000 /secret && chmod 0607 /secret && chmod 1777 /tmp\n"
          "USER 2000:1000\nRUN (" +
              look + ") > /tmp/numbers\nUSER web\nRUN (" + look +
              ") > /tmp/names\n"
              "USER 2000\nRUN (" +
              look + ") > /tmp/others\nCMD [\"sleep\", \"100\"]\n");
    EXPECT_EQ(in_image(box, "cat /tmp/numbers /tmp/names /tmp/others"),
              "denied\nGroups:\t1000 \ndenied\nGroups:\t1000 2000 \nshown\nGroups:\t0 \n");
    box.write("compose.yaml", "services:\n  web: {image: built, user: '2000:1000'}\n");
    box.ok({"up", "-d", "--no-build"});
    EXPECT_EQ(box.ok({"exec", "-T", "web", "sh", "-c", look}), "denied\nGroups:\t1000 \n");
    EXPECT_EQ(box.ok({"exec", "-T", "-u", "web", "web", "sh", "-c", look}), "denied\nGroups:\t1000 2000 \n");
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "web", "sh", "-c", look}), "denied\nGroups:\t1000 \n");
    EXPECT_EQ(box.ok({"container", "run", "--rm", "-u", "7:1000", "built", "sh", "-c", look}),
              "denied\nGroups:\t1000 \n");
}

// K70
TEST(BuildHostile, AnotherUserHasNoCapabilitiesAndNobodyHasTheHostsEnvironment) {
    REQUIRE_ROOT();
    Sandbox box;
    box.environment["SECRET_OF_THE_HOST"] = "leaked";
    built(box, "FROM busybox\nARG GIVEN=1\nRUN env > /env\nUSER 1000\nRUN grep ^Cap /proc/self/status > /tmp/caps\n");
    EXPECT_EQ(in_image(box, "sort /env"),
              "GIVEN=1\nHOME=/root\nHOSTNAME=build\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
              "PWD=/\nSHLVL=1\n");
    const auto caps = in_image(box, "cat /tmp/caps");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        EXPECT_THAT(caps, HasSubstr(std::string(set) + ":\t0000000000000000"));
    EXPECT_EQ(box.host({"grep", "-rl", "SECRET_OF_THE_HOST", box.state()}).out, "");
}

// D15, D16: many patterns; files that can't be sent.
TEST(BuildHostile, OddContextsAreReadToTheEnd) {
    REQUIRE_ROOT();
    const Sandbox box;
    std::string ignore;
    for (int i = 0; i < 100'000; ++i) ignore += "**/a" + std::to_string(i) + "/**/b\n";
    box.write(".dockerignore", ignore + "!**/kept\n");
    box.write("c/kept", "x");
    ::mkfifo(box.path("c/fifo").c_str(), 0644);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, box.path("c/socket").c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    box.write("c/unreadable", "x", 0);
    const auto began = std::chrono::steady_clock::now();
    built(box, "FROM busybox\nCOPY c /c\n");
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    EXPECT_EQ(in_image(box, "sh -c 'test -p /c/fifo && ls /c'"), "fifo\nkept\nunreadable\n");
    ::close(fd);
}

}  // namespace
}  // namespace compose::test
