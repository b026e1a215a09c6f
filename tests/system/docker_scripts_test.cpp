// Programs and shell scripts that drive `docker`: an npm package, a deployment's script, streams, signals.
#include <filesystem>

#include <gmock/gmock.h>

#include "base/strings.hpp"
#include "support/course.hpp"

namespace compose::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(DockerScripts, TheNpmPackageDrivesIt) {
    REQUIRE_ROOT();
    const std::string package = std::string(BUILD_ROOT) + "/../npm/node_modules/docker-compose";
    if (!std::filesystem::exists(package)) GTEST_SKIP() << "the npm package docker-compose is not here: no network";
    if (!std::filesystem::exists("/usr/bin/node")) GTEST_SKIP() << "needs node";
    Course box;
    box.write("compose.yaml", R"(
services:
  web:
    image: busybox
    command: ["sh", "-c", "echo serving; exec httpd -f -p 80"]
    ports: ["8082:80"]
    stop_grace_period: 0s
)");
    box.write("client.js", R"(
const compose = require(process.argv[2]);
const options = {cwd: process.cwd(), executable: {executablePath: process.argv[3]}, env: process.env};
(async () => {
  const said = {};
  await compose.upAll(options);
  const ps = await compose.ps(options);
  said.names = ps.data.services.map((service) => service.name);
  said.exec = (await compose.exec('web', 'echo inside', options)).out.trim();
  said.port = (await compose.port('web', 80, options)).data.port;
  said.services = (await compose.configServices(options)).data.services;
  said.logs = (await compose.logs('web', options)).out.includes('serving');
  await compose.restartOne('web', options);
  await compose.stop(options);
  await compose.down(options);
  said.left = (await compose.ps(options)).data.services.length;
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(error); process.exit(1); });
)");
    EXPECT_EQ(box.run("node client.js " + package + " \"$PWD\"/bin/docker"),
              R"({"names":["demo-web-1"],"exec":"inside","port":8082,"services":["web"],"logs":true,"left":0})");
}

TEST(DockerScripts, SignalsAndStreamsGoThrough) {
    REQUIRE_ROOT();
    Course box;
    EXPECT_EQ(box.run("printf 'a\\nb\\n' | docker run -i --rm busybox busybox wc -l"), "2");
    EXPECT_EQ(box.run("docker run --rm busybox sh -c 'echo out; echo err >&2' 2>/dev/null"), "out");
    EXPECT_EQ(box.run("docker run --rm busybox cat < /dev/null"), "");
    EXPECT_EQ(box.run("head -c 3000000 /dev/zero | docker run -i --rm busybox busybox wc -c"), "3000000");
    EXPECT_EQ(box.run("docker run --rm busybox sh -c 'head -c 3000000 /dev/zero' | wc -c"), "3000000");
    const auto result = box.sh(
        R"(docker run --name sig busybox sh -c 'trap "echo bye; exit 9" TERM; echo on; while :; do sleep 0.1; done' > out 2>&1 & p=$!
for i in $(seq 400); do grep -q on out && break; sleep 0.05; done
kill -TERM $p; wait $p; echo "exit $?"; cat out)");
    EXPECT_EQ(result.out, "exit 9\non\nbye\n");
    EXPECT_EQ(box.run("docker start -a sig & sleep 0.5; docker kill -s TERM sig >/dev/null; wait $!; echo $?"),
              "on\nbye\n9");
}

TEST(DockerScripts, ScriptsAsPeopleWriteThem) {
    REQUIRE_ROOT();
    Course box;
    box.run(
        "docker run -d --name web --health-cmd true --health-interval 100ms -l tier=front -e A=1 -m 64m busybox sleep "
        "1d");
    EXPECT_EQ(
        box.run("until [ \"$(docker inspect -f '{{.State.Health.Status}}' web)\" = healthy ]; do sleep 0.05; done; "
                "docker ps --filter health=healthy --format '{{.Names}}'"),
        "web");
    EXPECT_EQ(box.run("docker inspect --format '{{index .Config.Labels \"tier\"}}' web"), "front");
    EXPECT_EQ(box.run("docker inspect web | jq -r '.[0].HostConfig.Memory'"), "67108864");
    EXPECT_EQ(box.run("docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web | grep -c A=1"), "1");
    EXPECT_EQ(box.run("docker ps --format json | jq -r .Names"), "web");
    EXPECT_EQ(box.run("docker ps -qf label=tier=front | wc -l"), "1");
    EXPECT_EQ(box.run("docker ps --format 'table {{.Names}}\\t{{.State}}' | tail -1"), "web       running");
    EXPECT_EQ(box.run("docker update -m 96m --cpus 0.5 web && docker inspect -f '{{.HostConfig.Memory}}' web"),
              "web\n100663296");
    box.run("docker rename web front && docker exec front true");
    EXPECT_EQ(box.code("docker inspect web"), 1);
    const auto made = box.run("docker run -d --cidfile id busybox sleep 1d");
    EXPECT_EQ(box.run("docker inspect -f '{{.Id}}' $(cat id)"), made);
    EXPECT_EQ(box.code("docker run --cidfile id busybox true"), 125);
    EXPECT_THAT(box.run("docker top front"), HasSubstr("sleep 1d"));
    // A probe of its health may be one more.
    EXPECT_THAT(box.run("docker stats --no-stream --format '{{.Name}} {{.PIDs}}' front"), MatchesRegex("front [12]"));
    EXPECT_THAT(box.run("docker system df"), HasSubstr("Containers      2"));
    EXPECT_EQ(box.run("docker info -f '{{.ContainersRunning}} {{.OSType}}'"), "2 linux");
    EXPECT_THAT(box.run("docker version -f '{{.Server.Version}}'"), MatchesRegex("[0-9.]+"));
    const auto wrong = box.sh("docker ps --format '{{.Nmaes}}'");
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_THAT(wrong.err, HasSubstr("did you mean Names?"));
    box.run("docker kill front");
    EXPECT_EQ(box.run("docker container prune -f | grep -c Deleted"), "1");
    EXPECT_EQ(box.run("docker ps -a --format '{{.Names}}' | grep -c front || true"), "0");
}

// As it lies in many repositories, run as one.
constexpr const char* kDeploy = R"sh(#!/bin/sh
set -eu
# A leftover of yesterday.
docker rm -f shop-db shop-web >/dev/null 2>&1 || true
[ -z "$(docker ps -aq)" ] || docker rm -f $(docker ps -aq)
docker network inspect shop >/dev/null 2>&1 || docker network create shop >/dev/null
docker volume create shop-data >/dev/null

docker run -d --name shop-db --network shop -v shop-data:/data --restart unless-stopped \
  --health-cmd 'test -f /data/ready' --health-interval 100ms --health-retries 50 \
  busybox sh -c 'sleep 0.3; touch /data/ready; echo db is up; exec sleep 1d' >/dev/null
i=0
while [ "$(docker inspect -f '{{.State.Health.Status}}' shop-db)" != healthy ]; do
  i=$((i + 1)); [ $i -lt 400 ] || { docker logs shop-db >&2; exit 1; }
  sleep 0.05
done
echo "health: $(docker inspect --format='{{json .State.Health}}' shop-db | jq -r .Status)"

printf 'create table t;\ninsert 1;\n' > dump.sql
docker exec -i shop-db sh -c 'cat > /data/dump.sql' < dump.sql
docker exec shop-db cat /data/dump.sql | cmp - dump.sql && echo "restored"
tar -cf - dump.sql | docker cp - shop-db:/tmp && docker exec shop-db wc -l /tmp/dump.sql
docker cp shop-db:/data/dump.sql - | tar -xOf - | cmp - dump.sql && echo "saved"
docker run --rm -v shop-data:/from -v "$PWD":/to busybox tar -cf /to/backup.tar -C /from .
tar -tf backup.tar | sort | tr '\n' ' '; echo

sleep 1.1; since=$(date +%s)
docker exec shop-db sh -c 'echo late > /proc/1/fd/1'
i=0; until docker logs --since "$since" shop-db 2>&1 | grep -q late; do i=$((i + 1)); [ $i -lt 400 ]; sleep 0.05; done
echo "logs: $(docker logs --since "$since" shop-db) / $(docker logs --tail 1 shop-db)"

docker save busybox 2>/dev/null | gzip > image.tgz
docker tag busybox spare:1 && docker rmi spare:1 >/dev/null
gunzip -c image.tgz | docker load 2>/dev/null | tail -1

job=$(docker run -d busybox sh -c 'sleep 0.2; exit 7')
echo "job: $(docker wait "$job")"
docker ps -a --filter exited=7 --format '{{.ID}} {{.Status}}' | grep -c "^$(echo "$job" | cut -c1-12) Exited (7)"
docker container prune -f | grep -c "$job"

for name in $(docker ps --format '{{.Names}}'); do
  echo "$name $(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name" | grep -c '^172\.')"
done
docker stop -t 0 shop-db >/dev/null && docker rm shop-db >/dev/null
docker volume rm shop-data && docker network rm shop
)sh";

TEST(DockerScripts, ADeploymentsScriptRunsAsItStands) {
    REQUIRE_ROOT();
    if (!std::filesystem::exists("/usr/bin/jq")) GTEST_SKIP() << "needs jq";
    Course box;
    box.write("deploy.sh", kDeploy, 0755);
    box.run("docker run -d --name shop-web busybox sleep 1d; docker create busybox true");
    EXPECT_THAT(box.run("./deploy.sh 2>&1"),
                MatchesRegex("[0-9a-f]{12}\n"
                             "health: healthy\nrestored\n2 /tmp/dump.sql\nsaved\n\\./ \\./dump.sql \\./ready \n"
                             "logs: late / late\nLoaded image: busybox:latest\njob: 7\n1\n1\nshop-db 1\n"
                             "shop-data\nshop"));
    EXPECT_EQ(box.run("docker ps -aq; docker volume ls -q; docker network ls -q -f type=custom"), "");
}

TEST(DockerScripts, LongStreamsComeWhole) {
    REQUIRE_ROOT();
    Course box;
    constexpr const char* kBytes = "100000000";
    const std::string much = std::string("head -c ") + kBytes + " /dev/zero";
    EXPECT_EQ(box.run(much + " | docker run -i --rm busybox cat | wc -c"), kBytes);
    box.run("docker run -d --name box busybox sleep 1d; " + much + " > file");
    EXPECT_EQ(box.run("docker exec -i box cat < file | wc -c"), kBytes);
    EXPECT_EQ(box.run("docker exec -i box wc -c < file"), kBytes);
    // A reader that has enough ends it all.
    EXPECT_EQ(box.run("docker exec box yes | head -c 10 | wc -c"), "10");
    EXPECT_EQ(box.run("docker run --rm busybox yes | head -c 10 | wc -c"), "10");
    EXPECT_TRUE(eventually([&] { return box.run("docker ps -q | wc -l") == "1"; }));
}

TEST(DockerScripts, ComposeUnderThisName) {
    REQUIRE_ROOT();
    Course box;
    box.write("compose.yaml", "services: {web: {image: busybox, command: sleep 1d, stop_grace_period: 0s}}\n");
    box.run("docker compose -f compose.yaml -p shop up -d --wait 2>/dev/null");
    EXPECT_EQ(box.run("docker compose -p shop ps --format json | jq -r '.Name + \" \" + .State'"),
              "shop-web-1 running");
    EXPECT_EQ(box.run("docker compose -p shop ps -q"),
              box.run("docker ps -q --no-trunc -f label=com.docker.compose.project=shop"));
    EXPECT_EQ(box.run("docker exec $(docker compose -p shop ps -q web) echo inside"), "inside");
    EXPECT_THAT(box.run("docker compose version --short"), MatchesRegex("[0-9.]+"));
    EXPECT_EQ(box.run("docker compose ls -q"), "shop");
    box.run("docker compose -p shop down -t 0 2>/dev/null");
    EXPECT_EQ(box.run("docker ps -aq"), "");
}

}  // namespace
}  // namespace compose::test
