// A registry that lies (tests/support/hostile_registry.py): a clear error, nothing half an image, no password for
// others.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

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
    refuses({{"html", "bad manifest"},
             {"not-json", "bad manifest"},
             {"deep-json", "bad manifest"},
             {"manifest-5m", "longer than"},
             {"manifest-endless", "longer than"},
             {"content-digest", "the registry calls the manifest"},
             {"digest-path", "is no digest"},
             {"digest-md5", "is no digest"},
             {"digest-upper", "is no digest"},
             {"digest-short", "is no digest"},
             {"size-negative", "can't be"},
             {"size-huge", "can't be"},
             {"size-text", "has no size"},
             {"layer-type", "no container image"},
             {"layer-encrypted", "encrypted"},
             {"config-type", "no container image"},
             {"both-kinds", "both an image and a list"},
             {"schema1", "schema 1"},
             {"schema3", "schemaVersion 3"},
             {"schema-text", "no schemaVersion"},
             {"many-layers", "10000 layers"},
             {"no-layers", "no layers"},
             {"media-mismatch", "the server says"},
             {"index-none", "only for linux/s390x"},
             {"index-loop", "without end"},
             {"index-nested", "without end"},
             {"index-lies", "the index says"},
             {"gone", "has no "},
             {"denied", "denies access"}});
}

TEST_F(HostileTest, ConfigsAndLayersThatLie) {
    refuses({{"bad-layer", "was asked for, but the bytes that came are"},
             {"bad-config", "was asked for, but the bytes that came are"},
             {"garbage-gzip", "gzip stream"},
             {"truncated-gzip", "gzip stream"},
             {"wrong-diff-id", "the image's config says"},
             {"diff-ids-missing", "the image's config 0"},
             {"size-small", "the manifest says"},
             {"size-large", "the manifest says"},
             {"length-plus", "the registry says"},
             {"length-minus", "the registry says"},
             {"longer", "sends more than"},
             {"env-strange", "image config"},
             {"entrypoint-strange", "image config"},
             {"volumes-climb", "image config"}});
}

TEST_F(HostileTest, HttpThatLies) {
    refuses({{"redirect-loop", "redirects more than"},
             {"redirect-file", "only http and https"},
             {"redirect-nowhere", ""},
             {"header-huge", "HTTP"},
             {"headers-many", "HTTP"},
             {"interim-flood", "interim answers"},
             {"two-lengths", "HTTP"},
             {"length-and-chunked", ""},
             {"no-http", ""}});
}

TEST_F(HostileTest, ServersThatDoNothing) {
    refuses({{"always-cut", "connection"}, {"drip", "next to nothing"}});
}

TEST_F(HostileTest, AuthenticationThatLies) {
    refuses({{"auth-loop", "denies access"},
             {"realm-file", "only http and https"},
             {"realm-empty", "it has no scheme"},
             {"realm-metadata", "not protected by TLS"},
             {"realm-userinfo", "carries a name or a password"},
             {"token-empty", "no token that can be used"},
             {"token-huge", "longer than"},
             {"token-crlf", "no token that can be used"},
             {"token-html", "token server"},
             {"token-redirect", "status 302"}});
}

TEST_F(HostileTest, InterruptionsAreGoneOnFrom) {
    accepts({"cut-resume", "cut-whole", "cut-wrong-range", "cut-416", "cut-often", "encoded", "busy-once",
             "broken-once", "index-good", "token-good", "redirect-blob"});
}

TEST_F(HostileTest, OtherBytesAfterAResumptionAreNoticed) {
    refuses({{"cut-other-bytes", "was asked for, but the bytes that came are"}});
    // Nothing of it stays: the next try begins anew, and this time the server is honest.
    accepts({"cut-other-bytes"});
}

TEST_F(HostileTest, PasswordsStayWithTheirOrigin) {
    accepts({"redirect-auth"});
    box->ok({"image", "tag", "busybox", registry->name("push-elsewhere")});
    box->ok({"image", "push", registry->name("push-elsewhere")});
    const auto requests = registry->requests();
    EXPECT_TRUE(std::any_of(requests.begin(), requests.end(), [](const std::string& line) {
        return line.find("\"b\"") != std::string::npos && line.find("/upload") != std::string::npos;
    })) << "the other host was never asked: the test tests nothing";
    EXPECT_THAT(box->fails({"image", "pull", "--all-tags", registry->host() + "/x/tags-elsewhere"}),
                HasSubstr("which is not the registry"));
}

TEST_F(HostileTest, PushesThatGoWrong) {
    const auto push = [&](const std::string& scenario) {
        box->ok({"image", "tag", "busybox", registry->name(scenario)});
        return box->compose({"image", "push", registry->name(scenario)});
    };
    EXPECT_THAT(push("push-file").err, HasSubstr("only http and https"));
    EXPECT_THAT(push("push-nowhere").err, HasSubstr("does not say where the upload goes"));
    EXPECT_THAT(push("push-broken-commit").err, HasSubstr("status 500"));
    EXPECT_THAT(push("push-too-large").err, HasSubstr("the registry says that it has"));
    EXPECT_THAT(push("push-other").err, HasSubstr("has stored"));
}

TEST_F(HostileTest, TarsCanNotClimbOut) {
    const auto result = box->compose({"image", "pull", registry->name("tar-climbs")});
    for (const char* canary : {"/canary", "/canary2", "/canary3"}) EXPECT_FALSE(std::filesystem::exists(canary));
    for (const std::string& folder : std::vector<std::string>{box->state(), box->path(""), "/tmp"})
        EXPECT_FALSE(std::filesystem::exists(folder + "/canary")) << folder;
    if (result.exit_code != 0) {
        EXPECT_THAT(result.err, HasSubstr("entry"));
    }
}

TEST_F(HostileTest, MemoryStaysSmallWhateverTheSize) {
    const auto result =
        box->host({"/usr/bin/env", "sh", "-c",
                   "COMPOSE_STATE_DIR=$1 COMPOSE_RUN_DIR=$2 HOME=$3 "
                   "exec python3 -c 'import resource,subprocess,sys; r=subprocess.run(sys.argv[1:]);"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(r.returncode)' "
                   "$4 image pull -q $5",
                   "sh", box->state(), box->run_dir(), box->folder(), COMPOSE_BINARY, registry->name("zeros")});
    ASSERT_TRUE(result.ok()) << result.err;
    const auto lines = split(std::string(trim(result.out)), '\n');
    EXPECT_LT(std::stol(lines.back()), 64 * 1024) << "kilobytes";
}

TEST_F(HostileTest, AKilledPullLeavesTheStoreSoundAndTheNextGoesOn) {
    const auto name = registry->name("slow");
    for (int round = 0; round < 4; ++round) {
        Background pull(*box,
                        {"env", "COMPOSE_STATE_DIR=" + box->state(), "COMPOSE_RUN_DIR=" + box->run_dir(),
                         COMPOSE_BINARY, "image", "pull", name},
                        box->path("pull.log"));
        std::this_thread::sleep_for(std::chrono::milliseconds(150 + 100 * round));
        pull.kill(SIGKILL);
        EXPECT_THAT(box->ok({"image", "ls"}), Not(HasSubstr("slow")));
    }
    box->ok({"image", "pull", name});
    const auto requests = registry->requests();
    box->write("compose.yaml", "services: {a: {image: \"" + name + "\", command: x}}\n");
    box->ok({"image", "rm", name});
    EXPECT_EQ(files_in(box->state() + "/layers"), layers_before);
}

}  // namespace
}  // namespace compose::test
