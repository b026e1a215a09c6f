#include "base/template.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace compose {
namespace {

using testing::HasSubstr;

const json::value& data() {
    static const json::value value = parse_json(R"({
        "Name": "/web", "Names": "web", "Id": "abc", "Size": 1234, "Half": 0.5, "On": true, "Off": false, "None": null,
        "State": {"Status": "running", "Pid": 42, "Health": {"Status": "healthy"}},
        "Config": {"Labels": {"a": "1", "com.x.y": "z"}, "Env": ["A=1", "B=2"], "Cmd": ["sh", "-c"]},
        "NetworkSettings": {"Networks": {"n2": {"IPAddress": "10.0.0.3"}, "n1": {"IPAddress": "10.0.0.2"}},
                            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "9/udp": null}},
        "Mounts": [{"Source": "/a", "Destination": "/x"}, {"Source": "/b", "Destination": "/y"}]})");
    return value;
}

const TemplateShape& shape() {
    static const TemplateShape value{{"Health"}, {"Labels", "Networks"}};
    return value;
}

std::string render(std::string_view text) {
    return Template(text).render(data(), shape());
}

std::string failure(std::string_view text, const json::value& value = data()) {
    try {
        const auto out = Template(text).render(value, shape());
        return "no error, but: " + out.substr(0, 200);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::invalid);
        return error.what();
    }
}

TEST(Template, WhatScriptsWrite) {
    const std::pair<const char*, const char*> table[] = {
        {"{{.State.Health.Status}}", "healthy"},
        {"{{.Names}}\t{{.Id}}", "web\tabc"},
        {"{{json .State}}", R"({"Status":"running","Pid":42,"Health":{"Status":"healthy"}})"},
        {"{{json .Config.Labels}}", R"({"a":"1","com.x.y":"z"})"},
        {"{{index .Config.Labels \"com.x.y\"}}", "z"},
        {"[{{index .Config.Labels \"no\"}}]", "[]"},
        {"{{.Config.Labels.no}}", "<no value>"},
        {"{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n"},
        {"{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}} {{end}}", "n1=10.0.0.2 n2=10.0.0.3 "},
        {"{{range.NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "10.0.0.210.0.0.3"},
        {"{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"},
        {"{{range $p, $conf := .NetworkSettings.Ports}}{{$p}} -> {{if $conf}}{{(index $conf 0).HostPort}}"
         "{{else}}none{{end}};{{end}}",
         "80/tcp -> 8080;9/udp -> none;"},
        {"{{join .Config.Cmd \" \"}}", "sh -c"},
        {"{{.Name | upper}} {{title \"some words\"}} {{.Name | lower}}", "/WEB Some Words /web"},
        {"{{truncate .Id 2}}", "ab"},
        {"{{index (split \"a:b:c\" \":\") 1}}", "b"},
        {"{{with .State.Health}}{{.Status}}{{else}}none{{end}}", "healthy"},
        {"{{if and .On (not .Off)}}y{{else}}n{{end}}", "y"},
        {"{{if eq .State.Status \"exited\" \"running\"}}up{{end}}", "up"},
        {"{{if gt .State.Pid 40}}big{{else if lt .State.Pid 1}}none{{else}}small{{end}}", "big"},
        {"{{printf \"%-6s|%5d|%05.1f|%q|%v|%x\" .Names .Size .Half .Id .On \"hi\"}}",
         "web   | 1234|000.5|\"abc\"|true|6869"},
        {"{{len .Mounts}} {{len .Config.Labels}} {{len \"abc\"}}", "2 2 3"},
        {"{{range $i, $m := .Mounts}}{{if $i}}, {{end}}{{$m.Source}}:{{.Destination}}{{end}}", "/a:/x, /b:/y"},
        {"{{/* a remark */}}{{- \"x\" -}} {{- \"y\"}}", "xy"},
        {"{{.Config.Cmd}} {{.Config.Labels}} {{.None}}", "[sh -c] map[a:1 com.x.y:z] <nil>"},
        {"{{$x := .Size}}{{if .On}}{{$x = 7}}{{end}}{{$x}}", "7"},
        {"{{range .Config.Env}}{{if eq . \"B=2\"}}{{break}}{{end}}{{.}}{{end}}", "A=1"},
        {"{{range .None}}x{{else}}empty{{end}}", "empty"},
        {"{{or .None .Names}} {{`raw \\n`}}", "web raw \\n"},
        {"{{slice .Id 1 3}} {{print 1 2 \"x\" 3}}", "bc 1 2x3"},
        {"{{.}}x", "map"},
    };
    for (const auto& [text, expected] : table) {
        const std::string out = render(text);
        if (std::string_view(expected) == "map")
            EXPECT_TRUE(out.starts_with("map[Config:map[Cmd:")) << out;
        else
            EXPECT_EQ(out, expected) << text;
    }
}

TEST(Template, AMemberThatMayBeAbsentIsNil) {
    const json::value bare = parse_json(R"({"State": {"Status": "running"}})");
    EXPECT_EQ(Template("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}").render(bare, shape()),
              "none");
    EXPECT_THAT(failure("{{.State.Health.Status}}", bare), HasSubstr("nil has no field \"Status\""));
}

TEST(Template, MistakesAreNamedWithTheirPlace) {
    const std::pair<const char*, const char*> table[] = {
        {"{{.Nmaes}}", "template:1:3: there is no field \"Nmaes\" (did you mean Names?)"},
        {"a\n{{.Names", "template:2:1: this action has no end"},
        {"{{}}", "an action without content"},
        {"{{jsn .}}", "there is no function \"jsn\" (did you mean json?)"},
        {"{{Names}}", "fields begin with a dot"},
        {"{{if .On}}x", "{{if}} without {{end}}"},
        {"x{{end}}", "{{end}} without if"},
        {"{{else}}", "{{else}} without if"},
        {"{{break}}", "break outside of range"},
        {"{{.Names | }}", "a value or function is missing"},
        {"{{\"x\" .Id}}", "this is not a function"},
        {"{{.Size \"x\"}}", "index: a"},
        {"{{.Names | .Id}}", "only a function can stand after"},
        {"{{join .Config.Env}}", "wrong number of arguments for join: 1"},
        {"{{(.Names}}", "\")\" is missing"},
        {"{{\"abc}}", "this text has no end"},
        {"{{`abc}}", "this text has no end"},
        {"{{'a'}}", "double quotes"},
        {"{{/* x}}", "this comment has no end"},
        {"{{$y}}", "there is no variable $y"},
        {"{{$y = 1}}", "there is no variable $y"},
        {"{{index .Mounts 9}}", "9 is out of range (there are 2)"},
        {"{{index .None \"x\"}}", "nil has no elements"},
        {"{{range .Size}}{{end}}", "range needs a list or an object"},
        {"{{.Size.X}}", "there is no field \"X\" in a number"},
        {"{{lt .On 1}}", "can't be compared"},
        {"{{upper .Size}}", "upper: a text is needed"},
        {"{{truncate .Id -1}}", "negative"},
        {"{{slice .Id 2 1}}", "out of range"},
        {"{{template \"x\"}}", "template is not supported"},
        {"{{.Names ? 1}}", "unexpected \"?\""},
        {"{{1x}}", "\"1x\" is not a number"},
    };
    for (const auto& [text, expected] : table) EXPECT_THAT(failure(text), HasSubstr(expected)) << text;
}

TEST(Template, HostileOnesEnd) {
    std::string deep, parentheses(5000, '('), nested;
    for (int i = 0; i < 2000; ++i) deep += "{{if .On}}";
    for (int i = 0; i < 12; ++i) nested += "{{range .Config.Env}}{{range .Config}}";
    EXPECT_THAT(failure(deep), HasSubstr("nested too deeply"));
    EXPECT_THAT(failure("{{" + parentheses + ".Id}}"), HasSubstr("nested too deeply"));
    EXPECT_THAT(failure(std::string(100'000, 'x')), HasSubstr("longer than"));
    EXPECT_THAT(failure("{{printf \"%99999999999999999999d\" 1}}"), HasSubstr("a width above 1000"));
    EXPECT_THAT(failure("{{\"\xff\"}}"), HasSubstr("not UTF-8"));
    std::string loops, ends;
    for (int i = 0; i < 40; ++i) {
        loops += "{{range $.Mounts}}";
        ends += "{{end}}";
    }
    EXPECT_THAT(failure(loops + ends), HasSubstr("takes too long"));
    std::string doubling = "{{$x := \"0123456789abcdef\"}}";
    for (int i = 0; i < 40; ++i) doubling += "{{$x = print $x $x}}";
    EXPECT_THAT(failure(doubling), HasSubstr("makes too much text"));
    // Every cut of a good one is an error or a text, never a crash.
    const std::string good =
        "{{range $k, $v := .Config}}{{with $x := index $v 0}}{{printf \"%s\" $x | upper}}{{else}}-{{end}}{{end}}";
    for (std::size_t i = 0; i < good.size(); ++i) (void)failure(good.substr(0, i));
    for (std::size_t i = 0; i < good.size(); ++i) (void)failure(good.substr(i));
}

TEST(Template, MethodsAreMaps) {
    const json::value labels = parse_json(R"({"Label": {"a.b": "c"}})");
    TemplateShape own;
    own.methods = &labels.get_object();
    EXPECT_EQ(Template(R"({{.Label "a.b"}}[{{.Label "no"}}]{{.Names}})").render(data(), own), "c[]web");
}

TEST(Template, HeadingsGoThroughFunctions) {
    const json::value headers = parse_json(R"({"Names": "NAMES", "Ports": "PORTS", "Label": ""})");
    EXPECT_EQ(Template(R"({{.Label "a.b"}})").render_heading(headers), "A.B");
    EXPECT_EQ(Template("{{.Names | lower}}\t{{json .Ports}} {{join .Ports \",\"}}").render_heading(headers),
              "NAMES\tPORTS PORTS");
}

TEST(Template, PrintfFollowsGo) {
    const std::pair<const char*, const char*> table[] = {
        {"{{printf \"%d%%\" 5}}", "5%"},
        {"{{printf \"%d\" \"x\"}}", "%!d(string=x)"},
        {"{{printf \"%s\"}}", "%!s(MISSING)"},
        {"{{printf \"%.2s|%+d|%04d|%x\" \"abc\" 3 -7 255}}", "ab|+3|-007|ff"},
        {"{{printf \"%.3f %e\" .Half .Half}}", "0.500 5.000000e-01"},
        {"{{printf \"%\"}}", "%!(NOVERB)"},
    };
    for (const auto& [text, expected] : table) EXPECT_EQ(render(text), expected) << text;
}

TEST(Template, NullPrintsAsItsKindInGo) {
    const boost::json::value data = boost::json::parse(R"({"Dns": null, "Labels": null, "Error": null})");
    const TemplateShape shape{{}, {"Labels"}, nullptr, {"Dns"}};
    EXPECT_EQ(Template("{{.Dns}} {{.Labels}} {{.Error}} {{json .Dns}} {{len .Dns}} {{range .Dns}}x{{else}}none{{end}}")
                  .render(data, shape),
              "[] map[] <nil> null 0 none");
}

TEST(Template, EscapesOfTheCommandLine) {
    EXPECT_EQ(unescape_format("a\\tb\\nc\\d"), "a\tb\nc\\d");
}

}  // namespace
}  // namespace compose
