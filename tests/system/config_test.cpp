// `compose config` as editors and people use it: where values come from, findings for programs, images with digests.
#include <gmock/gmock.h>

#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Config, ExplainsAValueThroughFilesAndVariables) {
    Sandbox box;
    box.write("compose.yaml", "services:\n  web:\n    image: app\n    environment: {LEVEL: \"${LVL:-warn}\"}\n");
    box.write("compose.override.yaml", "services:\n  web:\n    environment: {LEVEL: \"${LVL}!\"}\n");
    box.write(".env", "LVL=debug\n");
    EXPECT_EQ(box.ok({"config", "--explain", "web.environment.LEVEL"}),
              "services.web.environment.LEVEL: debug!\n"
              "  compose.yaml:4:26: ${LVL:-warn} gives debug\n"
              "      LVL is debug: from .env:1:1\n"
              "  compose.override.yaml:3:26: ${LVL}! gives debug! (override)\n"
              "      LVL is debug: from .env:1:1\n");
    EXPECT_THAT(box.fails({"config", "--explain", "web.environment.LVEL"}), HasSubstr("did you mean"));
}

TEST(Config, GivesFindingsToProgramsAsJson) {
    Sandbox box;
    box.write("compose.yaml", "services:\n  web:\n    image: app\n    heathcheck: {}\n");
    const auto error = box.fails({"config", "--format", "json"});
    EXPECT_THAT(error, HasSubstr(R"("at":"compose.yaml:4:5")"));
    EXPECT_THAT(error, HasSubstr(R"("hint":"did you mean \"healthcheck\"?")"));
    EXPECT_THAT(error, Not(HasSubstr("^")));
}

constexpr const char* kRegistry = R"py(
import hashlib, http.server, json
body = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                   "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2},
                   "layers": []}).encode()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path in ("/v2/", "/v2/demo/app/manifests/1.2", "/v2/demo/app/manifests/latest")
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *words):
        pass
open("digest", "w").write(hashlib.sha256(body).hexdigest())
http.server.HTTPServer(("127.0.0.1", 5999), Handler).serve_forever()
)py";

TEST(Config, LocksTheDigestsOfImages) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("registry.py", kRegistry);
    box.write("compose.yaml",
              "services:\n  a: {image: \"localhost:5999/demo/app:1.2\"}\n  b: {image: localhost:5999/demo/app}\n"
              "  c: {build: .}\n  d: {image: \"x@sha256:" +
                  std::string(64, 'a') + "\"}\n  e: {build: ., image: \"localhost:5999/demo/app:1.2\"}\n");
    const auto result = sys::run_command(
        {.argv = {"sh", "-c",
                  "python3 registry.py & trap \"kill $!\" EXIT; "
                  "for i in $(seq 100); do curl -s localhost:5999/v2/ >/dev/null && break; sleep 0.1; done; "
                  "\"$0\" config --lock-image-digests && cat digest",
                  COMPOSE_BINARY},
         .environment = box.environment,
         .working_dir = box.folder(),
         .timeout = std::chrono::seconds(60)});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto digest = result.out.substr(result.out.size() - 64);
    EXPECT_EQ(result.out, "services:\n  a:\n    image: localhost:5999/demo/app:1.2@sha256:" + digest +
                              "\n  b:\n    image: localhost:5999/demo/app:latest@sha256:" + digest +
                              "\n  d:\n    image: x@sha256:" + std::string(64, 'a') +
                              "\n  e:\n    image: localhost:5999/demo/app:1.2@sha256:" + digest + "\n" + digest);
    EXPECT_THAT(box.fails({"config", "--resolve-image-digests"}),
                HasSubstr("find the digest of localhost:5999/demo/app"));
}

}  // namespace
}  // namespace compose::test
