// A network outside of the sandbox's host: a veth pair whose one end lies on the host, for macvlan and ipvlan to stand
// on, and whose other end lies in a namespace that plays the neighbours.
#pragma once

#include <string>

#include "support/traffic.hpp"

namespace compose::test {

/// lan0 here, far0 with 10.44.0.254 and fd44::fe in a namespace of its own.
class Lan {
public:
    explicit Lan(const Sandbox& box) : box_(box) {
        (void)box_.host({"sh", "-c", "unshare --net sleep 600 >/dev/null 2>&1 & echo $! > " + box_.path("outside")});
        pid_ = stripped(box_.host({"cat", box_.path("outside")}).out);
        const std::string here = "$(readlink /proc/self/ns/net)";
        EXPECT_TRUE(eventually([&] {
            return box_.host({"sh", "-c", "[ \"$(readlink /proc/" + pid_ + "/ns/net)\" != \"" + here + "\" ]"}).ok();
        }));
        const auto made = box_.host({"sh", "-c",
                                     "ip link add lan0 type veth peer name far0 netns " + pid_ +
                                         " && ip link set lan0 up && nsenter --net=/proc/" + pid_ +
                                         "/ns/net sh -c 'ip addr add 10.44.0.254/24 dev far0 && "
                                         "ip -6 addr add fd44::fe/64 dev far0 nodad; ip link set far0 up'"});
        EXPECT_TRUE(made.ok()) << made.err;
    }
    ~Lan() {
        remove();
        (void)box_.host({"kill", pid_});
    }
    Lan(const Lan&) = delete;
    Lan& operator=(const Lan&) = delete;

    void remove() const { (void)box_.host({"ip", "link", "del", "lan0"}); }
    [[nodiscard]] const std::string& pid() const { return pid_; }
    [[nodiscard]] Result outside(const std::string& script) const {
        return box_.host({"nsenter", "--net=/proc/" + pid_ + "/ns/net", "sh", "-c", script});
    }
    [[nodiscard]] bool sees(const std::string& address) const {
        return eventually([&] { return outside("busybox ping -c 1 -W 1 " + address).ok(); });
    }

private:
    const Sandbox& box_;
    std::string pid_;
};

/// A machine on that network which sends through the host, 10.44.0.1 and fd44::1, what is not near.
class Neighbour {
public:
    explicit Neighbour(const Sandbox& box) : box_(box), lan_(box) {
        const auto host = box.host({"sh", "-c",
                                    "ip addr add 10.44.0.1/24 dev lan0 && "
                                    "{ ip addr add fd44::1/64 dev lan0 nodad || true; }"});
        EXPECT_TRUE(host.ok()) << host.err;
        const auto routes = lan_.outside(
            "ip link set lo up; ip route add default via 10.44.0.1; ip -6 route add default via fd44::1 || true");
        EXPECT_TRUE(routes.ok()) << routes.err;
    }

    [[nodiscard]] Result run(const std::string& script) const { return lan_.outside(script); }
    /// The page at "10.44.0.1:8080" or "[fd44::1]:8080"; empty when there is none.
    [[nodiscard]] std::string get(const std::string& where) const {
        return run("curl -sS -g -m 1 http://" + where + "/").out;
    }
    [[nodiscard]] bool sees_site(const std::string& where) const {
        return eventually([&] { return get(where) == kHello; });
    }
    /// Answers each connection to that port with the address that it comes from. The server's process id.
    [[nodiscard]] std::string serve_peers(int port) const { return tell_peers(box_, lan_.pid(), port); }
    [[nodiscard]] bool pings(const std::string& address) const { return run("busybox ping -c 1 -W 1 " + address).ok(); }

private:
    const Sandbox& box_;
    Lan lan_;
};

inline bool kernel_has(const Sandbox& box, const std::string& kind) {
    // Refused for its parent, or for its kind.
    const auto tried = box.host({"ip", "link", "add", "try0", "link", "lo", "type", kind});
    (void)box.host({"ip", "link", "del", "try0"});
    return tried.err.find("Unknown device type") == std::string::npos;
}

}  // namespace compose::test
