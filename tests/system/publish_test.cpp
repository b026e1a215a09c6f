// A project's way to a registry and back: what is sent, in Docker Compose's form, what is asked before, and what comes
// of -f oci://.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/terminal.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";

class PublishTest : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        box.emplace();
        registry.emplace(*box);
    }
    void TearDown() override {
        if (!box) return;
        registry.reset();
        box.reset();
    }

    /// What the registry has under a tag or a digest.
    [[nodiscard]] json::object document(const std::string& repository, const std::string& name,
                                        const std::string& kind = "manifests",
                                        const std::string& type = kManifest) const {
        const auto url = "http://" + registry->host() + "/v2/" + repository + "/" + kind + "/" + name;
        const auto got = box->host({"python3", "-c",
                                    "import sys, urllib.request as u\n"
                                    "r = u.Request(sys.argv[1], headers={'Accept': sys.argv[2]})\n"
                                    "print(u.urlopen(r).read().decode())",
                                    url, type});
        EXPECT_TRUE(got.ok()) << got.err;
        return got.ok() ? parse_json(got.out).as_object() : json::object{};
    }
    [[nodiscard]] std::string blob(const std::string& repository, const json::value& layer) const {
        const auto url = "http://" + registry->host() + "/v2/" + repository + "/blobs/" +
                         std::string(layer.at("digest").as_string());
        return box
            ->host({"python3", "-c",
                    "import sys, urllib.request as u\n"
                    "sys.stdout.write(u.urlopen(sys.argv[1]).read().decode())",
                    url})
            .out;
    }
    [[nodiscard]] std::string oci(const std::string& name) const { return "oci://" + registry->name(name); }
    /// A folder of its own, so that nothing of the project is at hand.
    [[nodiscard]] Result elsewhere(const std::vector<std::string>& arguments) const {
        fs::create_directories(box->path("elsewhere/demo"));
        std::vector<std::string> words{"env", "-C", box->path("elsewhere/demo")};
        for (const auto& [key, value] : box->environment) words.push_back(key + "=" + value);
        words.emplace_back(COMPOSE_BINARY);
        words.insert(words.end(), arguments.begin(), arguments.end());
        return box->host(words);
    }

    std::optional<Sandbox> box;
    std::optional<TestRegistry> registry;
};

std::string note(const json::value& object, const char* key) {
    const auto* notes = object.as_object().if_contains("annotations");
    return notes == nullptr ? std::string() : string_or(notes->as_object(), key);
}

constexpr const char* kProject =
    "name: shop\n"
    "services:\n"
    "  web:  # the front\n"
    "    extends: {file: parts/base.yaml, service: base}\n"
    "    env_file: ['parts/web.env']\n"
    "    command: ['sh', '-c', 'echo hello from $$GREETING; sleep 1000']\n";
constexpr const char* kOverride = "services:\n  web:\n    environment: {LEVEL: '${LEVEL:-low}'}\n";
constexpr const char* kBase =
    "services:\n  base:\n    image: busybox\n    init: true\n    stop_grace_period: 1s\n    env_file: base.env\n";

TEST_F(PublishTest, AProjectComesBackAsItWas) {
    fs::create_directories(box->path("parts"));
    box->write("compose.yaml", kProject);
    box->write("compose.override.yaml", kOverride);
    box->write("parts/base.yaml", kBase);
    box->write("parts/base.env", "GREETING=base\nBASE=1\n");
    box->write("parts/web.env", "GREETING=the web\n");
    const auto original = box->ok({"config"});
    box->ok({"publish", "--with-env", "-y", registry->name("team/shop:1")});

    const auto manifest = document("team/shop", "1");
    EXPECT_EQ(string_or(manifest, "artifactType"), "application/vnd.docker.compose.project");
    EXPECT_EQ(string_or(manifest.at("config").as_object(), "mediaType"), "application/vnd.oci.empty.v1+json");
    const auto& layers = manifest.at("layers").as_array();
    ASSERT_EQ(layers.size(), 5U);
    std::vector<std::string> types, files;
    for (const auto& layer : layers) types.push_back(string_or(layer.as_object(), "mediaType"));
    const std::string yaml = "application/vnd.docker.compose.file+yaml", env = "application/vnd.docker.compose.envfile";
    EXPECT_THAT(types, ElementsAre(yaml, yaml, yaml, env, env));
    EXPECT_EQ(note(layers[0], "com.docker.compose.file"), "compose.yaml");
    EXPECT_EQ(note(layers[1], "com.docker.compose.file"), "compose.override.yaml");
    EXPECT_EQ(note(layers[2], "com.docker.compose.extends"), "true");
    EXPECT_THAT(note(layers[3], "com.docker.compose.envfile"), HasSubstr(".env"));
    EXPECT_EQ(note(layers[1], "com.docker.compose.extends"), "");
    EXPECT_NE(note(layers[0], "com.docker.compose.version"), "");
    const auto text = blob("team/shop", layers[0]);
    EXPECT_THAT(text, AllOf(HasSubstr("  web:  # the front\n"),
                            HasSubstr("file: " + note(layers[2], "com.docker.compose.file") + ", service: base"),
                            Not(HasSubstr("parts/"))));
    EXPECT_EQ(blob("team/shop", layers[1]), kOverride) << "as its author wrote it";

    // Nothing of this machine is needed any more.
    fs::rename(box->path("parts"), box->path("gone"));
    const auto back = elsewhere({"-f", oci("team/shop:1"), "config"});
    ASSERT_EQ(back.exit_code, 0) << back.err;
    EXPECT_EQ(back.out, original);

    const std::vector<std::string> file{"-f", oci("team/shop:1")};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), file.begin(), file.end());
        return elsewhere(more);
    };
    ASSERT_EQ(with({"up", "-d", "-y"}).exit_code, 0) << with({"up", "-d", "-y"}).err;
    EXPECT_THAT(with({"ps", "--format", "{{.Name}} {{.State}}"}).out, HasSubstr("shop-web-1 running"));
    // What a container came from stays, however old.
    ASSERT_TRUE(box->host({"sh", "-c", "touch -d '2 days ago' " + box->state() + "/copies/oci/*"}).ok());
    EXPECT_THAT(box->ok({"system", "prune", "-f"}), Not(HasSubstr("Compose files")));
    EXPECT_TRUE(eventually([&] { return with({"logs", "web"}).out.find("hello from the web") != std::string::npos; }));
    EXPECT_EQ(with({"exec", "-T", "web", "sh", "-c", "echo $LEVEL $BASE"}).out, "low 1\n");
    EXPECT_THAT(with({"up", "-d", "-y"}).err, Not(HasSubstr("Recreate")));
    ASSERT_EQ(with({"down"}).exit_code, 0);
    EXPECT_THAT(with({"ps", "-aq"}).out, "");
}

TEST_F(PublishTest, TheOlderFormAndPinnedImages) {
    box->write("compose.yaml", "services: {web: {image: " + registry->name("web:1") + "}}\n");
    box->ok({"image", "tag", "busybox", registry->name("web:1")});
    box->ok({"image", "push", "-q", registry->name("web:1")});
    box->ok({"publish", "--oci-version", "1.0", "--resolve-image-digests", registry->name("app:old")});
    const auto manifest = document("app", "old");
    EXPECT_FALSE(manifest.contains("artifactType"));
    EXPECT_EQ(string_or(manifest.at("config").as_object(), "mediaType"),
              "application/vnd.docker.compose.config.empty.v1+json");
    const auto& layers = manifest.at("layers").as_array();
    ASSERT_EQ(layers.size(), 2U);
    EXPECT_EQ(note(layers[1], "com.docker.compose.file"), "image-digests.yaml");
    EXPECT_THAT(box->ok({"-f", oci("app:old"), "config", "--images"}), HasSubstr(registry->name("web:1@sha256:")));
    // By its digest it is known, and nobody is asked again.
    const auto digest = box->host({"sh", "-c", "ls " + box->state() + "/copies/oci | grep -v part"}).out;
    ASSERT_EQ(digest.size(), 65U) << digest;
    // What was read lately stays, and what is old and of no use goes.
    box->ok({"system", "prune", "-f"});
    const auto copy = box->state() + "/copies/oci/" + std::string(trim(digest));
    EXPECT_TRUE(fs::exists(copy));
    const auto pinned = oci("app@sha256:" + std::string(trim(digest)));
    registry.reset();
    box->ok({"-f", pinned, "config", "-q"});
    ASSERT_TRUE(box->host({"touch", "-d", "2 days ago", copy}).ok());
    EXPECT_THAT(box->ok({"system", "prune", "-f"}), HasSubstr("Deleted Compose files:\n" + copy + "\n"));
    EXPECT_FALSE(fs::exists(copy));
}

TEST_F(PublishTest, AnAppBringsItsImages) {
    box->write("compose.yaml", "services: {web: {image: " + registry->name("web:1") +
                                   "}, two: {image: " + registry->name("web:1") + "}}\n");
    box->ok({"image", "tag", "busybox", registry->name("web:1")});
    box->ok({"image", "push", "-q", registry->name("web:1")});
    box->ok({"publish", "--app", registry->name("team/app:1")});
    const auto image = document("web", "1");
    // The list of images belongs to the project's manifest, by `subject`; only its digest names it.
    const auto revisions = box->path("registry-" + registry->host().substr(10) +
                                     "/data/docker/registry/v2/repositories/team/app/_manifests/revisions/sha256");
    int lists = 0;
    for (const auto& entry : fs::directory_iterator(revisions)) {
        const auto found = document("team/app", "sha256:" + entry.path().filename().string(), "manifests",
                                    std::string(kManifest) + ", application/vnd.oci.image.index.v1+json");
        if (!found.contains("manifests")) continue;
        ++lists;
        EXPECT_EQ(string_or(found, "artifactType"), "application/vnd.docker.compose.project");
        EXPECT_EQ(string_or(found.at("subject").as_object(), "artifactType"), "application/vnd.docker.compose.project");
        ASSERT_EQ(found.at("manifests").as_array().size(), 1U) << "one image of two services";
        // The image can be had from the project's repository.
        box->ok(
            {"image", "pull", "-q",
             registry->name("team/app@") + std::string(found.at("manifests").as_array()[0].at("digest").as_string())});
    }
    EXPECT_EQ(lists, 1);
    EXPECT_TRUE(image.contains("layers"));
}

TEST_F(PublishTest, WhatIsBuiltHereIsPulledThere) {
    box->write("Dockerfile", "FROM busybox\nCOPY compose.yaml /made\n");
    box->write("compose.yaml",
               "services:\n  web: {image: '" + registry->name("made:1") + "', build: ., command: cat /made}\n");
    box->ok({"build"});
    box->ok({"publish", registry->name("app:1")});
    box->ok({"image", "rm", registry->name("made:1")});
    const auto there = elsewhere({"-f", oci("app:1"), "up", "--no-log-prefix"});
    EXPECT_EQ(there.exit_code, 0) << there.err;
    EXPECT_THAT(there.out, HasSubstr("services:"));
    EXPECT_THAT(there.err, Not(HasSubstr("Building")));
    ASSERT_EQ(elsewhere({"-f", oci("app:1"), "down"}).exit_code, 0);
}

TEST_F(PublishTest, QuestionsComeFirst) {
    box->write("compose.yaml",
               "services:\n  web:\n    image: busybox\n    volumes: ['./data:/data']\n"
               "    environment: {DB_PASSWORD: hunter22, TOKEN: '${TOKEN}', COLOUR: blue,\n"
               "      OTHER: ghp_1234567890abcdefghijklmnopqrstuvwxyz}\n    env_file: web.env\n"
               "configs:\n  motd: {content: hello}\n  conf: {file: ./conf}\n");
    box->write("web.env", "A=1\n");
    box->write("conf", "x");
    const auto name = registry->name("app:1");
    const auto publish = [&](const std::string& answers, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"publish"});
        more.push_back(name);
        return box->compose(more, answers);
    };
    const auto nothing = publish("");  // no terminal, no answer
    EXPECT_EQ(nothing.exit_code, 130) << nothing.err;
    EXPECT_THAT(nothing.err, HasSubstr("canceled: nothing was published"));
    EXPECT_THAT(nothing.err, AllOf(HasSubstr("bind mounts declaration"), HasSubstr(box->path("data") + ":/data"),
                                   Not(HasSubstr("sensitive data within"))));
    const auto secret = publish("y\nn\n");
    EXPECT_EQ(secret.exit_code, 130);
    EXPECT_THAT(secret.err, AllOf(HasSubstr("compose.yaml:6: Github authentication: ghp_1"),
                                  Not(HasSubstr("abcdefghijklmnopqrstuvwxyz"))));
    const auto variables = publish("y\ny\nn\n");
    EXPECT_EQ(variables.exit_code, 130);
    EXPECT_THAT(variables.err,
                AllOf(HasSubstr("\"web\": env_file declared"), HasSubstr("\"web\": literal value for \"DB_PASSWORD\""),
                      Not(HasSubstr("literal value for \"TOKEN\"")), Not(HasSubstr("\"COLOUR\""))));
    EXPECT_EQ(publish("y\ny\ny\nn\n").exit_code, 130);
    EXPECT_EQ(publish("y\ny\nn\n", {"--with-env"}).exit_code, 130) << "still asked: mounts, secrets, contents";
    EXPECT_THAT(box->fails({"-f", oci("app:1"), "config"}), HasSubstr("manifest unknown")) << "nothing was published";
    const auto dry = box->compose({"--dry-run", "publish", "-y", name});
    EXPECT_EQ(dry.exit_code, 0);
    EXPECT_THAT(dry.err, AllOf(HasSubstr(name + " publishing"), HasSubstr(name + " published")));
    EXPECT_THAT(box->fails({"-f", oci("app:1"), "config"}), HasSubstr("manifest unknown"));
    const auto done = publish("y\ny\ny\ny\n");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("configs.conf needs the file ./conf, which is not published"));
}

TEST_F(PublishTest, WhatOthersCanNotUseIsRefused) {
    box->write("compose.yaml", "include: [other.yaml]\nservices:\n  web: {build: .}\n  b: {build: ., image: x}\n");
    box->write("other.yaml", "services: {o: {image: busybox}}\n");
    const auto error = box->fails({"publish", "-y", "--with-env", registry->name("app:1")});
    EXPECT_THAT(error, AllOf(HasSubstr("compose.yaml:1:11: error: include[0]"),
                             HasSubstr("compose.yaml:3:9: error: services.web.build"), Not(HasSubstr("services.b"))));
    box->write("compose.yaml", "services: {a: {image: busybox}}\n");
    EXPECT_THAT(box->fails({"publish", "--oci-version", "2", registry->name("app:1")}), HasSubstr("use 1.0 or 1.1"));
    EXPECT_THAT(box->fails({"publish", "app@sha256:" + std::string(64, 'a')}), HasSubstr("digest"));
    EXPECT_THAT(box->fails({"publish"}), HasSubstr("REPOSITORY"));
    box->ok({"alpha", "publish", "--help"});
}

TEST_F(PublishTest, IncludesAndExtendsTakeArtifacts) {
    box->write("compose.yaml", "services:\n  db: {image: busybox, environment: {P: '${P-own}'}}\n");
    box->ok({"publish", registry->name("db:1")});
    box->write("compose.yaml", "include: ['" + oci("db:1") + "']\nservices:\n  web:\n    extends: {file: '" +
                                   oci("db:1") + "', service: db}\n    labels: {x: y}\n");
    EXPECT_EQ(box->ok({"config", "--services"}), "db\nweb\n");
    EXPECT_THAT(box->ok({"config", "--format", "json"}), HasSubstr("own"));
    // A remote include is no file of this machine: it may be published, and is fetched by whoever runs it.
    box->ok({"publish", registry->name("all:1")});
    EXPECT_EQ(box->ok({"-f", oci("all:1"), "config", "--services"}), "db\nweb\n");
    box->environment["COMPOSE_FILE"] = oci("all:1");
    EXPECT_EQ(box->ok({"config", "--services"}), "db\nweb\n");
    box->environment["COMPOSE_FILE"] = "compose.yaml:" + oci("all:1");
    EXPECT_THAT(box->fails({"config"}), HasSubstr("COMPOSE_PATH_SEPARATOR"));
    box->environment["COMPOSE_PATH_SEPARATOR"] = ",";
    box->environment["COMPOSE_FILE"] = oci("all:1") + ",compose.yaml";
    EXPECT_EQ(box->ok({"config", "--services"}), "db\nweb\n");
    // A mistake in it is shown where it is.
    box->environment.erase("COMPOSE_FILE");
    box->write("over.yaml", "services:\n  db: {imag: busybox}\n");
    EXPECT_THAT(box->fails({"-f", oci("db:1"), "-f", "over.yaml", "config"}), HasSubstr("over.yaml:2"));
    EXPECT_THAT(box->fails({"-f", oci("none:1"), "config"}), HasSubstr(oci("none:1")));
}

TEST_F(PublishTest, WhoRunsAStrangersProjectIsAsked) {
    box->write("compose.yaml", "services: {db: {image: busybox, command: sleep 1000, init: true}}\n");
    box->ok({"publish", registry->name("db:1")});
    box->write("compose.yaml",
               "include: ['" + oci("db:1") +
                   "']\nservices: {web: {image: busybox, command: ls, environment: {A: '${A:-one}', B: '${B}'}}}\n");
    box->ok({"publish", registry->name("all:1")});
    box->environment["B"] = "mine";
    const std::vector<std::string> up{COMPOSE_BINARY, "-f", oci("all:1"), "up", "--no-start"};
    const auto containers = [&] { return box->ok({"container", "ls", "-aq"}); };
    // Nobody is there to be asked.
    EXPECT_THAT(box->fails({"-f", oci("all:1"), "up", "--no-start"}),
                AllOf(HasSubstr("  - " + oci("db:1")), HasSubstr("say so with --yes")));
    {
        Terminal terminal(up, box->environment, box->folder());
        ASSERT_TRUE(terminal.shows("Do you want to continue?")) << terminal.screen();
        terminal.type("\n");
        EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
        EXPECT_THAT(terminal.screen(), HasSubstr("operation cancelled by user"));
    }
    {
        Terminal terminal(up, box->environment, box->folder());
        ASSERT_TRUE(terminal.shows("Do you want to continue?")) << terminal.screen();
        terminal.type("y\n");
        ASSERT_TRUE(terminal.shows("Do you want to proceed with these variables?")) << terminal.screen();
        EXPECT_THAT(terminal.screen(),
                    AllOf(HasSubstr("one"), HasSubstr("mine"), HasSubstr("compose file"), HasSubstr("stored in")));
        terminal.type("n\n");
        EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
    }
    EXPECT_EQ(containers(), "");
    box->ok({"-f", oci("all:1"), "create", "-y"});
    EXPECT_NE(containers(), "");
    box->ok({"-f", oci("all:1"), "down"});
    // What is of this machine is nobody's question.
    box->ok({"up", "--no-start"});
}

// A registry without TLS is spoken to when the user says so, however often the files are read.
TEST_F(PublishTest, InsecureRegistriesAreNamed) {
    const TestRegistry plain(*box, {.address = "10.99.0.9"});
    box->environment["COMPOSE_HTTP_TIMEOUT"] = "2";
    box->write("compose.yaml", "services: {a: {image: busybox, command: ls, labels: {x: '${X:-1}'}}}\n");
    EXPECT_NE(box->compose({"publish", plain.name("app:1")}).exit_code, 0);
    box->ok({"publish", "--insecure-registry", plain.name("app:1")});
    const auto file = "oci://" + plain.name("app:1");
    EXPECT_NE(box->compose({"-f", file, "config"}).exit_code, 0);
    EXPECT_THAT(box->ok({"--insecure-registry", plain.host(), "-f", file, "config"}), HasSubstr("x: \"1\""));
    {
        Terminal terminal({COMPOSE_BINARY, "--insecure-registry", plain.host(), "-f", file, "up", "--no-start"},
                          box->environment, box->folder());
        ASSERT_TRUE(terminal.shows("proceed with these variables?")) << terminal.screen();
        terminal.type("\n");
        EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    }
    box->ok({"-p", "demo", "down"});
}

}  // namespace
}  // namespace compose::test
