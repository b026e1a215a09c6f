// A registry that lies (tests/support/hostile_registry.py): a clear error, nothing half an image, no password for
// others. Families M and R of the reference's bad input and its CVE rows K37 to K53, each named where it is tested; R13
// and what needs TLS is in tls_test.cpp, R16 in tests/unit/image/registry_test.cpp, kills and full disks in
// pull_faults_test.cpp, archives and what is done with an image in image_hostile_test.cpp.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/background.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Lie {
    const char* scenario;
    const char* message;
};

std::size_t files_in(const std::string& folder) {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (!entry.path().filename().string().starts_with('.')) ++count;
    return count;
}

class HostileTest : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        box.emplace();
        box->environment["COMPOSE_HTTP_TIMEOUT"] = "2";
        registry.emplace(*box);
        box->write(".docker/config.json",
                   "{\"auths\": {\"" + registry->host() + "\": {\"auth\": \"YW5uOnNlY3JldA==\"}}}\n");
        box->environment["DOCKER_CONFIG"] = box->path(".docker");
        layers_before = files_in(box->state() + "/layers");
    }
    void TearDown() override {
        if (!box) return;
        EXPECT_THAT(registry->leaks(), IsEmpty());
        registry.reset();
        box.reset();
    }
    void refuses(const std::vector<Lie>& lies) {
        for (const auto& lie : lies) {
            const auto result = box->compose({"image", "pull", registry->name(lie.scenario)});
            EXPECT_EQ(result.exit_code, 1) << lie.scenario << result.out;
            EXPECT_THAT(result.err, HasSubstr(lie.message)) << lie.scenario;
            EXPECT_EQ(files_in(box->state() + "/layers"), layers_before) << lie.scenario;
            EXPECT_EQ(files_in(box->state() + "/blobs/sha256"), 0U) << lie.scenario;
        }
        EXPECT_THAT(box->ok({"image", "ls"}), Not(HasSubstr(registry->host())));
    }
    void accepts(const std::vector<std::string>& scenarios) {
        for (const auto& scenario : scenarios) {
            const auto result = box->compose({"image", "pull", registry->name(scenario)});
            EXPECT_EQ(result.exit_code, 0) << scenario << result.err;
            box->ok({"image", "rm", registry->name(scenario)});
        }
    }

    std::optional<Sandbox> box;
    std::optional<HostileRegistry> registry;
    std::size_t layers_before = 0;
};

TEST_F(HostileTest, ManifestsThatLie) {
    refuses({{"html", "bad manifest"},          // R04
             {"not-json", "bad manifest"},      // M01: a byte order mark, then no JSON
             {"nul-json", "bad manifest"},      // M01
             {"deep-json", "bad manifest"},     // M02
             {"manifest-5m", "longer than"},    // M03
             {"both-kinds", "both an image"},   // M05, K45
             {"media-mismatch", "the server"},  // M06, K45
             {"schema1", "schema 1"},           // M07
             {"schema3", "schemaVersion 3"},
             {"schema-text", "no schemaVersion"},
             {"digest-path", "is no digest"},  // M08, K44
             {"digest-md5", "is no digest"},
             {"digest-upper", "is no digest"},
             {"digest-short", "is no digest"},
             {"digest-long", "is no digest"},
             {"size-negative", "can't be"},  // M09, K51
             {"size-huge", "can't be"},
             {"size-text", "has no size"},
             {"many-layers", "10000 layers"},  // M10
             {"no-layers", "no layers"},
             {"layer-type", "no container image"},
             {"layer-types", "layer is no object"},
             {"layer-encrypted", "encrypted"},
             {"config-type", "no container image"},
             {"index-loop", "without end"},  // M12
             {"index-nested", "without end"},
             {"index-none", "only for linux/s390x"},  // M13
             {"index-types", "platform is no object"},
             {"index-lies", "the index says"},
             {"content-digest", "the registry calls the manifest"},  // R10
             {"gone", "has no "},
             {"denied", "denies access"}});
}

TEST_F(HostileTest, ConfigsAndLayersThatLie) {
    refuses({{"bad-layer", "was asked for, but the bytes that came are"},
             {"bad-config", "was asked for, but the bytes that came are"},
             {"size-small", "the manifest says"},  // M09
             {"size-large", "the manifest says"},
             {"length-plus", "the registry says"},  // R05
             {"length-minus", "the registry says"},
             {"longer", "sends more than"},
             {"diff-ids-missing", "the image's config 0"},  // M11
             {"wrong-diff-id", "the image's config says"},
             {"env-strange", "image config"},  // M16, and config_test.cpp
             {"entrypoint-strange", "image config"},
             {"volumes-climb", "image config"},
             {"history-strange", "image config"},  // M17
             {"config-empty", "config"},           // M19
             {"garbage-gzip", "gzip stream"},      // K37, T27
             {"truncated-gzip", "gzip stream"},
             {"packed-twice", "not a tar archive"}});
}

TEST_F(HostileTest, OddImagesThatAreSound) {
    accepts({"duplicate-keys",                                   // M04: the last one counts, as it does elsewhere
             "foreign-urls",                                     // M14: from the registry, whatever else is named
             "data-field",                                       // M15: not believed, not used
             "history-long",                                     // M17
             "zstd", "wrong-machine", "encoded", "tag-moves"});  // R11: the tag is asked for once
    int asked = 0;
    for (const auto& line : registry->requests())
        if (line.find("/tag-moves/manifests/1\"") != std::string::npos) ++asked;
    EXPECT_EQ(asked, 1);
    refuses({{"foreign-gone", "has no "}});  // M14, K47: nobody else is asked for it, with or without a name
    for (const auto& line : registry->requests()) EXPECT_THAT(line, Not(HasSubstr("/stored/x")));
}

// M10: 200 times the same layer is fetched once.
TEST_F(HostileTest, TheSameLayerManyTimes) {
    accepts({"same-layer"});
    int layers = 0;
    for (const auto& line : registry->requests())
        if (line.find("/blobs/") != std::string::npos) ++layers;
    EXPECT_EQ(layers, 2) << "the config and the layer";
}

TEST_F(HostileTest, HttpThatLies) {
    refuses({{"redirect-loop", "redirects more than"},  // R01
             {"redirect-chain-100", "redirects more than"},
             {"redirect-file", "only http and https"},  // R02, and tls_test.cpp
             {"redirect-unix", "only http and https"},
             {"redirect-metadata", "an address of this machine or link"},
             {"redirect-nowhere", ""},
             {"header-huge", "HTTP"},  // R09
             {"headers-many", "HTTP"},
             {"header-nul", "HTTP"},
             {"interim-flood", "interim answers"},  // R14
             {"continue-endless", "interim answers"},
             {"two-lengths", "HTTP"},
             {"length-and-chunked", ""},
             {"no-http", ""}});
    accepts({"redirect-chain-9"});
}

TEST_F(HostileTest, ServersThatDoNothing) {  // R05
    refuses({{"always-cut", "connection"}, {"drip", "next to nothing"}});
}

TEST_F(HostileTest, AuthenticationThatLies) {
    refuses({{"auth-loop", "denies access"},  // R03
             {"realm-file", "only http and https"},
             {"realm-empty", "it has no scheme"},
             {"realm-metadata", "not protected by TLS"},  // K50, and tls_test.cpp
             {"realm-link-local", "an address of this machine or link"},
             {"realm-number", "an address of this machine or link"},
             {"realm-userinfo", "carries a name or a password"},
             {"token-empty", "no token that can be used"},
             {"token-huge", "longer than"},                // R03, K43
             {"token-crlf", "no token that can be used"},  // R09
             {"token-html", "token server"},
             {"token-redirect", "status 302"}});
    accepts({"token-good", "token-forever", "token-expires"});  // R03: expires_in -1, 1e18; one that ends on the way
}

TEST_F(HostileTest, InterruptionsAreGoneOnFrom) {
    accepts({"cut-resume", "cut-validated",              // by Range, with If-Range where the server names a version
             "cut-whole", "cut-wrong-range", "cut-416",  // R06
             "cut-often", "busy-once", "busy-date", "busy-huge",  // R08
             "broken-once", "index-good", "redirect-blob"});
    refuses({{"chunks-cut", "connection"}});  // R05
}

TEST_F(HostileTest, OtherBytesAfterAResumptionAreNoticed) {  // M20
    refuses({{"cut-other-bytes", "was asked for, but the bytes that came are"}});
    // Nothing of it stays: the next try begins anew, and this time the server is honest.
    accepts({"cut-other-bytes"});
}

TEST_F(HostileTest, PasswordsStayWithTheirOrigin) {  // K47, K48, K49: TearDown looks at what the other host has heard
    accepts({"redirect-auth"});
    box->ok({"image", "tag", "busybox", registry->name("push-elsewhere")});
    box->ok({"image", "push", registry->name("push-elsewhere")});
    const auto requests = registry->requests();
    EXPECT_TRUE(std::any_of(requests.begin(), requests.end(), [](const std::string& line) {
        return line.find("\"b\"") != std::string::npos && line.find("/upload") != std::string::npos;
    })) << "the other host was never asked: the test tests nothing";
}

TEST_F(HostileTest, ListsOfTagsEnd) {  // R12
    const auto all = [&](const std::string& scenario) {
        return box->fails({"image", "pull", "--all-tags", registry->host() + "/x/" + scenario});
    };
    EXPECT_THAT(all("tags-elsewhere"), HasSubstr("which is not the registry"));
    EXPECT_THAT(all("tags-self"), HasSubstr("has no end"));
    EXPECT_THAT(all("tags-loop"), HasSubstr("has no end"));
    EXPECT_LT(registry->requests().size(), 300U);
}

// K52: what can't be found out is no reason to go without, and nobody is asked anything.
TEST_F(HostileTest, ABrokenHelperStopsEverything) {
    box->write(".docker/config.json", "{\"credsStore\": \"broken\"}\n");
    box->write("bin/docker-credential-broken", "#!/bin/sh\necho 'the vault is sealed'\nexit 1\n", 0755);
    box->environment["PATH"] = box->path("bin") + ":" + box->environment["PATH"];
    EXPECT_THAT(box->fails({"image", "pull", registry->name("helper-broken")}), HasSubstr("the vault is sealed"));
    for (const auto& line : registry->requests()) EXPECT_THAT(line, HasSubstr("\"authorization\": \"\"")) << line;
}

TEST_F(HostileTest, IdentityTokens) {
    const auto name = registry->name("identity");
    const auto file = [&](const std::string& entry) {
        box->write(".docker/config.json", "{\"auths\": {\"" + registry->host() + "\": " + entry + "}}\n");
    };
    file(R"({"auth": "PHRva2VuPjo=", "identitytoken": "the-identity"})");
    box->ok({"image", "pull", name});
    box->ok({"image", "rm", name});
    file(R"({"auth": "PHRva2VuPjo=", "identitytoken": "another"})");
    EXPECT_THAT(box->fails({"image", "pull", name}), HasSubstr("does not accept"));
    // From a helper: the user's name says what the secret is.
    box->write(".docker/config.json", "{\"credsStore\": \"vault\"}\n");
    box->write("bin/docker-credential-vault",
               "#!/bin/sh\necho '{\"Username\": \"<token>\", \"Secret\": \"the-identity\"}'\n", 0755);
    box->environment["PATH"] = box->path("bin") + ":" + box->environment["PATH"];
    box->ok({"image", "pull", name});
    // The token itself is nowhere but in the body that asks for another one.
    for (const auto& line : registry->requests()) EXPECT_THAT(line, Not(HasSubstr("the-identity")));
}

TEST_F(HostileTest, PushesThatGoWrong) {  // R15
    const auto push = [&](const std::string& scenario) {
        box->ok({"image", "tag", "busybox", registry->name(scenario)});
        return box->compose({"image", "push", registry->name(scenario)});
    };
    EXPECT_THAT(push("push-file").err, HasSubstr("only http and https"));
    EXPECT_THAT(push("push-link-local").err, HasSubstr("an address of this machine or link"));
    EXPECT_THAT(push("push-nowhere").err, HasSubstr("does not say where the upload goes"));
    EXPECT_THAT(push("push-broken-commit").err, HasSubstr("status 500"));
    EXPECT_THAT(push("push-too-large").err, HasSubstr("the registry says that it has"));
    EXPECT_THAT(push("push-other").err, HasSubstr("has stored"));
}

TEST_F(HostileTest, PushesInChunks) {
    const auto patches = [&](const std::string& scenario) {
        box->ok({"image", "tag", "busybox", registry->name(scenario)});
        box->ok({"image", "push", registry->name(scenario)});
        const auto requests = registry->requests();
        return std::count_if(requests.begin(), requests.end(), [&](const std::string& line) {
            return line.find("PATCH") != std::string::npos && line.find(scenario + "/") != std::string::npos;
        });
    };
    EXPECT_EQ(patches("push-relative"), 0) << "in one go where that is taken";
    EXPECT_EQ(patches("push-chunks"), 2) << "the first chunk was refused, and sent again";
    EXPECT_GT(patches("push-short"), 2) << "the registry took a part of each";
    EXPECT_EQ(patches("push-chunk-min"), 1);
}

TEST_F(HostileTest, TarsCanNotClimbOut) {  // K38, K39; all of family T is in tests/unit/image
    const auto result = box->compose({"image", "pull", registry->name("tar-climbs")});
    for (const char* canary : {"/canary", "/canary2", "/canary3"}) EXPECT_FALSE(std::filesystem::exists(canary));
    for (const std::string& folder : std::vector<std::string>{box->state(), box->path(""), "/tmp"})
        EXPECT_FALSE(std::filesystem::exists(folder + "/canary")) << folder;
    if (result.exit_code != 0) {
        EXPECT_THAT(result.err, HasSubstr("entry"));
    }
}

/// Kilobytes that a pull held at its peak, however it ended.
long peak_of_pull(const Sandbox& box, const std::string& name) {
    const auto result = box.host({"/usr/bin/env", "sh", "-c",
                                  "COMPOSE_STATE_DIR=$1 COMPOSE_RUN_DIR=$2 HOME=$3 COMPOSE_HTTP_TIMEOUT=5 "
                                  "exec python3 -c 'import resource,subprocess,sys; subprocess.run(sys.argv[1:]);"
                                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "
                                  "$4 image pull -q $5",
                                  "sh", box.state(), box.run_dir(), box.folder(), COMPOSE_BINARY, name});
    EXPECT_TRUE(result.ok()) << result.err;
    return std::stol(split(std::string(trim(result.out)), '\n').back());
}

TEST_F(HostileTest, MemoryStaysSmallWhateverTheSize) {  // K43, T27
    for (const char* scenario : {"zeros", "manifest-endless", "manifest-5m", "token-huge", "header-huge", "deep-json"})
        EXPECT_LT(peak_of_pull(*box, registry->name(scenario)), 64 * 1024) << scenario;
}

}  // namespace
}  // namespace compose::test
