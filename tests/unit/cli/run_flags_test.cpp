// The flags of `docker run`: what they come to in the model, and what is refused.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/flag_mounts.hpp"
#include "cli/flag_values.hpp"
#include "cli/run_service.hpp"

namespace compose::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const RunSurroundings& around() {
    static const RunSurroundings value{
        "/here", {{"HOME", "/root"}, {"TOKEN", "secret"}}, [](const std::string& path) -> std::string {
            if (path == "vars") return "# remark\nA=1\n  B=two words \nTOKEN\nMISSING\n\nQ=\"kept\"\r\n";
            if (path == "bad") return "a b=1\n";
            throw make_error(ErrorKind::not_found, "open {}: no such file", path);
        }};
    return value;
}

Standalone parse(std::vector<std::string> words) {
    RunFlags flags;
    Arguments arguments("docker run", "");
    flags.declare(arguments, true);
    if (std::find(words.begin(), words.end(), "IMG") == words.end()) words.emplace_back("IMG");
    EXPECT_TRUE(arguments.parse(words));
    return make_standalone(flags, around());
}

Service service(const std::vector<std::string>& words) {
    return parse(words).service();
}

std::string refused(const std::vector<std::string>& words) {
    try {
        (void)parse(words);
        return "accepted";
    } catch (const Error& error) {
        return error.what();
    }
}

TEST(RunFlags, TheProcess) {
    const auto s = service({"-it",
                            "--init",
                            "-u",
                            "me:us",
                            "-w",
                            "/srv",
                            "-h",
                            "box",
                            "--domainname",
                            "lan",
                            "--stop-signal",
                            "INT",
                            "--stop-timeout",
                            "3",
                            "--group-add",
                            "7",
                            "--entrypoint",
                            "sh",
                            "IMG",
                            "-c",
                            "echo -d"});
    EXPECT_TRUE(s.tty && s.stdin_open && s.init);
    EXPECT_EQ(s.image, "IMG");
    EXPECT_EQ(s.user, "me:us");
    EXPECT_EQ(s.working_dir, "/srv");
    EXPECT_EQ(s.hostname, "box");
    EXPECT_EQ(s.stop_grace_period, std::chrono::seconds(3));
    EXPECT_THAT(*s.entrypoint, ElementsAre("sh"));
    EXPECT_THAT(*s.command, ElementsAre("-c", "echo -d"));
    EXPECT_FALSE(service({}).command.has_value());
    EXPECT_TRUE(service({"--entrypoint", ""}).entrypoint->empty());
}

TEST(RunFlags, VariablesOfTheCommandLineWinOverFiles) {
    const auto s = service({"--env-file", "vars", "-e", "A=2", "-eC", "-e", "TOKEN", "-e", "EMPTY="});
    EXPECT_EQ(s.environment.at("A"), "2");
    EXPECT_EQ(s.environment.at("B"), "two words ");
    EXPECT_EQ(s.environment.at("TOKEN"), "secret");
    EXPECT_EQ(s.environment.at("Q"), "\"kept\"");
    EXPECT_EQ(s.environment.at("EMPTY"), "");
    EXPECT_FALSE(s.environment.contains("C") || s.environment.contains("MISSING"));
    EXPECT_THAT(refused({"--env-file", "bad"}), HasSubstr("a name with a space"));
    EXPECT_THAT(refused({"--env-file", "none"}), HasSubstr("no such file"));
    EXPECT_THAT(refused({"-e", "=x"}), HasSubstr("the name is missing"));
}

TEST(RunFlags, Volumes) {
    const auto made =
        parse({"-v", "/data:/app:ro", "-v", "vol:/v:nocopy", "-v", "/anon", "-v", "./rel:/r:rshared", "-v", "~/x:/h",
               "--tmpfs", "/t:size=1m,mode=700", "--mount", "type=bind,source=/a,target=/b,readonly", "--mount",
               "source=V2,target=/w", "--mount", "type=tmpfs,destination=/m,tmpfs-size=2m,tmpfs-mode=1770"});
    const auto& mounts = made.project.services.at(Standalone::kService).mounts;
    ASSERT_EQ(mounts.size(), 9U);
    EXPECT_EQ(mounts[0].type, Mount::Type::bind);
    EXPECT_TRUE(mounts[0].read_only && mounts[0].create_host_path);
    EXPECT_EQ(mounts[1].source, "vol");
    EXPECT_TRUE(mounts[1].nocopy);
    EXPECT_TRUE(mounts[2].source.empty() && mounts[2].type == Mount::Type::volume);
    EXPECT_EQ(mounts[3].source, "/here/./rel");
    EXPECT_EQ(mounts[3].propagation, "rshared");
    EXPECT_EQ(mounts[4].source, "/root/x");
    EXPECT_TRUE(mounts[5].read_only);
    EXPECT_FALSE(mounts[5].create_host_path);
    EXPECT_EQ(mounts[6].source, "V2");
    EXPECT_EQ(mounts[7].tmpfs_size, 2 << 20);
    EXPECT_EQ(mounts[7].tmpfs_mode, 01770U);
    EXPECT_EQ(mounts[8].tmpfs_options, "size=1m,mode=700");
    EXPECT_THAT(made.volumes, testing::SizeIs(2));
}

TEST(RunFlags, WrongVolumes) {
    const std::pair<std::vector<std::string>, const char*> table[] = {
        {{"-v", "a:b:c:d"}, "write [SOURCE:]TARGET"},
        {{"-v", "rel"}, "must be absolute"},
        {{"-v", ":/x"}, "the source is missing"},
        {{"-v", "/x:"}, "the path in the container is missing"},
        {{"-v", "/x:/"}, "nothing can be mounted on /"},
        {{"-v", "bad/name:/x"}, "no volume name"},
        {{"-v", "../../..:x"}, "must be absolute"},
        {{"-v", "/x:/y:whatever"}, "unknown option"},
        {{"-v", "/x:/y", "-v", "/z:/y/"}, "duplicate mount point: /y"},
        {{"--mount", "type=bind,source=/a"}, "the path in the container is missing"},
        {{"--mount", "type=bind,target=/a"}, "source=PATH is missing"},
        {{"--mount", "type=npipe,target=/a"}, "unknown type"},
        {{"--mount", "source=v,target=/a,colour=red"}, "unknown key \"colour\""},
        {{"--mount", "type=tmpfs,source=x,target=/a"}, "a tmpfs has no source"},
        {{"--mount", "type=bind,source=/a,target=/b,tmpfs-size=1m"}, "does not fit the type"},
        {{"--mount", "type=tmpfs,target=/b,tmpfs-mode=9"}, "no octal mode"},
        {{"--mount", "source=/a,target=/b"}, "write type=bind"},
        {{"--mount", "\"source=v,target=/b"}, "a quote has no end"},
        {{"--mount", "nonsense"}, "no KEY=VALUE"},
        {{"--tmpfs", "x"}, "must be absolute"},
        {{"--volume-driver", "nfs", "-v", "v:/x"}, "only local is supported"},
    };
    for (const auto& [words, text] : table) EXPECT_THAT(refused(words), HasSubstr(text)) << words[0];
}

TEST(RunFlags, Ports) {
    const auto shown = [](const char* text) {
        std::string out;
        for (const auto& port : publish_flag(text))
            out += fmt::format("{}|{}-{}|{}/{}{} ", port.host_ip, port.published_first, port.published_last,
                               port.target, port.protocol, port.published ? "" : " free");
        return out;
    };
    EXPECT_EQ(shown("8080:80"), "|8080-8080|80/tcp ");
    EXPECT_EQ(shown("80"), "|0-0|80/tcp free ");
    EXPECT_EQ(shown("127.0.0.1:8080:80/udp"), "127.0.0.1|8080-8080|80/udp ");
    EXPECT_EQ(shown("127.0.0.1::80"), "127.0.0.1|0-0|80/tcp free ");
    EXPECT_EQ(shown("[::1]:8080:80"), "::1|8080-8080|80/tcp ");
    EXPECT_EQ(shown("7000-7001:80-81"), "|7000-7000|80/tcp |7001-7001|81/tcp ");
    EXPECT_EQ(shown("7000-7005:80"), "|7000-7005|80/tcp ");
    EXPECT_EQ(shown("0:80"), "|0-0|80/tcp free ");
    for (const char* text : {"", "x", "80:x", "80/sctp", "70000:80", "80:0", "1-2:3-5", "9-8:1-2", "a.b:1:2",
                             "[::1:2:3", "1:2:3:4:5", "-1:80", "80:80/", "99999999999999999999:1"})
        EXPECT_THROW((void)publish_flag(text), Error) << text;
    EXPECT_EQ(expose_flag("80"), "80/tcp");
    EXPECT_EQ(expose_flag("80-90/udp"), "80-90/udp");
}

TEST(RunFlags, Networks) {
    const auto plain = service({});
    ASSERT_EQ(plain.networks.size(), 1U);
    EXPECT_EQ(plain.networks[0].network, "bridge");
    const auto two = service({"--network", "name=n1,alias=a,ip=10.0.0.9,gw-priority=2", "--net", "n2",
                              "--network-alias", "b", "--mac-address", "02:42:ac:11:00:02"});
    ASSERT_EQ(two.networks.size(), 2U);
    EXPECT_THAT(two.networks[0].aliases, ElementsAre("a", "b"));
    EXPECT_EQ(two.networks[0].ipv4_address, "10.0.0.9");
    EXPECT_EQ(two.networks[0].gw_priority, 2);
    EXPECT_EQ(two.networks[0].mac_address, "02:42:ac:11:00:02");
    EXPECT_EQ(service({"--network", "host"}).network_mode, "host");
    EXPECT_EQ(service({"--network", "container:db"}).network_mode, "container:db");
    const auto hosts = parse({"--network", "host", "-p", "80:80"});
    EXPECT_THAT(hosts.warnings, testing::SizeIs(1));
    const std::pair<std::vector<std::string>, const char*> table[] = {
        {{"--network", ""}, "the name is missing"},
        {{"--network", "alias=x"}, "name=NETWORK is missing"},
        {{"--network", "name=n,colour=red"}, "\"colour\" is not supported"},
        {{"--network", "a b"}, "not a network's name"},
        {{"--network", "n", "--network", "n"}, "given twice"},
        {{"--network", "host", "--network", "n"}, "can't be combined"},
        {{"--network", "container:x", "-p", "80"}, "publish them at that container"},
        {{"--network", "none", "--ip", "10.0.0.1"}, "need a network"},
        {{"--network-alias", "x"}, "has no names"},
        {{"--ip", "10.0.0.1"}, "only networks of your own"},
        {{"--add-host", "x"}, "write NAME:ADDRESS"},
        {{"--add-host", "x:y z"}, "not an address"},
    };
    for (const auto& [words, text] : table) EXPECT_THAT(refused(words), HasSubstr(text)) << words[1];
}

TEST(RunFlags, Limits) {
    const auto s = service({"-m",
                            "512m",
                            "--memory-swap",
                            "-1",
                            "--cpus",
                            "1.5",
                            "-c",
                            "512",
                            "--pids-limit",
                            "-1",
                            "--ulimit",
                            "nofile=10:20",
                            "--shm-size",
                            "1g",
                            "--oom-score-adj",
                            "-5",
                            "--cpuset-cpus",
                            "0-1",
                            "--device-read-bps",
                            "/dev/sda:1mb",
                            "--blkio-weight",
                            "300"});
    EXPECT_EQ(s.mem_limit, 512 << 20);
    EXPECT_EQ(s.limits.memswap_limit, -1);
    EXPECT_EQ(s.cpus, 1.5);
    EXPECT_EQ(s.limits.cpu_shares, 512);
    EXPECT_EQ(s.pids_limit, -1);
    EXPECT_EQ(s.ulimits.at("nofile").soft, 10);
    EXPECT_EQ(s.ulimits.at("nofile").hard, 20);
    EXPECT_EQ(s.limits.device_read_bps.at(0).rate, 1 << 20);
    const std::pair<std::vector<std::string>, const char*> table[] = {
        {{"-m", "lots"}, "not a size"},
        {{"--cpus", "x"}, "not a number of CPUs"},
        {{"--cpus", "nan"}, "not a number of CPUs"},
        {{"--cpus", "-1"}, "not a number of CPUs"},
        {{"--cpus", "1", "--cpu-quota", "5"}, "--cpus and --cpu-quota"},
        {{"--pids-limit", "1e9"}, "not a whole number"},
        {{"--oom-score-adj", "2000"}, "-1000 to 1000"},
        {{"--ulimit", "nofile"}, "write KEY=VALUE"},
        {{"--ulimit", "nofile=20:10"}, "above the hard one"},
        {{"-m", "1g", "--memory-swap", "512m"}, "can't be below"},
        {{"--memory-swap", "1g"}, "needs --memory"},
        {{"--device-read-bps", "sda:1"}, "write DEVICE:BYTES"},
        {{"--blkio-weight", "5"}, "10 to 1000"},
        {{"--cpu-percent", "5"}, "--cpu-percent is not supported: only Windows has it"},
        {{"--isolation", "hyperv"}, "only default is supported"},
        {{"--disable-content-trust=false"}, "signatures of images are not checked"},
    };
    for (const auto& [words, text] : table) EXPECT_THAT(refused(words), HasSubstr(text)) << words[1];
}

TEST(RunFlags, TheRest) {
    const auto s = service({"--restart",
                            "on-failure:3",
                            "--health-cmd",
                            "true",
                            "--health-interval",
                            "5s",
                            "-l",
                            "a=b",
                            "-l",
                            "bare",
                            "--device",
                            "/dev/fuse",
                            "--device",
                            "/dev/a:/dev/b:r",
                            "--sysctl",
                            "net.x=1",
                            "--log-opt",
                            "max-size=1m",
                            "--name",
                            "web-1",
                            "--add-host",
                            "x:[::1]",
                            "--add-host",
                            "y=host-gateway"});
    EXPECT_EQ(s.restart.kind, RestartPolicy::Kind::on_failure);
    EXPECT_EQ(s.restart.max_retries, 3);
    EXPECT_THAT(s.healthcheck->test, ElementsAre("CMD-SHELL", "true"));
    EXPECT_EQ(s.labels.at("bare"), "");
    EXPECT_EQ(s.devices.at(1).permissions, "r");
    EXPECT_EQ(s.container_name, "web-1");
    EXPECT_THAT(s.extra_hosts.at("x"), ElementsAre("::1"));
    const std::pair<std::vector<std::string>, const char*> table[] = {
        {{"--restart", "sometimes"}, "use no, always"},
        {{"--restart", "always:3"}, "only on-failure"},
        {{"--restart", "always", "--rm"}, "--restart and --rm"},
        {{"--no-healthcheck", "--health-cmd", "x"}, "exclude each other"},
        {{"--health-interval", "5"}, "not a duration"},
        {{"--name", "/x"}, "first one a letter"},
        {{"--name", "../../etc"}, "first one a letter"},
        {{"--name", "x"}, "two or more"},
        {{"--device", "fuse"}, "absolute path"},
        {{"--device", "/dev/a:/dev/b:x"}, "made of r, w and m"},
        {{"-w", "rel"}, "absolute"},
        {{"-l", "com.docker.compose.project=x"}, "reserved"},
        {{"--runtime", "kata"}, "only runc"},
        {{"--pid", "container:"}, "unknown mode"},
        {{"--pull", "perhaps"}, "only always, missing, never"},
        {{"--nmae", "x"}, "unknown flag: --nmae"},
    };
    for (const auto& [words, text] : table) EXPECT_THAT(refused(words), HasSubstr(text)) << words[1];
}

}  // namespace
}  // namespace compose::cli
