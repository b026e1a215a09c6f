#include "world.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/bridge.hpp"
#include "net/firewall.hpp"
#include "runtime/cgroup.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "sys/links.hpp"

namespace compose::supervisor::test {
namespace {

namespace fs = std::filesystem;

const std::string& busybox_root() {
    static const struct Root {
        std::string path = fs::temp_directory_path() / fmt::format("supervisor-root-{}", ::getpid());
        pid_t owner = ::getpid();
        Root() {
            for (const char* name : {"bin", "etc", "tmp", "proc", "sys", "dev", "root"})
                fs::create_directories(fs::path(path) / name);
            fs::copy_file("/bin/busybox", path + "/bin/busybox");
            for (const char* name :
                 {"sh",     "cat", "echo", "sleep", "true",  "false", "seq", "kill", "nslookup", "wget", "nc",
                  "printf", "dd",  "ls",   "test",  "touch", "tty",   "env", "pwd",  "ping",     "rm"})
                fs::create_symlink("busybox", path + "/bin/" + name);
        }
        ~Root() {
            if (::getpid() == owner) fs::remove_all(path);
        }
    } root;
    return root.path;
}

std::string cgroup_parent() {
    return fmt::format("compose-test-sv/{}", ::getpid());
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

void World::SetUpTestSuite() {
    static bool done = false;
    if (done || ::geteuid() != 0) return;
    done = true;
    // Once for the whole program; what is started from here on lives in it too.
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    sys::Links().set_up(1);
}

void World::SetUp() {
    if (::geteuid() != 0 || !fs::exists("/bin/busybox")) {
        std::cerr << "SKIPPED: starting containers needs root and busybox-static\n";
        GTEST_SKIP() << "starting containers needs root and busybox-static";
    }
    std::string pattern = fs::temp_directory_path() / "supervisor-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    // For whoever looks for a mistake: the resident programs write keeper.log, which a failing test prints.
    if (std::getenv("COMPOSE_TEST_DEBUG") != nullptr) log::enable(folder_ + "/debug.log");
    project_ = "t" + folder_.substr(folder_.size() - 6);
    layout_ = store::Layout::from(folder_ + "/state", folder_ + "/run");
    layout_.prepare();
    store_ = std::make_unique<store::Store>(layout_);
}

void World::TearDown() {
    if (!store_) return;
    const auto keep = store_->containers(project_);
    if (!keep.empty()) {
        auto connection = client();
        for (const auto& one : keep) {
            connection.forget(one.id);
            EXPECT_FALSE(has_cgroup(one.id)) << one.name;
        }
    }
    EXPECT_TRUE(eventually([&] { return resident("keeper") == 0 && resident("supervisor") == 0; }))
        << "the resident programs stay though there is nothing to do";
    EXPECT_FALSE(sys::exists(layout_.control_socket(project_)));
    for (const auto& bridge : bridges_) net::remove_bridge(bridge);
    net::Firewall("compose-" + store_->installation_id()).remove();
    EXPECT_TRUE(store_->ports("").empty());
    store_.reset();
    if (HasFailure() && sys::exists(layout_.project_run(project_) + "/keeper.log"))
        std::cerr << sys::read_file(layout_.project_run(project_) + "/keeper.log");
    fs::remove_all(folder_);
}

std::string World::make(const std::string& name, const Wish& wish) {
    runtime::ContainerSpec spec;
    spec.id = sys::random_id();
    spec.name = name;
    spec.lower = {busybox_root()};
    spec.upper = layout_.container(spec.id) + "/upper";
    spec.work = layout_.container(spec.id) + "/work";
    fs::create_directories(spec.upper);
    fs::create_directories(spec.work);
    spec.hostname = name;
    spec.process.args = wish.args.empty() ? std::vector<std::string>{"sh", "-c", wish.script} : wish.args;
    spec.process.env = {"OWN=1"};
    spec.process.terminal = wish.terminal;
    spec.cgroup_parent = cgroup_parent();
    if (!wish.network.empty()) {
        spec.resolv_conf_file = layout_.container(spec.id) + "/resolv.conf";
        sys::write_file(spec.resolv_conf_file, "nameserver 127.0.0.11\n");
    }
    store::Container container;
    container.id = spec.id;
    container.name = project_ + "-" + name;
    container.project = project_;
    container.service = name;
    container.created_at = sys::wall_now().time_since_epoch().count();
    container.config.spec = runtime::to_json(spec);
    container.config.restart = wish.restart;
    container.config.health_json = wish.health_json;
    container.config.ports_json = wish.ports_json;
    container.config.stop_timeout_ns = wish.stop_timeout_ns;
    store_->transaction([&] {
        std::vector<store::Endpoint> endpoints;
        if (!wish.network.empty()) {
            const auto network = *store_->network(wish.network);
            store::Endpoint endpoint;
            endpoint.container_id = spec.id;
            endpoint.network_id = network.id;
            endpoint.address = store_->allocate_address(network, "");
            endpoint.interface = "cv" + spec.id.substr(0, 10);
            endpoint.aliases = wish.aliases;
            endpoint.default_route = true;
            endpoints.push_back(endpoint);
        }
        store_->insert_container(container, endpoints, {});
    });
    ids_.push_back(spec.id);
    return spec.id;
}

std::string World::make_network(const std::string& subnet) {
    store::Network network;
    network.id = sys::random_id();
    network.name = project_ + "_default";
    network.project = project_;
    network.key = "default";
    network.subnet = subnet;
    network.bridge = "cb" + network.id.substr(0, 10);
    network.gateway = net::Prefix::parse(subnet)->first().to_string();
    store_->insert_network(network, {});
    bridges_.push_back(network.bridge);
    return network.id;
}

bool World::becomes(const std::string& id, store::ContainerState state) {
    return eventually([&] { return row(id).state == state; });
}

std::string World::log(const std::string& id, LogQuery query) {
    LogReader reader(layout_.container_log(id), query);
    std::string all;
    LogLine line;
    while (reader.next(line)) {
        all += line.bytes;
        if (line.newline) all += '\n';
    }
    return all;
}

std::string World::exec(const std::string& id, const std::string& script, int* code) {
    auto connection = client();
    auto pipe = sys::make_pipe();
    const auto null = sys::open_file("/dev/null", 0);
    ExecRequest request;
    request.container_id = id;
    request.process.args = {"sh", "-c", script};
    request.process.cwd.clear();
    const auto running = connection.exec(request, {null, pipe.write, pipe.write});
    pipe.write.reset();
    auto output = sys::read_all(pipe.read, 1 << 20);
    const int status = connection.wait_exec(running.exec_id);
    if (code != nullptr) *code = status;
    return output;
}

int World::resident(const std::string& role) const {
    const auto wanted = fmt::format("compose: {} [{}]", role, project_);
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream file(entry.path() / "cmdline");
        std::string title;
        std::getline(file, title, '\0');
        if (title != wanted) continue;
        // A process that is just being made into a container still has the title; it sees two process numbers.
        std::ifstream status(entry.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("NSpid:") && std::count(line.begin(), line.end(), '\t') == 1) return std::stoi(name);
    }
    return 0;
}

bool World::has_cgroup(const std::string& id) const {
    return runtime::Cgroup(runtime::cgroup_root(), cgroup_parent(), id).exists();
}

}  // namespace compose::supervisor::test
