// What the user sees, as golden text.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "cli/log_printer.hpp"
#include "cli/output.hpp"
#include "cli/render_progress.hpp"
#include "cli/render_table.hpp"
#include "cli/time_argument.hpp"

namespace compose::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'700'000'000 * kSecond;

ContainerView sample_container() {
    ContainerView view;
    view.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    view.name = "shop-web-1";
    view.project = "shop";
    view.service = "web";
    view.image = "nginx";
    view.command = "/docker-entrypoint.sh nginx -g 'daemon off;'";
    view.state = "running";
    view.status = "Up 2 minutes (healthy)";
    view.health = "healthy";
    view.created_at = kNow - 130 * kSecond;
    view.publishers = {{"0.0.0.0", 80, 8080, "tcp"}, {"::", 80, 8080, "tcp"}, {"", 9000, 0, "tcp"}};
    view.labels = {{"a", "1"}, {"b", "x=y"}};
    view.mounts = {"shop_data", "/srv"};
    view.networks = {"shop_default"};
    return view;
}

TEST(RenderTable, SpacesColumnsAsDocker) {
    EXPECT_EQ(render_listing(compose_listing({}, kNow, false), "table", false),
              "NAME      IMAGE     COMMAND   SERVICE   CREATED   STATUS    PORTS\n");
    EXPECT_EQ(
        render_listing(compose_listing({sample_container()}, kNow, false), "table", false),
        "NAME         IMAGE     COMMAND                  SERVICE   CREATED         STATUS                   PORTS\n"
        "shop-web-1   nginx     \"/docker-entrypoint.…\"   web       2 minutes ago   Up 2 minutes (healthy)   "
        "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp\n");
}

TEST(RenderTable, MakesRangesOfNeighbouringPorts) {
    EXPECT_EQ(render_publishers({}), "");
    EXPECT_EQ(render_publishers({{"0.0.0.0", 80, 8000, "tcp"},
                                 {"0.0.0.0", 81, 8001, "tcp"},
                                 {"0.0.0.0", 82, 8003, "tcp"},
                                 {"", 90, 0, "udp"},
                                 {"", 91, 0, "udp"}}),
              "0.0.0.0:8000-8001->80-81/tcp, 0.0.0.0:8003->82/tcp, 90-91/udp");
}

TEST(RenderTable, WritesOneJsonObjectALine) {
    const auto text = render_listing(
        compose_listing({sample_container(), sample_container()}, kNow, false, [](const auto&) { return "2kB"; }),
        "json", false);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    EXPECT_EQ(
        text.substr(0, text.find('\n')),
        R"x({"Command":"\"/docker-entrypoint.…\"","CreatedAt":"2023-11-14 22:11:10 +0000 UTC","Engine":"","ExitCode":0,)x"
        R"x("Health":"healthy","ID":"0123456789ab","Image":"nginx","Labels":"a=1,b=x=y","LocalVolumes":"1",)x"
        R"x("Mounts":"shop_data,/srv","Name":"shop-web-1","Names":"shop-web-1","Networks":"shop_default",)x"
        R"x("Ports":"0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp","Project":"shop","Publishers":)x"
        R"x([{"URL":"0.0.0.0","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"},)x"
        R"x({"URL":"::","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"},)x"
        R"x({"URL":"","TargetPort":9000,"PublishedPort":0,"Protocol":"tcp"}],"RunningFor":"2 minutes ago",)x"
        R"x("Service":"web","Size":"2kB","State":"running","Status":"Up 2 minutes (healthy)"})x");
}

TEST(RenderTable, RawIsAParagraphEach) {
    auto view = sample_container();
    view.mounts.emplace_back(64, 'a');
    view.labels["com.docker.compose.engine"] = "other";
    const auto listing = compose_listing({view}, kNow, false);
    EXPECT_EQ(render_listing(listing, "raw", false),
              "container_id: 0123456789ab\nimage: nginx\ncommand: \"/docker-entrypoint.…\"\n"
              "created_at: 2023-11-14 22:11:10 +0000 UTC\nstate: running\nstatus: Up 2 minutes (healthy)\n"
              "names: shop-web-1\nlabels: a=1,b=x=y,com.docker.compose.engine=other\n"
              "ports: 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp\n\n");
    EXPECT_EQ(render_listing(listing, "table {{.Engine}}\t{{.Size}}\t{{.Mounts}}", false),
              "ENGINE    SIZE      MOUNTS\nother     0B        shop_data,/srv,aaaaaaaaaaaaaa…\n");
    EXPECT_NE(render_listing(listing, "table", false).find("ENGINE\n"), std::string::npos);
}

Event event(Event::Status status, const char* id, const char* text, const char* details = "") {
    Event out;
    out.status = status;
    out.id = id;
    out.text = text;
    out.details = details;
    return out;
}

TEST(RenderProgress, PlainAndJsonLines) {
    const auto started = event(Event::Status::done, "Container p-web-1", "Started");
    const auto failed = event(Event::Status::error, "Container p-db-1", "Error", "port 80 is taken");
    const auto warning = event(Event::Status::warning, "", "found orphan containers", "use --remove-orphans");
    EXPECT_EQ(render_plain(started, {}), " Container p-web-1 Started\n");
    EXPECT_EQ(render_plain(started, {.dry_run = true}), " DRY-RUN MODE -  Container p-web-1 Started\n");
    EXPECT_EQ(render_plain(failed, {}), " Container p-db-1 Error port 80 is taken\n");
    EXPECT_EQ(render_plain(warning, {}), "warning: found orphan containers\n         use --remove-orphans\n");
    EXPECT_EQ(render_json(started, {}), "{\"id\":\"Container p-web-1\",\"status\":\"Done\",\"text\":\"Started\"}\n");
    Event pull = event(Event::Status::working, "Image x", "Pulling");
    pull.current = 50;
    pull.total = 200;
    Event layer = event(Event::Status::done, "0123456789ab", "Pull complete");
    layer.parent = "Image x";
    EXPECT_EQ(render_json(layer, {}),
              "{\"id\":\"0123456789ab\",\"parent_id\":\"Image x\",\"status\":\"Done\",\"text\":\"Pull complete\"}\n");
    EXPECT_EQ(render_json(pull, {.dry_run = true}),
              "{\"dry-run\":true,\"id\":\"Image x\",\"status\":\"Working\",\"text\":\"Pulling\",\"current\":50,"
              "\"total\":200,\"percent\":25}\n");
}

TEST(RenderProgress, DrawsTheTable) {
    const std::vector<ProgressRow> rows{
        {event(Event::Status::done, "Network p_default", "Created"), 0.04},
        {event(Event::Status::working, "Container p-web-1", "Starting"), 1.26},
        {event(Event::Status::error, "Container p-db-1", "Error", "no such image\nx"), 12.0}};
    EXPECT_EQ(render_frame(rows, 80, 24, 0, {.title = "up"}),
              (std::vector<std::string>{"[+] up 2/3",                             //
                                        " ✔ Network p_default  Created    0.0s",  //
                                        " ⠋ Container p-web-1  Starting   1.3s",  //
                                        " ✘ Container p-db-1   Error     12.0s  no such image"}));
    EXPECT_EQ(render_frame(rows, 22, 24, 0, {.title = "up"})[1], " ✔ Network p_default  ");
    // Two rows fit: the failure and the one at work stay.
    const auto small = render_frame(rows, 80, 3, 0, {.title = "up"});
    ASSERT_EQ(small.size(), 3U);
    EXPECT_EQ(small[1].find("Container p-web-1"), 5U);
    EXPECT_EQ(small[2].find("Container p-db-1"), 5U);
}

TEST(RenderProgress, ClosesColoursThatAreCutOff) {
    const std::vector<ProgressRow> rows{{event(Event::Status::done, "Network p_default", "Created"), 0.04}};
    for (std::size_t width = 1; width < 45; ++width)
        for (const auto& line : render_frame(rows, width, 24, 0, {.color = true, .title = "up"})) {
            EXPECT_LE(display_width(line), width);
            const auto last = line.rfind("\033[");
            if (last != std::string::npos) {
                EXPECT_EQ(line.compare(last, 4, "\033[0m"), 0) << line;
            }
        }
}

struct Printed {
    std::string text;
    LogPrinter::Sink sink() {
        return [this](std::string_view piece, bool error) {
            if (error) text += "!";
            text += piece;
        };
    }
};

LogEntry entry(const char* id, const char* text, bool partial = false, bool error = false) {
    return {.container_id = id, .time = kNow + 5, .error = error, .partial = partial, .text = text};
}

TEST(LogPrinter, AlignsPrefixesAndSplitsStreams) {
    Printed out;
    LogPrinter printer({}, out.sink());
    printer.add("a", log_name("p-web-1", "p"));
    printer.add("b", log_name("p-db-12", "p"));
    printer.add("c", log_name("own-name", "p"));
    printer.print(entry("a", "hello"));
    printer.print(entry("b", "oops", false, true));
    printer.print(entry("c", ""));
    printer.note("a", "exited with code 0");
    printer.flush();
    EXPECT_EQ(out.text,
              "web-1     | hello\n"
              "!db-12     | oops\n"
              "own-name  | \n"
              "web-1 exited with code 0\n");
}

TEST(LogPrinter, PutsPiecesTogether) {
    Printed out;
    LogPrinter printer({.timestamps = true}, out.sink());
    printer.add("a", "web-1");
    printer.add("b", "db-1");
    printer.print(entry("a", "one ", true));
    printer.print(entry("b", "between"));
    printer.print(entry("a", "two"));
    printer.print(entry("a", "no end", true));
    printer.end("a");
    printer.flush();
    EXPECT_EQ(out.text,
              "db-1   | 2023-11-14T22:13:20.000000005Z between\n"
              "web-1  | 2023-11-14T22:13:20.000000005Z one two\n"
              "web-1  | 2023-11-14T22:13:20.000000005Z no end\n");
}

TEST(LogPrinter, ColoursGoRound) {
    Printed out;
    LogPrinter printer({.color = true}, out.sink());
    for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) printer.add(name, name);
    printer.print(entry("a", "x"));
    printer.print(entry("g", "y"));
    printer.flush();
    EXPECT_EQ(out.text, "\033[36ma  |\033[0m x\n\033[36mg  |\033[0m y\n");
}

TEST(LogPrinter, PassesBytesThroughWithoutPrefix) {
    Printed out;
    LogPrinter printer({.prefix = false}, out.sink());
    printer.add("a", "web-1");
    printer.print(entry("a", "\033[31m\xff\r"));
    printer.flush();
    EXPECT_EQ(out.text, "\033[31m\xff\r\n");
}

TEST(ParseTime, TakesWhatDockerTakes) {
    ::setenv("TZ", "UTC", 1);
    const std::pair<const char*, std::int64_t> cases[] = {
        {"42m", kNow - 42 * 60 * kSecond},
        {"1h30m", kNow - 5400 * kSecond},
        {"1600000000", 1'600'000'000 * kSecond},
        {"1600000000.5", 1'600'000'000 * kSecond + kSecond / 2},
        {"2023-11-14", 1'699'920'000 * kSecond},
        {"2023-11-14T22:13:20Z", kNow},
        {"2023-11-14T22:13:20.25Z", kNow + kSecond / 4},
        {"2023-11-15T00:13:20+02:00", kNow},
        {"2023-11-14T22:13", kNow - 20 * kSecond},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_time(text, kNow), expected) << text;
    for (const char* text :
         {"", "yesterday", "2023-13-01", "2023-11-14T25:00", "2023-11-14T22:13:20.Z", "12:00", "1.", "-5x"})
        EXPECT_EQ(parse_time(text, kNow), std::nullopt) << text;
}

TEST(Labelled, IndentsTheHint) {
    EXPECT_EQ(labelled("error", "no", "do this", false), "error: no\n       do this\n");
    EXPECT_EQ(labelled("error", "no", "", true), "\033[1;31merror:\033[0m no\n");
}

}  // namespace
}  // namespace compose::cli
