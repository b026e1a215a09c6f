#include "plan/images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace compose {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kNow = 1000 * kHour;

struct World {
    World() {
        project.name = "p";
        policy.now = kNow;
    }
    Service& add(const std::string& name, const std::string& image, const std::string& pull_policy = "") {
        auto& service = project.services[name];
        service.name = name;
        service.image = image;
        service.pull_policy = pull_policy;
        return service;
    }
    void here(const std::string& image, std::int64_t pulled_hours_ago = 0) {
        known[image] = {.pulled_at = kNow - pulled_hours_ago * kHour};
    }
    [[nodiscard]] std::vector<std::string> plan(const std::vector<std::string>& services = {}) const {
        std::vector<std::string> out;
        for (const auto& action : plan_images(project, services, known, policy)) out.push_back(to_string(action));
        return out;
    }
    Project project;
    std::map<std::string, KnownImage> known;
    ImagePolicy policy;
};

TEST(PlanImages, PullsWhatIsNotHere) {
    World w;
    w.add("a", "debian");
    w.add("b", "nginx");
    w.add("c", "debian");
    w.here("nginx");
    EXPECT_THAT(w.plan(), ElementsAre("PullImage debian [not here]"));
    EXPECT_THAT(w.plan({"b"}), IsEmpty());
}

TEST(PlanImages, Policies) {
    World w;
    w.add("a", "a", "always");
    w.add("b", "b", "never");
    w.add("c", "c", "missing");
    w.add("d", "d", "daily");
    w.add("e", "e", "every_12h");
    w.add("f", "f", "weekly");
    for (const char* name : {"a", "b", "c"}) w.here(name);
    w.here("d", 25);
    w.here("e", 11);
    w.here("f", 24 * 8);
    EXPECT_THAT(w.plan(), ElementsAre("PullImage a [pull_policy: always]", "PullImage d [pull_policy: daily]",
                                      "PullImage f [pull_policy: weekly]"));
    w.known.clear();
    EXPECT_THAT(w.plan({"b", "e"}), ElementsAre("PullImage e [not here]"));
    w.policy.pull = "never";
    EXPECT_THAT(w.plan(), IsEmpty());
}

TEST(PlanImages, TheCommandLineSaysMore) {
    World w;
    w.add("a", "a", "never");
    w.here("a");
    w.policy.pull = "always";
    EXPECT_THAT(w.plan(), ElementsAre("PullImage a [--pull always]"));
}

TEST(PlanImages, Builds) {
    World w;
    w.add("own", "p-own").build.emplace();
    w.add("named", "reg/named").build.emplace();
    w.add("user", "reg/named");
    const auto actions = plan_images(w.project, {}, w.known, w.policy);
    ASSERT_EQ(actions.size(), 2U);
    EXPECT_EQ(to_string(actions[0]), "PullImage reg/named [not here]");
    EXPECT_TRUE(actions[0].build_when_missing);
    EXPECT_EQ(to_string(actions[1]), "BuildImage p-own [not here]");
    w.here("p-own");
    w.here("reg/named");
    EXPECT_THAT(w.plan(), IsEmpty());
    w.policy.build = true;
    EXPECT_THAT(w.plan(), ElementsAre("BuildImage reg/named [--build]", "BuildImage p-own [--build]"));
    w.policy.no_build = true;
    w.known.clear();
    EXPECT_THAT(w.plan(), ElementsAre("PullImage reg/named [not here]"));
}

TEST(PlanImages, PolicyBuildBuildsEachTime) {
    World w;
    w.add("a", "a", "build").build.emplace();
    w.here("a");
    EXPECT_THAT(w.plan(), ElementsAre("BuildImage a [pull_policy: build]"));
}

TEST(PlanImages, Windows) {
    EXPECT_EQ(refresh_window("every_1d12h", ""), std::chrono::hours(36));
    EXPECT_EQ(refresh_window("every_2w", ""), std::chrono::hours(24 * 14));
    EXPECT_EQ(refresh_window("refresh", "6h"), std::chrono::hours(6));
    EXPECT_FALSE(refresh_window("always", ""));
    EXPECT_THROW((void)refresh_window("every_soon", ""), Error);
    EXPECT_THROW((void)refresh_window("every_", ""), Error);
}

}  // namespace
}  // namespace compose
