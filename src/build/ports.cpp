#include "build/ports.hpp"

#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::build {

namespace {
std::optional<int> port_number(std::string_view text) {
    int value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value < 1 || value > 65535) return std::nullopt;
    return value;
}
}  // namespace

std::vector<std::string> exposed_ports(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    const auto protocol = slash < text.size() ? lower(text.substr(slash + 1)) : std::string("tcp");
    const auto ports = text.substr(0, slash);
    const auto dash = ports.find('-');
    const auto first = port_number(ports.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : port_number(ports.substr(dash + 1));
    const bool known = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
    if (!first || !last || *last < *first || !known)
        throw make_error(ErrorKind::invalid, "{} is not a port", quote(text))
            .with_hint("write 80, 53/udp or 8000-8010");
    std::vector<std::string> out;
    for (int port = *first; port <= *last; ++port) out.push_back(fmt::format("{}/{}", port, protocol));
    return out;
}

}  // namespace compose::build
