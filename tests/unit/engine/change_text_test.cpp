// What plan says of a field that has changed.
#include "engine/change_text.hpp"

#include <gmock/gmock.h>

namespace compose::engine {
namespace {

using testing::ElementsAre;

TEST(ChangeText, PortsAndMountsAsPeopleWriteThem) {
    EXPECT_THAT(differences({R"({"ports": [{"mode":"ingress","protocol":"tcp","published":"8080","target":80}]})"},
                            {R"({"ports": [{"mode":"ingress","protocol":"tcp","published":"8081","target":80}]})"}),
                ElementsAre("ports: 8080:80/tcp -> 8081:80/tcp"));
    EXPECT_THAT(
        differences({R"({"volumes": []})"},
                    {R"({"volumes": [{"type":"bind","source":"/src","target":"/app","bind":{"create_host_path":true}},
                                    {"type":"volume","source":"data","target":"/data","read_only":true,"volume":{}}]})"}),
        ElementsAre("volumes: added /src:/app", "volumes: added data:/data:ro"));
    // What the short form can't say is shown whole.
    EXPECT_THAT(differences({R"({"volumes": []})"},
                            {R"({"volumes": [{"type":"volume","target":"/d","volume":{"subpath":"x"}}]})"}),
                ElementsAre(R"(volumes: added {"type":"volume","target":"/d","volume":{"subpath":"x"}})"));
}

TEST(ChangeText, SecretsStayHidden) {
    EXPECT_THAT(differences({R"({"environment": {"DB_PASSWORD": "a", "LOG": "x"}})"},
                            {R"({"environment": {"DB_PASSWORD": "b", "LOG": "y"}})"}),
                ElementsAre("environment.DB_PASSWORD: (hidden) -> (hidden)", R"(environment.LOG: "x" -> "y")"));
}

TEST(ChangeText, VariablesComeAndGoOneByOne) {
    EXPECT_THAT(differences({"{}"}, {R"({"environment": {"DB_PASSWORD": "a", "LOG": "x"}})"}),
                ElementsAre("environment.DB_PASSWORD: added (hidden)", R"(environment.LOG: added "x")"));
}

TEST(ChangeText, Lists) {
    EXPECT_THAT(differences({R"({"dns": ["a", "b"]})"}, {R"({"dns": ["b", "a"]})"}),
                ElementsAre("dns: in another order"));
    EXPECT_THAT(differences({R"({"command": ["sleep", "1"]})"}, {R"({"command": ["sleep", "2"]})"}),
                ElementsAre(R"(command: ["sleep","1"] -> ["sleep","2"])"));
    EXPECT_THAT(differences({R"({"cap_add": ["A"]})"}, {R"({"cap_add": ["B", "C"]})"}),
                ElementsAre(R"(cap_add: removed "A")", R"(cap_add: added "B")", R"(cap_add: added "C")"));
}

TEST(ChangeText, AContentIsNamedByWhatHoldsIt) {
    EXPECT_THAT(differences({"{}", {{"secret key", "1"}, {"config a", "1"}, {"config gone", "1"}}},
                            {"{}", {{"secret key", "2"}, {"config a", "1"}, {"config new", "1"}}}),
                ElementsAre("secret key: content changed"));
}

TEST(ChangeText, OfAFileOfVariablesNoValuesAreShown) {
    const std::map<std::string, std::string> files{{"environment.A", "web.env"},
                                                   {"environment.B", "web.env"},
                                                   {"environment.C", "web.env"},
                                                   {"labels.l", "web.labels"}};
    EXPECT_THAT(differences({R"({"environment": {"A": "1", "B": "1", "C": "1"}, "labels": {"l": "1"}})", {}, files},
                            {R"({"environment": {"A": "2", "B": "1", "D": "1"}, "labels": {"l": "2"}})",
                             {},
                             {{"environment.A", "web.env"}, {"environment.B", "b.env"}, {"labels.l", "web.labels"}}}),
                ElementsAre(R"(environment.D: added "1")", "env_file web.env: A changed", "env_file web.env: C removed",
                            "label_file web.labels: l changed"));
    EXPECT_THAT(differences({R"({"environment": {"A": "1"}})", {}, {{"environment.A", "web.env"}}}, {"{}"}),
                ElementsAre("env_file web.env: A removed"));
    // By now the Compose file itself says it.
    EXPECT_THAT(differences({R"({"environment": {"A": "1"}})", {}, {{"environment.A", "web.env"}}},
                            {R"({"environment": {"A": "2"}})"}),
                ElementsAre(R"(environment.A: "1" -> "2")"));
}

}  // namespace
}  // namespace compose::engine
