// A network outside of the sandbox's host: a veth pair whose one end lies on the host, for macvlan and ipvlan to stand
// on, and whose other end lies in a namespace that plays the neighbours.
#pragma once

#include <string>

#include "support/sandbox.hpp"

namespace compose::test {

inline std::string stripped(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

/// What a script says in a running service.
inline std::string in(const Sandbox& box, const std::string& service, const std::string& script) {
    return box.ok({"exec", "-T", service, "sh", "-c", script});
}

inline bool reaches(const Sandbox& box, const std::string& from, const std::string& to) {
    return box.compose({"exec", "-T", from, "ping", "-c", "1", "-W", "1", to}).exit_code == 0;
}

inline bool has_ipv6(const Sandbox& box) {
    return box.host({"sh", "-c", "[ \"$(cat /proc/sys/net/ipv6/conf/all/disable_ipv6)\" = 0 ]"}).ok();
}

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

inline bool kernel_has(const Sandbox& box, const std::string& kind) {
    // Refused for its parent, or for its kind.
    const auto tried = box.host({"ip", "link", "add", "try0", "link", "lo", "type", kind});
    (void)box.host({"ip", "link", "del", "try0"});
    return tried.err.find("Unknown device type") == std::string::npos;
}

}  // namespace compose::test
