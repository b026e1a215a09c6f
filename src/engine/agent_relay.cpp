#include "engine/agent_relay.hpp"

#include <array>
#include <chrono>
#include <list>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/poll.hpp"
#include "sys/socket.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::milliseconds kGlance{100};  // how late the end may be seen
constexpr std::size_t kMaxLinks = 64;              // a step that opens more waits for its own
constexpr std::size_t kPiece = 16384;

/// A connection of the step and the one to the agent that belongs to it.
class Link {
public:
    Link(sys::Fd step, sys::Fd agent) : ends_{std::move(step), std::move(agent)} {
        sys::set_nonblocking(ends_[0], true);
    }

    /// Each side is read only when what it said before is delivered: neither can fill our memory.
    void watch(std::vector<sys::PollItem>& items) const {
        for (std::size_t i = 0; i < 2; ++i) {
            const bool read = said_[i].empty(), write = !said_[1 - i].empty();
            // A side that is only waited for would wake us for ever once it has hung up.
            items.push_back(
                {.fd = read || write ? sys::FdRef(ends_[i]) : sys::FdRef(), .want_read = read, .want_write = write});
        }
    }
    /// False when one side is gone.
    bool pass(const sys::PollItem* items) {
        for (std::size_t i = 0; i < 2; ++i) {
            if (items[i].readable && said_[i].empty() && !listen(i)) return false;
            if (!said_[i].empty() && !deliver(i)) return false;
        }
        return true;
    }

private:
    bool listen(std::size_t i) {
        std::array<char, kPiece> buffer{};
        const auto got = sys::read_some(ends_[i], buffer);
        if (got) said_[i].assign(buffer.data(), *got);
        return !got || *got > 0;
    }
    bool deliver(std::size_t i) {
        try {
            if (const auto sent = sys::write_some(ends_[1 - i], said_[i])) said_[i].erase(0, *sent);
            return true;
        } catch (const Error&) {
            return false;
        }
    }

    std::array<sys::Fd, 2> ends_;      // the step's, the agent's
    std::array<std::string, 2> said_;  // by each, and not delivered yet
};

}  // namespace

AgentRelay::AgentRelay(std::string agent, const std::string& path)
    : agent_(std::move(agent)), listener_(sys::listen_unix_stream(path)), thread_([this](const std::stop_token& stop) {
          try {
              run(stop);
          } catch (const std::exception& error) {
              log::debug("relay to the agent {}: {}", agent_, error.what());
          }
      }) {}

void AgentRelay::run(const std::stop_token& stop) {
    std::list<Link> links;
    while (!stop.stop_requested()) {
        std::vector<sys::PollItem> items;
        items.push_back({.fd = links.size() < kMaxLinks ? sys::FdRef(listener_) : sys::FdRef()});
        for (const auto& link : links) link.watch(items);
        if (!sys::poll(items, kGlance)) continue;
        const auto* item = items.data() + 1;
        for (auto link = links.begin(); link != links.end(); item += 2) {
            const bool alive = link->pass(item);
            link = alive ? std::next(link) : links.erase(link);
        }
        if (!items.front().readable) continue;
        auto step = sys::accept_unix(listener_);
        auto agent = step ? sys::connect_unix_stream(agent_) : std::nullopt;
        if (agent) links.emplace_back(std::move(*step), std::move(*agent));
    }
}

}  // namespace compose::engine
