// Lists, filters, inspect shapes and detach keys of the commands for single objects.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "cli/container_rows.hpp"
#include "cli/detach_keys.hpp"
#include "cli/filters.hpp"
#include "cli/inspect_json.hpp"
#include "cli/listing.hpp"

namespace compose::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<ContainerView> sample() {
    ContainerView web, db, old;
    web.id = std::string(64, 'a');
    web.name = "web";
    web.image = "nginx:1.27";
    web.command = "nginx -g daemon off;";
    web.state = "running";
    web.status = "Up 3 minutes (healthy)";
    web.health = "healthy";
    web.created_at = 3'000'000'000;
    web.publishers = {{"0.0.0.0", 80, 8080, "tcp"}, {"", 9000, 0, "udp"}};
    web.labels = {{"tier", "front"}, {"team", "x"}};
    web.networks = {"bridge"};
    web.mounts = {"data", "/srv"};
    db.id = "b" + std::string(63, '1');
    db.name = "web-db";
    db.image = "postgres";
    db.state = "paused";
    db.created_at = 2'000'000'000;
    db.labels = {{"tier", "back"}};
    old.id = "b" + std::string(63, '2');
    old.name = "job";
    old.image = "busybox";
    old.state = "exited";
    old.exit_code = 3;
    old.created_at = 1'000'000'000;
    return {old, db, web};
}

std::vector<std::string> names(const std::vector<std::string>& filters, PsOptions options = {}) {
    const PsLookups lookups{.image_id = [](const std::string&) { return "sha256:" + std::string(64, 'f'); },
                            .size_text = {}};
    std::vector<std::string> out;
    for (const auto& view : select_containers(sample(), ps_filters(filters), options, lookups))
        out.push_back(view.name);
    return out;
}

TEST(ContainerList, ShowsWhatRunsNewestFirst) {
    EXPECT_THAT(names({}), ElementsAre("web", "web-db"));
    EXPECT_THAT(names({}, {.all = true}), ElementsAre("web", "web-db", "job"));
    EXPECT_THAT(names({}, {.last = 1}), ElementsAre("web"));
    EXPECT_THAT(names({}, {.last = 0}), ElementsAre());
}

TEST(ContainerList, Filters) {
    const std::pair<std::vector<std::string>, std::vector<std::string>> table[] = {
        {{"name=web"}, {"web", "web-db"}},
        {{"name=^web$"}, {"web"}},
        {{"name=^/web$"}, {"web"}},
        {{"name=web-db", "name=^web$"}, {"web", "web-db"}},
        {{"status=exited"}, {"job"}},
        {{"status=exited", "status=paused"}, {"web-db", "job"}},
        {{"exited=3"}, {"job"}},
        {{"exited=0"}, {}},
        {{"label=tier"}, {"web", "web-db"}},
        {{"label=tier=front"}, {"web"}},
        {{"label=tier", "label=team=x"}, {"web"}},
        {{"ancestor=nginx"}, {"web"}},
        {{"ancestor=nginx:1.26"}, {}},
        {{"ancestor=ffff", "name=web$"}, {"web"}},
        {{"id=b1"}, {"web-db"}},
        {{"network=bridge"}, {"web"}},
        {{"volume=data"}, {"web"}},
        {{"publish=8080"}, {"web"}},
        {{"publish=8000-9000/tcp"}, {"web"}},
        {{"publish=9000/udp"}, {}},
        {{"expose=9000/udp"}, {"web"}},
        {{"health=healthy"}, {"web"}},
        {{"health=none"}, {"web-db"}},
        {{"before=web"}, {"web-db"}},
        {{"since=job"}, {"web", "web-db"}},
        {{"is-task=true"}, {}},
    };
    for (const auto& [filters, expected] : table) EXPECT_EQ(names(filters), expected) << filters[0];
    for (const char* wrong : {"name", "colour=red", "status=asleep", "health=ill", "exited=x", "publish=http",
                              "publish=99999", "since=nobody", "is-task=perhaps", "name=(((", "name=[z-a]"})
        EXPECT_THROW((void)names({wrong}, {.all = true}), Error) << wrong;
    EXPECT_THROW((void)names({"name=" + std::string(10'000, '(')}), Error);
}

TEST(ContainerList, Formats) {
    const PsOptions options;
    const auto views = select_containers(sample(), ps_filters({}), options, {});
    const auto listing = container_listing(views, 4'000'000'000, options, {});
    EXPECT_EQ(render_listing(listing, "{{.Names}}", false), "web\nweb-db\n");
    EXPECT_EQ(render_listing(listing, "{{.Names}}", true), "web\nweb-db\n");
    EXPECT_EQ(render_listing(listing, "", true), "aaaaaaaaaaaa\nb11111111111\n");
    EXPECT_EQ(render_listing(listing, "table {{.Names}}\\t{{.State}}", false),
              "NAMES     STATE\nweb       running\nweb-db    paused\n");
    EXPECT_EQ(render_listing(listing, R"({{.Label "tier"}}/{{.Label "no"}})", false), "front/\nback/\n");
    const auto lines = render_listing(listing, "json", false);
    const auto first = parse_json(lines.substr(0, lines.find('\n')));
    EXPECT_EQ(string_or(first.as_object(), "Ports"), "0.0.0.0:8080->80/tcp, 9000/udp");
    EXPECT_EQ(string_or(first.as_object(), "LocalVolumes"), "1");
    EXPECT_FALSE(first.as_object().contains("Label"));
    EXPECT_THAT(render_listing(listing, "", false), HasSubstr("CONTAINER ID   IMAGE"));
    EXPECT_THROW((void)render_listing(listing, "{{.Nmaes}}", false), Error);
    EXPECT_THROW((void)render_listing(Listing{{{"A", "A"}}, {}, {}, {}, "ID"}, "{{.B}}", false), Error);
}

TEST(ContainerList, ALineBreakIsNoNewRow) {
    auto views = sample();
    views[2].name = "web\nfake row";
    const auto text = render_listing(container_listing(views, 0, {}, {}), "", false);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(DetachKeys, AreFoundAcrossReads) {
    DetachKeys keys("ctrl-p,ctrl-q");
    EXPECT_EQ(keys.feed("ab\x10"), "ab");
    EXPECT_EQ(keys.feed("x"), "\x10x");
    EXPECT_EQ(keys.feed("\x10\x10"), "\x10");
    EXPECT_FALSE(keys.detached());
    EXPECT_EQ(keys.feed("\x11zzz"), "");
    EXPECT_TRUE(keys.detached());
}

TEST(DetachKeys, Spellings) {
    DetachKeys one("x");
    EXPECT_EQ(one.feed("abx"), "ab");
    EXPECT_TRUE(one.detached());
    DetachKeys none("");
    EXPECT_EQ(none.feed("\x10\x11"), "\x10\x11");
    DetachKeys odd("ctrl-@,ctrl-],a");
    EXPECT_EQ(odd.feed(std::string_view("\0\x1d"
                                        "a",
                                        3)),
              "");
    EXPECT_TRUE(odd.detached());
    for (const char* wrong : {"ctrl-", "ctrl-1", "shift-a", "ab", "a,,b", ","})
        EXPECT_THROW((void)DetachKeys(wrong), Error) << wrong;
}

TEST(Inspect, HasDockersNames) {
    ContainerDetails details;
    details.view = sample()[2];
    details.image_id = "sha256:1";
    details.restart = "on-failure:5";
    details.command = {"nginx", "-g", "daemon off;"};
    details.health_json = R"({"command":["true"],"interval":5})";
    details.probes = {{1'000'000'000, 2'000'000'000, 0, "fine"}};
    details.networks = {{"bridge", "n1", "172.17.0.2", "172.17.0.1", "02:42:ac:11:00:02", 16, {}, {}, {}, 0, {}}};
    details.mounts = {{"volume", "data", "/v/data/_data", "/data", "", false}, {"bind", "", "/srv", "/srv", "", true}};
    details.spec_json = R"({"resources":{"memory":1048576,"cpus":1.5},"network":"own"})";
    details.ports_json = R"([{"protocol":"tcp","host_ip":"","first":8080,"last":8080,"container_port":80},)"
                         R"({"protocol":"udp","container_port":9000,"publish":false}])";
    details.request_json =
        R"({"Config":{"Entrypoint":["nginx"],"Cmd":["-g","daemon off;"],"WorkingDir":"/srv","StopSignal":"SIGQUIT"},)"
        R"("HostConfig":{"Binds":["data:/data:rw","/srv:/srv:ro"],"LogConfig":{"Type":"json-file","Config":{}},"Memory":7}})";
    const json::value value = inspect_container(details);
    const std::pair<const char*, const char*> table[] = {
        {"{{.Name}} {{.Path}} {{join .Args \",\"}}", "/web nginx -g,daemon off;"},
        {"{{.State.Status}} {{.State.Running}} {{.State.Health.Status}}", "running true healthy"},
        {"{{(index .State.Health.Log 0).Output}}", "fine"},
        {"{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}", "on-failure:5"},
        {"{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.NetworkMode}}", "1048576 1500000000 bridge"},
        {"{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "172.17.0.2"},
        {"{{.NetworkSettings.IPAddress}}", "172.17.0.2"},
        {"{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"},
        {"{{range .Mounts}}{{.Type}}:{{.Destination}}:{{.RW}} {{end}}", "volume:/data:true bind:/srv:false "},
        {"{{index .Config.Labels \"tier\"}} {{.Config.Labels.no}}", "front <no value>"},
        {"{{json .HostConfig.Binds}}", "[\"data:/data:rw\",\"/srv:/srv:ro\"]"},
        {"{{json .Config.Entrypoint}} {{json .Config.Cmd}}", "[\"nginx\"] [\"-g\",\"daemon off;\"]"},
        {"{{.Config.WorkingDir}} {{.Config.StopSignal}} {{.HostConfig.LogConfig.Type}}", "/srv SIGQUIT json-file"},
        {"{{json .HostConfig.PortBindings}}", "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}"},
        {"{{json .Config.ExposedPorts}}", "{\"80/tcp\":{},\"9000/udp\":{}}"},
        {"{{.Created}}", "1970-01-01T00:00:03.000000000Z"},
        {"{{json .NetworkSettings.Ports}}",
         "{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}],\"9000/udp\":null}"},
    };
    for (const auto& [format, expected] : table)
        EXPECT_EQ(Template(format).render(value, inspect_shape()), expected) << format;
    details.health_json.clear();
    EXPECT_EQ(
        Template("{{if .State.Health}}has{{else}}none{{end}}").render(inspect_container(details), inspect_shape()),
        "none");
}

TEST(Inspect, IndentsAsDocker) {
    EXPECT_EQ(pretty(parse_json(R"([{"a":1,"b":[],"c":{"d":["x"]}}])")),
              "[\n    {\n        \"a\": 1,\n        \"b\": [],\n        \"c\": {\n            \"d\": [\n"
              "                \"x\"\n            ]\n        }\n    }\n]");
}

}  // namespace
}  // namespace compose::cli
