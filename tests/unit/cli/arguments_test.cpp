// How words become options, positionals and complaints.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace compose::cli {
namespace {

struct Sample {
    Sample() : arguments("compose run", "Do it.") {
        arguments.flag("-d,--detach", detach, "In the background");
        arguments.flag("--orphans", orphans, "Default true");
        arguments.list("-e,--env", env, "K=V", "A variable");
        arguments.number("-t,--timeout", timeout, "SECONDS", "Grace");
        arguments.value("-u,--user", user, "USER", "Who");
        arguments.required("SERVICE", service);
        arguments.rest("COMMAND", command);
    }
    Arguments arguments;
    bool detach = false, orphans = true;
    std::vector<std::string> env, command;
    std::optional<int> timeout;
    std::string user, service;
};

std::string failure(Arguments& arguments, const std::vector<std::string>& words, Arguments* globals = nullptr) {
    try {
        (void)arguments.parse(words, globals);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return std::string(error.what()) + " | " + error.hint();
    }
    return "no error";
}

TEST(Arguments, TakesEveryFormOfAnOption) {
    Sample s;
    ASSERT_TRUE(
        s.arguments.parse({"-de", "A=1", "--env=B=2", "-eC=3", "-t", "-1", "web", "-u", "", "-d", "--env", "--", "x"}));
    EXPECT_TRUE(s.detach);
    EXPECT_EQ(s.env, (std::vector<std::string>{"A=1", "B=2", "C=3", "--"}));
    EXPECT_EQ(s.timeout, -1);
    EXPECT_EQ(s.user, "");
    EXPECT_EQ(s.service, "web");
    EXPECT_EQ(s.command, std::vector<std::string>{"x"});
}

TEST(Arguments, KeepsSpacesCommasAndBracketsOfValues) {
    Sample s;
    ASSERT_TRUE(s.arguments.parse({"-e", "A=[a, b]", "-e", "B='x' \"y\"", "web"}));
    EXPECT_EQ(s.env, (std::vector<std::string>{"A=[a, b]", "B='x' \"y\""}));
}

TEST(Arguments, TurnsAFlagOff) {
    Sample s;
    ASSERT_TRUE(s.arguments.parse({"--orphans=false", "web"}));
    EXPECT_FALSE(s.orphans);
    Sample t;
    ASSERT_TRUE(t.arguments.parse({"-d", "-d=false", "web"}));
    EXPECT_FALSE(t.detach);
}

TEST(Arguments, TheLastValueCounts) {
    Sample s;
    ASSERT_TRUE(s.arguments.parse({"-u", "a", "-u", "b", "-t1", "-t=2", "web"}));
    EXPECT_EQ(s.user, "b");
    EXPECT_EQ(s.timeout, 2);
}

TEST(Arguments, LeavesACommandAlone) {
    Sample s;
    s.arguments.options_first();
    ASSERT_TRUE(s.arguments.parse({"-d", "web", "ls", "-e", "--help", "--", "-d"}));
    EXPECT_EQ(s.service, "web");
    EXPECT_EQ(s.command, (std::vector<std::string>{"ls", "-e", "--help", "--", "-d"}));
    EXPECT_TRUE(s.env.empty());
}

TEST(Arguments, StopsAtTwoDashes) {
    Sample s;
    ASSERT_TRUE(s.arguments.parse({"--", "-d", "-e"}));
    EXPECT_EQ(s.service, "-d");
    EXPECT_EQ(s.command, std::vector<std::string>{"-e"});
    EXPECT_FALSE(s.detach);
}

TEST(Arguments, ExplainsMistakes) {
    const std::pair<std::vector<std::string>, std::string> cases[] = {
        {{"--detatch", "web"},
         "unknown flag: --detatch | did you mean --detach? run 'compose run --help' for its usage"},
        {{"--xyzzy=1"}, "unknown flag: --xyzzy | run 'compose run --help' for its usage"},
        {{"-x"}, "unknown shorthand flag: 'x' in -x | run 'compose run --help' for its usage"},
        {{"-dx"}, "unknown shorthand flag: 'x' in -dx | run 'compose run --help' for its usage"},
        {{"-t"}, "flag needs an argument: 't' in -t | run 'compose run --help' for its usage"},
        {{"--user"}, "flag needs an argument: --user | run 'compose run --help' for its usage"},
        {{"-t", "1s", "web"}, "invalid argument \"1s\" for -t, --timeout: not a whole number | "},
        {{}, "'compose run' requires SERVICE | run 'compose run --help' for its usage"},
    };
    for (const auto& [words, expected] : cases) {
        Sample s;
        EXPECT_EQ(failure(s.arguments, words), expected);
    }
    bool flag = false;
    Arguments plain("compose x", "X.");
    plain.flag("--flag", flag, "F");
    EXPECT_EQ(failure(plain, {"a"}), "unexpected argument: \"a\" | run 'compose x --help' for its usage");
    EXPECT_NE(failure(plain, {"--flag=maybe"}), "no error");
}

TEST(Arguments, GivesGlobalOptionsToTheirOwner) {
    Sample s;
    std::vector<std::string> files;
    std::string user;
    Arguments globals("compose", "All.");
    globals.list("-f,--file", files, "PATH", "File");
    globals.value("--user", user, "U", "Not this one");
    ASSERT_TRUE(globals.parse({"-f", "a"}));
    ASSERT_TRUE(s.arguments.parse({"web", "--file=b", "-f", "c", "--user", "me"}, &globals));
    ASSERT_TRUE(globals.parse({}));
    EXPECT_EQ(files, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(user, "");
    EXPECT_EQ(s.user, "me");
}

struct Former {
    Former() : arguments("compose down", "Down.") {
        arguments.flag("-v,--volumes", volumes, "Data");
        arguments.list("-l,--label", labels, "K=V", "Label");
        arguments.value("--ansi", ansi, "WHEN", "Colours");
        arguments.old_name("--volume", "--volumes", true);
        arguments.old_name("--labels", "--label");
        arguments.old_name("--no-ansi", "--ansi=never", true);
        arguments.without_effect("-a,--all", "all are meant");
        arguments.rest("SERVICE", services);
    }
    Arguments arguments;
    bool volumes = false;
    std::vector<std::string> labels, services;
    std::string ansi;
};

TEST(Arguments, KnowsOldNamesOfOptions) {
    Former f;
    ASSERT_TRUE(f.arguments.parse({"--volume", "--labels", "a=1", "-lb=2", "--labels=c=3", "--no-ansi", "web"}));
    EXPECT_TRUE(f.volumes);
    EXPECT_EQ(f.labels, (std::vector<std::string>{"a=1", "b=2", "c=3"}));
    EXPECT_EQ(f.ansi, "never");
    EXPECT_EQ(f.services, std::vector<std::string>{"web"});
    EXPECT_EQ(f.arguments.warnings(), (std::vector<std::string>{"--no-ansi is deprecated: use --ansi=never",
                                                                "--volume is deprecated: use --volumes"}));
    EXPECT_EQ(f.arguments.help().find("--labels"), std::string::npos);
    Former off;
    ASSERT_TRUE(off.arguments.parse({"--volume=false", "--no-ansi=false"}));
    EXPECT_FALSE(off.volumes);
    EXPECT_EQ(off.ansi, "");
    Former both;
    EXPECT_EQ(failure(both.arguments, {"--ansi", "always", "--no-ansi"}),
              "--no-ansi and --ansi exclude each other | use --ansi alone. run 'compose down --help' for its usage");
    Former spelled;
    EXPECT_EQ(failure(spelled.arguments, {"--no-ansi=maybe"}),
              "invalid argument \"maybe\" for --no-ansi: true or false | run 'compose down --help' for its usage");
}

TEST(Arguments, TellsThatAnOldSwitchHasNoEffect) {
    Former f;
    ASSERT_TRUE(f.arguments.parse({"-av", "--all=true", "web"}));
    EXPECT_TRUE(f.volumes);
    EXPECT_EQ(f.services, std::vector<std::string>{"web"});
    EXPECT_EQ(f.arguments.warnings(),
              (std::vector<std::string>{"--all has no effect: all are meant", "-a has no effect: all are meant"}));
    EXPECT_NE(f.arguments.help().find("\nFor old scripts, without effect: -a, --all\n"), std::string::npos);
    EXPECT_NE(failure(f.arguments, {"--all=4"}), "no error");
}

TEST(Arguments, ACommandsOldSwitchGoesBeforeAGlobalOption) {
    std::optional<int> parallel;
    Arguments globals("compose", "All.");
    globals.number("--parallel", parallel, "N", "At once");
    std::vector<std::string> services;
    Arguments pull("compose pull", "Pull.");
    pull.rest("SERVICE", services);
    pull.without_effect("--parallel", "it is so");
    ASSERT_TRUE(pull.parse({"--parallel", "web"}, &globals));
    EXPECT_EQ(services, std::vector<std::string>{"web"});
    EXPECT_FALSE(parallel);
}

TEST(Arguments, HidesWhatIsOnlyForOldScripts) {
    Sample s;
    std::string host;
    s.arguments.hide_rest();
    s.arguments.value("-H,--host", host, "SOCKET", "Only this machine");
    ASSERT_TRUE(s.arguments.parse({"-H", "x", "web"}));
    EXPECT_EQ(host, "x");
    EXPECT_EQ(s.arguments.help().find("--host"), std::string::npos);
    for (const auto& option : s.arguments.options()) EXPECT_NE(option.names.back(), "--host");
}

TEST(Arguments, FindsTheCommandWord) {
    std::vector<std::string> files;
    bool dry = false;
    Arguments globals("compose", "All.");
    globals.list("-f,--file", files, "PATH", "File");
    globals.flag("--dry-run", dry, "Dry");
    EXPECT_EQ(globals.first_positional({"-f", "up", "--dry-run", "--file=x", "up", "-d"}), 4U);
    EXPECT_EQ(globals.first_positional({"--nonsense", "up"}), 1U);
    EXPECT_EQ(globals.first_positional({"--dry-run"}), 1U);
    EXPECT_EQ(globals.first_positional({}), 0U);
}

TEST(Arguments, WritesHelp) {
    Sample s;
    s.arguments.text("More about it.");
    s.arguments.example("compose run web", "the usual");
    EXPECT_FALSE(s.arguments.parse({"web", "--help"}));
    EXPECT_EQ(s.arguments.help(),
              "Usage:  compose run [OPTIONS] SERVICE [COMMAND...]\n"
              "\n"
              "Do it.\n"
              "\n"
              "More about it.\n"
              "\n"
              "Options:\n"
              "  -d, --detach            In the background\n"
              "      --orphans           Default true\n"
              "  -e, --env K=V           A variable\n"
              "  -t, --timeout SECONDS   Grace\n"
              "  -u, --user USER         Who\n"
              "\n"
              "Examples:\n"
              "  compose run web   the usual\n");
}

}  // namespace
}  // namespace compose::cli
