#include "support/background.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace compose::test {

namespace fs = std::filesystem;

namespace {

std::string slurp(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int port = 0;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
        port = ntohs(address.sin_port);
    ::close(fd);
    return port;
}

bool answers(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return ok;
}

void must(const Result& result, const char* what) {
    if (!result.ok()) throw Error(std::string(what) + ": " + result.err + result.out);
}

/// A CA of its own in `folder`, and a key for those whom it vouches for.
void make_authority(const Sandbox& box, const std::string& folder) {
    const std::vector<std::string> new_key{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"};
    const auto make = [&](std::vector<std::string> argv) {
        argv.insert(argv.begin() + 2, new_key.begin(), new_key.end());
        must(box.host(argv), "make a key");
    };
    make({"openssl", "req", "-x509", "-days", "2", "-subj", "/CN=test CA", "-keyout", folder + "/ca.key", "-out",
          folder + "/ca.crt"});
    make({"openssl", "req", "-subj", "/CN=registry", "-keyout", folder + "/tls.key", "-out", folder + "/tls.csr"});
}

/// A certificate by that CA; one for no days at all has expired.
void sign(const Sandbox& box, const std::string& folder, const std::string& name, const std::string& address,
          const char* days = "2") {
    std::ofstream(folder + "/ext") << "subjectAltName=IP:" + address + "\n";
    must(box.host({"openssl", "x509", "-req", "-in", folder + "/tls.csr", "-CA", folder + "/ca.crt", "-CAkey",
                   folder + "/ca.key", "-CAcreateserial", "-days", days, "-extfile", folder + "/ext", "-out",
                   folder + "/" + name + ".crt"}),
         "make a certificate");
}

void make_hostile_certificates(const Sandbox& box, const std::string& folder, const std::string& address) {
    fs::create_directories(folder + "/made");
    const auto made = folder + "/made";
    make_authority(box, made);
    sign(box, made, "elsewhere", "203.0.113.1");
    sign(box, made, "expired", address, "-1");
    sign(box, made, "good", address);
    must(box.host({"openssl", "x509", "-req", "-in", made + "/tls.csr", "-signkey", made + "/tls.key", "-extfile",
                   made + "/ext", "-days", "2", "-out", made + "/selfsigned.crt"}),
         "make a certificate");
    for (const char* name : {"good", "expired", "elsewhere", "selfsigned"}) {
        fs::copy_file(made + "/" + name + ".crt", folder + "/" + name + ".crt");
        fs::copy_file(made + "/tls.key", folder + "/" + name + ".key");
    }
    fs::copy_file(made + "/good.crt", folder + "/mutual.crt");
    fs::copy_file(made + "/tls.key", folder + "/mutual.key");
    fs::copy_file(made + "/ca.crt", folder + "/mutual.ca");
}

}  // namespace

Background::Background(const Sandbox& box, const std::vector<std::string>& argv, const std::string& log) {
    // The shell prints the number and lets go; everything else is in the log.
    std::vector<std::string> command{"sh", "-c", R"(log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!)", "sh", log};
    command.insert(command.end(), argv.begin(), argv.end());
    const auto result = sys::run_command({.argv = command,
                                          .environment = box.environment,
                                          .working_dir = box.folder(),
                                          .timeout = std::chrono::seconds(30)});
    must(result, "start a program");
    pid_ = std::stoi(result.out);
}

Background::~Background() {
    kill(SIGKILL);
}

void Background::kill(int signal) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    (void)eventually([&] {
        const auto status = slurp("/proc/" + std::to_string(pid_) + "/stat");
        if (status.empty()) return true;
        // The first thread is a zombie while others still hold files and locks.
        std::error_code error;
        const auto threads =
            std::distance(fs::directory_iterator("/proc/" + std::to_string(pid_) + "/task", error), {});
        return status.find(") Z ") != std::string::npos && threads <= 1;
    });
    pid_ = 0;
}

TestRegistry::TestRegistry(Sandbox& box, const Options& options) {
    const int port = free_port();
    if (options.address != "127.0.0.1")
        must(box.host({"ip", "address", "add", options.address + "/32", "dev", "lo"}), "add an address");
    host_ = options.address + ":" + std::to_string(port);
    const auto folder = box.path("registry-" + std::to_string(port));
    fs::create_directories(folder + "/data");
    std::string config =
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " +
        folder + "/data}, delete: {enabled: true}}\nhttp:\n  addr: \":" + std::to_string(port) + "\"\n";
    if (options.tls) {
        make_authority(box, folder);
        sign(box, folder, "tls", "127.0.0.1");
        ca_ = folder + "/ca.crt";
        config += "  tls: {certificate: " + folder + "/tls.crt, key: " + folder + "/tls.key}\n";
    }
    if (!options.user.empty()) {
        must(box.host({"htpasswd", "-bBc", folder + "/htpasswd", options.user, options.password}),
             "make a password file");
        config += "auth: {htpasswd: {realm: test, path: " + folder + "/htpasswd}}\n";
    }
    std::ofstream(folder + "/config.yml") << config;
    process_ = std::make_unique<Background>(
        box, std::vector<std::string>{"docker-registry", "serve", folder + "/config.yml"}, folder + "/log");
    if (!eventually([&] { return answers(port); }, std::chrono::seconds(20)))
        throw Error("docker-registry does not come up: " + slurp(folder + "/log"));
}

HostileRegistry::HostileRegistry(Sandbox& box, const Options& options)
    : folder_(box.path("hostile")), address_(options.address) {
    fs::create_directories(folder_);
    if (address_ != "127.0.0.1")
        must(box.host({"ip", "address", "add", address_ + "/32", "dev", "lo"}), "add an address");
    if (options.tls) make_hostile_certificates(box, folder_ + "/certs", address_);
    process_ = std::make_unique<Background>(
        box,
        std::vector<std::string>{"python3", "-B", PROJECT_ROOT "/tests/support/hostile_registry.py", folder_, address_},
        folder_ + "/output");
    if (!eventually([&] { return fs::exists(folder_ + "/ports"); }, std::chrono::seconds(20)))
        throw Error("the hostile registry does not come up: " + slurp(folder_ + "/output"));
    std::ifstream lines(folder_ + "/ports");
    for (std::string server, port; lines >> server >> port;) ports_[server] = port;
}

std::string HostileRegistry::name(const std::string& scenario, const std::string& server) const {
    return host(server) + "/x/" + scenario + ":1";
}

std::string HostileRegistry::host(const std::string& server) const {
    return address_ + ":" + ports_.at(server);
}

std::vector<std::string> HostileRegistry::requests() const {
    std::vector<std::string> out;
    std::istringstream lines(slurp(folder_ + "/log"));
    for (std::string line; std::getline(lines, line);) out.push_back(line);
    return out;
}

std::vector<std::string> HostileRegistry::leaks() const {
    std::vector<std::string> out;
    for (const auto& line : requests()) {
        const auto value = parse_json(line);
        if (string_or(value.get_object(), "server") == "b" && !string_or(value.get_object(), "authorization").empty())
            out.push_back(line);
    }
    return out;
}

}  // namespace compose::test
