// What a transformation reads of a project.
#include <compose/bridge.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_files.hpp"

namespace compose {
namespace {

LoadedProject loaded(const std::string& yaml) {
    MemoryFiles files({{"/p/compose.yaml", yaml}});
    LoadRequest request;
    request.working_directory = "/p";
    Diagnostics findings;
    auto out = load_project(request, files, findings);
    EXPECT_FALSE(findings.has_errors());
    return out;
}

TEST(BridgeModel, HasImagesPortsAndContents) {
    const auto project = loaded(R"(
name: shop
services:
  web:
    image: web:1
    command: echo $$HOME
    expose: ["9000", "53/udp"]
    ports: ["8080:80", "443"]
    configs: [c]
    secrets: [s, other]
    network_mode: none
  api: {build: ., network_mode: none}
configs: {c: {file: ./c}}
secrets: {s: {environment: S}, other: {external: true}}
)");
    const auto text = bridge_model(project, {.exposed = {{"web", {"80/tcp", "8125/udp"}}, {"nosuch", {"1/tcp"}}},
                                             .configs = {{"c", "one\ntwo\n"}},
                                             .secrets = {{"s", "${not} $a variable"}, {"nosuch", "x"}}});
    EXPECT_EQ(text, R"(name: shop
services:
  api:
    build:
      context: /p
      dockerfile: Dockerfile
    image: shop-api
    network_mode: none
  web:
    command:
      - echo
      - $HOME
    configs:
      - source: c
    expose:
      - 53/udp
      - "80"
      - "443"
      - "8125"
      - "9000"
    image: web:1
    network_mode: none
    ports:
      - mode: ingress
        protocol: tcp
        published: "8080"
        target: 80
      - mode: ingress
        protocol: tcp
        target: 443
    secrets:
      - source: s
        target: /run/secrets/s
      - source: other
        target: /run/secrets/other
configs:
  c:
    content: |
      one
      two
    file: /p/c
    name: shop_c
secrets:
  other:
    external: true
    name: other
  s:
    content: ${not} $a variable
    environment: S
    name: shop_s
)");
}

TEST(BridgeModel, IsWholeWithoutFacts) {
    EXPECT_EQ(bridge_model(loaded("{name: p, services: {a: {image: i, network_mode: none}}}"), {}),
              "name: p\nservices:\n  a:\n    image: i\n    network_mode: none\n");
    EXPECT_EQ(bridge_model(loaded("{name: p, services: {a: {provider: {type: cloud}, network_mode: none}}}"), {}),
              "name: p\nservices:\n  a:\n    network_mode: none\n    provider:\n      type: cloud\n");
    EXPECT_EQ(bridge_model({}, {}), "{}\n");
}

}  // namespace
}  // namespace compose
