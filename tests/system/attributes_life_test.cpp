// How containers are looked after: logs, hooks, restarts, probes without a program, links.
#include <csignal>

#include <gmock/gmock.h>

#include "support/traffic.hpp"
#include "sys/file.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Logging, NoneKeepsNothingAndLimitsHold) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  silent: {image: busybox, command: "sh -c 'echo spoken; sleep 1000'", logging: {driver: none}}
  small:
    image: busybox
    command: "sh -c 'seq 1 20000; echo end; sleep 1000'"
    logging: {driver: json-file, options: {max-size: 50k, max-file: "2", mode: non-blocking, max-buffer-size: 2m}}
  single:
    image: busybox
    command: "sh -c 'seq 1 20000; echo end; sleep 1000'"
    logging: {driver: local, options: {max-size: 50k, max-file: "1"}}
  tiny:
    image: busybox
    command: "sh -c 'seq 1 2000; echo end; sleep 1000'"
    logging: {options: {max-size: 1k}}
)");
    box.ok({"up", "-d"});
    for (const char* service : {"small", "single", "tiny"})
        EXPECT_TRUE(eventually([&] { return box.ok({"logs", "--no-log-prefix", service}).ends_with("end\n"); }));
    EXPECT_EQ(box.ok({"logs", "silent"}), "");
    const auto files = [&](const std::string& service) {
        return box
            .host({"sh", "-c",
                   "cd " + box.state() + "/containers/" + box.field("demo-" + service + "-1", "ID") +
                       "* && stat -c %s container.log* && ls container.log* | wc -l"})
            .out;
    };
    EXPECT_THAT(files("small"), testing::EndsWith("\n2\n"));
    EXPECT_THAT(files("single"), testing::EndsWith("\n1\n"));
    // As Docker has it: one file where only its size is given. It is near that.
    EXPECT_THAT(files("tiny"), testing::EndsWith("\n1\n"));
    EXPECT_LT(std::stoi(files("tiny")), 1100);
    EXPECT_THAT(box.ok({"logs", "small"}), Not(HasSubstr(" 1\n")));
}

TEST(Logging, CompressedFilesAreReadLikeAnyOthers) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto project = [](const std::string& label) {
        return R"(
services:
  app:
    image: busybox
    labels: {generation: ")" +
               label + R"("}
    command: "sh -c 'seq 1 30000; sleep 1000'"
    stop_grace_period: 0s
    logging: {options: {max-size: 200k, max-file: "9", compress: "true"}}
)";
    };
    box.write("compose.yaml", project("one"));
    box.ok({"up", "-d"});
    const auto folder = [&] { return box.state() + "/containers/" + box.field("demo-app-1", "ID"); };
    const auto files = [&] { return box.host({"sh", "-c", "cd " + folder() + "* && ls container.log*"}).out; };
    // Killed in the middle of its work, the supervisor begins it again.
    const int supervisor = box.resident_pid("supervisor");
    ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] {
        const auto now = files();
        return now.find("container.log.2.gz\n") != std::string::npos &&
               now.find("container.log.1\n") == std::string::npos;
    })) << files();
    EXPECT_EQ(box.host({"sh", "-c", "gzip -t " + folder() + "*/container.log.*.gz"}).exit_code, 0);
    std::string all;
    for (int i = 1; i <= 30000; ++i) all += std::to_string(i) + "\n";
    const auto read = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"logs", "--no-log-prefix"});
        return box.ok(more);
    };
    EXPECT_EQ(read({}), all);
    EXPECT_EQ(read({"--tail", "25000"}), all.substr(all.find("\n5001\n") + 1));
    EXPECT_EQ(read({"--since", "10m"}), all);
    EXPECT_EQ(read({"--until", "10m"}), "");
    box.write("compose.yaml", project("two"));
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return read({}) == all + all; }));
}

TEST(Logging, WhatIsNotThereIsNamedWithItsLine) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(services:
  a:
    image: busybox
    command: sleep 1
    logging: {driver: syslog}
  b:
    image: busybox
    command: sleep 1
    logging: {options: {compress: "true", max-file: "1"}}
  c:
    image: busybox
    command: sleep 1
    logging: {options: {tag: "{{.Nothing}}"}}
  d:
    image: busybox
    command: sleep 1
    logging: {options: {env-regex: "("}}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("compose.yaml:5:5"));
    EXPECT_THAT(error, HasSubstr("logging driver \"syslog\" is not here"));
    EXPECT_THAT(error, HasSubstr("compress cannot be true when max-file is less than 2"));
    EXPECT_THAT(error, HasSubstr("logging option tag: "));
    EXPECT_THAT(error, HasSubstr("logging option env-regex: \"(\" is no regular expression"));
}

TEST(Logging, LabelsVariablesAndTagGoWithEachLine) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: echo said
    labels: {team: blue, other: hidden}
    environment: {STAGE: test, SECRET: hidden}
    logging: {options: {labels: "team,absent", env-regex: "^ST",  tag: "{{.ImageName}}/{{.Name}}"}}
)");
    box.ok({"up", "-d"});
    ASSERT_TRUE(eventually([&] { return !box.ok({"logs"}).empty(); }));
    EXPECT_THAT(box.ok({"logs", "--format", "json"}),
                HasSubstr(R"("message":"said","attrs":{"STAGE":"test","tag":"busybox/demo-web-1","team":"blue"}})"));
    EXPECT_EQ(box.ok({"logs", "--no-log-prefix"}), "said\n");
    EXPECT_EQ(box.ok({"container", "logs", "--details", "demo-web-1"}),
              "STAGE=test,tag=busybox/demo-web-1,team=blue said\n");
    // Of the container that took another's place, too.
    box.ok({"up", "-d", "--force-recreate"});
    ASSERT_TRUE(eventually([&] { return box.ok({"logs", "--no-log-prefix"}) == "said\nsaid\n"; }));
    EXPECT_EQ(box.ok({"container", "logs", "--tail", "1", "--details", "demo-web-1"}),
              "STAGE=test,tag=busybox/demo-web-1,team=blue said\n");
}

TEST(Hooks, RunAfterTheStartAndBeforeTheStop) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    user: "1000"
    volumes: ["./out:/out"]
    environment: {WHO: container}
    post_start:
      - {command: ["sh", "-c", "echo $$WHO $$MORE $$(id -u) $$(pwd) >> /out/log"], user: root, working_dir: /out, environment: [MORE=hook]}
      - {command: ["sh", "-c", "echo second $$(id -u) >> /tmp/mine"]}
    pre_stop:
      - {command: ["sh", "-c", "echo stopping >> /out/log"], user: root}
)");
    const auto log = [&] { return box.host({"cat", box.path("out/log")}).out; };
    box.ok({"up", "-d"});
    EXPECT_EQ(log(), "container hook 0 /out\n");
    EXPECT_EQ(in(box, "web", "cat /tmp/mine"), "second 1000\n");
    box.ok({"stop", "-t", "0"});
    EXPECT_EQ(log(), "container hook 0 /out\nstopping\n");
    box.ok({"start"});
    box.ok({"restart", "-t", "0"});
    EXPECT_EQ(log(), "container hook 0 /out\nstopping\ncontainer hook 0 /out\nstopping\ncontainer hook 0 /out\n");
    box.ok({"kill"});  // asks nobody
    box.ok({"down", "-t", "0"});
    EXPECT_EQ(log(), "container hook 0 /out\nstopping\ncontainer hook 0 /out\nstopping\ncontainer hook 0 /out\n");
}

TEST(Hooks, AFailureFailsTheCommandWithItsWords) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web: {image: busybox, command: sleep 1000, post_start: [{command: ["sh", "-c", "echo broken; exit 7"]}]}
)");
    const auto error = box.fails({"up", "-d"});
    EXPECT_THAT(error, HasSubstr("post_start hook exited with status 7"));
    EXPECT_THAT(error, HasSubstr("broken"));
    EXPECT_EQ(box.field("demo-web-1", "State"), "running");
}

TEST(Restarts, DelayAttemptsAndWindow) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  few:
    image: busybox
    command: "sh -c 'date +%s >> /out/few; exit 1'"
    volumes: ["./out:/out"]
    deploy: {restart_policy: {condition: any, delay: 1s, max_attempts: 2}}
  long:
    image: busybox
    command: "sh -c 'date >> /out/long; sleep 0.3; exit 1'"
    volumes: ["./out:/out"]
    deploy: {restart_policy: {condition: on-failure, delay: 10ms, max_attempts: 1, window: 200ms}}
)");
    box.ok({"up", "-d"});
    const auto lines = [&](const std::string& name) {
        return std::stoi("0" + box.host({"sh", "-c", "wc -l < " + box.path("out/" + name)}).out);
    };
    EXPECT_TRUE(eventually([&] { return box.field("demo-few-1", "State") == "exited"; }));
    EXPECT_EQ(lines("few"), 3) << "once, and twice more";
    const auto times =
        box.host({"sh", "-c", "head -1 " + box.path("out/few") + "; tail -1 " + box.path("out/few")}).out;
    EXPECT_GE(std::stol(times.substr(times.find('\n') + 1)) - std::stol(times), 2) << times;
    EXPECT_TRUE(eventually([&] { return lines("long") > 3; })) << "each run outlasts the window";
}

TEST(Restarts, OnUnhealthyWhereAskedFor) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
    x-restart-on-unhealthy: true
    healthcheck: {test: ["CMD", "test", "!", "-e", "/tmp/sick"], interval: 100ms, retries: 2}
  left:
    image: busybox
    command: sleep 1000
    healthcheck: {test: ["CMD", "false"], interval: 100ms, retries: 1}
)");
    box.ok({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return box.field("demo-web-1", "Health") == "healthy"; }));
    const int first = box.pid_of("demo-web-1");
    (void)in(box, "web", "touch /tmp/sick");
    EXPECT_TRUE(eventually([&] {
        const int now = box.pid_of("demo-web-1");
        return now != 0 && now != first;
    }));
    EXPECT_TRUE(eventually([&] { return box.field("demo-left-1", "Health") == "unhealthy"; }));
    EXPECT_EQ(box.field("demo-left-1", "State"), "running");
    // Between two restarts there is nothing to run it in.
    EXPECT_TRUE(eventually([&] { return box.compose({"exec", "-T", "web", "rm", "-f", "/tmp/sick"}).exit_code == 0; }));
    EXPECT_TRUE(eventually([&] { return box.field("demo-web-1", "Health") == "healthy"; }, std::chrono::seconds(30)));
    box.ok({"stop", "-t", "0"});
    EXPECT_EQ(box.field("demo-web-1", "State"), "exited");
}

TEST(Probes, RunAsTheContainersOwnProgramDoes) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: "sleep 1000"
    working_dir: /var/data
    user: "1000"
    environment: {WHO: web}
    healthcheck:
      test: 'test "$$(pwd) $$(id -u) $$WHO" = "/var/data 1000 web" && test -e seed'
      interval: 100ms
      retries: 3
)");
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(box.field("demo-web-1", "Health"), "healthy");
}

TEST(Probes, NeedNoProgramInTheImage) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("site/ok", "fine\n");
    box.write("compose.yaml", R"(
services:
  http:
    image: busybox
    command: "sh -c 'sleep 0.5; exec httpd -f -p 8080 -h /site'"
    volumes: ["./site:/site:ro"]
    x-probe: {http: ":8080/ok"}
    healthcheck: {interval: 100ms, retries: 100}
  tcp:
    image: busybox
    command: "httpd -f -p 8080 -h /tmp"
    x-probe: {tcp: 8080}
    healthcheck: {interval: 100ms, retries: 100}
  missing:
    image: busybox
    command: "httpd -f -p 8080 -h /site"
    volumes: ["./site:/site:ro"]
    x-probe: {http: "http://127.0.0.1:8080/nosuch"}
    healthcheck: {interval: 100ms, retries: 2}
  closed:
    image: busybox
    command: sleep 1000
    x-probe: {tcp: "8080"}
    healthcheck: {interval: 100ms, retries: 2}
  after:
    image: busybox
    command: sleep 1000
    depends_on: {http: {condition: service_healthy}}
)");
    box.ok({"up", "-d"});
    EXPECT_EQ(box.field("demo-http-1", "Health"), "healthy") << "the one after it has waited";
    EXPECT_TRUE(eventually([&] { return box.field("demo-tcp-1", "Health") == "healthy"; }));
    EXPECT_TRUE(eventually([&] { return box.field("demo-missing-1", "Health") == "unhealthy"; }));
    EXPECT_TRUE(eventually([&] { return box.field("demo-closed-1", "Health") == "unhealthy"; }));
    box.write("bad.yaml", "services: {a: {image: busybox, command: sleep 1, x-probe: {ping: 1}}}\n");
    EXPECT_THAT(box.fails({"-f", "bad.yaml", "-p", "bad", "up", "-d"}), HasSubstr("neither tcp nor http"));
}

TEST(Links, AreNamesThatOnlyTheLinkedKnows) {
    REQUIRE_ROOT();
    Sandbox box;
    box.write("compose.yaml", R"(
services:
  db: {image: busybox, command: sleep 1000}
  web: {image: busybox, command: sleep 1000, links: ["db:database"]}
  far: {image: busybox, command: sleep 1000, external_links: ["demo-db-1:store"]}
)");
    box.ok({"up", "-d"});
    EXPECT_THAT(in(box, "web", "nslookup database"), HasSubstr(address_of(box, "db")));
    EXPECT_NE(box.compose({"exec", "-T", "db", "nslookup", "database"}).exit_code, 0);
    EXPECT_TRUE(reaches(box, "far", "store"));
}

TEST(Jobs, RunToTheirEndOnceAndAreWaitedForUntilThen) {
    REQUIRE_ROOT();
    Sandbox box;
    const auto file = [&](const char* more) {
        box.write("compose.yaml", std::string("services:\n  job:\n    image: busybox\n    volumes: ['./w:/w']\n"
                                              "    command: [sh, -c, 'sleep 0.3; echo done >> /w/log; ") +
                                      more +
                                      "']\n    deploy: {mode: replicated-job, replicas: 2}\n"
                                      "  all:\n    image: busybox\n    volumes: ['./w:/w']\n"
                                      "    command: [sh, -c, 'echo try >> /w/tries; [ $$(wc -l < /w/tries) -gt 2 ]']\n"
                                      "    deploy: {mode: global-job, restart_policy: {condition: on-failure}}\n");
    };
    const auto text = [&](const char* name) {
        return sys::read_file_if_exists(box.path("w/" + std::string(name))).value_or("");
    };
    file("");
    box.ok({"up", "-d", "--wait"});
    EXPECT_EQ(text("log"), "done\ndone\n");
    EXPECT_EQ(text("tries"), "try\ntry\ntry\n");
    box.ok({"up", "-d", "--wait"});
    box.ok({"up", "--no-color"});
    EXPECT_EQ(text("log"), "done\ndone\n") << "it was done";
    box.ok({"up", "-d", "--wait", "--rerun", "job"});
    EXPECT_EQ(text("log"), "done\ndone\ndone\ndone\n");
    sys::write_file(box.path("w/log"), "");
    file("exit 3");
    EXPECT_THAT(box.fails({"up", "-d", "--wait", "job"}), HasSubstr("exit 3"));
    EXPECT_TRUE(eventually([&] { return text("log") == "done\ndone\n"; })) << "they had changed";
}

}  // namespace
}  // namespace compose::test
