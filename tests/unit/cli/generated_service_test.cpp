// A container's description as a service: what the image says is left out, and so is what nobody asked for.
#include "cli/generated_service.hpp"

#include <gmock/gmock.h>

namespace compose::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

json::object object(std::string_view text) {
    return parse_json(text).as_object();
}

const json::object& image() {
    static const auto value = object(R"({"config": {"Env": ["PATH=/bin", "LANG=C"], "Cmd": ["run"], "User": "app",
        "WorkingDir": "/app", "Labels": {"of": "image"}, "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"]}}})");
    return value;
}

TEST(GeneratedService, IsOnlyItsImageWhenNothingWasAskedFor) {
    const auto made = generated_service(object(R"({"Id": "abc123", "Name": "/solo",
        "Config": {"Image": "shop:1", "Hostname": "abc", "Env": ["PATH=/bin", "LANG=C"], "Cmd": ["run"], "User": "app",
            "WorkingDir": "/app", "Labels": {"of": "image", "com.docker.compose.project": "x"}, "StopTimeout": 10,
            "ExposedPorts": {"80/tcp": {}}, "Healthcheck": {"Test": ["CMD", "true"], "Interval": 30000000000}},
        "HostConfig": {"IpcMode": "private", "CgroupnsMode": "private", "ShmSize": 67108864, "PidsLimit": 2048,
            "NetworkMode": "bridge", "RestartPolicy": {"Name": "no"}, "LogConfig": {"Type": "json-file", "Config": {}},
            "CapAdd": null, "Privileged": false, "CgroupParent": "compose/1"},
        "NetworkSettings": {"Networks": {"bridge": {"Aliases": null}}}})"),
                                        image(), "");
    EXPECT_EQ(made.name, "solo");
    EXPECT_EQ(made.service, object(R"({"image": "shop:1", "network_mode": "bridge"})"));
    EXPECT_THAT(made.networks, IsEmpty());
}

TEST(GeneratedService, TellsWhatWasAskedFor) {
    const auto made = generated_service(object(R"({"Id": "abc123", "Name": "/shop-web-1",
        "Config": {"Image": "shop:1", "Hostname": "db.example", "Env": ["PATH=/bin", "LANG=de", "A=b=c"],
            "Entrypoint": ["/init"], "Cmd": ["serve", "-v"], "User": "0", "WorkingDir": "/", "Tty": true,
            "Labels": {"of": "me", "com.docker.compose.service": "web"}, "StopTimeout": 90,
            "ExposedPorts": {"80/tcp": {}, "90/udp": {}, "443/tcp": {}},
            "Healthcheck": {"Test": ["CMD-SHELL", "ok"], "Interval": 5000000000, "StartInterval": 5000000000,
                "Retries": 2}},
        "HostConfig": {"IpcMode": "host", "ShmSize": 1024, "PidsLimit": -1, "NanoCpus": 1500000000, "Memory": 1000,
            "MemorySwap": 5000, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}, "CapAdd": ["NET_ADMIN"],
            "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}],
            "PortBindings": {"443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443-8445"}], "53/udp": [{}]}},
        "NetworkSettings": {"Networks": {"back": {"Aliases": ["web", "shop-web-1", "abc", "www"]}, "front": {}}}})"),
                                        image(), "");
    EXPECT_EQ(made.name, "web");
    EXPECT_EQ(made.service, object(R"({"image": "shop:1", "hostname": "db.example", "tty": true,
        "environment": {"LANG": "de", "A": "b=c"}, "entrypoint": ["/init"], "command": ["serve", "-v"], "user": "0",
        "working_dir": "/", "labels": {"of": "me"}, "stop_grace_period": "1m30s", "expose": ["90/udp"],
        "healthcheck": {"test": ["CMD-SHELL", "ok"], "interval": "5s", "retries": 2}, "ipc": "host", "shm_size": 1024,
        "pids_limit": -1, "cpus": 1.5, "mem_limit": 1000, "memswap_limit": 5000, "restart": "on-failure:3",
        "logging": {"driver": "local", "options": {"max-size": "1m"}}, "cap_add": ["NET_ADMIN"],
        "ulimits": {"nofile": {"soft": 1, "hard": 2}}, "devices": ["/dev/a:/dev/b:r"],
        "ports": [{"target": 443, "protocol": "tcp", "published": "8443-8445", "host_ip": "127.0.0.1"},
            {"target": 53, "protocol": "udp"}],
        "networks": {"back": {"aliases": ["www"]}, "front": null}})"));
    EXPECT_THAT(made.networks, ElementsAre("back", "front"));
}

TEST(GeneratedService, TellsMountsButNotThoseOfTheEngine) {
    const auto made = generated_service(object(R"({"Id": "abc123", "Name": "/c",
        "Config": {"Image": "i", "Hostname": "of-the-machine", "Volumes": {"/anon": {}}},
        "HostConfig": {"NetworkMode": "host", "BlkioWeight": 100, "Tmpfs": {"/t": "size=1m", "/u": ""},
            "Mounts": [{"Target": "/data", "VolumeOptions": {"Subpath": "sub", "NoCopy": true}}]},
        "Mounts": [{"Type": "volume", "Name": "data", "Destination": "/data", "RW": false},
            {"Type": "volume", "Name": "0123", "Destination": "/anon", "RW": true},
            {"Type": "bind", "Source": "/home/me/app/src", "Destination": "/src"},
            {"Type": "bind", "Source": "/home/me/application", "Destination": "/other"},
            {"Type": "bind", "Source": "/run/x/secrets/abc123/0", "Destination": "/run/secrets/s"},
            {"Type": "tmpfs", "Destination": "/t"}]})"),
                                        {}, "/home/me/app");
    EXPECT_EQ(made.service, object(R"({"image": "i", "network_mode": "host", "blkio_config": {"weight": 100},
        "tmpfs": ["/t:size=1m", "/u"], "volumes": [
        {"type": "volume", "source": "data", "target": "/data", "read_only": true,
            "volume": {"subpath": "sub", "nocopy": true}},
        {"type": "volume", "target": "/anon"},
        {"type": "bind", "source": "./src", "target": "/src"},
        {"type": "bind", "source": "/home/me/application", "target": "/other"}]})"));
    EXPECT_THAT(made.volumes, ElementsAre("data"));
    EXPECT_THAT(made.unknown, ElementsAre("/run/secrets/s"));
}

}  // namespace
}  // namespace compose::cli
