// Docker's commands and flags, all of them: each is here, or an error that says why it is not.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/refused_commands.hpp"

namespace compose::cli {
namespace {

using testing::HasSubstr;

struct Row {
    const char* command;
    const char* flags;
};

constexpr Row kKnown[] = {
    {"container run",
     "--add-host --annotation -a --attach --blkio-weight --blkio-weight-device --cap-add "
     "--cap-drop --cgroup-parent --cgroupns --cidfile --cpu-count --cpu-percent --cpu-period "
     "--cpu-quota --cpu-rt-period --cpu-rt-runtime -c --cpu-shares --cpus --cpuset-cpus "
     "--cpuset-mems -d --detach --detach-keys --device --device-cgroup-rule --device-read-bps "
     "--device-read-iops --device-write-bps --device-write-iops --disable-content-trust --dns "
     "--dns-opt --dns-option --dns-search --domainname --entrypoint -e --env --env-file --expose "
     "--gpus --group-add --health-cmd --health-interval --health-retries --health-start-interval "
     "--health-start-period --health-timeout -h --hostname --init -i --interactive "
     "--io-maxbandwidth --io-maxiops --ip --ip6 --ipc --isolation --kernel-memory -l --label "
     "--label-file --link --link-local-ip --log-driver --log-opt --mac-address -m --memory "
     "--memory-reservation --memory-swap --memory-swappiness --mount --name --net --net-alias "
     "--network --network-alias --no-healthcheck --oom-kill-disable --oom-score-adj --pid "
     "--pids-limit --platform --privileged -p --publish -P --publish-all --pull -q --quiet "
     "--read-only --restart --rm --runtime --security-opt --shm-size --sig-proxy --stop-signal "
     "--stop-timeout --storage-opt --sysctl --tmpfs -t --tty --ulimit --use-api-socket -u --user "
     "--userns --uts -v --volume --volume-driver --volumes-from -w --workdir"},
    {"container attach", "--detach-keys --no-stdin --sig-proxy"},
    {"container commit", "-a --author -c --change -m --message -p --pause --no-pause"},
    {"container cp", "-a --archive -L --follow-link -q --quiet"},
    {"container diff", ""},
    {"container exec",
     "-d --detach --detach-keys -e --env --env-file -i --interactive --privileged -t --tty -u "
     "--user -w --workdir"},
    {"container export", "-o --output"},
    {"container inspect", "-f --format -s --size"},
    {"container kill", "-s --signal"},
    {"container logs", "--details -f --follow --since -n --tail -t --timestamps --until"},
    {"container ls", "-a --all -f --filter --format -n --last -l --latest --no-trunc -q --quiet -s --size"},
    {"container pause", ""},
    {"container port", ""},
    {"container prune", "--filter -f --force"},
    {"container rename", ""},
    {"container restart", "-s --signal -t --timeout --time"},
    {"container rm", "-f --force -l --link -v --volumes"},
    {"container remove", "-f"},
    {"container start", "-a --attach --checkpoint --checkpoint-dir --detach-keys -i --interactive"},
    {"container stats", "-a --all --format --no-stream --no-trunc"},
    {"container stop", "-s --signal -t --timeout --time"},
    {"container top", ""},
    {"container unpause", ""},
    {"container update",
     "--blkio-weight --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime -c --cpu-shares "
     "--cpus --cpuset-cpus --cpuset-mems -m --memory --memory-reservation --memory-swap "
     "--pids-limit --restart"},
    {"container wait", ""},
    {"image build",
     "--add-host --allow --annotation --attest --build-arg --build-context --builder --cache-from "
     "--cache-to --call --cgroup-parent --check -f --file --iidfile --label --load --metadata-file "
     "--network --no-cache --no-cache-filter -o --output --platform --progress --provenance --pull "
     "--push -q --quiet --sbom --secret --shm-size --ssh -t --tag --target --ulimit --compress "
     "--force-rm --rm --squash --memory -m --memory-swap --cpu-period --cpu-quota -c --cpu-shares "
     "--cpuset-cpus --cpuset-mems --isolation --security-opt --policy"},
    {"image history", "--format -H --human --no-trunc --platform -q --quiet"},
    {"image import", "-c --change -m --message --platform"},
    {"image inspect", "-f --format --platform"},
    {"image load", "-i --input --platform -q --quiet"},
    {"image ls", "-a --all --digests -f --filter --format --no-trunc -q --quiet --tree"},
    {"image list", ""},
    {"image prune", "-a --all --filter -f --force"},
    {"image pull", "-a --all-tags --disable-content-trust --platform -q --quiet"},
    {"image push", "-a --all-tags --disable-content-trust --platform -q --quiet"},
    {"image rm", "-f --force --no-prune --platform"},
    {"image remove", ""},
    {"image save", "-o --output --platform"},
    {"image tag", ""},
    {"network create",
     "--attachable --aux-address --config-from --config-only -d --driver --gateway --ingress "
     "--internal --ip-range --ipam-driver --ipam-opt --ipv4 --ipv6 --label -o --opt --scope "
     "--subnet"},
    {"network connect", "--alias --driver-opt --gw-priority --ip --ip6 --link --link-local-ip"},
    {"network disconnect", "-f --force"},
    {"network inspect", "-f --format -v --verbose"},
    {"network ls", "-f --filter --format --no-trunc -q --quiet"},
    {"network prune", "--filter -f --force"},
    {"network rm", "-f --force"},
    {"volume create",
     "--availability -d --driver --group --label --limit-bytes -o --opt --required-bytes --scope "
     "--secret --sharing --topology-preferred --topology-required --type"},
    {"volume inspect", "-f --format"},
    {"volume ls", "--cluster -f --filter --format -q --quiet"},
    {"volume prune", "-a --all --filter -f --force"},
    {"volume rm", "-f --force"},
    {"system df", "--format -v --verbose"},
    {"system events", "-f --filter --format --since --until"},
    {"system info", "-f --format"},
    {"system prune", "-a --all --filter -f --force --volumes"},
    {"builder prune",
     "-a --all --filter -f --force --keep-storage --max-used-space --min-free-space "
     "--reserved-space --verbose"},
    {"builder build", ""},
    {"buildx build", ""},
    {"buildx du", "--filter --format --verbose"},
    {"buildx inspect", "--bootstrap"},
    {"buildx ls", "--format"},
    {"buildx prune", "-a --all --filter -f --force --keep-storage"},
    {"buildx use", ""},
    {"buildx version", ""},
    {"context ls", "--format -q --quiet"},
    {"context show", ""},
    {"context inspect", "-f --format"},
    {"context use", ""},
    {"login", "-u --username -p --password --password-stdin"},
    {"logout", ""},
    {"version", "-f --format"},
    {"inspect", "-f --format -s --size --type"},
};

const CommandInfo* find(std::span<const CommandInfo> commands, const std::string& name) {
    for (const auto& command : commands)
        if (command.name == name) return &command;
    return nullptr;
}

/// Of the words of `path` the last one's command.
const CommandInfo* find_path(const std::string& path) {
    const CommandInfo* found = nullptr;
    auto group = docker_commands();
    for (const auto& word : split(path, ' ')) {
        found = find(group, word);
        if (found == nullptr) return nullptr;
        group = found->group;
    }
    return found;
}

bool has_flag(const Arguments& arguments, const std::string& flag) {
    for (const auto& option : arguments.options())
        if (std::find(option.names.begin(), option.names.end(), flag) != option.names.end()) return true;
    return false;
}

std::string failure_of(Arguments& arguments, const std::string& flag) {
    try {
        (void)arguments.parse({flag, "x"});
        return "accepted";
    } catch (const Error& error) {
        return error.what();
    }
}

TEST(DockerSurface, EveryFlagIsHonouredOrRefusedWithAReason) {
    for (const Row& row : kKnown) {
        const CommandInfo* const command = find_path(row.command);
        ASSERT_NE(command, nullptr) << row.command;
        if (command->define == nullptr) continue;
        Arguments arguments("docker", "");
        const auto run = command->define(arguments);
        for (const auto& flag : split(row.flags, ' ')) {
            if (flag.empty() || has_flag(arguments, flag)) continue;
            EXPECT_THAT(failure_of(arguments, flag), HasSubstr(flag + " is not supported: ")) << row.command;
        }
    }
}

TEST(DockerSurface, WhatOnlyADaemonOrASwarmCanDoSaysSo) {
    for (const char* command : {"swarm",
                                "node",
                                "service",
                                "stack",
                                "secret",
                                "config",
                                "plugin",
                                "trust",
                                "search",
                                "manifest",
                                "checkpoint",
                                "volume update",
                                "system dial-stdio",
                                "context create",
                                "context export",
                                "context rm",
                                "buildx bake",
                                "buildx create",
                                "buildx imagetools",
                                "scout"}) {
        EXPECT_EQ(find_path(command), nullptr) << command;
        EXPECT_FALSE(why_refused(command).empty()) << command;
    }
    EXPECT_TRUE(why_refused("nosuch").empty());
}

TEST(DockerSurface, WhatIsInAGroupIsAlsoThereWithoutIt) {
    for (const char* name : {"attach", "commit", "cp",    "create", "diff", "exec",    "export",  "inspect",
                             "kill",   "logs",   "pause", "port",   "ps",   "rename",  "restart", "rm",
                             "run",    "start",  "stats", "stop",   "top",  "unpause", "update",  "wait"}) {
        const auto* const whole = find_path(std::string("container ") + name);
        const auto* const brief = find(docker_commands(), name);
        ASSERT_TRUE(whole != nullptr && brief != nullptr) << name;
        const bool any_kind = std::string(name) == "inspect";
        EXPECT_TRUE(any_kind || whole->define == brief->define) << name;
    }
}

}  // namespace
}  // namespace compose::cli
