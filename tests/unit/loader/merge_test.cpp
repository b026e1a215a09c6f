#include "loader/merge.hpp"

#include <string>

#include <gtest/gtest.h>

#include "loader/path_pattern.hpp"
#include "loader/yaml_reader.hpp"
#include "tree_text.hpp"

namespace compose {
namespace {

Node tree(Diagnostics& findings, const std::string& name, const std::string& text) {
    return read_yaml(findings.sources.add(name, text), findings).at(0);
}

/// Of the service `a`, whose attributes the texts are.
std::string merged(const std::string& base, const std::string& over) {
    Diagnostics findings;
    auto below = tree(findings, "a", "services: {a: {" + base + "}}");
    auto above = tree(findings, "b", "services: {a: {" + over + "}}");
    const auto paths = take_reset_paths(above);
    drop_paths(below, paths);
    merge_tree(below, std::move(above));
    EXPECT_EQ(text_of(findings), "");
    return flow(*below.find("services")->find("a"));
}

TEST(Merge, FollowsTheTable) {
    struct Row {
        const char* base;
        const char* over;
        const char* expected;
    };
    const Row rows[] = {
        {"image: x, user: u", "image: y", "{image: 'y', user: 'u'}"},
        {"hostname: h, labels: {x: '1'}", "hostname: null, labels: null", "{hostname: 'h', labels: {x: '1'}}"},
        {"command: [a, b]", "command: [c]", "{command: ['c']}"},
        {"command: [a]", "command: []", "{command: []}"},
        {"entrypoint: [a], user: u", "entrypoint: null, user: null", "{entrypoint: null, user: 'u'}"},
        {"healthcheck: {test: [A], retries: 2}", "healthcheck: {test: [B, c]}",
         "{healthcheck: {test: ['B', 'c'], retries: 2}}"},
        {"security_opt: [a]", "security_opt: [a, b]", "{security_opt: ['a', 'a', 'b']}"},
        {"cap_add: [a, b]", "cap_add: [b, c]", "{cap_add: ['a', 'b', 'c']}"},
        {"expose: ['80']", "expose: ['81', '80']", "{expose: ['80', '81']}"},
        {"environment: {A: '1', B: '1', C: '1'}", "environment: {B: '2', C: null}",
         "{environment: {A: '1', B: '2', C: null}}"},
        {"networks: {n: {priority: 1, aliases: [x]}}", "networks: {n: null, m: null}",
         "{networks: {n: {priority: 1, aliases: ['x']}, m: null}}"},
        {"networks: {n: {aliases: [x]}}", "networks: {n: {aliases: [y, x]}}", "{networks: {n: {aliases: ['x', 'y']}}}"},
        {"volumes: [{source: a, target: /x}, {source: b, target: /y}]", "volumes: [{source: c, target: /x}]",
         "{volumes: [{source: 'c', target: '/x'}, {source: 'b', target: '/y'}]}"},
        {"ports: [{target: 80, published: '8080'}]",
         "ports: [{target: 80, published: '8080', protocol: tcp, mode: host}, {target: 81}]",
         "{ports: [{target: 80, published: '8080', protocol: 'tcp', mode: 'host'}, {target: 81}]}"},
        {"ports: [{target: 80, host_ip: 1.1.1.1}]", "ports: [{target: 80}]",
         "{ports: [{target: 80, host_ip: '1.1.1.1'}, {target: 80}]}"},
        {"secrets: [{source: a}]", "secrets: [{source: b, target: a}]", "{secrets: [{source: 'b', target: 'a'}]}"},
        {"ulimits: {n: {soft: 1, hard: 2}}", "ulimits: {n: {soft: 3}, c: 1}", "{ulimits: {n: {soft: 3}, c: 1}}"},
        {"logging: {driver: a, options: {x: '1'}}", "logging: {driver: a, options: {y: '2'}}",
         "{logging: {driver: 'a', options: {x: '1', y: '2'}}}"},
        {"logging: {driver: a, options: {x: '1'}}", "logging: {driver: b}", "{logging: {driver: 'b'}}"},
        {"logging: {options: {x: '1'}}", "logging: {driver: b}", "{logging: {options: {x: '1'}, driver: 'b'}}"},
        {"env_file: [{path: a}]", "env_file: [{path: b}, {path: a, required: false}]",
         "{env_file: [{path: 'a', required: false}, {path: 'b'}]}"},
        {"tmpfs: ['/a', '/tmp:size=1m']", "tmpfs: ['/tmp:size=2m', '/a']", "{tmpfs: ['/a', '/tmp:size=2m']}"},
        {"x-list: [1]", "x-list: [2]", "{x-list: [1, 2]}"},
        {"hostname: h, ports: [{target: 1}]", "hostname: !reset null, ports: !reset []", "{}"},
        {"ports: [{target: 1}], labels: {a: b}", "ports: !override [{target: 2}], labels: !override {}",
         "{ports: [{target: 2}], labels: {}}"},
        {"environment: {A: '1', B: '1'}", "environment: {A: !reset null}", "{environment: {B: '1'}}"},
    };
    for (const auto& row : rows) EXPECT_EQ(merged(row.base, row.over), row.expected) << row.base << " + " << row.over;
}

TEST(Merge, MergesPoolsOfOneSubnet) {
    Diagnostics findings;
    auto base = tree(findings, "a", "networks: {n: {ipam: {config: [{subnet: s, gateway: g}]}}}");
    merge_tree(base, tree(findings, "b", "networks: {n: {ipam: {config: [{subnet: s, ip_range: r}, {subnet: t}]}}}"));
    EXPECT_EQ(flow(base),
              "{networks: {n: {ipam: {config: [{subnet: 's', gateway: 'g', ip_range: 'r'}, {subnet: 't'}]}}}}");
}

TEST(Merge, RemembersWhichValueWasReplaced) {
    Diagnostics findings;
    auto base = tree(findings, "a", "services:\n  a:\n    image: x\n");
    merge_tree(base, tree(findings, "b", "services: {a: {image: y}}"));
    const auto* image = base.find("services")->find("a")->find("image");
    EXPECT_EQ(findings.sources.name(image->pos.file), "b");
    ASSERT_TRUE(image->past);
    ASSERT_EQ(image->past->size(), 1U);
    EXPECT_EQ(image->past->front()->text, "x");
    EXPECT_EQ(findings.sources.name(image->past->front()->pos.file), "a");
    EXPECT_EQ(image->past->front()->pos.line, 3U);
}

TEST(Merge, RemovesAPortWrittenTwice) {
    Diagnostics findings;
    auto root =
        tree(findings, "a",
             "services: {a: {ports: [{target: 80}, {target: 80, protocol: tcp}, {target: 80, protocol: udp}]}}");
    remove_duplicates(root);
    EXPECT_EQ(flow(root), "{services: {a: {ports: [{target: 80, protocol: 'tcp'}, {target: 80, protocol: 'udp'}]}}}");
}

TEST(Merge, IsLinearInServices) {
    Diagnostics findings;
    std::string text = "services:\n";
    for (int i = 0; i < 20'000; ++i) text += fmt::format("  s{}: {{image: x}}\n", i);
    auto base = tree(findings, "a", text);
    merge_tree(base, tree(findings, "b", text));
    EXPECT_EQ(base.find("services")->entries.size(), 20'000U);
}

TEST(PathTable, MatchesKeysStarsAndItems) {
    const PathTable<int> table{{"a.*.b", 1}, {"a.x.b", 2}, {"a.*.c.[]", 3}, {"a.*.c.[].d", 4}};
    const auto at = [&](auto cursor) { return table.at(cursor) == nullptr ? 0 : *table.at(cursor); };
    const auto a = table.root().child("a");
    EXPECT_EQ(at(a), 0);
    EXPECT_EQ(at(a.child("q").child("b")), 1);
    EXPECT_EQ(at(a.child("x").child("b")), 2) << "an exact key wins over the star";
    EXPECT_EQ(at(a.child("x").child("c").item()), 3);
    EXPECT_EQ(at(a.child("x").child("c").item().child("d")), 4);
    EXPECT_TRUE(table.root().child("z").dead());
}

TEST(PathFrame, PrintsControlCharactersEscaped) {
    const PathFrame root;
    const auto services = root.child("services");
    const auto web = services.child("w\x1b[31m");
    const auto ports = web.child("ports");
    EXPECT_EQ(to_string(ports.item(2)), "services.\"w\\x1b[31m\".ports[2]");
}

}  // namespace
}  // namespace compose
