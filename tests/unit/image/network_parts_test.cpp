// The pure parts of speaking with registries: addresses, challenges, names, proxies, base64, times.
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "image/base64.hpp"
#include "image/challenge.hpp"
#include "image/config.hpp"
#include "image/content_store.hpp"
#include "image/credentials.hpp"
#include "image/decompress.hpp"
#include "image/gzip.hpp"
#include "image/http_client.hpp"
#include "image/resolver.hpp"
#include "image/url.hpp"

namespace compose::image {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(Url, ReadsAndJoins) {
    EXPECT_EQ(parse_url("https://Reg.Example.com/v2/").text(), "https://reg.example.com/v2/");
    EXPECT_EQ(parse_url("http://localhost:5000").text(), "http://localhost:5000/");
    EXPECT_EQ(parse_url("https://[::1]:5000/x?y#z").text(), "https://[::1]:5000/x?y");
    const auto base = parse_url("https://a:444/v2/x/blobs/uploads/1?q");
    EXPECT_EQ(resolve_url(base, "/p").text(), "https://a:444/p");
    EXPECT_EQ(resolve_url(base, "2?r").text(), "https://a:444/v2/x/blobs/uploads/2?r");
    EXPECT_EQ(resolve_url(base, "//b/p").text(), "https://b/p");
    EXPECT_EQ(resolve_url(base, "http://b/p").text(), "http://b/p");
    EXPECT_EQ(resolve_url(base, "/p?u=http://c/").text(), "https://a:444/p?u=http://c/");
}

TEST(Url, RefusesWhatIsNoPlaceToSendTo) {
    for (const char* bad :
         {"", "https", "http:", "https:/a", "ftp://a", "file:///etc/passwd", "unix:///x", "https://", "https://u:p@a/",
          "https://a b/", "https://a:0/", "https://a:99999/", "https://a\r\nHost: b/", "https://[::1/", "https:///x",
          "https://a:1:2/", "javascript:alert(1)"})
        EXPECT_THROW((void)parse_url(bad), Error) << bad;
    EXPECT_THROW((void)resolve_url(parse_url("https://a"), "file:/etc/passwd"), Error);
}

TEST(Url, AddressesOfThisMachine) {
    for (const char* host : {"localhost", "x.localhost", "127.0.0.1", "127.9.9.9", "::1"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host : {"localhost.example.com", "128.0.0.1", "10.0.0.1", "127.0.0.1.example.com"})
        EXPECT_FALSE(is_loopback(host)) << host;
    for (const char* host : {"169.254.169.254", "127.0.0.1", "0.0.0.0", "224.0.0.1", "fe80::1", "::1",
                             "::ffff:127.0.0.1", "2130706433", "0x7f.1", "0x7f000001"})
        EXPECT_TRUE(is_forbidden_literal(host)) << host;
    for (const char* host : {"10.0.0.1", "example.com", "2001:db8::1"})
        EXPECT_FALSE(is_forbidden_literal(host)) << host;
}

TEST(Challenge, Reads) {
    const auto found = parse_challenges(
        "Bearer realm=\"https://auth.example.com/token\",service=\"a, b\",scope=\"repository:x:pull,push\", Basic "
        "realm=\"x \\\"y\\\"\"");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].scheme, "bearer");
    EXPECT_EQ(found[0].parameters.at("service"), "a, b");
    EXPECT_EQ(found[0].parameters.at("scope"), "repository:x:pull,push");
    EXPECT_EQ(found[1].scheme, "basic");
    EXPECT_EQ(found[1].parameters.at("realm"), "x \"y\"");
}

TEST(Challenge, SurvivesNonsense) {
    for (const std::string text : {"", ",,,", "Bearer", "Bearer realm", "Bearer realm=", "Bearer realm=\"", "=\"x\"",
                                   "\"\\", "Basic realm=a=b, ,c", "\xff\xfe"})
        EXPECT_LE(parse_challenges(text).size(), 3U) << text;
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "Basic realm=\"x\", ";
    EXPECT_LE(parse_challenges(many).size(), 16U);
}

TEST(Url, Escapes) {
    EXPECT_EQ(percent_encode("a/b c%"), "a%2Fb%20c%25");
    EXPECT_EQ(percent_decode("a%2Fb%20c%25%e4"), "a/b c%\xe4");
    for (const char* text : {"", "%", "%4", "%zz", "%4z", "100%", "%-1"}) EXPECT_EQ(percent_decode(text), text);
}

TEST(Proxy, IsGoneAround) {
    const auto url = parse_url("https://reg.example.com:5000/");
    for (const char* list :
         {"*", "example.com", ".example.com", "*.example.com", "a, reg.example.com", "reg.example.com:5000"})
        EXPECT_TRUE(bypasses_proxy(list, url)) << list;
    for (const char* list : {"", "ple.com", "reg.example.com:443", "other.com", "xreg.example.com"})
        EXPECT_FALSE(bypasses_proxy(list, url)) << list;
    EXPECT_TRUE(bypasses_proxy("", parse_url("http://127.0.0.1:5000/")));
}

TEST(Base64, BothWays) {
    for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "user:p\xc3\xa4ss"})
        EXPECT_EQ(base64_decode(base64_encode(text)), text);
    EXPECT_EQ(base64_encode("user:pass"), "dXNlcjpwYXNz");
    EXPECT_FALSE(base64_decode("a*b"));
}

TEST(Time, OfConfigs) {
    EXPECT_EQ(parse_time("1970-01-01T00:00:01Z"), 1'000'000'000);
    EXPECT_EQ(parse_time("1970-01-01T01:00:00.5+01:00"), 500'000'000);
    EXPECT_EQ(parse_time("2026-01-02T03:04:05.123456789Z"), 1'767'323'045'123'456'789);
    for (const char* bad :
         {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z"})
        EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(Resolver, HostsAndResolvConf) {
    EXPECT_THAT(addresses_in_hosts("127.0.0.1 localhost\n# 1.1.1.1 reg\n10.0.0.9\treg.x REG # c\n", "reg"),
                ElementsAre("10.0.0.9"));
    const auto conf = parse_resolv_conf(
        "search a.b c\nnameserver 1.1.1.1\nnameserver ::1\nnameserver 2\nnameserver 3\n"
        "options ndots:3 x\n");
    EXPECT_THAT(conf.servers, ElementsAre("1.1.1.1", "::1", "2"));
    EXPECT_THAT(conf.search, ElementsAre("a.b", "c"));
    EXPECT_EQ(conf.dots, 3U);
    EXPECT_THAT(parse_resolv_conf("").servers, ElementsAre("127.0.0.1"));
}

TEST(Resolver, QuestionsAndReplies) {
    using namespace std::string_literals;
    const auto question = dns_question(0x1234, "reg.example.com", AddressKind::v4);
    auto reply = question;
    reply[2] = '\x81';
    reply[3] = '\x80';
    reply[7] = 2;
    reply += "\xc0\x0c\0\x05\0\x01\0\0\0\x01\0\x02\xc0\x10"s + "\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04\x0a\x01\x02\x03"s;
    const auto parsed = parse_dns_reply(reply, question, AddressKind::v4);
    EXPECT_TRUE(parsed.matches);
    EXPECT_THAT(parsed.addresses, ElementsAre("10.1.2.3"));
    EXPECT_FALSE(parsed.cut);
    reply[2] = '\x83';
    EXPECT_TRUE(parse_dns_reply(reply, question, AddressKind::v4).cut);
    // Cut anywhere, or not to the question: no address, no crash.
    for (std::size_t size = 0; size < reply.size(); ++size)
        EXPECT_TRUE(parse_dns_reply(reply.substr(0, size), question, AddressKind::v4).addresses.empty()) << size;
    EXPECT_FALSE(
        parse_dns_reply(reply, dns_question(0x1235, "reg.example.com", AddressKind::v4), AddressKind::v4).matches);
    EXPECT_FALSE(
        parse_dns_reply(reply, dns_question(0x1234, "other.example.com", AddressKind::v4), AddressKind::v4).matches);
    EXPECT_THROW((void)dns_question(1, std::string(64, 'a'), AddressKind::v4), Error);
    EXPECT_THROW((void)dns_question(1, "a..b", AddressKind::v4), Error);
}

class FolderTest : public testing::Test {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() /
                 ("compose-content-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(folder);
        fs::create_directories(folder);
    }
    void TearDown() override { fs::remove_all(folder); }
    fs::path folder;
};

class ContentStoreTest : public FolderTest {};

TEST_F(ContentStoreTest, KeepsOnlyWhatHasItsDigest) {
    const ContentStore store(folder / "blobs");
    const Interrupt interrupt{std::stop_token()};
    const auto digest = "sha256:" + sha256_hex("hello");
    {
        PartialBlob blob(store, digest, interrupt);
        blob.append("jello");
        EXPECT_THROW(blob.verify(), Error);
        EXPECT_EQ(blob.size(), 0);
        blob.append("hello");
        blob.verify();
        blob.commit();
    }
    EXPECT_TRUE(store.has(digest));
    EXPECT_EQ(store.size(digest), 5);
    EXPECT_TRUE(PartialBlob(store, digest, interrupt).complete());
    EXPECT_THROW((void)store.path("sha256:../../etc/passwd"), Error);
}

TEST_F(ContentStoreTest, GoesOnFromWhatIsThere) {
    ContentStore store(folder / "blobs");
    const Interrupt interrupt{std::stop_token()};
    const auto digest = "sha256:" + sha256_hex("hello");
    { PartialBlob(store, digest, interrupt).append("hel"); }
    std::string seen;
    PartialBlob blob(store, digest, interrupt);
    EXPECT_EQ(blob.size(), 3);
    blob.replay([&](std::string_view bytes) { seen += bytes; });
    // Someone is at it: no clean-up takes it.
    EXPECT_EQ(store.remove_unused({}, true), 0);
    blob.append("lo");
    blob.verify();
    blob.commit();
    EXPECT_EQ(seen, "hel");
    EXPECT_EQ(store.remove_unused({digest}, true), 0);
    EXPECT_EQ(store.remove_unused({}, false), 5);
    EXPECT_FALSE(store.has(digest));
}

TEST_F(ContentStoreTest, TheSecondWaitsForTheFirst) {
    const ContentStore store(folder / "blobs");
    const Interrupt interrupt{std::stop_token()};
    const auto digest = "sha256:" + sha256_hex("hello");
    auto first = std::make_unique<PartialBlob>(store, digest, interrupt);
    bool complete = false;
    std::jthread second([&] { complete = PartialBlob(store, digest, interrupt).complete(); });
    first->append("hello");
    first->verify();
    first->commit();
    first.reset();
    second.join();
    EXPECT_TRUE(complete);
}

class TextSink final : public ByteSink {
public:
    void write(std::string_view bytes) override { text += bytes; }
    std::string text;
};

TEST(Gzip, TheSameBytesWhateverTheThreads) {
    std::string text;
    for (int i = 0; i < 700'000; ++i) text += std::to_string(i);
    std::string first;
    for (const unsigned threads : {1U, 2U, 5U}) {
        TextSink out;
        GzipSink gzip(out, threads);
        for (std::size_t at = 0; at < text.size(); at += 99'991) gzip.write(std::string_view(text).substr(at, 99'991));
        gzip.finish();
        if (first.empty()) first = out.text;
        EXPECT_EQ(out.text, first) << threads;
    }
    MemorySource packed(first);
    const auto plain = decompress(packed);
    std::string back;
    for (auto bytes = plain->peek(); !bytes.empty(); bytes = plain->peek()) {
        back += bytes;
        plain->consume(bytes.size());
    }
    EXPECT_EQ(back, text);
    TextSink empty;
    GzipSink gzip(empty, 1);
    gzip.finish();
    EXPECT_FALSE(empty.text.empty());
}

class CredentialsTest : public FolderTest {};

TEST_F(CredentialsTest, StoresFindsAndForgets) {
    CredentialFile file({{"DOCKER_CONFIG", folder}, {"PATH", "/usr/bin:/bin"}});
    EXPECT_FALSE(file.find("reg.example.com"));
    EXPECT_EQ(file.store("reg.example.com", {.user = "ann", .secret = "a:b"}), file.path());
    file.store("docker.io", {.user = "bob", .secret = "x"});
    EXPECT_EQ(file.find("reg.example.com")->secret, "a:b");
    EXPECT_EQ(file.find("docker.io")->user, "bob");
    EXPECT_FALSE(file.find("other.example.com"));
    EXPECT_EQ(fs::status(file.path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(file.erase("reg.example.com"));
    EXPECT_FALSE(file.erase("reg.example.com"));
    EXPECT_TRUE(file.find("docker.io"));
}

TEST_F(CredentialsTest, WhatCanNotBeReadIsNoReasonToGoWithout) {
    const CredentialFile file({{"DOCKER_CONFIG", folder}, {"PATH", "/usr/bin:/bin"}});
    for (const char* text :
         {"{", "[]", R"({"auths": {"r.io": {"auth": "%%%"}}})", R"({"auths": {"r.io": {"auth": "YWI="}}})",
          R"({"credsStore": "no-such-helper"})", R"({"credHelpers": {"r.io": "../../bin/sh"}})"}) {
        std::ofstream(file.path()) << text;
        EXPECT_THROW((void)file.find("r.io"), Error) << text;
    }
    std::ofstream(file.path()) << R"({"auths": {"https://r.io/v2/": {"identitytoken": "t", "auth": "YTpi"}}})";
    EXPECT_TRUE(file.find("r.io")->identity_token);
}

}  // namespace
}  // namespace compose::image
