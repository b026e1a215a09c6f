// The stacks under examples/ whose programs need nothing but BusyBox, each taken through what its README promises.
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/sandbox.hpp"

namespace compose::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr auto SOON = std::chrono::seconds(30);

/// A copy of the example, so that a test may change it and leave nothing in the tree.
void take(Sandbox& box, const std::string& example) {
    std::filesystem::copy(std::string(PROJECT_ROOT) + "/examples/" + example, box.folder(),
                          std::filesystem::copy_options::recursive);
}

struct Answer {
    int status = 0;
    std::string body;
};

Answer ask(const Sandbox& box, const std::string& path, const std::string& body = {}) {
    std::vector<std::string> words{"curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}"};
    if (!body.empty()) words.insert(words.end(), {"--data-binary", body});
    words.push_back("http://127.0.0.1:8080/cgi-bin/" + path);
    const auto out = box.host(words).out;
    const auto cut = out.rfind('\n');
    if (cut == std::string::npos) return {};
    return {std::stoi("0" + out.substr(cut + 1)), std::string(trim(out.substr(0, cut)))};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    for (auto& line : split(text, '\n'))
        if (!line.empty()) out.push_back(std::move(line));
    return out;
}

TEST(Stacks, QueueMigratesFirstAndEveryJobIsDoneOnce) {
    REQUIRE_ROOT();
    Sandbox box;
    take(box, "queue");
    box.ok({"up", "-d", "--build", "--wait"});
    EXPECT_EQ(box.field("queue-migrate-1", "ExitCode"), "0");
    EXPECT_EQ(box.field("queue-migrate-1", "State"), "exited");
    EXPECT_EQ(box.field("queue-queue-1", "Health"), "healthy");
    EXPECT_THAT(lines_of(box.ok({"logs", "--no-log-prefix", "--no-color", "migrate"})),
                ElementsAre("migrate: layout 1", "migrate: layout 2"));

    constexpr int JOBS = 12;
    for (int i = 1; i <= JOBS; ++i) EXPECT_EQ(ask(box, "push", "job " + std::to_string(i)).body, std::to_string(i));
    std::set<std::string> workers;
    for (int i = 1; i <= JOBS; ++i) {
        Answer answer;
        ASSERT_TRUE(eventually([&] { return (answer = ask(box, "result?" + std::to_string(i))).status == 200; }, SOON))
            << i;
        const auto sum = box.host({"sh", "-c", "printf 'job " + std::to_string(i) + "' | sha256sum | cut -c1-64"}).out;
        EXPECT_THAT(answer.body, StartsWith(std::string(trim(sum)) + " by "));
        workers.insert(answer.body.substr(answer.body.rfind(' ') + 1));
    }
    EXPECT_EQ(workers.size(), 2U) << "both replicas work";
    ASSERT_TRUE(eventually([&] {
        return lines_of(box.ok({"logs", "--no-log-prefix", "--grep", "job [0-9]+ done", "worker"})).size() == JOBS;
    }));
    EXPECT_EQ(ask(box, "result?99").status, 404);
    EXPECT_EQ(ask(box, "result?../version").status, 400);

    // Nothing changed: what has completed rests, and what is kept in the volume outlives `down`.
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(lines_of(box.ok({"logs", "--no-log-prefix", "migrate"})).size(), 2U);
    box.ok({"down", "-t", "1"});
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(ask(box, "result?1").status, 200);
    EXPECT_EQ(ask(box, "push", "one more").body, std::to_string(JOBS + 1));
}

TEST(Stacks, QueueStartsNothingWhenTheMigrationFails) {
    REQUIRE_ROOT();
    Sandbox box;
    take(box, "queue");
    box.ok({"up", "-d", "--build", "--wait"});
    box.ok({"exec", "-T", "queue", "sh", "-c", "echo 7 > /jobs/version"});
    box.ok({"down", "-t", "1"});
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("migrate"));
    EXPECT_THAT(error, HasSubstr("the store has layout 7, this image knows 2")) << "its last words say why";
    EXPECT_EQ(box.field("queue-migrate-1", "ExitCode"), "3");
    for (const char* name : {"queue-queue-1", "queue-worker-1", "queue-worker-2"}) {
        const auto state = box.field(name, "State");
        EXPECT_TRUE(state.empty() || state == "created") << name << " is " << state;
    }
}

TEST(Stacks, QueueGivesTheJobOfADeadWorkerToAnother) {
    REQUIRE_ROOT();
    Sandbox box;
    take(box, "queue");
    box.environment["LEASE"] = "1";
    box.ok({"up", "-d", "--build", "--wait", "--scale", "worker=0"});
    ask(box, "push", "left behind");
    // A worker that takes the job and is never heard of again.
    EXPECT_EQ(box.ok({"exec", "-T", "queue", "wget", "-q", "-O", "-", "http://127.0.0.1:8000/cgi-bin/take"}),
              "1 left behind");
    EXPECT_EQ(ask(box, "take").body, "");
    box.ok({"up", "-d", "--scale", "worker=1"});
    EXPECT_TRUE(eventually([&] { return ask(box, "result?1").status == 200; }, SOON));
}

TEST(Stacks, ProfilesStartWhatTheyNameAndNoMore) {
    REQUIRE_ROOT();
    Sandbox box;
    take(box, "profiles");
    box.environment["PAUSE"] = "0.05";
    EXPECT_THAT(lines_of(box.ok({"config", "--profiles"})), UnorderedElementsAre("demo", "tools"));
    EXPECT_THAT(lines_of(box.ok({"config", "--services"})), ElementsAre("book"));
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(box.ps().size(), 1U);
    EXPECT_EQ(ask(box, "book", "first!").body, "thank you");
    EXPECT_EQ(ask(box, "book").body, "first!");

    // A tool is run by its name, without its profile, and starts nothing else.
    EXPECT_EQ(box.ok({"run", "--rm", "-T", "backup"}), "1\n");
    EXPECT_EQ(box.ps().size(), 1U);

    box.ok({"--profile", "demo", "up", "-d"});
    EXPECT_EQ(box.field("profiles-visitor-1", "State"), "running");
    ASSERT_TRUE(eventually([&] { return lines_of(ask(box, "book").body).size() >= 5; }, SOON));
    EXPECT_THAT(ask(box, "book").body, HasSubstr("visit 2 of "));
    box.ok({"--profile", "demo", "rm", "-s", "-f", "visitor"});
    EXPECT_EQ(box.field("profiles-visitor-1", "State"), "");
    EXPECT_EQ(box.field("profiles-book-1", "State"), "running");

    EXPECT_EQ(box.ok({"--profile", "tools", "run", "--rm", "-T", "restore"}), "1\n");
    EXPECT_EQ(ask(box, "book").body, "first!") << "what was saved, and nothing of the visitors";

    box.environment["COMPOSE_PROFILES"] = "demo";
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(box.ps().size(), 2U);
    box.environment.erase("COMPOSE_PROFILES");
    box.ok({"--profile", "*", "down", "-v", "-t", "1"});
    EXPECT_TRUE(box.ps().empty());
}

TEST(Stacks, LockedDownIsWhatItSays) {
    REQUIRE_ROOT();
    Sandbox box;
    take(box, "locked-down");
    box.write("token.txt", "open sesame\n", 0600);
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(ask(box, "word").body, "the word is xyzzy");
    for (const std::string service : {"front", "vault"}) {
        const auto sh = [&](const std::string& script) {
            return box.compose({"exec", "-T", service, "sh", "-c", script});
        };
        EXPECT_EQ(sh("stat -c '%a %u %g' /run/secrets/token").out, "400 1000 1000\n") << service;
        EXPECT_EQ(sh("id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status").out,
                  "1000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
        EXPECT_THAT(sh("touch /www/mine").err, HasSubstr("Read-only file system"));
        EXPECT_THAT(sh("echo 'H:/' > /etc/httpd.conf").err,
                    testing::ContainsRegex("Read-only file system|Permission denied"));
        EXPECT_THAT(sh("printf '#!/bin/sh\\necho ran\\n' > /tmp/x; chmod +x /tmp/x; /tmp/x").err,
                    HasSubstr("Permission denied"));
        EXPECT_THAT(sh("dd if=/dev/zero of=/tmp/big bs=64k count=32").err, HasSubstr("No space left"));
        EXPECT_EQ(sh("rm -f /tmp/big /tmp/x; cat /etc/httpd.conf | head -n 1").out,
                  "# Made for locked-down: requests from anywhere, for what is under /www only.\n");
    }
    // The vault has no way out, no port, and answers nobody without the token.
    EXPECT_THAT(box.ok({"exec", "-T", "vault", "ip", "route"}), Not(HasSubstr("default")));
    EXPECT_THAT(box.ok({"exec", "-T", "front", "ip", "route"}), HasSubstr("default"));
    EXPECT_NE(box.compose({"port", "vault", "8000"}).exit_code, 0);
    const auto stranger = box.compose({"exec", "-T", "front", "wget", "-q", "-O", "-", "--post-data", "open barley",
                                       "http://vault:8000/cgi-bin/ask"});
    EXPECT_THAT(stranger.err, HasSubstr("403"));

    // Whoever knows an old token is out as soon as the content of the secret has changed.
    const auto before = box.field("locked-down-vault-1", "ID");
    box.write("token.txt", "open rye\n", 0600);
    box.environment["WORD"] = "plugh";
    box.ok({"up", "-d", "--wait"});
    EXPECT_NE(box.field("locked-down-vault-1", "ID"), before);
    EXPECT_EQ(ask(box, "word").body, "the word is plugh");
    EXPECT_EQ(box.ok({"exec", "-T", "front", "cat", "/run/secrets/token"}), "open rye\n");
}

}  // namespace
}  // namespace compose::test
