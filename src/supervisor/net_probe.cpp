#include "supervisor/net_probe.hpp"

#include <system_error>

#include "base/strings.hpp"
#include "sys/inet.hpp"
#include "sys/namespaces.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kLongestStatus = 4096;

}  // namespace

NetProbe::NetProbe(sys::EventLoop& loop, sys::FdRef netns, const NetProbeConfig& config, Done done)
    : loop_(loop), config_(config), done_(std::move(done)) {
    std::optional<sys::Fd> socket;
    const auto peer = sys::InetAddress::parse(config_.host, config_.port);
    if (peer) sys::run_in_netns(netns, [&] { socket = sys::connect_tcp(*peer); });
    if (!socket) {
        end(false, fmt::format("connect to {}:{}: no way there", config_.host, config_.port));
        return;
    }
    socket_ = std::move(*socket);
    watch_ = loop_.on_writable(socket_, [this] { on_connected(); });
}

void NetProbe::on_connected() {
    watch_.cancel();
    if (const int error = sys::pending_error(socket_); error != 0)
        return end(false, fmt::format("connect to {}:{}: {}", config_.host, config_.port,
                                      std::generic_category().message(error)));
    if (config_.kind == NetProbeConfig::Kind::tcp)
        return end(true, fmt::format("connected to {}:{}", config_.host, config_.port));
    const auto request =
        fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: compose-probe\r\nConnection: close\r\n\r\n",
                    config_.path, config_.host);
    // A request is far smaller than a fresh socket's buffer.
    if (sys::send_some(socket_, request).size != request.size()) return end(false, "the request could not be sent");
    watch_ = loop_.on_readable(socket_, [this] { on_answer(); });
}

void NetProbe::on_answer() {
    char buffer[1024];
    const auto got = sys::read_some(socket_, buffer, sizeof buffer);
    if (got.state == sys::Transfer::State::again) return;
    if (got.state == sys::Transfer::State::done) answer_.append(buffer, got.size);
    const auto line = answer_.find('\n');
    const bool over = got.state == sys::Transfer::State::closed || answer_.size() > kLongestStatus;
    if (line == std::string::npos && !over) return;
    // "HTTP/1.1 200 OK"
    const auto status = answer_.substr(0, line == std::string::npos ? answer_.size() : line);
    const auto words = split(trim(status), ' ');
    const bool ok = words.size() >= 2 && words[0].starts_with("HTTP/") && words[1].size() == 3 &&
                    (words[1][0] == '2' || words[1][0] == '3');
    end(ok, words.empty() || status.empty() ? "closed without an answer" : std::string(trim(status)));
}

void NetProbe::end(bool ok, std::string output) {
    watch_.cancel();
    // Not from inside: it is the end of this object.
    end_ = loop_.after(std::chrono::nanoseconds(0), [this, ok, output = std::move(output)] { done_(ok, output); });
}

}  // namespace compose::supervisor
