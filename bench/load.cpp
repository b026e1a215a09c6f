// The loads of the benchmark, one static program that runs on the host and inside containers:
//
//   load lines BYTES LENGTH               writes that many bytes of lines to stdout
//   load serve PORT                       sends without end to whoever connects
//   load fetch ADDRESS PORT SECONDS       prints how many bytes a second came
//   load dns SERVER NAME SECONDS WINDOW   prints answers a second and the 99th percentile of their time in microseconds
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBlock = 1 << 18;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0) die("write");
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

int lines(std::uint64_t bytes, std::size_t length) {
    std::string block;
    while (block.size() + length <= kBlock) {
        block += std::string(length - 1, static_cast<char>('a' + block.size() / length % 26));
        block += '\n';
    }
    for (std::uint64_t done = 0; done < bytes; done += block.size()) write_all(1, block);
    return 0;
}

sockaddr_in address_of(const char* host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, host, &address.sin_addr) != 1) die("address");
    return address;
}

int serve(int port) {
    std::signal(SIGPIPE, SIG_IGN);
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = address_of("0.0.0.0", port);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (::listen(listener, 16) != 0) die("listen");
    for (;;) {
        const int peer = ::accept(listener, nullptr, nullptr);
        if (peer < 0) die("accept");
        std::thread([peer] {
            const std::vector<char> block(kBlock);
            while (::send(peer, block.data(), block.size(), 0) > 0) {
            }
            ::close(peer);
        }).detach();
    }
}

int fetch(const char* host, int port, double seconds) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = address_of(host, port);
    const auto asked = Clock::now();
    while (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        if (seconds_since(asked) > 5) die("connect");
    std::vector<char> block(kBlock);
    std::uint64_t bytes = 0;
    const auto start = Clock::now();
    while (seconds_since(start) < seconds) {
        const auto n = ::recv(fd, block.data(), block.size(), 0);
        if (n <= 0) die("recv");
        bytes += static_cast<std::uint64_t>(n);
    }
    std::printf("%.0f\n", static_cast<double>(bytes) / seconds_since(start));
    return 0;
}

/// A question of type A with an id of zero.
std::string question(std::string_view name) {
    std::string out("\0\0\1\0\0\1\0\0\0\0\0\0", 12);
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        out += static_cast<char>(label.size());
        out += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    out += std::string("\0\0\1\0\1", 5);
    return out;
}

/// Keeps `window` questions under way; the id says which of them an answer belongs to.
int dns(const char* server, const char* name, double seconds, std::size_t window) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    const auto address = address_of(server, 53);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
    std::vector<std::string> questions(window, question(name));
    std::vector<Clock::time_point> sent(window);
    constexpr std::size_t kBatch = 64;
    std::vector<std::array<char, 512>> buffers(kBatch);
    std::vector<mmsghdr> messages(kBatch);
    std::vector<iovec> parts(kBatch);
    const auto ask = [&](const std::vector<std::uint16_t>& ids) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            auto& text = questions[ids[i]];
            text[0] = static_cast<char>(ids[i] >> 8U);
            text[1] = static_cast<char>(ids[i]);
            parts[i] = {text.data(), text.size()};
            messages[i].msg_hdr = {};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
            sent[ids[i]] = Clock::now();
        }
        for (std::size_t done = 0; done < ids.size();) {
            const int n = ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(ids.size() - done), 0);
            if (n < 0) die("sendmmsg");
            done += static_cast<std::size_t>(n);
        }
    };
    std::vector<std::uint16_t> ids;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < window; ++i) {
        ids.push_back(static_cast<std::uint16_t>(i));
        if (ids.size() < kBatch && i + 1 < window) continue;
        ask(ids);
        ids.clear();
    }
    std::vector<std::uint32_t> times;
    times.reserve(1 << 20);
    while (seconds_since(start) < seconds) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            parts[i] = {buffers[i].data(), buffers[i].size()};
            messages[i].msg_hdr = {};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, 2000) != 1) {
            std::fputs("no answer for two seconds\n", stderr);
            return 1;
        }
        const int n = ::recvmmsg(fd, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (n < 0) die("recvmmsg");
        const auto now = Clock::now();
        ids.clear();
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            const auto* answer = reinterpret_cast<const unsigned char*>(buffers[i].data());
            const auto id = static_cast<std::uint16_t>(answer[0] << 8U | answer[1]);
            if (messages[i].msg_len < 28 || (answer[3] & 15U) != 0 || answer[7] == 0 || id >= window) {
                std::fputs("an answer without an address\n", stderr);
                return 1;
            }
            times.push_back(static_cast<std::uint32_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(now - sent[id]).count()));
            ids.push_back(id);
        }
        ask(ids);
    }
    const auto rate = static_cast<double>(times.size()) / seconds_since(start);
    const auto at = static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
    std::nth_element(times.begin(), times.begin() + at, times.end());
    std::printf("%.0f %u\n", rate, times[static_cast<std::size_t>(at)]);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "lines" && argc == 4) return lines(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
    if (what == "serve" && argc == 3) return serve(std::atoi(argv[2]));
    if (what == "fetch" && argc == 5) return fetch(argv[2], std::atoi(argv[3]), std::atof(argv[4]));
    if (what == "dns" && argc == 6) return dns(argv[2], argv[3], std::atof(argv[4]), std::strtoull(argv[5], nullptr, 10));
    std::fputs("load: lines BYTES LENGTH | serve PORT | fetch ADDRESS PORT SECONDS | dns SERVER NAME SECONDS WINDOW\n", stderr);
    return 2;
}
