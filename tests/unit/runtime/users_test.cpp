#include "runtime/users.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "container.hpp"

namespace compose::runtime::test {
namespace {

// The last two are there to trap whoever takes a number for a name.
constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\nbroken\n:x:5:5::/:\nbad:x:-1:0::/:\n"
    "1000:x:0:0::/:/bin/sh\n99999999999:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh";
constexpr const char* kGroup =
    "root:x:0:\nwheel:x:10:root\nweb:x:1000:\nextra:x:2000:other,web\nbroken\nbad:x:x:web\nnumber:x:4294967296:web\n"
    "1000:x:0:\n";

struct Case {
    const char* user;
    std::vector<std::string> additional;
    const char* expected;  // "uid:gid groups home", or the problem
};

std::string resolve(const Case& one) {
    Arena arena;
    UserQuery query;
    try {
        query = parse_user(one.user, one.additional, arena);
    } catch (const Error&) {
        return "invalid";
    }
    Identity identity;
    std::size_t index = 0;
    switch (look_up_user(query, kPasswd, kGroup, identity, index)) {
        case UserProblem::no_user:
            return "no user";
        case UserProblem::no_group:
            return "no group";
        case UserProblem::no_additional_group:
            return fmt::format("no group {}", index);
        case UserProblem::too_many_groups:
            return "too many";
        case UserProblem::none:
            break;
    }
    std::string groups;
    for (std::size_t i = 0; i < identity.group_count; ++i) groups += fmt::format(" {}", identity.groups[i]);
    return fmt::format("{}:{}{} {}", identity.uid, identity.gid, groups, identity.home);
}

TEST(Users, EveryFormMeansOneThing) {
    const Case cases[] = {
        {"", {}, "0:0 0 10 /root"},
        {"0", {}, "0:0 0 10 /root"},
        {"root", {}, "0:0 0 10 /root"},
        {"web", {}, "1000:1000 1000 2000 /home/web"},
        {"1000", {}, "1000:1000 1000 2000 /home/web"},
        {"01000", {}, "1000:1000 1000 2000 /home/web"},
        {"1", {}, "1:0 0 "},
        {"01", {}, "1:0 0 "},
        {"1:1", {}, "1:1 1 "},
        {"1:2", {}, "1:2 2 "},
        {"web:root", {}, "1000:0 0 /home/web"},
        {"web:10", {}, "1000:10 10 /home/web"},
        {"web:1000", {}, "1000:1000 1000 /home/web"},
        {"web:nosuch", {}, "no group"},
        {"web:bad", {}, "no group"},
        {"nosuch", {}, "no user"},
        {"bad", {}, "no user"},
        {"0x0", {}, "no user"},
        {"2147483647", {}, "2147483647:0 0 "},
        {"2147483648", {}, "invalid"},
        {"4294967295", {}, "invalid"},
        {"4294967296", {}, "invalid"},
        {"4294967296:4294967296", {}, "invalid"},
        {"99999999999", {}, "invalid"},
        {"18446744073709551616", {}, "invalid"},
        {"-1", {}, "invalid"},
        {"+1", {}, "invalid"},
        {"1:", {}, "invalid"},
        {":1", {}, "0:1 1 /root"},
        {"1:2:3", {}, "invalid"},
        {"a b", {}, "invalid"},
        {"web", {"wheel", "4242", "extra"}, "1000:1000 1000 2000 10 4242 /home/web"},
        {"web", {"wheel", "nosuch"}, "no group 1"},
        {"web", {"4294967296"}, "invalid"},
    };
    for (const auto& one : cases) EXPECT_EQ(resolve(one), one.expected) << one.user;
}

TEST(Users, AnEndlessListOfGroupsIsRefused) {
    std::string group;
    for (int i = 0; i < 3000; ++i) group += fmt::format("g{}:x:{}:web\n", i, 5000 + i);
    Arena arena;
    Identity identity;
    std::size_t index = 0;
    EXPECT_EQ(look_up_user(parse_user("web", {}, arena), kPasswd, group, identity, index),
              UserProblem::too_many_groups);
}

class UsersInContainer : public ContainerTest {};

TEST_F(UsersInContainer, InitAndExecRunAsTheUserAskedFor) {
    auto spec = make_spec({"sh", "-c", "id -u; id -g; id -G; echo $HOME; sleep 1000"});
    for (const auto& [user, expected] :
         std::vector<std::pair<std::string, std::string>>{{"1", "1\n0\n0\n/\n"},
                                                          {"1:2", "1\n2\n2\n/\n"},
                                                          {"web", "1000\n1000\n1000 2000\n/home/web\n"},
                                                          {"1000:0", "1000\n0\n0\n/home/web\n"}}) {
        auto one = make_spec({"sh", "-c", "id -u; id -g; id -G; echo $HOME"});
        one.process.user = user;
        EXPECT_EQ(run(one).output, expected) << user;
    }
    Launch& container = start(spec);
    ProcessSpec process;
    process.args = {"sh", "-c", "id -u; id -g; id -G; echo $HOME"};
    process.user = "1:2";
    EXPECT_EQ(exec(spec, container, process).output, "1\n2\n2\n/\n");
    process.user = "web";
    process.additional_groups = {"wheel"};
    EXPECT_EQ(exec(spec, container, process).output, "1000\n1000\n1000 10 2000\n/home/web\n");
    process.user = "nosuch";
    const Outcome missing = exec(spec, container, process);
    EXPECT_FALSE(missing.started);
    EXPECT_EQ(missing.failure.message, "look up the user: no user \"nosuch\" in the container's /etc/passwd");
}

// A list of users that is no list: the start fails soon, and nothing hangs or fills the memory.
TEST_F(UsersInContainer, HostileUserFilesAreRefusedSoon) {  // K35, K36
    namespace fs = std::filesystem;
    const std::pair<const char*, std::string> cases[] = {{"fifo", "not a regular file"},
                                                         {"directory", "not a regular file"},
                                                         {"device", "not a regular file"},
                                                         {"huge", "larger than 10 MiB"}};
    for (const auto& [kind, expected] : cases) {
        auto spec = make_spec({"true"});
        const std::string layer = path(kind);
        fs::create_directories(layer + "/etc");
        const std::string file = layer + "/etc/passwd";
        if (kind == std::string("fifo")) {
            EXPECT_EQ(::mkfifo(file.c_str(), 0644), 0);
        }
        if (kind == std::string("directory")) fs::create_directory(file);
        if (kind == std::string("device")) fs::create_symlink("/dev/zero", file);
        if (kind == std::string("huge")) {
            write(std::string(kind) + "/etc/passwd", "");
            fs::resize_file(file, 2ULL << 30U);
        }
        spec.lower.insert(spec.lower.begin(), layer);
        const auto before = std::chrono::steady_clock::now();
        const Outcome outcome = run(spec);
        EXPECT_FALSE(outcome.started) << kind;
        EXPECT_NE(outcome.failure.message.find(expected), std::string::npos) << outcome.failure.message;
        EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
    }
}

}  // namespace
}  // namespace compose::runtime::test
