// Commands of everyday work: logs and their filters, plan, explain, one-shots, rolling updates, watch, completion.
#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/sandbox.hpp"
#include "support/terminal.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Workflow, LogsCanBeFilteredAndOutliveARecreation) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* value) {
        box.write("compose.yaml",
                  std::string("services: {web: {image: busybox, stop_grace_period: 0s, environment: {V: ") + value +
                      "}, command: \"sh -c 'echo start $$V; echo Error $$V >&2; sleep 1000'\"}}\n");
    };
    file("one");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box.ok({"logs"}).find("start one") != std::string::npos; }));
    file("two");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return box.ok({"logs"}).find("start two") != std::string::npos; }));
    ASSERT_TRUE(eventually([&] {
        return box.ok({"logs", "--no-log-prefix", "--no-color"}) == "start one\nError one\nstart two\nError two\n";
    }));
    EXPECT_EQ(box.ok({"logs", "--no-log-prefix", "--no-color", "--grep", "t[a-z]+ (two|three)"}), "start two\n");
    EXPECT_THAT(box.ok({"logs", "--grep", "error", "--ignore-case"}), HasSubstr("Error two"));
    EXPECT_THAT(box.fails({"logs", "--grep", "("}), HasSubstr("is no regular expression"));
    const auto lines = split(std::string(trim(box.ok({"logs", "--format", "json", "--grep", "^start two$"}))), '\n');
    ASSERT_EQ(lines.size(), 1U);
    const auto line = parse_json(lines[0]).as_object();
    EXPECT_EQ(string_or(line, "service"), "web");
    EXPECT_EQ(string_or(line, "container"), "demo-web-1");
    EXPECT_EQ(string_or(line, "stream"), "stdout");
    EXPECT_EQ(string_or(line, "message"), "start two");
    box.ok({"up", "-d", "--force-recreate"});
    ASSERT_TRUE(eventually([&] {
        return box.ok({"logs", "--no-log-prefix", "--no-color", "--grep", "start"}) ==
               "start one\nstart two\nstart two\n";
    }));
}

TEST(Workflow, PlanSaysWhatAndWhy) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, environment: {A: one, "
              "DB_PASSWORD: old}}}\n");
    auto result = box.compose({"plan"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.out, HasSubstr("+ create Container demo-web-1"));
    EXPECT_TRUE(box.ps().empty());
    box.ok({"up", "-d"});
    result = box.compose({"plan"});
    EXPECT_EQ(result.exit_code, 0) << result.out;
    EXPECT_EQ(result.out, "nothing to do\n");
    box.write("compose.yaml",
              "services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, environment: {A: two, "
              "DB_PASSWORD: new}, labels: {x: y}}}\n");
    result = box.compose({"plan", "--format", "json"});
    EXPECT_EQ(result.exit_code, 2);
    const auto changes = parse_json(result.out).as_array();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(string_or(changes[0].as_object(), "action"), "replace");
    EXPECT_EQ(string_or(changes[0].as_object(), "cause"), "config changed");
    const auto details = strings_or_empty(changes[0].as_object(), "details");
    EXPECT_THAT(details, testing::Contains("environment.A: \"one\" -> \"two\""));
    EXPECT_THAT(details, testing::Contains("environment.DB_PASSWORD: (hidden) -> (hidden)"));
    EXPECT_THAT(details, testing::Contains("labels.x: added \"y\""));
}

TEST(Workflow, ExplainTellsWhoEndedIt) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  bad: {image: busybox, command: "sh -c 'echo last words; exit 4'"}
  hit: {image: busybox, init: true, command: "sh -c 'kill -SEGV $$$$'"}
  sick:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    healthcheck: {test: "echo no disk; exit 1", interval: 100ms, retries: 1}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] {
        return box.field("demo-bad-1", "State") == "exited" && box.field("demo-hit-1", "State") == "exited" &&
               box.field("demo-sick-1", "Health") == "unhealthy";
    }));
    const auto bad = box.ok({"explain", "bad"});
    EXPECT_THAT(bad, HasSubstr("it exited with code 4"));
    EXPECT_THAT(bad, HasSubstr("last words"));
    EXPECT_THAT(bad, HasSubstr("restart: no"));
    EXPECT_THAT(box.ok({"explain", "hit"}), HasSubstr("SIGSEGV"));
    EXPECT_THAT(box.ok({"ps", "-a"}), HasSubstr("(SIGSEGV)"));
    const auto sick = box.ok({"explain", "sick"});
    EXPECT_THAT(sick, HasSubstr("probes in a row have failed"));
    EXPECT_THAT(sick, HasSubstr("no disk"));
    const auto json = parse_json(box.ok({"explain", "bad", "--format", "json"})).as_object();
    EXPECT_EQ(int_or(json, "exitCode", 0), 4);
}

TEST(Workflow, ExplainNamesWantOfMemory) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  greedy:
    image: busybox
    command: "sh -c 'echo filling; exec dd if=/dev/zero of=/dev/null bs=200M count=1'"
    mem_limit: 16m
    memswap_limit: 16m
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: {greedy: {condition: service_completed_successfully}}}
)");
    EXPECT_THAT(
        box.fails({"up", "-d"}),
        testing::AllOf(HasSubstr("didn't complete successfully: exit 137 (out of memory)"), HasSubstr("filling")));
    EXPECT_EQ(box.field("demo-greedy-1", "ExitCode"), "137");
    EXPECT_THAT(box.ok({"explain", "greedy"}), HasSubstr("it needed more memory than it may have"));
    EXPECT_THAT(box.ok({"ps", "-a"}), testing::ContainsRegex("Exited \\(137\\) .* \\(out of memory\\)"));
    EXPECT_THAT(box.ok({"explain", "greedy", "--format", "json"}), HasSubstr("\"oomKilled\":true"));
}

TEST(Workflow, AOneShotThatIsDoneRests) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* value) {
        box.write("compose.yaml", std::string(R"(
services:
  migrate: {image: busybox, command: "sh -c 'echo run >> /out/runs'", volumes: ["./out:/out"], environment: {V: )") +
                                      value + R"(}}
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: {migrate: {condition: service_completed_successfully}}}
)");
    };
    file("one");
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(sys::read_file(box.path("out/runs")), "run\n");
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(sys::read_file(box.path("out/runs")), "run\n");
    box.ok({"up", "-d", "--rerun", "--wait"});
    EXPECT_EQ(sys::read_file(box.path("out/runs")), "run\nrun\n");
    file("two");
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(sys::read_file(box.path("out/runs")), "run\nrun\nrun\n");
    // What was stopped by hand is started, whatever it exited with.
    box.write(
        "compose.yaml",
        "services: {web: {image: busybox, command: \"sh -c 'trap \\\"exit 0\\\" TERM; touch /ready; while :; do sleep "
        "0.1; done'\"}}\n");
    box.ok({"up", "-d", "--remove-orphans"});
    ASSERT_TRUE(eventually([&] { return box.compose({"exec", "-T", "web", "test", "-e", "/ready"}).exit_code == 0; }));
    box.ok({"stop"});
    EXPECT_EQ(box.field("demo-web-1", "ExitCode"), "0");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    box.ok({"down", "-t", "0"});
}

TEST(Workflow, ARollingUpdateStartsFirstAndRollsBack) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* test) {
        box.write("compose.yaml", std::string(R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    healthcheck: {test: ")") + test + R"(", interval: 100ms, retries: 2}
    deploy:
      replicas: 2
      update_config: {parallelism: 1, order: start-first, failure_action: rollback}
)");
    };
    file("true");
    box.ok({"up", "-d", "--wait"});
    const auto first = box.field("demo-web-1", "ID");
    file("test -d /");
    box.ok({"up", "-d"});
    EXPECT_NE(box.field("demo-web-1", "ID"), first);
    EXPECT_EQ(box.ps().size(), 2U);
    const auto good = box.field("demo-web-1", "ID");
    file("false");
    EXPECT_THAT(box.fails({"up", "-d"}), HasSubstr("unhealthy"));
    EXPECT_EQ(box.field("demo-web-1", "ID"), good);
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    EXPECT_EQ(box.field("demo-web-2", "State"), "running");
    EXPECT_EQ(box.ps().size(), 2U);
}

/// `compose watch` beside the test, interrupted at the end.
class Watching {
public:
    explicit Watching(const Sandbox& box)
        : pid_file_(box.path("watch.pid")), thread_([&box, this] {
              (void)sys::run_command(
                  {.argv = {"sh", "-c",
                            "echo $$ > " + pid_file_ + "; exec " COMPOSE_BINARY " watch --no-up > watch.log 2>&1"},
                   .environment = box.environment,
                   .working_dir = box.folder(),
                   .timeout = std::chrono::seconds(150)});
          }) {}
    ~Watching() {
        const auto pid = std::stoi(sys::read_file(pid_file_));
        if (pid > 1) ::kill(pid, SIGINT);
        thread_.join();
    }

private:
    std::string pid_file_;
    std::thread thread_;
};

TEST(Workflow, WatchCopiesWhatChangesAndLosesNothing) {
    REQUIRE_ROOT();
    Sandbox box;
    std::filesystem::create_directories(box.path("src/sub"));
    box.write("src/first", "1\n");
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sh -c 'date +%s%N > /started; sleep 1000'
    stop_grace_period: 0s
    scale: 2
    develop:
      watch:
        - {path: ./src, target: /app, action: sync, initial_sync: true, ignore: ["*.tmp"]}
        - {path: ./conf, target: /conf, action: sync+restart}
)");
    std::filesystem::create_directories(box.path("conf"));
    box.ok({"up", "-d"});
    const auto in = [&](int index, const std::string& script) {
        return box.compose({"exec", "-T", "--index", std::to_string(index), "web", "sh", "-c", script}).out;
    };
    {
        const Watching watching(box);
        EXPECT_TRUE(eventually([&] { return in(2, "cat /app/first") == "1\n"; }));
        box.write("src/sub/new", "fresh\n");
        box.write("src/x.tmp", "no\n");
        EXPECT_TRUE(eventually(
            [&] { return in(1, "cat /app/sub/new") == "fresh\n" && in(2, "cat /app/sub/new") == "fresh\n"; }));
        EXPECT_EQ(in(1, "ls /app/x.tmp 2>/dev/null"), "");
        std::filesystem::remove(box.path("src/first"));
        EXPECT_TRUE(eventually([&] { return in(1, "test -e /app/first || echo gone") == "gone\n"; }));
        // A storm: many folders and files at once.
        const auto storm = box.host({"sh", "-c",
                                     "cd " + box.path("src") +
                                         " && for d in $(seq 1 100); do mkdir d$d; for f in $(seq 1 100); do echo $f > "
                                         "d$d/f$f; done; done"});
        ASSERT_EQ(storm.exit_code, 0);
        EXPECT_TRUE(
            eventually([&] { return in(1, "find /app -name 'f*' | wc -l") == "10000\n"; }, std::chrono::seconds(60)));
        EXPECT_TRUE(
            eventually([&] { return in(2, "find /app -name 'f*' | wc -l") == "10000\n"; }, std::chrono::seconds(60)));
        const auto started = in(1, "cat /started");
        box.write("conf/a", "b\n");
        EXPECT_TRUE(eventually([&] { return in(1, "cat /conf/a") == "b\n" && in(1, "cat /started") != started; },
                               std::chrono::seconds(30)));
    }
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1000}}\n");
    EXPECT_THAT(box.fails({"watch", "--no-up"}), HasSubstr("configured for watch"));
    box.ok({"down", "-t", "0"});
}

TEST(Workflow, CompletionKnowsCommandsOptionsAndServices) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml",
              "services: {web: {image: busybox, env_file: missing.env}, worker: {image: busybox, command: sleep 9, "
              "profiles: [x]}}\n");
    EXPECT_THAT(box.ok({"__complete", "lo"}), HasSubstr("logs\t"));
    EXPECT_THAT(box.ok({"__complete", "logs", "--ti"}), HasSubstr("--timestamps\t"));
    EXPECT_EQ(box.ok({"__complete", "logs", "w"}), "web\nworker\n");
    EXPECT_EQ(box.ok({"__complete", "-f", "compose.yaml", "up", "-d", "we"}), "web\n");
    EXPECT_THAT(box.ok({"__complete", "kill", "-s", "SIGT"}), HasSubstr("SIGTERM"));
    EXPECT_THAT(box.ok({"__complete", "-f", ""}), HasSubstr(":files"));
    EXPECT_THAT(box.ok({"__complete", "image", "l"}), HasSubstr("ls\t"));
    box.write("env", "");
    EXPECT_EQ(box.ok({"__complete", "--env-file", ""}), ":files\n");
    box.ok({"create", "worker"});
    const std::vector<std::pair<std::vector<std::string>, std::string>> values{
        {{"--profile", ""}, "x\n"},
        {{"--project-name", "d"}, "demo\n"},
        {{"-p", ""}, "demo\n"},
        {{"--progress", ""}, "auto\njson\nplain\nquiet\ntty\n"},
        {{"image", "build", "--progress", "raw"}, "rawjson\n"},
        {{"up", "--progress", "t"}, "tty\n"},
        {{"--ansi", ""}, "always\nauto\nnever\n"},
        {{"down", "--rmi", ""}, "all\nlocal\n"},
        {{"down", "--rmi=l"}, "--rmi=local\n"},
        {{"logs", "-n", ""}, "all\n"},
        {{"logs", "--since", ""}, ""},
        {{"up", "--pull", ""}, "always\nbuild\nmissing\nnever\n"},
        {{"pull", "--policy", ""}, "always\nmissing\n"},
        {{"config", "--format", ""}, "json\nyaml\n"},
        {{"version", "-f", ""}, "json\npretty\n"},
        {{"ps", "--format", ""}, "json\nraw\ntable\n"},
        {{"images", "--format", ""}, "json\ntable\n"},
        {{"logs", "--format", ""}, "json\ntext\n"},
        {{"ps", "--status", "r"}, "removing\nrestarting\nrunning\n"},
        {{"ps", "--filter", "status=e"}, "status=exited\n"},
        {{"ls", "--filter", ""}, "name=\n"},
        {{"stop", "-t", ""}, ""},
        {{"up", "--scale", "wo"}, "worker=\n"},
        {{"up", "--exit-code-from", "we"}, "web\n"}};
    for (auto [words, found] : values) {
        words.insert(words.begin(), "__complete");
        EXPECT_EQ(box.ok(words), found) << join(words, " ");
    }
    EXPECT_THAT(box.ok({"completion", "bash"}), HasSubstr("complete -F _compose compose"));
    EXPECT_THAT(box.ok({"completion", "zsh"}), HasSubstr("#compdef compose"));
    EXPECT_THAT(box.ok({"completion", "fish"}), HasSubstr("complete -c compose"));
    // PowerShell itself is no test dependency: what it would call is what the other shells do.
    EXPECT_THAT(box.ok({"completion", "powershell"}),
                testing::AllOf(HasSubstr("Register-ArgumentCompleter -Native -CommandName 'compose' -ScriptBlock {"),
                               HasSubstr("& $program __complete @words"), HasSubstr("':files'")));
    EXPECT_EQ(box.ok({"__complete", "completion", "p"}), "powershell\n");
    EXPECT_THAT(box.fails({"completion", "tcsh"}), HasSubstr("bash, zsh, fish or powershell"));
    EXPECT_EQ(box.host({"bash", "-c", "source <(" COMPOSE_BINARY " completion bash) && complete -p compose"}).exit_code,
              0);
    EXPECT_THAT(box.ok({"man", "up"}), HasSubstr(".TH compose\\-up 1"));
    box.ok({"man", "-o", "pages"});
    EXPECT_TRUE(sys::exists(box.path("pages/compose-image-ls.1")));
}

// What the user of each shell gets for the Tab key.
TEST(Workflow, CompletionInTheShells) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", "services: {website: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}\n");
    box.write("other-file.yaml", "");
    box.ok({"up", "-d"});
    const std::string folder = std::filesystem::path(COMPOSE_BINARY).parent_path();
    box.environment["PATH"] = folder + ":" + box.environment["PATH"];
    box.environment["TERM"] = "xterm";
    const auto run = [&](const std::vector<std::string>& argv) {
        return sys::run_command({.argv = argv,
                                 .environment = box.environment,
                                 .working_dir = box.folder(),
                                 .timeout = std::chrono::seconds(20)});
    };
    const std::string bash =
        R"(source <(compose completion bash); COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$1; COMP_POINT=${#1}; _compose compose "${COMP_WORDS[-1]}" ""; printf '%s\n' "${COMPREPLY[@]}")";
    EXPECT_EQ(run({"bash", "-c", bash, "bash", "compose logs web"}).out, "website\n");
    EXPECT_THAT(run({"bash", "-c", bash, "bash", "compose -f other"}).out, HasSubstr("other-file.yaml"));
    EXPECT_THAT(run({"bash", "-c", bash, "bash", "compose container stop demo-"}).out, HasSubstr("demo-website-1"));
    const auto fish = [&](const std::string& line) {
        return run({"fish", "-c", "compose completion fish | source; complete -C '" + line + "'"}).out;
    };
    EXPECT_EQ(fish("compose logs web"), "website\n");
    EXPECT_THAT(fish("compose -f other"), HasSubstr("other-file.yaml"));
    EXPECT_THAT(fish("compose container stop demo-"), HasSubstr("demo-website-1"));
    EXPECT_THAT(fish("compose lo"), HasSubstr("logs\t"));
    const auto zsh = [&](const std::string& keys, const std::string& rest) {
        box.write(".zshrc",
                  "PS1='> '\nautoload -U compinit\ncompinit -D -u\nsource <(compose completion zsh)\necho re''ady\n");
        auto environment = box.environment;
        environment["ZDOTDIR"] = box.folder();
        Terminal shell({"/usr/bin/zsh", "-i"}, environment, box.folder());
        EXPECT_TRUE(shell.shows("ready")) << shell.screen();
        // Completed, then to the beginning of the line and made an argument of echo.
        shell.type(keys + "\t\x01" + "echo \n");
        EXPECT_TRUE(shell.shows(keys + rest)) << keys << ": " << shell.screen();
    };
    zsh("compose logs web", "site");
    zsh("compose -f other", "-file.yaml");
    zsh("compose container stop demo-", "website-1");
}

TEST(Workflow, SmallThingsOfConvergence) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, depends_on: [db]}
  db: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
)");
    EXPECT_THAT(box.compose({"--dry-run", "up", "-d"}).err, HasSubstr("Container demo-web-1 Created"));
    EXPECT_TRUE(box.ps().empty());
    box.ok({"up", "-d"});
    EXPECT_THAT(box.ok({"alpha", "viz"}), HasSubstr("\"web\" -> \"db\""));
    EXPECT_THAT(box.compose({"--dry-run", "stop"}).err, HasSubstr("DRY-RUN"));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
    (void)box.ok({"--dry-run", "down"});
    EXPECT_EQ(box.ps().size(), 2U);
    box.ok({"stop"});
    box.ok({"start", "--wait", "--wait-timeout", "20"});
    EXPECT_EQ(box.field("demo-db-1", "State"), "running");
    EXPECT_EQ(box.ok({"ps", "--format", "{{.Service}}:{{.State}}"}), "db:running\nweb:running\n");
    EXPECT_THAT(box.ok({"ps", "--format", "table {{.Name}}\t{{.Service}}"}), HasSubstr("demo-db-1"));
    box.ok({"down"});
    box.ok({"--compatibility", "up", "-d", "db"});
    EXPECT_EQ(box.field("demo_db_1", "State"), "running");
    box.ok({"down"});
}

}  // namespace
}  // namespace compose::test
