// The engine against a real database, real folders and a network namespace of its own; no supervisor runs.
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/execute.hpp"
#include "engine/observe.hpp"
#include "engine/preflight.hpp"
#include "net/bridge.hpp"
#include "runtime/spec.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Recorder : public EventSink {
public:
    void on_event(const Event& event) override {
        const std::lock_guard lock(mutex_);
        lines.push_back(event.id + " " + event.text + (event.details.empty() ? "" : ": " + event.details));
    }
    Words lines;

private:
    std::mutex mutex_;
};

class EngineState : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root: bridges are made in a network namespace";
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    }
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root";
        std::string pattern = "/tmp/compose-engine-XXXXXX";
        root_ = ::mkdtemp(pattern.data());
        layout_ = store::Layout::from(root_ + "/state", root_ + "/run");
        layout_.prepare();
        store_ = std::make_unique<store::Store>(layout_);
        make_project();
    }
    void TearDown() override {
        if (!store_) return;
        run(down_with_volumes(), true);
        store_.reset();
        fs::remove_all(root_);
    }

    void make_project() {
        fs::create_directories(layout_.layer("aa") + "/data");
        sys::write_file(layout_.layer("aa") + "/data/seed", "from the image");
        image_.id = "sha256:" + std::string(64, '1');
        image_.config = R"({"architecture":"amd64","os":"linux","config":{"Cmd":["sleep"],"Volumes":{"/cache":{}}},)"
                        R"("rootfs":{"type":"layers","diff_ids":[]}})";
        image_.layers = {"aa"};
        store_->put_image(image_);
        store_->tag_image("docker.io/library/box:latest", image_.id);

        project_.name = "p";
        Network& network = project_.networks["default"];
        network.key = "default";
        network.name = "p_default";
        network.config_hash = "n";
        Volume& volume = project_.volumes["data"];
        volume.key = "data";
        volume.name = "p_data";
        volume.config_hash = "v";
        Service& web = project_.services["web"];
        web.name = "web";
        web.image = "box";
        web.config_hash = "h";
        web.networks.emplace_back();
        web.networks[0].network = "default";
        Mount mount;
        mount.source = "data";
        mount.target = "/data";
        web.mounts.push_back(mount);
    }

    /// Everything but starting: there is no supervisor in this program.
    Plan up() {
        UpOptions options;
        options.start = false;
        return plan_up(project_, observe(*store_, "p", &project_), options);
    }
    Plan down_with_volumes() {
        DownOptions options;
        options.volumes = true;
        return plan_down(nullptr, observe(*store_, "p", nullptr), options);
    }
    void run(const Plan& plan, bool keep_going = false, bool dry_run = false) {
        ActionContext context(layout_, "p", &project_, events_);
        context.images["box"] = facts();
        context.dry_run = dry_run;
        EXPECT_TRUE(
            execute(plan, context, {.parallel = 4, .keep_going = keep_going, .wait_timeout = {}, .cancel = {}}));
    }
    ImageFacts facts() const {
        ImageFacts result;
        result.id = image_.id;
        result.layers = image_.layers;
        result.command = {"sleep"};
        result.volumes = {"/cache"};
        return result;
    }
    Words text() { return to_text(up()); }
    std::size_t count(const std::string& folder) const {
        std::size_t n = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root_ + "/state/" + folder)) ++n;
        return n;
    }

    std::string root_;
    store::Layout layout_;
    std::unique_ptr<store::Store> store_;
    Project project_;
    store::Image image_;
    Recorder events_;
};

TEST_F(EngineState, MakesNetworkVolumesAndContainerAndFindsThemAgain) {
    run(up());
    EXPECT_EQ(text(), Words{});
    const auto row = store_->container_by_name("p-web-1");
    ASSERT_TRUE(row);
    const auto endpoints = store_->endpoints_of(row->id);
    ASSERT_EQ(endpoints.size(), 1U);
    EXPECT_TRUE(endpoints[0].default_route);
    EXPECT_EQ(endpoints[0].aliases, (Words{"web", "p-web-1", row->id.substr(0, 12)}));
    const auto network = store_->network_by_name("p_default");
    ASSERT_TRUE(network);
    EXPECT_TRUE(net::bridge_exists(network->bridge));
    const std::string folder = layout_.container(row->id);
    EXPECT_EQ(sys::read_file(folder + "/hostname"), row->id.substr(0, 12) + "\n");
    EXPECT_NE(sys::read_file(folder + "/hosts").find(endpoints[0].address + "\t" + row->id.substr(0, 12)),
              std::string::npos);
    EXPECT_EQ(sys::read_file(folder + "/resolv.conf").find("nameserver 127.0.0.11\n"), 0U);
    EXPECT_TRUE(fs::is_directory(folder + "/upper"));
    EXPECT_EQ(sys::read_file(layout_.volume_data("p_data") + "/seed"), "from the image");

    const ObservedState observed = observe(*store_, "p", &project_);
    ASSERT_EQ(observed.containers.size(), 1U);
    EXPECT_TRUE(observed.containers[0].complete);
    EXPECT_EQ(observed.containers[0].anonymous_volumes.size(), 1U);
    EXPECT_TRUE(observed.containers[0].anonymous_volumes.contains("/cache"));
    EXPECT_EQ(observed.containers[0].networks, (std::set<std::string>{"p_default"}));
    EXPECT_TRUE(observed.networks.at("p_default").ready);
}

TEST_F(EngineState, AReplacementTakesTheNameAndTheAnonymousVolume) {
    run(up());
    const auto before = observe(*store_, "p", nullptr).containers.at(0);
    project_.services["web"].config_hash = "h2";
    events_.lines.clear();
    run(up());
    EXPECT_EQ(events_.lines, (Words{"Container p-web-1 Recreate", "Container p-web-1 Recreated"}));
    const ObservedState after = observe(*store_, "p", nullptr);
    ASSERT_EQ(after.containers.size(), 1U);
    EXPECT_EQ(after.containers[0].name, "p-web-1");
    EXPECT_NE(after.containers[0].id, before.id);
    EXPECT_EQ(after.containers[0].anonymous_volumes, before.anonymous_volumes);
    EXPECT_EQ(count("containers"), 1U);
}

TEST_F(EngineState, DownLeavesNothing) {
    run(up());
    const std::string bridge = store_->network_by_name("p_default")->bridge;
    run(down_with_volumes(), true);
    EXPECT_FALSE(net::bridge_exists(bridge));
    EXPECT_EQ(count("containers"), 0U);
    EXPECT_EQ(count("volumes"), 0U);
    EXPECT_TRUE(store_->containers("").empty());
    EXPECT_TRUE(store_->networks("").empty());
    EXPECT_TRUE(store_->volumes("").empty());
}

TEST_F(EngineState, AFailedCreationIsUndone) {
    project_.services["web"].networks[0].ipv4_address = "203.0.113.9";  // not in any subnet of ours
    EXPECT_THROW(run(up()), Error);
    EXPECT_EQ(count("containers"), 0U);
    EXPECT_EQ(count("volumes"), 1U);  // p_data; the anonymous one is gone
    EXPECT_TRUE(store_->containers("").empty());
    EXPECT_NE(events_.lines.back().find("Container p-web-1 Error: "), std::string::npos);
}

TEST_F(EngineState, WhatACrashLeftHalfMadeIsMadeAgain) {
    run(up());
    const auto id = store_->container_by_name("p-web-1")->id;
    fs::remove(layout_.container(id) + "/hostname");  // the last file of a creation
    net::remove_bridge(store_->network_by_name("p_default")->bridge);
    EXPECT_EQ(text(), (Words{"CreateNetwork p_default [its bridge is missing]", "RemoveContainer p-web-1",
                             "CreateContainer p-web-1 [its creation was interrupted] after CreateNetwork p_default, "
                             "RemoveContainer p-web-1"}));
    run(up());
    EXPECT_EQ(text(), Words{});
    fs::remove_all(layout_.container(store_->container_by_name("p-web-1")->id));
    run(up());
    EXPECT_EQ(text(), Words{});
}

TEST_F(EngineState, ARowThatSaysRunningWithoutAnybodyIsExited) {
    run(up());
    store::Container row = *store_->container_by_name("p-web-1");
    row.state = store::ContainerState::running;
    row.boot_id = "another boot";
    row.pid = 1;
    row.started_at = 1;
    store_->update_runtime(row);
    EXPECT_EQ(observe(*store_, "p", nullptr).containers[0].status, ObservedStatus::exited);
    repair_liveness(*store_, "p");
    EXPECT_EQ(store_->container_by_name("p-web-1")->state, store::ContainerState::exited);
    EXPECT_EQ(store_->container_by_name("p-web-1")->exit_code, 255);
}

TEST_F(EngineState, ADryRunTellsAndDoesNothing) {
    UpOptions options;
    options.wait = true;
    run(plan_up(project_, observe(*store_, "p", &project_), options), false, true);
    EXPECT_EQ(events_.lines.front(), "Network p_default Creating");
    EXPECT_EQ(events_.lines.back(), "Container p-web-1 Healthy");
    EXPECT_EQ(events_.lines.size(), 10U);
    EXPECT_TRUE(store_->networks("").empty());
    EXPECT_EQ(count("containers"), 0U);
}

TEST_F(EngineState, AMissingBindSourceIsFoundBeforeAnythingIsMade) {
    Mount mount;
    mount.type = Mount::Type::bind;
    mount.source = root_ + "/nowhere";
    mount.target = "/x";
    project_.services["web"].mounts.push_back(mount);
    EXPECT_THROW(check_creations(project_, up(), *store_), ProjectError);
    project_.services["web"].mounts.back().create_host_path = true;
    check_creations(project_, up(), *store_);
    run(up());
    EXPECT_TRUE(fs::is_directory(root_ + "/nowhere"));
}

TEST_F(EngineState, WhatANetworkCannotDoIsSaidBeforeAnythingIsMade) {
    IpamPool pool;
    pool.subnet = "10.9.0.0/24";
    project_.networks["default"].ipam = {pool};
    check_creations(project_, up(), *store_);
    project_.networks["default"].ipam[0].ip_range = "10.9.0.128/25";
    check_creations(project_, up(), *store_);
    project_.networks["default"].ipam[0].ip_range = "10.8.0.128/25";
    try {
        check_creations(project_, up(), *store_);
        FAIL() << "expected an error";
    } catch (const ProjectError& error) {
        EXPECT_EQ(error.findings().at(0).path, "networks.default");
        EXPECT_NE(std::string(error.what()).find("10.8.0.128/25"), std::string::npos) << error.what();
    }
}

TEST_F(EngineState, FilesAreReadableForTheContainersUsersWhateverTheUmask) {
    const mode_t old = ::umask(077);
    run(up());
    ::umask(old);
    const std::string folder = layout_.container(store_->container_by_name("p-web-1")->id);
    const auto mode = [](const std::string& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
    EXPECT_EQ(mode(folder + "/upper"), 0755U);
    EXPECT_EQ(mode(folder + "/hosts"), 0644U);
    EXPECT_EQ(mode(folder + "/hostname"), 0644U);
    EXPECT_EQ(mode(folder), 0700U);
}

TEST_F(EngineState, NothingBeginsAfterACancellation) {
    std::stop_source source;
    source.request_stop();
    ActionContext context(layout_, "p", &project_, events_);
    context.images["box"] = facts();
    try {
        (void)execute(up(), context,
                      {.parallel = 2, .keep_going = false, .wait_timeout = {}, .cancel = source.get_token()});
        FAIL() << "expected an error";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), 130);
    }
    EXPECT_TRUE(events_.lines.empty());
}

TEST_F(EngineState, AVolumeNameCannotLeaveItsFolder) {
    project_.volumes["data"].name = "../../evil";
    EXPECT_THROW(run(up()), Error);
    EXPECT_FALSE(fs::exists(root_ + "/evil"));
    EXPECT_TRUE(store_->volumes("").empty());
    project_.volumes["data"].name = "p_data";
}

}  // namespace
}  // namespace compose::engine
