// Variables, patterns, .dockerignore, modes and owners, addresses: tables.
#include <chrono>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "build/dockerignore.hpp"
#include "build/file_mode.hpp"
#include "build/paths.hpp"
#include "build/pattern.hpp"
#include "build/ports.hpp"
#include "build/remote.hpp"
#include "build/variables.hpp"

namespace compose::build {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Lookup kLookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "a") return "A";
    if (name == "e") return "";
    if (name == "p") return "foo/bar/foo.txt";
    if (name == "self") return "${self}";
    return std::nullopt;
};

struct Word {
    const char* text;
    const char* result;
};
class ExpandTest : public ::testing::TestWithParam<Word> {};
TEST_P(ExpandTest, Gives) {
    EXPECT_EQ(expand_word(GetParam().text, '\\', kLookup).text, GetParam().result);
}
INSTANTIATE_TEST_SUITE_P(
    All, ExpandTest,
    ::testing::Values(Word{"$a", "A"}, Word{"x${a}y", "xAy"}, Word{"$u", ""}, Word{"${u:-d}", "d"},
                      Word{"${e:-d}", "d"}, Word{"${e-d}", ""}, Word{"${a:+w}", "w"}, Word{"${u:+w}", ""},
                      Word{"${e+w}", "w"}, Word{"${u:-${a}x}", "Ax"}, Word{"\\$a", "$a"}, Word{"'$a'", "$a"},
                      Word{"\"$a b\"", "A b"}, Word{"\"\\\"$a\\\"\"", "\"A\""}, Word{"a\\ b", "a b"},
                      Word{"${p#*/}", "bar/foo.txt"}, Word{"${p##*/}", "foo.txt"}, Word{"${p%.*}", "foo/bar/foo"},
                      Word{"${p%%/*}", "foo"}, Word{"${p/foo/x}", "x/bar/foo.txt"}, Word{"${p//foo/x}", "x/bar/x.txt"},
                      Word{"$", "$"}, Word{"$1", "$1"}, Word{"${self}", "${self}"}, Word{"${a:?no}", "A"}));

TEST(ExpandTest, ErrorsSayWhat) {
    const auto message = [](const char* text) {
        try {
            static_cast<void>(expand_word(text, '\\', kLookup));
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(message("${u:?give it}"), "u: give it");
    EXPECT_THAT(message("${a"), HasSubstr("is not a variable"));
    EXPECT_THAT(message("${a:-x"), HasSubstr("is not closed"));
    EXPECT_THAT(message("${a@Q}"), HasSubstr("unsupported modifier"));
    EXPECT_THAT(message("'x"), HasSubstr("single quote is not closed"));
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "${u:-";
    EXPECT_THAT(message(deep.c_str()), HasSubstr("closed"));
}

TEST(ExpandTest, BodiesKeepQuotesAndBackslashes) {
    EXPECT_EQ(expand_body("'$a' \"\\n\" \\$a", '\\', kLookup).text, "'A' \"\\n\" $a");
}

struct Match {
    const char* pattern;
    const char* path;
    bool result;
};
class PatternTest : public ::testing::TestWithParam<Match> {};
TEST_P(PatternTest, Matches) {
    EXPECT_EQ(PathPattern(GetParam().pattern).matches(GetParam().path), GetParam().result);
}
INSTANTIATE_TEST_SUITE_P(
    All, PatternTest,
    ::testing::Values(Match{"a", "a", true}, Match{"a", "a/b", false}, Match{"*", "a", true}, Match{"*", "a/b", false},
                      Match{"*/b", "a/b", true}, Match{"**", "a/b/c", true}, Match{"**/c", "a/b/c", true},
                      Match{"**/c", "c", true}, Match{"a/**/c", "a/c", true}, Match{"a/**/c", "a/x/y/c", true},
                      Match{"a?c", "abc", true}, Match{"a?c", "a/c", false}, Match{"[a-c]x", "bx", true},
                      Match{"[^a-c]x", "bx", false}, Match{"\\*", "*", true}, Match{"\\*", "a", false},
                      Match{"[a", "a", false}, Match{"*.txt", ".txt", true}, Match{"a**", "abc", true}));

TEST(PatternTest, BadPatternsTakeNoLongTime) {
    std::string pattern, text(3000, 'a');
    for (int i = 0; i < 1000; ++i) pattern += "*a";
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(match_part(pattern + "b", text));
    std::string deep, path;
    for (int i = 0; i < 500; ++i) {
        deep += "**/a/";
        path += "a/";
    }
    EXPECT_FALSE(PathPattern(deep + "b").matches(path + "c"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

struct Ignored {
    const char* text;
    const char* path;
    bool hidden;
};
class IgnoreTest : public ::testing::TestWithParam<Ignored> {};
TEST_P(IgnoreTest, Hides) {
    EXPECT_EQ(DockerIgnore(GetParam().text).hides(GetParam().path), GetParam().hidden);
}
INSTANTIATE_TEST_SUITE_P(
    All, IgnoreTest,
    ::testing::Values(Ignored{"a", "a", true}, Ignored{"a", "a/b", true}, Ignored{"a", "x/a", false},
                      Ignored{"**/a", "x/a/b", true}, Ignored{"/a", "a", true}, Ignored{"a/", "a", true},
                      Ignored{"./a", "a", true}, Ignored{"a/../b", "b", true}, Ignored{"a\n!a/b", "a/b", false},
                      Ignored{"a\n!a/b", "a/c", true}, Ignored{"*\n!x\n", "x", false}, Ignored{"*\n!x\n", "x/y", false},
                      Ignored{"!a\na", "a", true}, Ignored{"# a\n", "# a", false}, Ignored{" a ", "a", true},
                      Ignored{"*.md\n!README.md", "README.md", false}, Ignored{"\n\n", "a", false}));

// D15
TEST(IgnoreTest, AHundredThousandPatternsAndBadOnes) {
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += "**/**/*x*/**" + std::to_string(i) + "\n!**\n";
    const auto began = std::chrono::steady_clock::now();
    const DockerIgnore ignore(many);
    EXPECT_FALSE(ignore.hides("a/b/c/d"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_THROW(DockerIgnore("[a"), Error);
    EXPECT_THROW(DockerIgnore("!"), Error);
    EXPECT_THROW(DockerIgnore(std::string(5 << 20, 'a')), Error);
}

// D09
TEST(ModeTest, OctalAndSymbolic) {
    EXPECT_EQ(ModeChange("755").apply(0600, false), 0755U);
    EXPECT_EQ(ModeChange("u+x").apply(0644, false), 0744U);
    EXPECT_EQ(ModeChange("a=rX").apply(0600, false), 0444U);
    EXPECT_EQ(ModeChange("a=rX").apply(0700, true), 0555U);
    EXPECT_EQ(ModeChange("u=rwX,go-w").apply(0666, false), 0644U);
    EXPECT_EQ(ModeChange("u+s,+t").apply(0755, false), 05755U);
    for (const char* bad : {"99999", "8", "u", "u+q", "x+r", "0x1"}) EXPECT_THROW(ModeChange{bad}, Error) << bad;
}

// D09
TEST(OwnerTest, NamesNumbersAndHostileOnes) {
    const std::string passwd = "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n12345:x:0:0::/:/bin/sh\n";
    const std::string group = "root:x:0:\nstaff:x:50:\n";
    EXPECT_EQ(parse_owner("app", passwd, group), (Owner{1000, 1001}));
    EXPECT_EQ(parse_owner("app:staff", passwd, group), (Owner{1000, 50}));
    EXPECT_EQ(parse_owner("55", passwd, group), (Owner{55, 55}));
    EXPECT_EQ(parse_owner("1000", passwd, group, true), (Owner{1000, 1001}));
    EXPECT_EQ(parse_owner("12345", passwd, group), (Owner{12345, 12345})) << "digits are never a name";
    for (const char* bad : {"99999999999", "nobody", "app:none", ":staff", "app:", "-1"})
        EXPECT_THROW(static_cast<void>(parse_owner(bad, passwd, group)), Error) << bad;
}

TEST(PathsTest, NothingLeadsOut) {
    EXPECT_EQ(clean_relative("../../a/./b//c/.."), "a/b");
    EXPECT_EQ(absolute_in("/w", "x/../../../y"), "/y");
    EXPECT_EQ(absolute_in("", "x"), "/x");
    EXPECT_EQ(absolute_in("/w", "/../.."), "/");
}

TEST(PortsTest, RangesAndProtocols) {
    EXPECT_THAT(exposed_ports("80"), ElementsAre("80/tcp"));
    EXPECT_THAT(exposed_ports("53-54/UDP"), ElementsAre("53/udp", "54/udp"));
    for (const char* bad : {"", "0", "65536", "2-1", "80/x", "127.0.0.1:80"})
        EXPECT_THROW(static_cast<void>(exposed_ports(bad)), Error) << bad;
}

TEST(RemoteTest, PartsOfAnAddress) {
    const auto git = *parse_remote("https://example.org/x.git#v1:sub/dir");
    EXPECT_EQ(git.url, "https://example.org/x.git");
    EXPECT_EQ(git.ref, "v1");
    EXPECT_EQ(git.subfolder, "sub/dir");
    EXPECT_EQ(parse_remote("https://example.org/x.git?branch=b&subdir=s")->subfolder, "s");
    EXPECT_EQ(parse_remote("git@example.org:x.git")->kind, Remote::Kind::git);
    EXPECT_EQ(parse_remote("https://example.org/x.tar.gz")->kind, Remote::Kind::archive);
    EXPECT_FALSE(parse_remote("./folder").has_value());
    EXPECT_FALSE(parse_remote("/abs").has_value());
}

TEST(RemoteTest, HostsWithoutUserAndPort) {
    EXPECT_EQ(host_of("https://u:p@Example.org:8443/x.git"), "example.org");
    EXPECT_EQ(host_of("git@example.org:x.git"), "example.org");
    EXPECT_EQ(host_of("git://[::1]:9418/x"), "::1");
    EXPECT_EQ(host_of("git://127.0.0.1"), "127.0.0.1");
}

TEST(RemoteTest, AReferenceIsReadAsGitReadsIt) {
    const std::string a(40, 'a'), b(40, 'b'), c(40, 'c'), d(40, 'd');
    const auto listing = a + "\trefs/heads/feature/main\n" + b + "\trefs/heads/main\n" + c + "\trefs/tags/v1\n" + d +
                         "\trefs/tags/v1^{}\n" + a + "\tHEAD\n";
    EXPECT_EQ(commit_of(listing, "main"), b) << "not another branch that ends so";
    EXPECT_EQ(commit_of(listing, "feature/main"), a);
    EXPECT_EQ(commit_of(listing, "v1"), d) << "the commit, not the tag";
    EXPECT_EQ(commit_of(listing, "refs/heads/main"), b);
    EXPECT_EQ(commit_of(listing, "HEAD"), a);
    EXPECT_EQ(commit_of(listing, "ain"), "");
    EXPECT_EQ(commit_of("no listing\n\trefs/heads/x\n", "x"), "");
}

// K55, K57: nothing that git could take for an option, a helper or a place outside the repository.
TEST(RemoteTest, RefusesWhatCouldRunOrClimb) {
    for (const char* bad :
         {"ext::sh -c id", "file:///etc", "ext::sh -c touch% /tmp/x.git", "https://example.org/x.git#--upload-pack=id",
          "https://example.org/x.git#-x", "ssh://-oProxyCommand=id/x.git", "git@-oProxyCommand=id:x.git",
          "https://example.org/a b.git", "https://example.org/x.git#a..b", "https://example.org/x.git#main:../x",
          "https://example.org/x.git#main:a/../../x", "https://example.org/x.git?evil=1",
          "https://example.org/x.git#a;id", "https://example.org/x.git#a@{u}", "git://u@-h/x.git"})
        EXPECT_THROW(static_cast<void>(parse_remote(bad)), Error) << bad;
}

// K55: subfolders of a repository, as they are written. What is a link in it is found out when it is there.
struct Subfolder {
    const char* text;
    bool good;
};
class SubfolderTest : public ::testing::TestWithParam<Subfolder> {};
TEST_P(SubfolderTest, StaysInTheRepository) {
    const auto address = std::string("https://example.org/x.git#main:") + GetParam().text;
    if (GetParam().good)
        EXPECT_NO_THROW(static_cast<void>(parse_remote(address)));
    else
        EXPECT_THROW(static_cast<void>(parse_remote(address)), Error);
}
INSTANTIATE_TEST_SUITE_P(
    K55, SubfolderTest,
    ::testing::Values(Subfolder{"", true}, Subfolder{"a", true}, Subfolder{"a/b", true}, Subfolder{"a/b/c/d", true},
                      Subfolder{"./a", true}, Subfolder{"a//b", true}, Subfolder{"a/./b", true}, Subfolder{"a/", true},
                      Subfolder{"a.b.c", true}, Subfolder{"..a", true}, Subfolder{"a..", true}, Subfolder{"...", true},
                      Subfolder{"a-b_c d", true}, Subfolder{"..", false}, Subfolder{"../..", false},
                      Subfolder{"../../../etc", false}, Subfolder{"a/..", false}, Subfolder{"a/../..", false},
                      Subfolder{"a/../../b", false}, Subfolder{"./..", false}, Subfolder{"a/b/../../../c", false},
                      Subfolder{"/..", false}, Subfolder{"//../x", false}));

TEST(RemoteTest, ALoginIsTakenOffTheAddress) {
    const auto git = *parse_remote("https://user:p%40ss:word@example.org:8080/x.git#main:sub");
    EXPECT_EQ(git.url, "https://example.org:8080/x.git");
    EXPECT_EQ(git.login, "user:p@ss:word");
    EXPECT_EQ(git.ref, "main");
    EXPECT_EQ(parse_remote("https://token@example.org/x.tar")->login, "token:");
    EXPECT_EQ(parse_remote("https://example.org/a@b.tar")->login, "");
    EXPECT_EQ(parse_remote("https://example.org/a@b.tar")->url, "https://example.org/a@b.tar");
    EXPECT_EQ(parse_remote("https://example.org?a@b")->login, "");
    EXPECT_EQ(parse_remote("ssh://git@example.org/x.git")->login, "") << "that is ssh's own";
    EXPECT_THROW(static_cast<void>(parse_remote("https://a%0d%0ax:y@example.org/x.tar")), Error);
}

TEST(RemoteTest, CredentialsAreNeverShown) {
    EXPECT_EQ(redacted("fatal: https://user:pass@example.org/x.git y"), "fatal: https://xxxxx@example.org/x.git y");
    EXPECT_EQ(redacted("https://example.org/a@b"), "https://example.org/a@b");
    EXPECT_EQ(redacted("COPY a b"), "COPY a b");
}

}  // namespace
}  // namespace compose::build
