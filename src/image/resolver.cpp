#include "image/resolver.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/connection_error.hpp"
#include "image/stream.hpp"
#include "image/url.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose::image {

namespace {

constexpr int kAttempts = 2;
constexpr std::chrono::milliseconds kServerTimeout{3000};
constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kDnsPort = 53;

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> out;
    line = line.substr(0, line.find_first_of("#;"));
    std::size_t at = 0;
    while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
        const auto end = std::min(line.find_first_of(" \t\r", at), line.size());
        out.emplace_back(line.substr(at, end - at));
        at = end;
    }
    return out;
}

unsigned number_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]) * 256U + static_cast<unsigned char>(bytes[at + 1]);
}

/// Past the name at `at`; nothing when it runs out of the packet. Pointers end a name.
std::optional<std::size_t> skip_name(std::string_view packet, std::size_t at) {
    while (at < packet.size()) {
        const auto length = static_cast<unsigned char>(packet[at]);
        if (length >= 0xC0) return at + 2 <= packet.size() ? std::optional(at + 2) : std::nullopt;
        if (length == 0) return at + 1;
        if (length > 63) return std::nullopt;
        at += length + 1U;
    }
    return std::nullopt;
}

std::string address_text(std::string_view data, AddressKind kind) {
    std::string out;
    if (kind == AddressKind::v4) {
        for (const char c : data) out += (out.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(c));
        return out;
    }
    for (std::size_t i = 0; i < data.size(); i += 2) out += fmt::format("{}{:x}", i > 0 ? ":" : "", number_at(data, i));
    return out;
}

/// The same question over TCP, where an answer may be as long as it is. Nothing when that fails.
std::optional<DnsReply> ask_at_length(const std::string& server, const std::string& question, AddressKind kind,
                                      const Interrupt& interrupt) {
    const auto read_exactly = [](Stream& stream, std::string& out) {
        for (std::size_t at = 0; at < out.size();) {
            const auto size = stream.read(std::span(out).subspan(at));
            if (size == 0) return false;
            at += size;
        }
        return true;
    };
    try {
        const auto stream = connect_tcp(server, kDnsPort, kServerTimeout, kServerTimeout, interrupt);
        std::string length{static_cast<char>(question.size() >> 8U), static_cast<char>(question.size() & 255U)};
        stream->write(length + question);
        if (!read_exactly(*stream, length)) return std::nullopt;
        std::string packet(number_at(length, 0), '\0');
        if (!read_exactly(*stream, packet)) return std::nullopt;
        auto reply = parse_dns_reply(packet, question, kind);
        if (!reply.matches) return std::nullopt;
        return reply;
    } catch (const ConnectionError&) {
        return std::nullopt;
    }
}

std::vector<std::string> ask(const std::string& server, const std::string& name, AddressKind kind, bool& answered,
                             const Interrupt& interrupt) {
    const auto address = sys::InetAddress::parse(server, kDnsPort);
    if (!address) return {};
    const auto socket = sys::connect_udp(*address);
    if (!socket) return {};
    std::uint16_t id = 0;
    const auto random = sys::random_id();
    std::from_chars(random.data(), random.data() + 4, id, 16);
    const auto question = dns_question(id, name, kind);
    if (!sys::send_datagram(*socket, question)) return {};
    sys::DatagramBatch batch;
    const auto end = sys::monotonic_now() + kServerTimeout;
    while (sys::monotonic_now() < end) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - sys::monotonic_now());
        if (!interrupt.wait_readable(*socket, left)) break;
        const auto count = batch.receive(*socket);
        if (count == 0) break;  // refused, most likely
        for (std::size_t i = 0; i < count; ++i) {
            auto reply = parse_dns_reply(batch.datagram(i), question, kind);
            if (!reply.matches) continue;
            // What fits into the datagram will do when there is no way to the rest.
            if (reply.cut) reply = ask_at_length(server, question, kind, interrupt).value_or(std::move(reply));
            if (reply.code != 0 && reply.code != 3) return {};
            answered = true;
            return std::move(reply.addresses);
        }
    }
    return {};
}

std::vector<std::string> look_up(const std::string& name, const ResolvConf& conf, bool& answered,
                                 const Interrupt& interrupt) {
    for (int attempt = 0; attempt < kAttempts; ++attempt)
        for (const auto& server : conf.servers) {
            bool here = false;
            auto found = ask(server, name, AddressKind::v4, here, interrupt);
            if (!here) continue;
            answered = true;
            const auto more = ask(server, name, AddressKind::v6, here, interrupt);
            found.insert(found.end(), more.begin(), more.end());
            return found;
        }
    return {};
}

std::vector<std::string> names_to_try(const std::string& host, const ResolvConf& conf) {
    if (host.ends_with('.')) return {host.substr(0, host.size() - 1)};
    std::vector<std::string> names;
    const auto dots = static_cast<unsigned>(std::count(host.begin(), host.end(), '.'));
    if (dots >= conf.dots) names.push_back(host);
    for (const auto& suffix : conf.search) names.push_back(host + "." + suffix);
    if (dots < conf.dots) names.push_back(host);
    return names;
}

void check_elsewhere(const std::string& host, const std::string& address) {
    if (is_forbidden_literal(address))
        throw make_error(ErrorKind::invalid, "{} is {}, an address of this machine or its local link", quote(host),
                         address);
}

}  // namespace

std::vector<std::string> addresses_in_hosts(std::string_view hosts_text, std::string_view host) {
    std::vector<std::string> out;
    for (const auto& line : split(hosts_text, '\n')) {
        const auto words = words_of(line);
        for (std::size_t i = 1; i < words.size(); ++i)
            if (lower(words[i]) == host) {
                out.push_back(words[0]);
                break;
            }
    }
    return out;
}

ResolvConf parse_resolv_conf(std::string_view text) {
    ResolvConf conf;
    for (const auto& line : split(text, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 2) continue;
        if (words[0] == "nameserver" && conf.servers.size() < 3) conf.servers.push_back(words[1]);
        if (words[0] == "search" || words[0] == "domain") conf.search.assign(words.begin() + 1, words.end());
        if (words[0] != "options") continue;
        for (const auto& word : words)
            if (word.starts_with("ndots:")) std::from_chars(word.data() + 6, word.data() + word.size(), conf.dots);
    }
    if (conf.servers.empty()) conf.servers.emplace_back("127.0.0.1");
    if (conf.search.size() > 6) conf.search.resize(6);
    return conf;
}

std::string dns_question(std::uint16_t id, std::string_view name, AddressKind kind) {
    std::string out;
    const auto put = [&](unsigned value) {
        out += static_cast<char>(value >> 8U);
        out += static_cast<char>(value & 255U);
    };
    put(id);
    put(0x0100);  // recursion desired
    for (const unsigned count : {1U, 0U, 0U, 0U}) put(count);
    for (const auto& label : split(name, '.')) {
        if (label.empty() || label.size() > 63) throw make_error(ErrorKind::invalid, "{} is no host name", quote(name));
        out += static_cast<char>(label.size());
        out += label;
    }
    if (out.size() > kHeader + 254) throw make_error(ErrorKind::invalid, "{} is no host name", quote(name));
    out += '\0';
    put(static_cast<unsigned>(kind));
    put(1);
    return out;
}

DnsReply parse_dns_reply(std::string_view packet, std::string_view question, AddressKind kind) {
    DnsReply reply;
    if (packet.size() < question.size() || packet.substr(0, 2) != question.substr(0, 2)) return reply;
    const unsigned flags = number_at(packet, 2);
    if ((flags & 0x8000U) == 0 || number_at(packet, 4) != 1) return reply;
    if (lower(packet.substr(kHeader, question.size() - kHeader)) != lower(question.substr(kHeader))) return reply;
    reply.matches = true;
    reply.cut = (flags & 0x0200U) != 0;
    reply.code = static_cast<int>(flags & 15U);
    const unsigned answers = number_at(packet, 6);
    auto at = question.size();
    for (unsigned i = 0; i < answers && reply.addresses.size() < 16; ++i) {
        const auto data = skip_name(packet, at);
        if (!data || *data + 10 > packet.size()) break;
        const unsigned type = number_at(packet, *data);
        const unsigned length = number_at(packet, *data + 8);
        at = *data + 10 + length;
        if (at > packet.size()) break;
        // Names on the way (CNAME) need not be followed: the server has put the whole chain into one answer.
        if (type == static_cast<unsigned>(kind) && length == (kind == AddressKind::v4 ? 4U : 16U))
            reply.addresses.push_back(address_text(packet.substr(*data + 10, length), kind));
    }
    return reply;
}

std::vector<sys::InetAddress> resolve_host(const std::string& host, std::uint16_t port, const Interrupt& interrupt,
                                           const ResolverFiles& files, bool only_elsewhere) {
    if (const auto literal = sys::InetAddress::parse(host, port)) {
        if (only_elsewhere) check_elsewhere(host, host);
        return {*literal};
    }
    std::vector<std::string> texts = addresses_in_hosts(sys::read_file_if_exists(files.hosts).value_or(""), host);
    if (texts.empty() && is_loopback(host)) texts = {"127.0.0.1", "::1"};
    bool answered = false;
    if (texts.empty()) {
        const auto conf = parse_resolv_conf(sys::read_file_if_exists(files.resolv).value_or(""));
        for (const auto& name : names_to_try(host, conf)) {
            texts = look_up(name, conf, answered, interrupt);
            if (!texts.empty()) break;
        }
    }
    std::vector<sys::InetAddress> out;
    for (const auto& text : texts) {
        if (only_elsewhere) check_elsewhere(host, text);
        if (const auto address = sys::InetAddress::parse(text, port)) out.push_back(*address);
    }
    if (!out.empty()) return out;
    if (answered) throw make_error(ErrorKind::not_found, "there is no host {}", quote(host));
    throw make_error("can't find the address of {}: no name server answers", quote(host))
        .with_hint("the name servers are those of /etc/resolv.conf");
}

}  // namespace compose::image
