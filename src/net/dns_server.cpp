#include "net/dns_server.hpp"

#include <map>

#include "base/log.hpp"
#include "net/dns_answer.hpp"
#include "net/dns_connection.hpp"
#include "net/dns_forwarder.hpp"
#include "net/dns_message.hpp"
#include "net/dns_upstreams.hpp"
#include "sys/error.hpp"
#include "sys/inet.hpp"

namespace compose::net {
namespace {

// Of one container: so that none takes what the others need.
constexpr std::size_t kMaxConnections = 32;
constexpr std::size_t kMaxForwarded = 256;
constexpr int kAcceptsAtOnce = 16;
constexpr std::chrono::milliseconds kAcceptPause{100};

struct Client {
    std::string id;
    sys::FdRef udp;
    sys::FdRef tcp;
    DnsClient config;
    std::vector<sys::InetAddress> upstreams;  // of its own; empty: the host's
    std::size_t forwarded = 0;                // questions under way
    std::uint64_t next_connection = 0;
    std::map<std::uint64_t, std::shared_ptr<DnsConnection>> connections;  // oldest first
    sys::EventLoop::Watch datagrams;
    sys::EventLoop::Watch accepts;
    sys::EventLoop::Watch pause;

    ~Client() {
        for (auto& [key, connection] : connections) connection->close();
    }
    void configure(DnsClient wanted) {
        config = std::move(wanted);
        upstreams = parse_upstreams(config.upstreams);
    }
};
using ClientPtr = std::shared_ptr<Client>;

}  // namespace

struct DnsServer::Impl {
    sys::EventLoop& loop;
    std::function<const DnsTable&()> table;
    DnsForwarder forwarder;
    HostUpstreams host;
    sys::DatagramBatch batch;
    unsigned turn = 0;
    std::map<std::string, ClientPtr> clients;

    Impl(sys::EventLoop& events, std::function<const DnsTable&()> get)
        : loop(events), table(std::move(get)), forwarder(events) {}

    using Send = std::function<void(const std::string& reply)>;

    // Our own answer; nothing when the question is to be forwarded.
    std::optional<std::string> answer(const dns::ParsedQuery& parsed, const Client& client, std::size_t limit) {
        if (parsed.kind == dns::Parsed::refusal) return dns::render_reply(parsed.query, parsed.code, {}, limit);
        return answer_locally(parsed.query, table(), client.config, turn++, limit);
    }

    void forward(const ClientPtr& client, const dns::Query& query, std::size_t limit, bool whole, const Send& send) {
        const auto& servers = client->config.upstreams.empty() ? host.get() : client->upstreams;
        if (servers.empty()) return send(answer_unreachable(query, limit));
        const auto fail = [&] { send(dns::render_reply(query, dns::Code::server_failure, {}, limit)); };
        if (client->forwarded >= kMaxForwarded) return fail();
        ++client->forwarded;
        const bool taken = forwarder.ask(
            query, servers, whole, [weak = std::weak_ptr(client), query, limit, send](const std::string& reply) {
                const ClientPtr still = weak.lock();
                if (!still) return;  // its sockets may be closed by now
                --still->forwarded;
                send(reply.empty() ? answer_unreachable(query, limit) : dns::relay_reply(reply, query, limit));
            });
        if (taken) return;
        --client->forwarded;
        fail();
    }

    void serve_datagrams(const ClientPtr& client) {
        const std::size_t count = batch.receive(client->udp);
        for (std::size_t i = 0; i < count; ++i) {
            const dns::ParsedQuery parsed = dns::parse_query(batch.datagram(i));
            if (parsed.kind == dns::Parsed::noise) continue;
            const std::size_t limit = parsed.query.udp_size;
            if (auto reply = answer(parsed, *client, limit)) {
                batch.reply(i, std::move(*reply));
                continue;
            }
            forward(client, parsed.query, limit, false,
                    [weak = std::weak_ptr(client), to = batch.sender(i)](const std::string& reply) {
                        if (const ClientPtr still = weak.lock()) sys::send_datagram_to(still->udp, to, reply);
                    });
        }
        batch.flush(client->udp);
    }

    void serve_message(const ClientPtr& client, std::uint64_t key, std::string_view message) {
        const auto send = [weak = std::weak_ptr(client), key](const std::string& reply) {
            const ClientPtr still = weak.lock();
            if (!still) return;
            const auto found = still->connections.find(key);
            if (found != still->connections.end()) found->second->send(reply);
        };
        const dns::ParsedQuery parsed = dns::parse_query(message);
        if (parsed.kind == dns::Parsed::noise) {
            const auto found = client->connections.find(key);
            if (found != client->connections.end()) found->second->drop();
            return;
        }
        if (auto reply = answer(parsed, *client, dns::kMaxTcpSize)) return send(*reply);
        forward(client, parsed.query, dns::kMaxTcpSize, true, send);
    }

    // The oldest that waits for nothing, else the oldest.
    static void evict(Client& client) {
        auto victim = client.connections.begin();
        for (auto it = client.connections.begin(); it != client.connections.end(); ++it) {
            if (it->second->busy()) continue;
            victim = it;
            break;
        }
        if (victim == client.connections.end()) return;
        victim->second->close();
        client.connections.erase(victim);
    }

    void watch_accepts(const ClientPtr& client) {
        client->accepts = loop.on_readable(client->tcp, [this, weak = std::weak_ptr(client)] {
            if (const ClientPtr still = weak.lock()) accept(still);
        });
    }

    void accept(const ClientPtr& client) {
        for (int i = 0; i < kAcceptsAtOnce; ++i) {
            sys::Fd socket;
            const sys::Accepted accepted = sys::accept_tcp(client->tcp, socket);
            if (accepted == sys::Accepted::nothing) return;
            if (accepted == sys::Accepted::exhausted) {
                // Asked again at once, the loop would spin.
                evict(*client);
                client->accepts.cancel();
                client->pause = loop.after(kAcceptPause, [this, weak = std::weak_ptr(client)] {
                    if (const ClientPtr still = weak.lock()) watch_accepts(still);
                });
                return;
            }
            if (client->connections.size() >= kMaxConnections) evict(*client);
            add_connection(client, std::move(socket));
        }
    }

    void add_connection(const ClientPtr& client, sys::Fd socket) {
        const std::uint64_t key = ++client->next_connection;
        const std::weak_ptr weak(client);
        DnsConnection::Handlers handlers{.question =
                                             [this, weak, key](std::string_view message) {
                                                 if (const ClientPtr still = weak.lock())
                                                     serve_message(still, key, message);
                                             },
                                         .closed =
                                             [weak, key] {
                                                 if (const ClientPtr still = weak.lock()) still->connections.erase(key);
                                             }};
        auto connection = std::make_shared<DnsConnection>(loop, std::move(socket), std::move(handlers));
        client->connections.emplace(key, connection);
        connection->start();
    }
};

DnsServer::DnsServer(sys::EventLoop& loop, std::function<const DnsTable&()> table)
    : impl_(std::make_unique<Impl>(loop, std::move(table))) {}

DnsServer::~DnsServer() = default;

void DnsServer::add(const std::string& id, sys::FdRef udp, sys::FdRef tcp, DnsClient config) {
    remove(id);
    auto client = std::make_shared<Client>();
    client->id = id;
    client->udp = udp;
    client->tcp = tcp;
    client->configure(std::move(config));
    client->datagrams = impl_->loop.on_readable(udp, [this, weak = std::weak_ptr(client)] {
        if (const ClientPtr still = weak.lock()) impl_->serve_datagrams(still);
    });
    impl_->watch_accepts(client);
    impl_->clients.emplace(id, std::move(client));
    log::debug("answer DNS for {}", id);
}

void DnsServer::update(const std::string& id, DnsClient config) {
    const auto found = impl_->clients.find(id);
    if (found != impl_->clients.end()) found->second->configure(std::move(config));
}

void DnsServer::remove(const std::string& id) {
    impl_->clients.erase(id);
}

}  // namespace compose::net
