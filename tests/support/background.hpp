// Programs that run beside a test, in its network namespace, and end with it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/sandbox.hpp"

namespace compose::test {

class Background {
public:
    /// In the sandbox's folder, with its environment; output goes to `log`.
    Background(const Sandbox& box, const std::vector<std::string>& argv, const std::string& log);
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    [[nodiscard]] int pid() const { return pid_; }
    /// Kills it with a signal and waits until it is gone.
    void kill(int signal);

private:
    int pid_ = 0;
};

/// Debian's docker-registry on a free port, with its own storage in the sandbox.
class TestRegistry {
public:
    struct Options {
        bool tls = false;    // a certificate that only `ca()` vouches for
        std::string user{};  // basic authentication when set
        std::string password{};
        std::string address = "127.0.0.1";  // another one is added to the loopback device
    };
    TestRegistry(Sandbox& box, const Options& options);
    explicit TestRegistry(Sandbox& box) : TestRegistry(box, Options{}) {}

    [[nodiscard]] const std::string& host() const { return host_; }  // "127.0.0.1:41234"
    [[nodiscard]] std::string name(const std::string& repository) const { return host_ + "/" + repository; }
    [[nodiscard]] const std::string& ca() const { return ca_; }

private:
    std::string host_, ca_;
    std::unique_ptr<Background> process_;
};

/// tests/support/hostile_registry.py.
class HostileRegistry {
public:
    struct Options {
        std::string address = "127.0.0.1";  // another one is added to the loopback device
        /// It speaks TLS too, on ports of their own: with a "good" certificate, one that has "expired", one for
        /// "elsewhere", a "selfsigned" one, and "mutual": with the good one, for clients that show one of the same CA.
        bool tls = false;
    };
    HostileRegistry(Sandbox& box, const Options& options);
    explicit HostileRegistry(Sandbox& box) : HostileRegistry(box, Options{}) {}
    [[nodiscard]] std::string name(const std::string& scenario, const std::string& server = "a") const;
    /// Server "b" is someone else's.
    [[nodiscard]] std::string host(const std::string& server = "a") const;
    /// "ca.crt", and "good.crt" with "tls.key", which does for a client too.
    [[nodiscard]] std::string certificate(const std::string& file) const { return folder_ + "/certs/made/" + file; }
    [[nodiscard]] std::string folder() const { return folder_; }
    /// Requests so far, one JSON line each.
    [[nodiscard]] std::vector<std::string> requests() const;
    /// What the other host has heard of passwords: must be empty.
    [[nodiscard]] std::vector<std::string> leaks() const;

private:
    std::string folder_, address_;
    std::map<std::string, std::string> ports_;
    std::unique_ptr<Background> process_;
};

}  // namespace compose::test
