#include "supervisor/server.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "sys/socket.hpp"

namespace compose::supervisor {
namespace {

constexpr std::size_t kMaxSessions = 1024;
constexpr std::size_t kMaxPending = 8192;  // packets that a peer has not read

}  // namespace

struct Server::Session {
    sys::Fd socket;
    sys::Fd writing;  // the same socket again: one watch a descriptor
    sys::EventLoop::Watch readable;
    sys::EventLoop::Watch writable;
    struct Pending {
        std::string data;
        std::vector<sys::Fd> fds;
    };
    std::deque<Pending> pending;
};

Server::Server(sys::EventLoop& loop, sys::FdRef listener, Hooks hooks)
    : loop_(loop), listener_(listener), hooks_(std::move(hooks)) {
    accepting_ = loop_.on_readable(listener_, [this] { accept_all(); });
}

Server::~Server() = default;

void Server::accept_all() {
    while (auto socket = sys::accept_unix(listener_)) {
        const auto user = sys::peer_uid(*socket);
        if ((user != 0 && user != sys::peer_uid(listener_)) || sessions_.size() >= kMaxSessions) {
            log::debug("refuse a connection of user {}", user);
            continue;
        }
        const auto id = ++last_id_;
        auto session = std::make_unique<Session>();
        session->socket = std::move(*socket);
        session->readable = loop_.on_readable(session->socket, [this, id] { read(id); });
        sessions_.emplace(id, std::move(session));
    }
}

void Server::read(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    sys::Packet packet;
    try {
        const auto received = sys::receive_packet(found->second->socket, packet);
        if (received == sys::Received::nothing) return;
        if (received == sys::Received::closed) return close(id);
    } catch (const Error& error) {
        log::debug("session {}: {}", id, error.what());
        return close(id);
    }
    Request request;
    try {
        request = decode_request(packet.data);
    } catch (const Error& error) {
        Reply refusal;
        refusal.failure = Failure::from(error);
        reply(id, refusal);
        return close(id);
    }
    hooks_.request(id, std::move(request), std::move(packet.fds));
}

void Server::reply(SessionId session, const Reply& reply, const std::vector<sys::FdRef>& fds) {
    send(session, encode(reply), fds);
}

void Server::subscribe(SessionId session) {
    if (sessions_.contains(session)) subscribers_.insert(session);
}

void Server::send_change(SessionId session, const StateChange& change) {
    send(session, encode(change), {});
}

void Server::broadcast(const StateChange& change) {
    if (subscribers_.empty()) return;
    const auto text = encode(change);
    for (const auto id : std::vector(subscribers_.begin(), subscribers_.end())) send(id, text, {});
}

void Server::send(SessionId id, std::string data, const std::vector<sys::FdRef>& fds) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    auto& session = *found->second;
    if (session.pending.size() >= kMaxPending) return close(id);
    Session::Pending packet{std::move(data), {}};
    try {
        // The caller may close its own before there is room.
        for (const auto fd : fds) packet.fds.push_back(sys::duplicate(fd));
    } catch (const Error& error) {
        log::debug("session {}: {}", id, error.what());
        return close(id);
    }
    session.pending.push_back(std::move(packet));
    flush(id);
}

void Server::flush(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    auto& session = *found->second;
    try {
        while (!session.pending.empty()) {
            const auto& packet = session.pending.front();
            if (!sys::send_packet(session.socket, packet.data, {packet.fds.begin(), packet.fds.end()})) {
                if (session.writable) return;
                session.writing = session.socket.duplicate();
                session.writable = loop_.on_writable(session.writing, [this, id] { flush(id); });
                return;
            }
            session.pending.pop_front();
        }
        session.writable.cancel();
        session.writing.reset();
    } catch (const Error& error) {
        log::debug("session {}: {}", id, error.what());
        close(id);
    }
}

void Server::close(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    // We may be inside one of its callbacks, or of a loop over its packets: it goes after that.
    auto session = std::shared_ptr<Session>(std::move(found->second));
    session->readable.cancel();
    session->writable.cancel();
    sessions_.erase(found);
    subscribers_.erase(id);
    loop_.post([this, session] { hooks_.left(); });
}

}  // namespace compose::supervisor
