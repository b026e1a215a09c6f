// Who reaches whom: services that serve a page, and those who ask for it, on the host and in containers.
#pragma once

#include <string>

#include "support/sandbox.hpp"

namespace compose::test {

inline constexpr const char* kHello = "hello from the container\n";

/// Writes a project whose services may be `*site`, or begin with `<<: *site`: those serve kHello at ports 80 and 81, in
/// both families. `rest` comes after the services: networks and so on.
inline void write_sites(const Sandbox& box, const std::string& services, const std::string& rest = "") {
    box.write("site/index.html", kHello);
    box.write("compose.yaml", R"(
x-site: &site
  image: busybox
  command: sh -c "httpd -p 81 -h /site; exec httpd -f -p 80 -h /site"
  volumes: ["./site:/site:ro"]
services:
)" + services + rest);
}

inline std::string stripped(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

/// What a script says in a running service.
inline std::string in(const Sandbox& box, const std::string& service, const std::string& script) {
    return box.ok({"exec", "-T", service, "sh", "-c", script});
}

/// The packet filter's rules on the host.
inline std::string rules(const Sandbox& box) {
    return box.host({"nft", "list", "ruleset"}).out;
}

/// The first address of a running service.
inline std::string address_of(const Sandbox& box, const std::string& service) {
    const auto all = in(box, service, "hostname -i");
    return all.substr(0, all.find_first_of(" \n"));
}

/// By ping.
inline bool reaches(const Sandbox& box, const std::string& from, const std::string& to, const char* seconds = "2") {
    return box.compose({"exec", "-T", from, "ping", "-c", "1", "-W", seconds, to}).exit_code == 0;
}

/// The page at "127.0.0.1:8080" or "[::1]:8080", asked for by the host; empty when there is none.
inline std::string get(const Sandbox& box, const std::string& where, const char* seconds = "3") {
    return box.host({"curl", "-sS", "-g", "-m", seconds, "http://" + where + "/"}).out;
}

/// The same once the server has come up.
inline bool answers(const Sandbox& box, const std::string& where) {
    return eventually([&] { return get(box, where) == kHello; });
}

/// The same, asked for in a running service.
inline std::string fetch(const Sandbox& box, const std::string& from, const std::string& where,
                         const char* seconds = "5") {
    return box
        .compose({"exec", "-T", from, "busybox", "timeout", seconds, "wget", "-q", "-O", "-", "http://" + where + "/"})
        .out;
}

/// Answers each connection to a port with the address that it comes from, in the network of the process `pid`. The
/// server's process id.
inline std::string tell_peers(const Sandbox& box, const std::string& pid, int port) {
    return stripped(box.host({"sh", "-c",
                              "nsenter --net=/proc/" + pid +
                                  "/ns/net python3 -c 'import socket\n"
                                  "s=socket.create_server((\"\"," +
                                  std::to_string(port) +
                                  "),family=socket.AF_INET6,dualstack_ipv6=True)\n"
                                  "while 1:\n c,a=s.accept()\n c.sendall(a[0].encode())\n c.close()' "
                                  ">/dev/null 2>&1 & echo $!"})
                        .out);
}

inline bool has_ipv6(const Sandbox& box) {
    return box.host({"sh", "-c", "[ \"$(cat /proc/sys/net/ipv6/conf/all/disable_ipv6)\" = 0 ]"}).ok();
}

#define REQUIRE_IPV6(box) \
    if (!::compose::test::has_ipv6(box)) GTEST_SKIP() << "this host has no IPv6"

}  // namespace compose::test
