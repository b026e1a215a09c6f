#include "net/dns_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lab.hpp"
#include "net/dns_message.hpp"
#include "sys/event_loop.hpp"
#include "sys/file.hpp"
#include "sys/inet.hpp"
#include "sys/namespaces.hpp"

namespace compose::net {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string packet_of(const std::string& name, int id = 7, int type = 1) {
    std::string out{static_cast<char>(id >> 8), static_cast<char>(id & 255)};
    out += "\1\0\0\1\0\0\0\0\0\0"s + dns::encode_name(name).value();
    return out + std::string{static_cast<char>(type >> 8), static_cast<char>(type & 255)} + "\0\1"s;
}

// A client's socket in a namespace, connected to its resolver.
sys::Fd client_socket(sys::FdRef netns, int type, int port = 53) {
    sys::Fd fd;
    sys::run_in_netns(netns, [&] { fd = sys::Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = ::inet_addr("127.0.0.11");
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return fd;
}

std::optional<std::string> receive(const sys::Fd& fd, std::chrono::milliseconds patience) {
    pollfd wanted{fd.get(), POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
    std::string buffer(65536, '\0');
    const ssize_t size = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return std::nullopt;
    buffer.resize(static_cast<std::size_t>(size));
    return buffer;
}

void transmit(const sys::Fd& fd, const std::string& data) {
    ASSERT_EQ(::send(fd.get(), data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
}

std::string framed(const std::string& message) {
    return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size() & 255)} + message;
}

// A DNS server of the host's side that answers every question with the same address, and counts.
class Upstream {
public:
    enum class Manner { honest, silent, forged, failing, cut };
    Upstream(const std::string& address, Manner manner)
        : manner_(manner),
          udp_(sys::bind_udp(*sys::InetAddress::parse(address, 53))),
          tcp_(sys::listen_tcp(*sys::InetAddress::parse(address, 53))),
          stop_(::eventfd(0, EFD_CLOEXEC)),
          thread_([this] { serve(); }) {}
    ~Upstream() {
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        thread_.join();
    }
    [[nodiscard]] int count() const { return count_; }

private:
    void serve() {
        for (;;) {
            pollfd wanted[] = {{stop_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
            if (::poll(wanted, 3, -1) < 0 || wanted[0].revents != 0) return;
            if (wanted[1].revents != 0) datagram();
            if (wanted[2].revents != 0) connection();
        }
    }
    std::string answer(const dns::Query& query, std::uint8_t last) const {
        const std::vector records(manner_ == Manner::cut ? 100 : 1, dns::address_record(Ipv4{0xcb007100U | last}));
        return dns::render_reply(query, manner_ == Manner::failing ? dns::Code::server_failure : dns::Code::ok, records,
                                 65535);
    }
    void datagram() {
        char buffer[4096];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(udp_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (got <= 0) return;
        ++count_;
        if (manner_ == Manner::silent) return;
        const auto reply = [&](const std::string& data) {
            (void)::sendto(udp_.get(), data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
        };
        auto query = dns::parse_query({buffer, static_cast<std::size_t>(got)}).query;
        if (manner_ == Manner::forged) {
            auto other = query;
            other.id = static_cast<std::uint16_t>(query.id + 1);
            reply(answer(other, 66));  // wrong id
            other = dns::parse_query(packet_of("evil.example", query.id)).query;
            reply(answer(other, 66));                   // wrong question
            reply(packet_of("ext.example", query.id));  // no reply at all
            reply(std::string(3, 'x'));
            const sys::Fd elsewhere = sys::bind_udp(*sys::InetAddress::parse("127.0.0.99", 5353));
            const std::string spoofed = answer(query, 66);
            (void)::sendto(elsewhere.get(), spoofed.data(), spoofed.size(), 0, reinterpret_cast<const sockaddr*>(&from),
                           size);
        }
        reply(manner_ == Manner::cut
                  ? dns::render_reply(query, dns::Code::ok, std::vector(100, dns::address_record(Ipv4{1})), 512)
                  : answer(query, 1));
    }
    void connection() {
        sys::Fd socket(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const auto message = receive(socket, 1000ms);
        if (!message || message->size() < 14) return;
        const std::string data = framed(answer(dns::parse_query(message->substr(2)).query, 1));
        (void)::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
    }

    Manner manner_;
    sys::Fd udp_;
    sys::Fd tcp_;
    sys::Fd stop_;
    std::atomic<int> count_ = 0;
    std::thread thread_;
};

// The server on a thread of its own in the "host" namespace, with two containers: "out" may ask outside, "in" not.
class Served {
public:
    explicit Served(std::vector<std::string> upstreams = {"127.0.0.1"}) {
        std::vector<DnsEndpoint> endpoints;
        for (unsigned i = 0; i < 3; ++i)
            endpoints.push_back({"n",
                                 Ipv4{0x0a000002 + i},
                                 {"web", fmt::format("p-web-{}", i + 1)},
                                 fmt::format("p-web-{}", i + 1),
                                 "p_default"});
        for (unsigned i = 0; i < 500; ++i)
            endpoints.push_back({"n", Ipv4{0x0a010002 + i}, {"many"}, fmt::format("p-many-{}", i + 1), "p_default"});
        table_.assign(std::move(endpoints));
        server_.emplace(loop_, [this]() -> const DnsTable& { return table_; });
        connect_endpoints({}, out);
        connect_endpoints({}, in);
        out_ = open_dns_sockets(out);
        in_ = open_dns_sockets(in);
        server_->add("out", out_.udp, out_.tcp,
                     {.networks = {"n"}, .forward = true, .upstreams = std::move(upstreams)});
        server_->add("in", in_.udp, in_.tcp, {.networks = {"n"}, .forward = false, .upstreams = {"127.0.0.1"}});
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Served() {
        loop_.post([this] { loop_.stop(); });
        thread_.join();
        server_.reset();
    }
    void post(const std::function<void(DnsServer&)>& body) {
        std::atomic<bool> done = false;
        loop_.post([&] {
            body(*server_);
            done = true;
            done.notify_one();
        });
        done.wait(false);
    }
    [[nodiscard]] double cpu_seconds() {
        double seconds = 0;
        post([&](DnsServer&) {
            timespec spent{};
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
            seconds = static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
        });
        return seconds;
    }

    sys::Fd out = lab::make_netns();
    sys::Fd in = lab::make_netns();

private:
    DnsTable table_;
    sys::EventLoop loop_;
    DnsSockets out_;
    DnsSockets in_;
    std::optional<DnsServer> server_;
    std::thread thread_;
};

std::optional<std::string> ask(sys::FdRef netns, const std::string& name, std::chrono::milliseconds patience = 2000ms,
                               int type = 1) {
    const sys::Fd socket = client_socket(netns, SOCK_DGRAM);
    transmit(socket, packet_of(name, 7, type));
    return receive(socket, patience);
}

dns::Code code_of(const std::optional<std::string>& reply) {
    return reply ? dns::code_of(*reply) : dns::Code::bad_version;
}

TEST(DnsServer, AnswersWhatOthersAsk) {
    lab::run([] {
        const Served served;
        for (const std::string transport : {"-u", "-t"}) {
            const auto drill = [&](const std::string& question) {
                const auto output = lab::shell_in(served.in, "drill " + transport + " " + question + " @127.0.0.11");
                EXPECT_TRUE(output.ok) << output.text;
                return output.text;
            };
            std::string text = drill("WEB A");
            for (const char* part : {"rcode: NOERROR", "10.0.0.2", "10.0.0.3", "10.0.0.4", "\t0\tIN\tA"})
                EXPECT_NE(text.find(part), std::string::npos) << text;
            text = drill("p-web-2.p_default A");
            EXPECT_NE(text.find("10.0.0.3"), std::string::npos) << text;
            text = drill("web AAAA");
            EXPECT_NE(text.find("rcode: NOERROR"), std::string::npos) << text;
            EXPECT_NE(text.find("ANSWER: 0"), std::string::npos) << text;
            text = drill("-x 10.0.0.4");
            EXPECT_NE(text.find("p-web-3.p_default."), std::string::npos) << text;
            text = drill("nobody A");
            EXPECT_NE(text.find("rcode: NXDOMAIN"), std::string::npos) << text;
        }
        // More than fits a datagram: cut, then whole over TCP; a client that takes more gets more.
        EXPECT_NE(lab::shell_in(served.in, "drill -t many @127.0.0.11").text.find("ANSWER: 500"), std::string::npos);
        const auto cut = ask(served.in, "many");
        ASSERT_TRUE(cut);
        EXPECT_LE(cut->size(), 512U);
        EXPECT_TRUE(dns::is_truncated(*cut));
    });
}

TEST(DnsServer, TakesNothingFromAServerInTheContainer) {
    lab::run([] {
        const Served served;
        sys::run_in_netns(served.out, [] {
            const sys::Fd udp = sys::bind_udp(*sys::InetAddress::parse("0.0.0.0", 53));
            const sys::Fd tcp = sys::listen_tcp(*sys::InetAddress::parse("0.0.0.0", 53));
            EXPECT_TRUE(lab::shell("drill web @127.0.0.11").ok);
            EXPECT_TRUE(lab::shell("drill -t web @127.0.0.11").ok);
        });
        // The container's own server is asked at its other addresses.
        sys::Fd own;
        sys::run_in_netns(served.out, [&] { own = sys::bind_udp(*sys::InetAddress::parse("127.0.0.1", 53)); });
        sys::run_in_netns(served.out, [&] {
            const auto client = sys::connect_udp(*sys::InetAddress::parse("127.0.0.1", 53));
            EXPECT_TRUE(sys::send_datagram(*client, "hello"));
        });
        EXPECT_EQ(receive(own, 1000ms), "hello");
        // Once more in the same namespace, as after a restart.
        const DnsSockets again = open_dns_sockets(served.out);
        EXPECT_TRUE(again.udp);
    });
}

TEST(DnsServer, AsksOutsideButNotForInternalNetworks) {
    lab::run([] {
        const Upstream upstream("127.0.0.1", Upstream::Manner::honest);
        const Served served;
        EXPECT_TRUE(ask(served.out, "ext.example").value_or("").ends_with("\xcb\0\x71\1"s));
        EXPECT_TRUE(ask(served.out, "single").value_or("").ends_with("\xcb\0\x71\1"s));
        EXPECT_TRUE(lab::shell_in(served.out, "drill -t ext.example @127.0.0.11").ok);
        const int before = upstream.count();
        EXPECT_EQ(before, 3);
        EXPECT_EQ(code_of(ask(served.in, "ext.example")), dns::Code::no_such_name);
        EXPECT_EQ(code_of(ask(served.in, "data.exfiltrated.example", 2000ms, 16)), dns::Code::no_such_name);
        EXPECT_EQ(code_of(ask(served.out, "web")), dns::Code::ok);  // ours, whatever the other would say
        EXPECT_EQ(upstream.count(), before);
    });
}

TEST(DnsServer, BelievesOnlyTheServerThatItAsked) {
    lab::run([] {
        const Upstream upstream("127.0.0.1", Upstream::Manner::forged);
        const Served served;
        for (int i = 0; i < 20; ++i)
            EXPECT_TRUE(ask(served.out, "ext.example").value_or("").ends_with("\xcb\0\x71\1"s));
    });
}

TEST(DnsServer, GoesOnToTheNextServer) {
    lab::run([] {
        const Upstream failing("127.0.0.2", Upstream::Manner::failing);
        const Upstream honest("127.0.0.3", Upstream::Manner::honest);
        const Served served({"127.0.0.1", "127.0.0.2", "127.0.0.3"});  // nobody listens at the first
        const auto start = Clock::now();
        EXPECT_TRUE(ask(served.out, "ext.example").value_or("").ends_with("\xcb\0\x71\1"s));
        EXPECT_LT(Clock::now() - start, 1s);
    });
}

TEST(DnsServer, FetchesLongRepliesOverTcp) {
    lab::run([] {
        const Upstream upstream("127.0.0.1", Upstream::Manner::cut);
        const Served served;
        EXPECT_TRUE(dns::is_truncated(ask(served.out, "ext.example").value_or("")));
        EXPECT_NE(lab::shell_in(served.out, "drill -t ext.example @127.0.0.11").text.find("ANSWER: 100"),
                  std::string::npos);
    });
}

TEST(DnsServer, FailsFastWhenNobodyCanBeAsked) {
    lab::run([] {
        const Served served;  // nobody listens
        const auto start = Clock::now();
        EXPECT_EQ(code_of(ask(served.out, "ext.example")), dns::Code::server_failure);
        EXPECT_EQ(code_of(ask(served.out, "single")), dns::Code::no_such_name);
        EXPECT_LT(Clock::now() - start, 500ms);
    });
}

TEST(DnsServer, OwnNamesDoNotWaitForADeadUpstream) {
    lab::run([] {
        const Upstream black_hole("127.0.0.1", Upstream::Manner::silent);
        const Served served;
        const sys::Fd flood = client_socket(served.out, SOCK_DGRAM);
        for (int i = 0; i < 1000; ++i) transmit(flood, packet_of(fmt::format("x{}.example", i), i));
        std::vector<Clock::duration> times;
        for (int i = 0; i < 200; ++i) {
            const auto start = Clock::now();
            EXPECT_EQ(code_of(ask(i % 2 != 0 ? served.in : served.out, "web")), dns::Code::ok);
            times.push_back(Clock::now() - start);
        }
        std::sort(times.begin(), times.end());
        EXPECT_LT(times[197], 50ms);
        // One container has not taken all that may be under way.
        EXPECT_LE(black_hole.count(), 300);
    });
}

TEST(DnsServer, MalformedQuestionsGetAtMostARefusal) {
    lab::run([] {
        Served served;
        const double before = served.cpu_seconds();
        const sys::Fd udp = client_socket(served.in, SOCK_DGRAM);
        const std::string good = packet_of("web");
        for (const std::string& silent : {""s, "x"s, good.substr(0, 11), "\0\7\x81\x80"s + good.substr(4)}) {
            if (!silent.empty()) transmit(udp, silent);
            EXPECT_FALSE(receive(udp, 30ms)) << silent.size();
        }
        for (const std::string& bad :
             {good.substr(0, 14), "\0\7\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"s, "\0\7\1\0\xff\xff\0\0\0\0\0\0"s}) {
            transmit(udp, bad);
            const auto reply = receive(udp, 1000ms);
            EXPECT_EQ(code_of(reply), dns::Code::format_error);
            EXPECT_LE(reply.value_or("").size(), bad.size());  // nothing to gain for a reflector
        }
        // Over TCP: no length, no body, nonsense, byte by byte.
        for (const std::string& bad : {"\0\0"s, "\xff\xff"s + std::string(100, 'x'), "\0\5hello"s, "\0"s}) {
            const sys::Fd tcp = client_socket(served.in, SOCK_STREAM);
            transmit(tcp, bad);
            EXPECT_EQ(code_of(ask(served.in, "web")), dns::Code::ok);
        }
        EXPECT_LT(served.cpu_seconds() - before, 0.2);
    });
}

TEST(DnsServer, ConnectionsServeSeveralQuestionsAndEndWhenIdle) {
    lab::run([] {
        const Upstream upstream("127.0.0.1", Upstream::Manner::honest);
        const Served served;
        const sys::Fd tcp = client_socket(served.out, SOCK_STREAM);
        std::string all;
        for (int i = 0; i < 50; ++i) all += framed(packet_of(i % 2 != 0 ? "web" : "ext.example", i));
        transmit(tcp, all);
        std::string received;
        int replies = 0;
        const auto deadline = Clock::now() + 5s;
        while (replies < 50 && Clock::now() < deadline) {
            received += receive(tcp, 500ms).value_or("");
            while (received.size() >= 2) {
                const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(received[0])) << 8U |
                                         static_cast<unsigned char>(received[1]);
                if (received.size() < 2 + size) break;
                received.erase(0, 2 + size);
                ++replies;
            }
        }
        EXPECT_EQ(replies, 50);
        const auto start = Clock::now();
        EXPECT_EQ(receive(tcp, 6000ms), "");  // hung up
        EXPECT_LT(Clock::now() - start, 5s);
        EXPECT_GT(Clock::now() - start, 2s);
    });
}

TEST(DnsServer, IdleConnectionsBlockNobody) {
    lab::run([] {
        Served served;
        std::vector<sys::Fd> idle;
        for (int i = 0; i < 300; ++i) idle.push_back(client_socket(served.in, SOCK_STREAM));
        const auto start = Clock::now();
        EXPECT_EQ(code_of(ask(served.in, "web")), dns::Code::ok);
        const sys::Fd tcp = client_socket(served.in, SOCK_STREAM);
        transmit(tcp, framed(packet_of("web")));
        EXPECT_TRUE(receive(tcp, 1000ms));
        EXPECT_LT(Clock::now() - start, 500ms);
    });
}

TEST(DnsServer, AnswersFollowTheTableAndEndWithRemove) {
    lab::run([] {
        Served served;
        served.post(
            [](DnsServer& server) { server.update("in", {.networks = {}, .forward = false, .upstreams = {}}); });
        EXPECT_EQ(code_of(ask(served.in, "web")), dns::Code::no_such_name);
        served.post([](DnsServer& server) { server.remove("in"); });
        EXPECT_FALSE(ask(served.in, "web", 100ms));
        EXPECT_EQ(code_of(ask(served.out, "web")), dns::Code::ok);
    });
}

TEST(DnsServer, AnswersManyASecond) {
    lab::run([] {
        Served served;
        const sys::Fd udp = client_socket(served.in, SOCK_DGRAM);
        const std::string question = packet_of("p-web-1");
        const double before = served.cpu_seconds();
        const auto start = Clock::now();
        int answered = 0;
        while (answered < 40'000) {
            for (int i = 0; i < 64; ++i) transmit(udp, question);
            for (int i = 0; i < 64; ++i) {
                if (!receive(udp, 1000ms)) break;
                ++answered;
            }
        }
        const double wall = std::chrono::duration<double>(Clock::now() - start).count();
        const double cpu = served.cpu_seconds() - before;
        RecordProperty("answers_per_second", static_cast<int>(answered / wall));
        RecordProperty("answers_per_cpu_second", static_cast<int>(answered / cpu));
        std::printf("%.0f answers/s, %.0f per second of the server's processor\n", answered / wall, answered / cpu);
        EXPECT_GT(answered / cpu, 20'000);
    });
}

}  // namespace
}  // namespace compose::net
