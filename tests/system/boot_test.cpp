// What runs again after the machine has been down.
#include <compose/containers.hpp>
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include "store/store.hpp"
#include "support/sandbox.hpp"
#include "sys/file.hpp"
#include "sys/links.hpp"

namespace compose::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Processes, bridges and /run are gone at once; the disk stays.
void reboot(Sandbox& box, const std::vector<std::string>& running, const std::vector<std::string>& projects) {
    std::vector<int> pids;
    for (const auto& project : projects)
        for (const char* role : {"keeper", "supervisor"}) {
            pids.push_back(box.resident_pid(role, project));
            ASSERT_GT(pids.back(), 1) << role << " of " << project;
            ::kill(pids.back(), SIGSTOP);  // so that none starts another one
        }
    for (const auto& name : running) {
        pids.push_back(std::stoi(box.ok({"container", "inspect", "--format", "{{.State.Pid}}", name})));
        ASSERT_GT(pids.back(), 1) << name;
    }
    for (const int pid : pids) ::kill(pid, SIGKILL);
    for (const int pid : pids)
        ASSERT_TRUE(eventually([&] { return !sys::exists("/proc/" + std::to_string(pid) + "/exe"); }));
    sys::Links links;
    for (const auto& one : std::filesystem::directory_iterator("/sys/class/net"))
        if (std::filesystem::exists(one.path() / "bridge")) links.remove(one.path().filename());
    std::filesystem::remove_all(box.run_dir());
    store::Store store(store::Layout::from(box.state(), box.run_dir()));
    for (const auto& project : projects)
        for (auto& row : store.containers(project)) {
            row.boot_id = "another boot";
            store.update_runtime(row);
        }
}

std::string state(const Sandbox& box, const std::string& name) {
    return box.field(name, "State");
}

TEST(Boot, StartsWhatItsRestartPolicySays) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("password", "secret\n");
    box.environment["TOKEN"] = "t";
    const std::string one = "{image: busybox, command: sleep 1000, stop_grace_period: 0s, ";
    box.write("compose.yaml", "services:\n  web: " + one + "restart: always, secrets: [file], configs: [plain]}\n" +
                                  "  beside: " + one + "restart: unless-stopped, network_mode: 'service:web'}\n" +
                                  "  once: " + one + "restart: 'no'}\n" + "  down: " + one + "restart: always}\n" +
                                  "  token: " + one + "restart: always, secrets: [variable]}\n" +
                                  "secrets: {file: {file: ./password}, variable: {environment: TOKEN}}\n"
                                  "configs: {plain: {content: c}}\n");
    box.write("other/compose.yaml", "services: {web: " + one + "restart: unless-stopped}}\n");
    const std::vector<std::string> other{"-p", "other", "-f", box.path("other/compose.yaml")};
    const auto in_other = [&](std::vector<std::string> words) {
        words.insert(words.begin(), other.begin(), other.end());
        return words;
    };
    box.ok({"up", "-d"});
    box.ok(in_other({"up", "-d"}));
    box.ok({"stop", "down"});
    box.ok({"container", "run", "-d", "--name", "alone", "--restart", "always", "busybox", "sleep", "1000"});
    const auto id = box.field("demo-web-1", "ID");
    reboot(box, {"demo-web-1", "demo-beside-1", "demo-once-1", "demo-token-1", "other-web-1", "alone"},
           {"demo", "other", kStandaloneProject});
    EXPECT_EQ(state(box, "demo-web-1"), "exited");

    EXPECT_THAT(box.fails({"system", "boot"}),
                AllOf(HasSubstr("went with the last reboot, and \"variable\" came from the variable TOKEN"),
                      HasSubstr("1 container could not be started")));
    for (const char* name : {"demo-web-1", "demo-beside-1"}) EXPECT_EQ(state(box, name), "running") << name;
    EXPECT_EQ(box.field("demo-web-1", "ID"), id);
    for (const char* name : {"demo-once-1", "demo-down-1", "demo-token-1"})
        EXPECT_EQ(state(box, name), "exited") << name;
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/run/secrets/file"}), "secret\n");
    EXPECT_EQ(box.ok({"exec", "-T", "web", "cat", "/plain"}), "c");
    EXPECT_EQ(box.ok(in_other({"exec", "-T", "web", "echo", "here"})), "here\n");
    EXPECT_EQ(box.ok({"exec", "-T", "web", "nslookup", "web"}).empty(), false);
    EXPECT_EQ(box.ok({"container", "exec", "alone", "echo", "here"}), "here\n");
    // Who runs is left alone.
    const int pid = box.pid_of("demo-web-1");
    box.ok({"up", "-d", "token"});
    box.ok({"system", "boot"});
    EXPECT_EQ(box.pid_of("demo-web-1"), pid);
    box.ok(in_other({"down"}));
    box.ok({"container", "rm", "-f", "alone"});
}

TEST(Boot, PrintsAUnitForSystemd) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto unit = box.ok({"system", "boot", "--systemd"});
    EXPECT_THAT(unit, AllOf(HasSubstr("Type=oneshot\nRemainAfterExit=yes\n"),
                            HasSubstr("After=network-online.target local-fs.target\n"),
                            HasSubstr("Environment=\"COMPOSE_STATE_DIR=" + box.state() + "\"\n"),
                            HasSubstr("ExecStart=\"" COMPOSE_BINARY "\" system boot\n")));
}

}  // namespace
}  // namespace compose::test
