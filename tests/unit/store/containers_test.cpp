#include <gmock/gmock.h>

#include "fixture.hpp"

namespace compose::store::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(StoreTest, ReadsBackEveryFieldOfAContainer) {
    Store store(layout_);
    auto c = make_container(std::string(64, 'a'), "p-web-1");
    c.oneoff = true;
    c.config.image_id = "";
    c.config.restart = "on-failure:3";
    c.config.stop_signal = 2;
    c.config.stop_timeout_ns = 5;
    c.config.health_json = "{}";
    c.config.dns = {"9.9.9.9"};
    c.config.log = false;
    c.config.ports_json = "[]";
    store.insert_container(c, {}, {});
    c.state = ContainerState::restarting;
    c.health = Health::unhealthy;
    c.pid = 42;
    c.pid_start_time = 0xffff'ffff'ffff'fff0U;
    c.started_at = 7;
    c.finished_at = 8;
    c.exit_code = 137;
    c.oom_killed = true;
    c.stopped_by_user = true;
    c.restart_count = 5;
    c.error = "no such file";
    c.boot_id = "boot";
    store.update_runtime(c);

    const auto read = store.container(c.id);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, "p-web-1");
    EXPECT_EQ(read->labels, c.labels);
    EXPECT_TRUE(read->oneoff);
    EXPECT_EQ(read->config.spec, c.config.spec);
    EXPECT_EQ(read->config.restart, "on-failure:3");
    EXPECT_EQ(read->config.stop_signal, 2);
    EXPECT_EQ(read->config.stop_timeout_ns, 5);
    EXPECT_EQ(read->config.health_json, "{}");
    EXPECT_THAT(read->config.dns, ElementsAre("9.9.9.9"));
    EXPECT_FALSE(read->config.log);
    EXPECT_EQ(read->config.ports_json, "[]");
    EXPECT_EQ(read->state, ContainerState::restarting);
    EXPECT_EQ(read->health, Health::unhealthy);
    EXPECT_EQ(read->pid, 42);
    EXPECT_EQ(read->pid_start_time, 0xffff'ffff'ffff'fff0U);
    EXPECT_EQ(read->started_at, 7);
    EXPECT_EQ(read->finished_at, 8);
    EXPECT_EQ(read->exit_code, 137);
    EXPECT_TRUE(read->oom_killed);
    EXPECT_TRUE(read->stopped_by_user);
    EXPECT_EQ(read->restart_count, 5);
    EXPECT_EQ(read->error, "no such file");
    EXPECT_EQ(read->boot_id, "boot");
    EXPECT_EQ(store.containers_without_spec("p").at(0).config.spec, "");
    EXPECT_EQ(store.container_by_name("p-web-1")->id, c.id);
    EXPECT_FALSE(store.container_by_name("other"));
}

TEST_F(StoreTest, TextsLiveAsLongAsTheirContainer) {
    Store store(layout_);
    store.insert_container(make_container("a", "a"), {}, {},
                           {.definition = "{\"image\":\"x\"}",
                            .contents = {{"config c", "1"}},
                            .value_files = {{"environment.A", "a.env"}},
                            .request = "{}"});
    store.insert_container(make_container("b", "b"), {}, {});
    EXPECT_EQ(store.container_texts("a").definition, "{\"image\":\"x\"}");
    EXPECT_EQ(store.container_texts("a").contents.at("config c"), "1");
    EXPECT_EQ(store.container_texts("a").value_files.at("environment.A"), "a.env");
    EXPECT_EQ(store.container_texts("a").request, "{}");
    EXPECT_EQ(store.container_texts("b").definition, "");
    store.delete_container("a");
    EXPECT_EQ(store.container_texts("a").definition, "");
    EXPECT_EQ(store.container_texts("a").request, "");
}

TEST_F(StoreTest, SaysWhoHasAContainerName) {
    Store store(layout_);
    store.insert_container(make_container("0123456789abcdef", "x", "shop"), {}, {});
    const auto error = error_of([&] { store.insert_container(make_container("ffff", "x"), {}, {}); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_STREQ(error.what(), "container name \"x\" is already in use by container 0123456789ab (project shop)");
    EXPECT_FALSE(store.container("ffff"));
}

TEST_F(StoreTest, RenamesAndListsByName) {
    Store store(layout_);
    store.insert_container(make_container("a", "p-web-1"), {}, {});
    store.insert_container(make_container("b", "p-web-2"), {}, {});
    EXPECT_EQ(error_of([&] { store.rename_container("a", "p-web-2"); }).kind(), ErrorKind::conflict);
    EXPECT_EQ(error_of([&] { store.rename_container("zz", "n"); }).kind(), ErrorKind::not_found);
    store.rename_container("a", "p-web-9");
    store.rename_container("a", "p-web-9");
    std::vector<std::string> names;
    for (const auto& c : store.containers("p")) names.push_back(c.name);
    EXPECT_THAT(names, ElementsAre("p-web-2", "p-web-9"));
    EXPECT_THAT(store.projects(), ElementsAre("p"));
    EXPECT_TRUE(store.containers("q").empty());
    EXPECT_EQ(store.containers("").size(), 2U);
}

TEST_F(StoreTest, DeletingAContainerFreesAllThatItHeld) {
    Store store(layout_);
    auto network = make_network("n", "p_default");
    store.insert_network(network, {});
    store.insert_volume(make_volume("v", "p"));
    const Endpoint endpoint{.container_id = "a",
                            .network_id = "n",
                            .index = 0,
                            .address = store.allocate_address(network, ""),
                            .mac = "02:42:ac:11:00:02",
                            .interface = "veth1",
                            .aliases = {"web", "w"},
                            .default_route = true};
    const std::vector<std::string> volumes{"v"};
    store.insert_container(make_container("a", "p-web-1"), std::span(&endpoint, 1), volumes);
    static_cast<void>(store.allocate_port("a", "tcp", "", 80, 80, 80));
    ASSERT_EQ(store.endpoints_of("a").size(), 1U);
    EXPECT_EQ(store.endpoints_of("a")[0].aliases, endpoint.aliases);
    EXPECT_TRUE(store.endpoints_of("a")[0].default_route);
    EXPECT_EQ(store.endpoints("p").size(), 1U);
    EXPECT_THAT(store.volumes_of("a"), ElementsAre("v"));
    EXPECT_THAT(store.volume_users("v"), ElementsAre("p-web-1"));
    EXPECT_EQ(store.volume_uses("p").size(), 1U);

    EXPECT_STREQ(error_of([&] { store.delete_network("n"); }).what(),
                 "network p_default is in use by container p-web-1");
    EXPECT_STREQ(error_of([&] { store.delete_volume("v"); }).what(), "volume v is in use by container p-web-1");

    store.delete_container("a");
    EXPECT_TRUE(store.ports("").empty());
    EXPECT_TRUE(store.endpoints_on("n").empty());
    store.delete_network("n");
    store.delete_volume("v");
    store.delete_volume("v");
    EXPECT_TRUE(store.networks("").empty());
    EXPECT_TRUE(store.volumes("").empty());
}

TEST_F(StoreTest, AContainerThatNamesWhatIsNotThereLeavesNothing) {
    Store store(layout_);
    const std::vector<std::string> volumes{"missing"};
    EXPECT_EQ(error_of([&] { store.insert_container(make_container("a", "n"), {}, volumes); }).kind(),
              ErrorKind::not_found);
    Endpoint endpoint;
    endpoint.network_id = "missing";
    EXPECT_EQ(error_of([&] { store.insert_container(make_container("a", "n"), std::span(&endpoint, 1), {}); }).kind(),
              ErrorKind::not_found);
    auto c = make_container("a", "n");
    c.config.image_id = "sha256:gone";
    EXPECT_EQ(error_of([&] { store.insert_container(c, {}, {}); }).kind(), ErrorKind::not_found);
    EXPECT_TRUE(store.containers("").empty());
}

TEST_F(StoreTest, ATransactionThatThrowsLeavesNothing) {
    Store store(layout_);
    EXPECT_THROW(store.transaction([&] {
        store.insert_container(make_container("a", "n"), {}, {});
        throw Error("stop");
    }),
                 Error);
    EXPECT_TRUE(store.containers("").empty());
    store.transaction([&] { store.insert_container(make_container("a", "n"), {}, {}); });
    EXPECT_EQ(store.containers("").size(), 1U);
    EXPECT_THROW(store.transaction([&] { store.transaction([] {}); }), Error);
    store.sync();
}

TEST_F(StoreTest, ImagesNamesAndLayers) {
    Store store(layout_);
    store.put_image({.id = "sha256:1", .config = "{}", .layers = {"l1", "l2"}, .size = 10, .created_at = 1});
    store.put_image({.id = "sha256:2", .config = "{}", .layers = {"l1", "l3"}, .size = 10, .created_at = 2});
    store.tag_image("docker.io/library/a:latest", "sha256:1");
    store.tag_image("docker.io/library/a:latest", "sha256:2");
    store.tag_image("docker.io/library/b:latest", "sha256:2");
    EXPECT_EQ(error_of([&] { store.tag_image("x", "sha256:9"); }).kind(), ErrorKind::not_found);
    EXPECT_EQ(store.image_by_reference("docker.io/library/a:latest")->id, "sha256:2");
    EXPECT_EQ(store.image_names().size(), 2U);
    EXPECT_THAT(store.layers_in_use(), ElementsAre("l1", "l2", "l3"));
    auto c = make_container("a", "p-web-1");
    c.config.image_id = "sha256:2";
    store.insert_container(c, {}, {});
    EXPECT_THAT(error_of([&] { store.delete_image("sha256:2"); }).what(), HasSubstr("in use by container p-web-1"));
    store.untag_image("docker.io/library/b:latest");
    store.delete_container("a");
    store.delete_image("sha256:2");
    EXPECT_TRUE(store.image_names().empty());
    EXPECT_THAT(store.layers_in_use(), ElementsAre("l1", "l2"));
    EXPECT_EQ(store.images().size(), 1U);
    EXPECT_THAT(store.image("sha256:1")->layers, ElementsAre("l1", "l2"));
}

TEST_F(StoreTest, AVolumeOfThatNameIsLeftAsItIs) {
    Store store(layout_);
    auto volume = make_volume("v", "p");
    volume.driver_opts = {{"type", "tmpfs"}};
    EXPECT_TRUE(store.insert_volume(volume));
    EXPECT_FALSE(store.insert_volume(make_volume("v", "q")));
    EXPECT_EQ(store.volume("v")->project, "p");
    EXPECT_EQ(store.volume("v")->driver_opts.at("type"), "tmpfs");
    EXPECT_EQ(store.volumes("q").size(), 0U);
}

}  // namespace
}  // namespace compose::store::test
