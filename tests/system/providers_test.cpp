// Providers and models: programs of the host in the dependency order, and what they say in their dependents'
// environment.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSleeper = "image: busybox, command: sleep 1000, stop_grace_period: 0s";
// What a provider says of itself: without this it is not asked to stop.
constexpr const char* kMetadata = R"([ "$2" != metadata ] || exec echo '{"description": "a cloud",
    "up": {"parameters": [{"name": "size", "required": true}]}, "down": {}, "stop": {}}'
)";

void put_in_path(Sandbox& box) {
    box.environment["PATH"] = box.path("bin") + ":" + box.environment["PATH"];
}

void write_program(const Sandbox& box, const std::string& name, const std::string& body) {
    box.write("bin/" + name, "#!/bin/sh\n" + body, 0755);
}

std::string text_of(const Sandbox& box, const std::string& name) {
    return sys::read_file_if_exists(box.path(name)).value_or("");
}

std::string environment_of(const Sandbox& box, const std::string& service) {
    return box.ok({"exec", "-T", service, "env"});
}

TEST(Providers, GiveVariablesToTheirDependents) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    write_program(box, "cloud-db", R"([ "$2" != metadata ] || exit 1
echo "$@" >> calls
[ "$3" = up ] || exit 0
echo '{"type": "info", "message": "warming up"}'
echo '{"type": "setenv", "message": "URL=db://cloud"}'
echo '{"type": "rawsetenv", "message": "REGION=north"}'
)");
    const auto file = [&](const char* type) {
        box.write("compose.yaml", std::string("services:\n  db: {provider: {type: ") + type +
                                      ", options: {size: small, tag: [a, b]}}}\n  web: {" + kSleeper +
                                      ", depends_on: [db]}\n  other: {" + kSleeper + "}\n");
    };
    file("cloud-db");
    EXPECT_THAT(box.compose({"up", "-d"}).err, HasSubstr("warming up"));
    EXPECT_EQ(text_of(box, "calls"), "compose --project-name=demo up --size=small --tag=a --tag=b db\n");
    EXPECT_THAT(environment_of(box, "web"), AllOf(HasSubstr("DB_URL=db://cloud"), HasSubstr("REGION=north")));
    EXPECT_THAT(environment_of(box, "other"), Not(HasSubstr("cloud")));
    EXPECT_EQ(box.ps().size(), 2U);
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "web", "sh", "-c", "echo $DB_URL"}), "db://cloud\n");
    const auto web = box.field("demo-web-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    box.ok({"rm", "-sf"});
    sys::write_file(box.path("calls"), "");
    box.write("compose.yaml",
              "services:\n  db: {provider: {type: cloud-db, options: {size: small}}}\n"
              "  web: {image: busybox, command: [sh, -c, 'echo at $$DB_URL'], depends_on: [db]}\n");
    EXPECT_THAT(box.ok({"up", "--no-color", "--remove-orphans"}), HasSubstr("at db://cloud"));
    EXPECT_EQ(text_of(box, "calls"), "compose --project-name=demo up --size=small db\n");
    box.ok({"up", "-d", "db"});
    box.ok({"up", "db"});
    box.ok({"stop"});
    EXPECT_THAT(text_of(box, "calls"), Not(HasSubstr(" stop ")));  // its metadata does not say that it can
    box.ok({"down"});
    EXPECT_THAT(text_of(box, "calls"), HasSubstr(" down --size=small"));
}

TEST(Providers, FailuresSayWhereAndStopTheirDependentsOnly) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    box.write("compose.yaml", std::string("services:\n  db: {provider: {type: cloud-db}}\n  web: {") + kSleeper +
                                  ", depends_on: [db]}\n  next: {" + kSleeper + ", depends_on: [web]}\n  other: {" +
                                  kSleeper + "}\n  after: {" + kSleeper + ", depends_on: [other]}\n");
    EXPECT_THAT(box.fails({"up", "-d"}),
                AllOf(HasSubstr("compose.yaml:2:8: error: services.db.provider: there is no program \"cloud-db\"")));
    EXPECT_TRUE(box.ps().empty());  // found before anything was made
    write_program(box, "cloud-db", "echo '{\"type\": \"error\", \"message\": \"quota exceeded\"}'\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("compose.yaml:2:8: error: services.db.provider: quota exceeded"));
    EXPECT_EQ(box.ps().size(), 3U);  // web is not made
    EXPECT_EQ(box.field("demo-after-1", "State"), "running");
    EXPECT_EQ(box.field("demo-next-1", "State"), "created");
    write_program(box, "cloud-db", "[ \"$2\" = metadata ] || echo 'ready!'\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("not a line of its protocol"));
    write_program(box, "cloud-db", "echo broken >&2; exit 3\n");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("failed with exit code 3: broken"));
    write_program(box, "cloud-db", kMetadata);
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("needs the option \"size\""));
    // Who can do without it does.
    box.write("compose.yaml", std::string("services:\n  db: {provider: {type: cloud-db}}\n  web: {") + kSleeper +
                                  ", depends_on: {db: {condition: service_started, required: false}}}\n");
    box.ok({"up", "-d", "--remove-orphans"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

TEST(Providers, AreAskedInTheirPlaceAndEndInTheReverseOrder) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    std::filesystem::create_directories(box.path("w"));
    write_program(box, "cloud", std::string(kMetadata) + R"!(echo "$3 $(ls w | tr '\n' ' ')" >> calls
[ "$3" = up ] || exit 0
echo '{"type": "get-service-config"}'
read -r config; echo "$config" > config
echo '{"type": "setenv", "message": "URL=x"}'
)!");
    const auto service = [](const char* name, const char* more) {
        return std::string("  ") + name +
               ":\n    image: busybox\n    stop_grace_period: 20s\n    volumes: [./w:/w]\n    init: true\n"
               "    command: [sh, -c, 'trap \"rm /w/" +
               name + "; exit 0\" TERM; sleep 0.3; env > /w/" + name + "; while :; do sleep 0.1; done']\n" + more;
    };
    box.write("compose.yaml", "services:\n" +
                                  service("db", "    healthcheck: {test: [CMD, test, -s, /w/db], interval: 100ms}\n") +
                                  "  cloud:\n    provider: {type: cloud, options: {size: small, other: x}}\n"
                                  "    depends_on: {db: {condition: service_healthy}}\n" +
                                  service("web",
                                          "    depends_on: [cloud]\n"
                                          "    healthcheck: {test: [CMD, test, -s, /w/web], interval: 100ms}\n"));
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(text_of(box, "calls"), "up db \n");
    EXPECT_THAT(text_of(box, "config"), AllOf(HasSubstr("\"type\":\"cloud\""), HasSubstr("\"size\":[\"small\"]")));
    EXPECT_THAT(text_of(box, "w/web"), HasSubstr("CLOUD_URL=x"));
    EXPECT_THAT(text_of(box, "w/db"), Not(HasSubstr("CLOUD_URL")));
    box.ok({"stop"});
    EXPECT_EQ(text_of(box, "calls"), "up db \nstop db \n");
    box.ok({"up", "-d", "--wait"});
    box.ok({"down"});
    EXPECT_EQ(text_of(box, "calls"), "up db \nstop db \nup db \ndown db \n");
    EXPECT_TRUE(std::filesystem::is_empty(box.path("w")));
}

TEST(Providers, OtherVariablesMakeContainersAnewAndTheSameDoNot) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    write_program(box, "one", "[ \"$2\" = metadata ] || cat says\n");
    write_program(box, "two", "[ \"$2\" = metadata ] || echo '{\"type\": \"setenv\", \"message\": \"B=1\"}'\n");
    const auto says = [&](const char* value) {
        box.write("says", std::string("{\"type\": \"setenv\", \"message\": \"A=") + value + "\"}\n");
    };
    says("1");
    box.write("compose.yaml", std::string("services:\n  one: {provider: {type: one}}\n  two: {provider: {type: two}}\n"
                                          "  web: {") +
                                  kSleeper + ", depends_on: [one, two]}\n  next: {" + kSleeper +
                                  ", depends_on: {web: {condition: service_started, restart: true}}}\n  other: {" +
                                  kSleeper + ", depends_on: [two]}\n");
    box.ok({"up", "-d"});
    const auto web = box.field("demo-web-1", "ID"), other = box.field("demo-other-1", "ID");
    const int next = box.pid_of("demo-next-1");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    says("2");
    // Nothing is asked, so nothing is known.
    EXPECT_THAT(box.compose({"plan"}).out,
                AllOf(HasSubstr("? ask Provider one: its variables are unknown until then"),
                      HasSubstr("? compare Container demo-web-1: replaced if other variables come than it has"),
                      Not(HasSubstr("replace Container"))));
    EXPECT_THAT(box.compose({"up", "-d", "--dry-run"}).err,
                AllOf(HasSubstr("one Would be asked: its variables are unknown until then"),
                      HasSubstr("Container demo-web-1 Replaced if other variables come than it has")));
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-web-1", "ID"), web);
    EXPECT_EQ(box.field("demo-other-1", "ID"), other);
    EXPECT_NE(box.pid_of("demo-next-1"), next);
    EXPECT_THAT(environment_of(box, "web"), AllOf(HasSubstr("ONE_A=2"), HasSubstr("TWO_B=1")));
    // One that stands still is not started with what was true once.
    box.ok({"stop", "-t", "0", "web"});
    says("3");
    box.ok({"up", "-d"});
    EXPECT_THAT(environment_of(box, "web"), HasSubstr("ONE_A=3"));
    box.ok({"up", "-d", "--no-deps", "--force-recreate", "other"});
    EXPECT_THAT(environment_of(box, "web"), HasSubstr("ONE_A=3"));
}

// Each waits for the other.
TEST(Providers, ThatDoNotNeedEachOtherAreAskedAtOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    const auto program = [](const char* own, const char* other) {
        return std::string("[ \"$2\" != metadata ] || exit 1\n[ \"$3\" = up ] || exit 0\ntouch ") + own +
               "\nfor i in $(seq 300); do [ -e " + other + " ] && exit 0; sleep 0.1; done\nexit 1\n";
    };
    write_program(box, "one", program("1", "2"));
    write_program(box, "two", program("2", "1"));
    box.write("compose.yaml", std::string("services:\n  one: {provider: {type: one}}\n  two: {provider: {type: two}}\n"
                                          "  web: {") +
                                  kSleeper + ", depends_on: [one, two]}\n");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

TEST(Providers, InTheForegroundFindWhatTheyWaitForRunning) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    write_program(box, "cloud", R"!([ "$2" != metadata ] || exit 1
[ "$3" = up ] || exit 0
echo "{\"type\": \"setenv\", \"message\": \"DB=$(echo $(cat w/db))\"}"
)!");
    std::filesystem::create_directories(box.path("w"));
    box.write(
        "compose.yaml",
        "services:\n  db: {image: busybox, volumes: ['./w:/w'], command: [sh, -c, 'echo -n \" here\" >> /w/db']}\n"
        "  cloud:\n    provider: {type: cloud}\n"
        "    depends_on: {db: {condition: service_completed_successfully}}\n"
        "  web: {image: busybox, command: [sh, -c, 'echo db is $$CLOUD_DB'], depends_on: [cloud]}\n");
    EXPECT_THAT(box.ok({"up", "--no-color"}), HasSubstr("db is here"));
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "web"}), "db is here\n");
    // All is done anew, and once.
    const auto db = box.field("demo-db-1", "ID");
    EXPECT_THAT(box.ok({"up", "--no-color", "--force-recreate"}), HasSubstr("db is here here"));
    EXPECT_EQ(text_of(box, "w/db"), " here here");
    EXPECT_NE(box.field("demo-db-1", "ID"), db);
}

TEST(Providers, AndServicesWithoutContainersDoNotKeepCtrlCFromStoppingTheRest) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    write_program(box, "cloud", std::string(kMetadata) + "echo $3 >> calls\n");
    box.write("compose.yaml",
              std::string("services:\n  cloud: {provider: {type: cloud, options: {size: s}}}\n  web: {") + kSleeper +
                  ", depends_on: [cloud]}\n  none: {" + kSleeper + ", scale: 0}\n");
    box.write("up.out", "");
    Background up(box, {COMPOSE_BINARY, "up"}, box.path("up.out"));
    ASSERT_TRUE(eventually([&] { return text_of(box, "up.out").find("web-1 Started") != std::string::npos; }));
    up.kill(SIGINT);
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited") << text_of(box, "up.out");
    EXPECT_EQ(text_of(box, "calls"), "up\nstop\n");
}

// --- models ---------------------------------------------------------------------------------------------------------

constexpr const char* kModelPlugin = R"(echo "$@" >> calls
case $1 in
ls) echo '[{"id": "sha256:1", "tags": ["ai/here"]}]' ;;
pull) [ "$2" != ai/none ] || { echo 'no such model' >&2; exit 1; } ;;
status) echo '{"running": true, "endpoint": "http://models.test/v1"}' ;;
esac
)";

TEST(Models, AreFetchedConfiguredAndTold) {
    REQUIRE_ROOT();
    Sandbox box;
    put_in_path(box);
    const auto file = [&](const char* there) {
        box.write("compose.yaml",
                  std::string("services:\n  web: {") + kSleeper + ", models: [big-one]}\n  other: {" + kSleeper +
                      ", models: {small: {endpoint_var: WHERE, model_var: WHICH}}}\n"
                      "  plain: {" +
                      kSleeper +
                      "}\n"
                      "models:\n  big-one: {model: ai/there, context_size: 4096, runtime_flags: [--a, -b]}\n"
                      "  small: {model: " +
                      there + "}\n  unused: {model: ai/none}\n");
    };
    file("ai/here");
    EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("compose.yaml:6:"), HasSubstr("models.big-one: there is no "
                                                                                       "program \"docker-model\"")));
    EXPECT_TRUE(box.ps().empty());
    write_program(box, "docker-model", kModelPlugin);
    box.ok({"up", "-d"});
    EXPECT_THAT(environment_of(box, "web"),
                AllOf(HasSubstr("BIG_ONE_URL=http://models.test/v1\n"), HasSubstr("BIG_ONE_MODEL=ai/there\n"),
                      HasSubstr("BIG_ONE=ai/there\n")));
    EXPECT_THAT(environment_of(box, "other"),
                AllOf(HasSubstr("WHERE=http://models.test/v1\n"), HasSubstr("WHICH=ai/here\n")));
    EXPECT_THAT(environment_of(box, "plain"), Not(HasSubstr("models.test")));
    EXPECT_THAT(text_of(box, "calls"),
                AllOf(HasSubstr("pull ai/there\n"), HasSubstr("configure --context-size 4096 ai/there -- --a -b\n"),
                      HasSubstr("configure ai/here\n"), Not(HasSubstr("pull ai/here")), Not(HasSubstr("none"))));
    const auto web = box.field("demo-web-1", "ID"), other = box.field("demo-other-1", "ID");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "--no-deps", "web", "sh", "-c", "echo $BIG_ONE_URL"}),
              "http://models.test/v1\n");
    sys::write_file(box.path("calls"), "");
    EXPECT_THAT(box.compose({"plan"}).out, HasSubstr("? ask Model big-one"));
    EXPECT_EQ(text_of(box, "calls"), "");
    file("ai/other");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "ID"), web);
    EXPECT_NE(box.field("demo-other-1", "ID"), other);
    file("ai/none");
    EXPECT_THAT(box.fails({"up", "-d"}), AllOf(HasSubstr("compose.yaml:7:"),
                                               HasSubstr("docker-model pull failed with exit code 1: no such model")));
}

}  // namespace
}  // namespace compose::test
