// Published ports: "[[IP:]HOST:]CONTAINER[/PROTOCOL]", ranges and the mapping form.
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <tuple>

#include "base/strings.hpp"
#include "loader/canonical_rules.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

// Ranges become one mapping a port, so a short text can ask for a lot of memory; media servers publish 16,000 ports.
constexpr std::size_t kMaxPortsPerFile = 40'000;
constexpr const char* kAdvice = "write host:container, for example \"8080:80\"";

struct Range {
    int first = 0;
    int last = 0;
    [[nodiscard]] int size() const { return last - first + 1; }
};

std::optional<int> parse_port(std::string_view text, int least) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (value < least || value > 65535) return std::nullopt;
    return value;
}

std::optional<Range> parse_range(std::string_view text, int least) {
    const auto dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash), least);
    const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1), least);
    if (!first || !last || *last < *first) return std::nullopt;
    return Range{*first, *last};
}

struct ShortPort {
    std::string_view ip;
    std::string_view host;
    std::string_view container;
    std::string protocol = "tcp";
};

ShortPort split_port(std::string_view text) {
    ShortPort out;
    if (const auto slash = text.rfind('/'); slash != std::string_view::npos) {
        out.protocol = lower(text.substr(slash + 1));
        text = text.substr(0, slash);
    }
    auto colon = text.rfind(':');
    out.container = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
    if (colon == std::string_view::npos) return out;
    text = text.substr(0, colon);
    colon = text.rfind(':');
    // "[::1]:8080:80" and "::1:8080:80": everything before the last two parts is the address.
    out.host = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
    if (colon != std::string_view::npos) out.ip = text.substr(0, colon);
    if (out.ip.starts_with('[') && out.ip.ends_with(']')) out.ip = out.ip.substr(1, out.ip.size() - 2);
    return out;
}

Node make_port(const Node& from, const ShortPort& port, int target, const std::string& published) {
    Node out = Node::make_mapping(from.pos);
    out.entries.reserve(5);
    const auto text = [&](const char* key, std::string_view value) {
        out.entries.push_back({key, from.pos, Node::make_string(std::string(value), from.pos)});
    };
    if (!port.ip.empty()) text("host_ip", port.ip);
    text("mode", "ingress");
    text("protocol", port.protocol);
    if (!published.empty()) text("published", published);
    out.entries.push_back({"target", from.pos, Node::make_int(target, from.pos)});
    return out;
}

class PortExpander {
public:
    PortExpander(const Node& node, const PathFrame& path, CanonicalContext& context)
        : path_(path), context_(context), out_(Node::make_sequence(node.pos)) {
        out_.tag = node.tag;
        out_.past = node.past;
    }

    void add_short(const Node& item, std::size_t index) {
        const auto path = path_.item(index);
        const auto bad = [&](const std::string& message) { context_.error(item, path, message, kAdvice); };
        const auto port = split_port(item.text);
        if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp")
            return bad(shown(port.protocol) + " is not a protocol: tcp, udp or sctp");
        if (!port.ip.empty() && !is_ipv4(port.ip) && !is_ipv6(port.ip))
            return bad(shown(port.ip) + " is not an IP address of the host");
        const auto container = parse_range(port.container, 1);
        if (!container) return bad(shown(port.container) + " is not a port number or range of the container");
        const bool published_given = !port.host.empty();
        const auto host = published_given ? parse_range(port.host, 0).value_or(Range{1, 0}) : Range{};
        if (host.size() == 0) return bad(shown(port.host) + " is not a port number or range of the host");
        if (published_given && container->size() > 1 && host.size() != container->size())
            return bad(fmt::format("the host range {} and the container range {} differ in length", shown(port.host),
                                   shown(port.container)));
        if (!reserve(item, index, static_cast<std::size_t>(container->size()))) return;
        for (int i = 0; i < container->size(); ++i) {
            std::string published;
            if (host.last > 0)
                published = container->size() == 1 ? std::string(port.host) : std::to_string(host.first + i);
            push(make_port(item, port, container->first + i, published));
        }
    }

    void add_long(Node item, std::size_t index) {
        const auto path = path_.item(index);
        if (const auto* ip = item.find("host_ip"); ip != nullptr && ip->is_string() && !context_.opaque(*ip))
            if (!ip->text.empty() && !is_ipv4(ip->text) && !is_ipv6(ip->text))
                context_.error(*ip, path.child("host_ip"), shown(ip->text) + " is not an IP address of the host");
        if (const auto* published = item.find("published");
            published != nullptr && published->is_string() && !context_.opaque(*published))
            if (!published->text.empty() && !parse_range(published->text, 0))
                context_.error(*published, path.child("published"),
                               shown(published->text) + " is not a port number or range of the host",
                               "write a port from 1 to 65535, or first-last");
        if (auto& mode = item.at_or_insert("mode", item.pos); mode.is_null())
            mode = Node::make_string("ingress", item.pos);
        auto& protocol = item.at_or_insert("protocol", item.pos);
        if (protocol.is_null()) protocol = Node::make_string("tcp", item.pos);
        if (reserve(item, index, 1)) push(std::move(item));
    }

    void keep(Node item) { out_.items.push_back(std::move(item)); }
    Node take() { return std::move(out_); }

private:
    bool reserve(const Node& item, std::size_t index, std::size_t count) {
        if (context_.ports + count <= kMaxPortsPerFile) {
            context_.ports += count;
            return true;
        }
        if (context_.ports <= kMaxPortsPerFile)
            context_.error(item, path_.item(index),
                           fmt::format("the file publishes more than {} ports", kMaxPortsPerFile),
                           "use network_mode: host for whole ranges");
        context_.ports = kMaxPortsPerFile + 1;
        return false;
    }

    // The same port twice is published once.
    void push(Node port) {
        std::array<std::string, 5> key;
        std::size_t at = 0;
        for (const char* name : {"host_ip", "published", "target", "protocol", "mode"}) {
            if (const auto* value = port.find(name)) key[at] = scalar_text(*value);
            ++at;
        }
        if (seen_.insert(std::move(key)).second) out_.items.push_back(std::move(port));
    }

    const PathFrame& path_;
    CanonicalContext& context_;
    Node out_;
    std::set<std::array<std::string, 5>> seen_;
};

}  // namespace

void canonical_ports(Node& node, const PathFrame& path, CanonicalContext& context) {
    if (!node.is_sequence()) return;
    PortExpander expander(node, path, context);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        auto& item = node.items[i];
        if (item.tag == Node::Tag::reset || context.opaque(item)) {
            expander.keep(std::move(item));
        } else if (item.is_string()) {
            expander.add_short(item, i);
        } else if (item.is_mapping()) {
            expander.add_long(std::move(item), i);
        } else {
            expander.keep(std::move(item));
        }
    }
    node = expander.take();
}

void canonical_expose(Node& node, const PathFrame& path, CanonicalContext& context) {
    canonical_unique_list(node, path, context);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const auto& item = node.items[i];
        if (!item.is_string() || context.opaque(item)) continue;
        const auto port = split_port(item.text);
        const bool known = port.protocol == "tcp" || port.protocol == "udp" || port.protocol == "sctp";
        if (!known || !port.host.empty() || !parse_range(port.container, 1))
            context.error(item, path.item(i), shown(item.text) + " is not a port of the container",
                          "write a port or a range, for example \"3000\" or \"9000-9002/udp\"");
    }
}

}  // namespace compose
