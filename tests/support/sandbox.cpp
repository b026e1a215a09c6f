#include "support/sandbox.hpp"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "store/store.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace compose::test {

namespace fs = std::filesystem;

bool is_root() {
    return ::geteuid() == 0;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

namespace {

// Removed when the program ends. (A handler of atexit would run after the text it needs was destroyed.)
struct TemporaryTar {
    std::string path;
    ~TemporaryTar() {
        std::error_code ignored;
        fs::remove_all(fs::path(path).parent_path(), ignored);
    }
};

// A tar with a static busybox, made once per test program.
const std::string& busybox_tar() {
    static const TemporaryTar tar{[] {
        char name[] = "/tmp/compose-image-XXXXXX";
        const std::string folder = ::mkdtemp(name);
        const std::string root = folder + "/root";
        for (const char* sub : {"bin", "etc", "tmp", "var/data"}) fs::create_directories(root + "/" + sub);
        fs::copy_file("/bin/busybox", root + "/bin/busybox");
        for (const char* tool :
             {"sh",       "sleep",    "cat",    "echo", "id",    "ls",   "true",     "false", "touch", "env",
              "hostname", "nslookup", "nc",     "kill", "mkdir", "stat", "pwd",      "httpd", "wget",  "printf",
              "seq",      "test",     "ps",     "trap", "date",  "yes",  "head",     "ip",    "grep",  "chmod",
              "chown",    "readlink", "getent", "ping", "mount", "rm",   "dd",       "tty",   "stty",  "mv",
              "rmdir",    "sort",     "wc",     "tr",   "tar",   "cut",  "sha256sum"})
            fs::create_symlink("busybox", root + "/bin/" + tool);
        std::ofstream(root + "/etc/passwd") << "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n";
        std::ofstream(root + "/etc/group") << "root:x:0:\nweb:x:1000:\nextra:x:2000:web\n";
        std::ofstream(root + "/var/data/seed") << "from the image\n";
        fs::permissions(root + "/tmp", fs::perms::all | fs::perms::sticky_bit);
        if (::chown((root + "/var/data").c_str(), 1000, 1000) != 0 ||
            ::chown((root + "/var/data/seed").c_str(), 1000, 1000) != 0)
            throw Error("chown");
        const auto done = sys::run_command({.argv = {"tar", "-C", root, "-cf", folder + "/image.tar", "."}});
        if (!done.ok()) throw Error("tar: " + done.err);
        fs::remove_all(root);
        return folder + "/image.tar";
    }()};
    return tar.path;
}

std::string read_link(const std::string& path) {
    std::error_code error;
    return fs::read_symlink(path, error).string();
}

std::vector<int> all_pids() {
    std::vector<int> out;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos) out.push_back(std::stoi(name));
    }
    return out;
}

// Empty when it is not there: the process that it tells of may end at any moment.
std::string slurp(const std::string& path) {
    try {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    } catch (const std::ios_base::failure&) {
        return {};
    }
}

// A process belongs to the sandbox when it holds one of its files open, or when it runs from one of its roots.
bool belongs_to(int pid, const std::string& root) {
    const std::string base = "/proc/" + std::to_string(pid);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(base + "/fd", error))
        if (read_link(entry.path().string()).starts_with(root)) return true;
    return slurp(base + "/mountinfo").find("upperdir=" + root) != std::string::npos;
}

}  // namespace

Sandbox::Sandbox() {
    char name[] = "/tmp/compose-test-XXXXXX";
    root_ = ::mkdtemp(name);
    folder_ = root_ + "/demo";
    state_ = root_ + "/state";
    run_ = root_ + "/run";
    ::mkdir(folder_.c_str(), 0755);
    environment = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                   {"HOME", root_},
                   {"COMPOSE_STATE_DIR", state_},
                   {"COMPOSE_RUN_DIR", run_}};
    if (::unshare(CLONE_NEWNET) != 0) throw sys::errno_error("unshare the network namespace");
    if (!host({"ip", "link", "set", "lo", "up"}).ok()) throw Error("lo");
    ok({"image", "import", busybox_tar(), "busybox"});
}

Sandbox::~Sandbox() {
    std::error_code error;
    remove_standalone();
    for (const auto& project : fs::directory_iterator(run_ + "/projects", error))
        (void)compose({"-p", project.path().filename().string(), "down", "-v", "-t", "0", "--remove-orphans"});
    std::vector<std::string> left;
    // The keeper leaves a moment after the last container; only what stays is a leak.
    if (!eventually([&] { return (left = leaks()).empty(); }, std::chrono::seconds(8)))
        ADD_FAILURE() << "left behind:\n  " << join(left, "\n  ");
    for (const int pid : all_pids())
        if (pid != ::getpid() && belongs_to(pid, root_)) ::kill(pid, SIGKILL);
    fs::remove_all(root_, error);
}

/// Containers made by hand, and what they left.
void Sandbox::remove_standalone() const {
    const bool any = fs::exists(run_ + "/projects/_containers");
    if (!any) return;
    std::vector<std::string> words{"container", "rm", "-f", "-v"};
    for (auto& id : split(compose({"container", "ls", "-a", "-q"}).out, '\n'))
        if (!id.empty()) words.push_back(std::move(id));
    if (words.size() > 4) (void)compose(words);
    (void)compose({"container", "prune", "-f"});
    (void)compose({"network", "prune", "-f"});
    (void)compose({"volume", "prune", "-a", "-f"});
}

void Sandbox::write(const std::string& name, const std::string& text, unsigned mode) const {
    const auto target = path(name);
    fs::create_directories(fs::path(target).parent_path());
    std::ofstream(target) << text;
    ::chmod(target.c_str(), mode);
}

Result Sandbox::compose(const std::vector<std::string>& arguments, const std::string& input) const {
    sys::Command command;
    command.argv = {COMPOSE_BINARY};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = environment;
    command.working_dir = folder_;
    command.input = input;
    command.timeout = std::chrono::seconds(60);
    return sys::run_command(command);
}

std::string Sandbox::ok(const std::vector<std::string>& arguments, const std::string& input) const {
    const auto result = compose(arguments, input);
    EXPECT_EQ(result.exit_code, 0) << "compose " << join(arguments, " ") << "\nstdout: " << result.out
                                   << "\nstderr: " << result.err << (result.timed_out ? "\n(timed out)" : "");
    return result.out;
}

std::string Sandbox::fails(const std::vector<std::string>& arguments, int exit_code) const {
    const auto result = compose(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << "compose " << join(arguments, " ") << "\nstdout: " << result.out
                                           << "\nstderr: " << result.err << (result.timed_out ? "\n(timed out)" : "");
    return result.err;
}

Result Sandbox::host(const std::vector<std::string>& argv) const {
    return sys::run_command({.argv = argv, .working_dir = folder_, .timeout = std::chrono::seconds(30)});
}

std::vector<std::string> Sandbox::ps() const {
    std::vector<std::string> out;
    for (auto& line : split(ok({"ps", "-a", "--format", "json"}), '\n'))
        if (!line.empty()) out.push_back(std::move(line));
    return out;
}

std::string Sandbox::field(const std::string& container, const std::string& name) const {
    for (const auto& line : ps()) {
        const auto value = parse_json(line);
        if (string_or(value.as_object(), "Name") != container) continue;
        const auto* found = value.as_object().if_contains(name);
        if (found == nullptr) return {};
        return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
    }
    return {};
}

int Sandbox::pid_of(const std::string& container) const {
    const auto id = field(container, "ID");
    if (id.empty()) return 0;
    int lowest = 0;
    for (const int pid : all_pids()) {
        const auto groups = slurp("/proc/" + std::to_string(pid) + "/cgroup");
        if (groups.find("/" + id) != std::string::npos && (lowest == 0 || pid < lowest)) lowest = pid;
    }
    return lowest;
}

int Sandbox::resident_pid(const std::string& role, const std::string& project) const {
    for (const int pid : all_pids()) {
        auto title = slurp("/proc/" + std::to_string(pid) + "/cmdline");
        if (title.starts_with("compose: " + role + " [" + project + "]") && belongs_to(pid, root_)) return pid;
    }
    return 0;
}

std::vector<std::string> Sandbox::leaks() const {
    std::vector<std::string> out;
    for (const int pid : all_pids())
        if (pid != ::getpid() && belongs_to(pid, root_))
            out.push_back("process " + std::to_string(pid) + ": " + slurp("/proc/" + std::to_string(pid) + "/cmdline"));
    for (const auto& line : split(slurp("/proc/self/mountinfo"), '\n'))
        if (line.find(root_) != std::string::npos) out.push_back("mount " + line);
    std::error_code error;
    for (const auto& device : fs::directory_iterator("/sys/block", error))
        if (slurp(device.path() / "loop/backing_file").find(root_) != std::string::npos)
            out.push_back("loop device " + device.path().filename().string());
    for (const char* sub : {"/containers", "/trash", "/volumes"})
        for (const auto& entry : fs::directory_iterator(state_ + sub, error))
            out.push_back("folder " + entry.path().string());
    for (const auto& entry : fs::directory_iterator(state_ + "/layers", error))
        if (entry.path().filename().string().starts_with("tmp-")) out.push_back("folder " + entry.path().string());
    for (const auto& project : fs::directory_iterator(run_ + "/projects", error))
        for (const auto& entry : fs::directory_iterator(project.path(), error))
            if (entry.is_socket()) out.push_back("socket " + entry.path().string());
    const std::string group = "compose/" + store::Store(store::Layout::from(state_, run_)).installation_id();
    for (const auto& controller : fs::directory_iterator("/sys/fs/cgroup", error))
        if (fs::exists(controller.path() / group, error))
            out.push_back("cgroup " + (controller.path() / group).string());
    if (fs::exists("/sys/fs/cgroup/" + group, error)) out.push_back("cgroup /sys/fs/cgroup/" + group);
    if (check_network_) {
        const auto links = host({"ip", "-o", "link"});
        for (const auto& line : split(links.out, '\n'))
            if (!line.empty() && line.find(": lo:") == std::string::npos) out.push_back("link " + line);
        for (const auto& line : split(host({"nft", "list", "tables"}).out, '\n'))
            if (!line.empty()) out.push_back("nft " + line);
    }
    return out;
}

}  // namespace compose::test
