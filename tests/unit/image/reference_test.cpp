#include "image/reference.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace compose::image {
namespace {

const std::string kHex(64, 'a');

TEST(Reference, FillsInWhatIsLeftOut) {
    struct Case {
        std::string text, normal, familiar;
    };
    const std::vector<Case> cases = {
        {"debian", "docker.io/library/debian:latest", "debian:latest"},
        {"debian:bookworm-slim", "docker.io/library/debian:bookworm-slim", "debian:bookworm-slim"},
        {"library/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"docker.io/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"index.docker.io/library/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"a/b", "docker.io/a/b:latest", "a/b:latest"},
        {"a/b/c:1", "docker.io/a/b/c:1", "a/b/c:1"},
        {"localhost/x", "localhost/x:latest", "localhost/x:latest"},
        {"localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"},
        {"reg.example.com/n/x:V1.2_3-a", "reg.example.com/n/x:V1.2_3-a", "reg.example.com/n/x:V1.2_3-a"},
        {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"},
        {"my__odd.name--x", "docker.io/library/my__odd.name--x:latest", "my__odd.name--x:latest"},
        {"x@sha256:" + kHex, "docker.io/library/x@sha256:" + kHex, "x@sha256:" + kHex},
        {"x:1@sha256:" + kHex, "docker.io/library/x:1@sha256:" + kHex, "x:1@sha256:" + kHex},
        {"compose-example/app-db", "docker.io/compose-example/app-db:latest", "compose-example/app-db:latest"},
    };
    for (const auto& c : cases) {
        const auto reference = parse_reference(c.text);
        EXPECT_EQ(reference.to_string(), c.normal);
        EXPECT_EQ(reference.familiar(), c.familiar);
        EXPECT_EQ(parse_reference(reference.to_string()), reference);
        EXPECT_EQ(parse_reference(reference.familiar()), reference);
    }
    EXPECT_EQ(parse_reference("localhost:5000/x:1").familiar_name(), "localhost:5000/x");
}

TEST(Reference, RefusesWhatIsNoName) {
    const std::string bad[] = {"",
                               ":",
                               "x:",
                               ":x",
                               "/x",
                               "x/",
                               "a//b",
                               "Debian",
                               "a/B",
                               "x:-1",
                               "x:.a",
                               "x:a b",
                               "-x",
                               "x-",
                               "x..y",
                               "x___y",
                               ".",
                               "..",
                               "../x",
                               "a/../b",
                               "x@",
                               "x@sha256:",
                               "x@md5:" + kHex,
                               "x@sha256:" + kHex + "a",
                               "x@sha256:" + std::string(63, 'a'),
                               "x@sha256:" + std::string(64, 'A'),
                               "x@sha256:../../x",
                               "x\n",
                               "x y",
                               std::string("x\0y", 3),
                               "Ünï",
                               "$(x)",
                               "`x`",
                               ";x",
                               "a:b:c",
                               "host:99999999/x",
                               "host:/x",
                               "-host.a/x",
                               "[::1/x",
                               "[zz]/x",
                               std::string(300, 'a'),
                               kHex,
                               "x:" + std::string(129, 't')};
    for (const auto& text : bad) EXPECT_THROW(static_cast<void>(parse_reference(text)), Error) << text;
}

TEST(Reference, KnowsDigestsAndIds) {
    EXPECT_TRUE(is_digest("sha256:" + kHex));
    for (const auto& bad : {kHex, "sha512:" + kHex, "sha256:" + std::string(64, 'A'), "sha256:" + kHex + "/"})
        EXPECT_FALSE(is_digest(bad));
    EXPECT_EQ(id_prefix("sha256:abcdef"), "abcdef");
    EXPECT_EQ(id_prefix("0123abc"), "0123abc");
    EXPECT_FALSE(id_prefix("abc"));
    EXPECT_FALSE(id_prefix("debian"));
    EXPECT_FALSE(id_prefix("ABCD"));
}

}  // namespace
}  // namespace compose::image
