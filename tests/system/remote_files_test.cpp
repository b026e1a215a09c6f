// Compose files that lie elsewhere: git repositories, and artifacts of strangers who mean no good. Row K54 and K55 of
// the reference's bad input.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"
#include "support/git_server.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(RemoteRepository, AProjectRunsFromIt) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    GitServer server(box);
    server.put("compose.yaml", "services: {top: {image: busybox}}\n");
    server.put("deploy/docker-compose.yml",
               "name: shop\nservices:\n  web:\n    image: busybox\n    init: true\n    stop_grace_period: 1s\n"
               "    env_file: [web.env]\n    volumes: ['./data:/data:ro']\n"
               "    command: ['sh', '-c', 'cat /data/file; sleep 1000']\n"
               "  made:\n    build: {context: ., dockerfile_inline: \"FROM busybox\\nCOPY data /in\"}\n"
               "    command: cat /in/file\n");
    server.put("deploy/web.env", "WHO=git\n");
    server.put("deploy/data/file", "from the repository\n");
    server.put("deploy/.env", "COMPOSE_PROJECT_NAME=stolen\n");
    server.commit("first");
    server.git({"tag", "v1"});
    server.serve();
    const auto url = GitServer::url();
    EXPECT_EQ(box.ok({"-f", url, "config", "--services"}), "top\n");
    EXPECT_THAT(box.ok({"-f", url, "config"}), HasSubstr("name: demo\n")) << "called like the folder it is run in";
    const std::vector<std::string> file{"-f", url + "#main:deploy"};
    const auto run = [&](std::vector<std::string> more) {
        more.insert(more.begin(), file.begin(), file.end());
        return box.ok(more);
    };
    run({"up", "-d", "-y"});
    EXPECT_THAT(run({"ps", "--format", "{{.Name}} {{.State}}"}), HasSubstr("shop-web-1 running"));
    EXPECT_TRUE(eventually([&] { return run({"logs", "web"}).find("from the repository") != std::string::npos; }));
    EXPECT_EQ(run({"exec", "-T", "web", "sh", "-c", "echo $WHO"}), "git\n");
    EXPECT_TRUE(eventually([&] { return run({"logs", "made"}).find("from the repository") != std::string::npos; }));
    // A branch that moves on is fetched again; the tag stays.
    server.put("deploy/docker-compose.yml", "services: {later: {image: busybox}}\n");
    server.commit("second");
    EXPECT_EQ(run({"config", "--services"}), "later\n");
    EXPECT_EQ(box.ok({"-f", url + "#v1:deploy/docker-compose.yml", "config", "--services"}), "made\nweb\n");
    box.ok({"-f", url + "#v1:deploy", "down"});
    // A commit that is here needs nobody.
    const auto first = server.git({"rev-parse", "v1^{}"});
    server.stop();
    EXPECT_EQ(box.ok({"-f", url + "#" + first + ":deploy", "config", "--services"}), "made\nweb\n");
    EXPECT_THAT(box.fails({"-f", url, "config"}), HasSubstr("fetch \"" + url + "\""));
    EXPECT_FALSE(fs::exists(box.state() + "/copies/git/.git"));
}

TEST(RemoteRepository, IncludesExtendsAndMistakes) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    GitServer server(box);
    server.put("compose.yaml", "services:\n  db: {image: busybox, environment: {FROM: '${FROM_ENV}'}}\n");
    server.put(".env", "FROM_ENV=its own\n");
    server.put("bad/compose.yaml", "services:\n  db: {imag: busybox}\n");
    server.put("loop/compose.yaml", "include: ['" + GitServer::url() + "#main:loop']\nservices: {}\n");
    server.commit("first");
    server.serve();
    const auto url = GitServer::url();
    box.write("compose.yaml", "include: ['" + url + "#main']\nservices:\n  web:\n    extends: {file: '" + url +
                                  "#main:compose.yaml', service: db}\n    build: '" + url + "#main'\n");
    const auto config = box.ok({"config"});
    EXPECT_THAT(config, AllOf(HasSubstr("FROM: its own"), HasSubstr("context: " + url + "#main")));
    EXPECT_EQ(box.ok({"config", "--services"}), "db\nweb\n");
    EXPECT_THAT(box.fails({"-f", url + "#main:bad", "config"}),
                AllOf(HasSubstr(url + "#main:bad/compose.yaml:2:8: error: services.db"), HasSubstr("imag")));
    EXPECT_THAT(box.fails({"-f", url + "#main:loop", "config"}), HasSubstr("include cycle"));
    box.write("local.yaml", "include:\n  - " + url + "#nosuch\n");
    EXPECT_THAT(box.fails({"-f", "local.yaml", "config"}), AllOf(HasSubstr("local.yaml:2:5"), HasSubstr("nosuch")));
    EXPECT_THAT(box.fails({"-f", "https://example.org/compose.yaml", "config"}), HasSubstr("one ends in .git"));
    box.environment["COMPOSE_EXPERIMENTAL_GIT_REMOTE"] = "false";
    EXPECT_THAT(box.fails({"-f", url, "config"}), HasSubstr("COMPOSE_EXPERIMENTAL_GIT_REMOTE forbids it"));
    box.environment["COMPOSE_EXPERIMENTAL_GIT_REMOTE"] = "true";
    fs::create_directories(box.path("empty"));
    box.environment["PATH"] = box.path("empty");
    EXPECT_THAT(box.fails({"-f", url, "config"}), HasSubstr("git: program not found in PATH"));
}

// K55
TEST(RemoteRepository, NothingLeadsOutOfIt) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    GitServer server(box);
    box.write("../outside/compose.yaml", "services: {outside: {image: busybox}}\n");
    sys::write_file(box.path("../outside.env"), "STOLEN=1\n");
    server.put("compose.yaml", "services: {a: {image: busybox, env_file: link.env}}\n");
    server.put("inner/compose.yaml", "services: {a: {image: busybox, env_file: inside.env}}\n");
    server.put("inner/real.env", "INSIDE=1\n");
    server.link("real.env", "inner/inside.env");
    server.link(box.path("../outside.env"), "link.env");
    server.link(box.path("../outside"), "away");
    server.put("file/x", "");
    server.link(box.path("../outside/compose.yaml"), "file/compose.yaml");
    server.put("included/compose.yaml", "include: [../file/compose.yaml]\nservices: {}\n");
    server.commit("first");
    server.serve();
    const auto fails = [&](const std::string& part) { return box.fails({"-f", GitServer::url() + part, "config"}); };
    EXPECT_THAT(fails(""), HasSubstr("leads out of what was fetched"));
    EXPECT_THAT(box.ok({"-f", GitServer::url() + "#main:inner", "config"}), HasSubstr("INSIDE"));
    EXPECT_THAT(fails("#main:away"), HasSubstr("there is no folder"));
    EXPECT_THAT(fails("#main:away/compose.yaml"), HasSubstr("there is no folder"));
    EXPECT_THAT(fails("#main:file"), HasSubstr("there is no compose.yaml"));
    EXPECT_THAT(fails("#main:file/compose.yaml"), HasSubstr("there is no folder"));
    EXPECT_THAT(fails("#main:included"), HasSubstr("leads out of what was fetched"));
    for (const auto* part : {"..", "../../../etc/passwd", "inner/../../etc", "inner/../../../etc/passwd",
                             "./../../etc/passwd", "../../../../../../../tmp/x"})
        EXPECT_THAT(fails(std::string("#main:") + part), HasSubstr("leads out of the repository")) << part;
    for (const auto* part : {"/etc/passwd", "..\\..\\..\\windows", "C:\\windows", ".../config", "..foo/bar"})
        EXPECT_THAT(fails(std::string("#main:") + part), HasSubstr("there is no")) << part;
    for (const auto* address : {"git://-oProxyCommand=x/repo", "ssh://-oProxyCommand=x/repo.git",
                                "https://h/x.git#--upload-pack=x", "git@h:ext::sh.git#a..b"})
        EXPECT_NE(box.compose({"-f", address, "config"}).exit_code, 0) << address;
    EXPECT_THAT(box.fails({"-f", "ext::sh -c true", "config"}), HasSubstr("not found"));
}

// What was fetched must not reach what only this machine can.
TEST(RemoteRepository, StrangersNameNoServerOfThisMachine) {
    REQUIRE_ROOT();
    Sandbox box;
    if (!GitServer::is_there(box)) GTEST_SKIP() << "git daemon is not installed";
    GitServer server(box);
    server.put("compose.yaml", "services: {a: {image: busybox}}\n");
    server.put("git/compose.yaml", "include: ['" + GitServer::url("127.0.0.1") + "']\n");
    server.put("oci/compose.yaml", "include: ['oci://localhost:1/x']\n");
    server.put("seems/compose.yaml", "include: ['git://127.0.0.1#@" + std::string(kElsewhere) + "/repo']\n");
    server.put("own/compose.yaml", "include: ['" + GitServer::url() + "']\n");
    server.commit("first");
    server.serve();
    for (const auto* part : {"git", "oci", "seems"})
        EXPECT_THAT(box.fails({"-f", GitServer::url() + "#main:" + part, "config"}),
                    HasSubstr("is an address of this machine"))
            << part;
    EXPECT_EQ(box.ok({"-f", GitServer::url() + "#main:own", "config", "--services"}), "a\n");
    EXPECT_EQ(box.ok({"-f", GitServer::url("127.0.0.1"), "config", "--services"}), "a\n") << "the user may";
}

/// Puts manifests and their blobs into a registry, whatever they say: {repository: {layers, artifact}}.
constexpr const char* kPushScript = R"(
import hashlib, json, sys, urllib.request as u
host, specs = sys.argv[1], json.loads(sys.argv[2])
def call(method, url, data=b"", kind="application/octet-stream"):
    return u.urlopen(u.Request(url, data=data, method=method, headers={"Content-Type": kind}))
def blob(repo, text, kind):
    data = text.encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    place = call("POST", f"http://{host}/v2/{repo}/blobs/uploads/").headers["Location"]
    call("PUT", place + ("&" if "?" in place else "?") + "digest=" + digest, data)
    return {"mediaType": kind, "digest": digest, "size": len(data)}
for repo, spec in specs.items():
    layers = []
    for layer in spec["layers"]:
        entry = blob(repo, layer["text"], layer.get("type", "application/vnd.docker.compose.file+yaml"))
        entry["annotations"] = layer.get("notes", {})
        entry["size"] = layer.get("size", entry["size"])
        layers.append(entry)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": spec.get("artifact", "application/vnd.docker.compose.project"),
                "config": blob(repo, "{}", "application/vnd.oci.empty.v1+json"), "layers": layers}
    call("PUT", f"http://{host}/v2/{repo}/manifests/1", json.dumps(manifest).encode(), manifest["mediaType"])
)";

class HostileArtifact : public testing::Test {
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
    void push(const json::object& artifacts) const {
        const auto done = box->host({"python3", "-c", kPushScript, registry->host(), json::serialize(artifacts)});
        ASSERT_TRUE(done.ok()) << done.err;
    }
    /// One good Compose file, and this.
    static json::object with(const json::object& layer) {
        return {{"layers", json::array{json::object{{"text", kFile}}, layer}}};
    }
    [[nodiscard]] std::string refused(const std::string& repository) const {
        auto error = box->fails({"-f", "oci://" + registry->name(repository + ":1"), "config"});
        EXPECT_THAT(error, HasSubstr("oci://" + registry->name(repository + ":1")));
        for (const auto& entry : fs::directory_iterator(box->state() + "/copies/oci"))
            EXPECT_EQ(entry.path().extension(), ".part") << "nothing half is kept";
        return error;
    }
    static constexpr const char* kFile = "services: {a: {image: busybox}}\n";
    std::optional<Sandbox> box;
    std::optional<TestRegistry> registry;
};

// K54
TEST_F(HostileArtifact, NamesThatLeadOutAreRefused) {
    const auto planted = box->path("../planted");
    json::object artifacts;
    bool env = false;
    for (const std::string& name : {std::string("../planted"), planted, planted, std::string("a/../../planted"),
                                    std::string(".."), std::string("."), std::string(""), std::string("..\\planted"),
                                    std::string("a\nb"), std::string("compose.yaml"), std::string(300, 'x')}) {
        env = !env;  // in turn, the one way and the other
        artifacts["evil/n" + std::to_string(artifacts.size())] =
            with(env ? json::object{{"text", "A=1\n"},
                                    {"type", "application/vnd.docker.compose.envfile"},
                                    {"notes", json::object{{"com.docker.compose.envfile", name}}}}
                     : json::object{{"text", kFile},
                                    {"notes", json::object{{"com.docker.compose.file", name},
                                                           {"com.docker.compose.extends", "true"}}}});
    }
    artifacts["evil/nameless"] = with({{"text", "A=1\n"}, {"type", "application/vnd.docker.compose.envfile"}});
    push(artifacts);
    for (const auto& [repository, spec] : artifacts)
        EXPECT_THAT(refused(repository), HasSubstr("it is no sound artifact")) << json::serialize(spec);
    EXPECT_FALSE(fs::exists(planted));
}

TEST_F(HostileArtifact, WhatIsNoProjectIsRefused) {
    push({{"evil/other",
           json::object{{"artifact", "application/x"}, {"layers", json::array{json::object{{"text", kFile}}}}}},
          {"evil/empty", json::object{{"layers", json::array{}}}},
          {"evil/large", with({{"text", "x"}, {"size", 17 << 20}})},
          {"evil/size", with({{"text", "services: {}\n"}, {"size", 5}})},
          {"evil/dotenv", with({{"text", "COMPOSE_PROJECT_NAME=stolen\nCOMPOSE_STATE_DIR=/tmp/stolen\n"},
                                {"type", "application/vnd.docker.compose.envfile"},
                                {"notes", json::object{{"com.docker.compose.envfile", ".env"}}}})}});
    EXPECT_THAT(refused("evil/other"), HasSubstr("it is no Compose project but \"application/x\""));
    EXPECT_THAT(refused("evil/empty"), HasSubstr("no Compose file"));
    EXPECT_THAT(refused("evil/large"), HasSubstr("too large"));
    (void)refused("evil/size");
    box->ok({"image", "tag", "busybox", registry->name("evil/image:1")});
    box->ok({"image", "push", "-q", registry->name("evil/image:1")});
    EXPECT_THAT(refused("evil/image"), HasSubstr("it is no Compose project but"));
    // An env file beside it says nothing to the program itself.
    EXPECT_THAT(box->ok({"-f", "oci://" + registry->name("evil/dotenv:1"), "config"}), HasSubstr("name: demo"));
}

}  // namespace
}  // namespace compose::test
