#include <charconv>

#include "base/strings.hpp"
#include "loader/bind_service.hpp"
#include "loader/bind_values.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

Mount::Type mount_type(std::string_view text) {
    if (text == "bind") return Mount::Type::bind;
    if (text == "tmpfs") return Mount::Type::tmpfs;
    if (text == "image") return Mount::Type::image;
    return Mount::Type::volume;
}

Mount bind_mount(const Node& node) {
    Mount out;
    out.pos = node.pos;
    out.type = mount_type(text_of(node, "type"));
    out.source = text_of(node, "source");
    out.target = text_of(node, "target");
    out.read_only = bind_flag(node, "read_only");
    const auto& bind = child_or_empty(node, "bind");
    out.propagation = text_of(bind, "propagation");
    out.recursive = text_of(bind, "recursive");
    out.selinux = text_of(bind, "selinux");
    out.create_host_path = out.type == Mount::Type::bind && bind_flag(bind, "create_host_path", true);
    const auto& volume = child_or_empty(node, "volume");
    out.nocopy = bind_flag(volume, "nocopy");
    out.labels = bind_texts(volume.find("labels"));
    out.subpath = text_of(out.type == Mount::Type::image ? child_or_empty(node, "image") : volume, "subpath");
    const auto& tmpfs = child_or_empty(node, "tmpfs");
    if (const auto* size = tmpfs.find("size")) out.tmpfs_size = bytes_of(*size);
    if (const auto* mode = tmpfs.find("mode")) out.tmpfs_mode = mode_of(*mode);
    return out;
}

Mount bind_tmpfs(const Node& node) {
    Mount out;
    out.type = Mount::Type::tmpfs;
    out.pos = node.pos;
    const auto colon = node.text.find(':');
    out.target = node.text.substr(0, colon);
    if (colon != std::string::npos) out.tmpfs_options = node.text.substr(colon + 1);
    return out;
}

std::optional<std::uint16_t> port_number(std::string_view text) {
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::vector<Mount> bind_mounts(const Node& service) {
    std::vector<Mount> out;
    for (const auto& node : child_or_empty(service, "volumes").items)
        if (node.is_mapping()) out.push_back(bind_mount(node));
    for (const auto& node : child_or_empty(service, "tmpfs").items) out.push_back(bind_tmpfs(node));
    return out;
}

std::vector<Port> bind_ports(const Node& service, const std::string& path, Diagnostics& findings) {
    std::vector<Port> out;
    const auto& ports = child_or_empty(service, "ports").items;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const auto& node = ports[i];
        Port port;
        port.pos = node.pos;
        port.host_ip = text_of(node, "host_ip");
        port.protocol = text_of(node, "protocol");
        if (port.protocol.empty()) port.protocol = "tcp";
        port.name = text_of(node, "name");
        port.app_protocol = text_of(node, "app_protocol");
        if (const auto mode = text_of(node, "mode"); !mode.empty()) port.mode = mode;
        if (const auto* target = node.find("target"))
            port.target = static_cast<std::uint16_t>(integer_of(*target).value_or(0));
        if (const auto published = text_of(node, "published"); !published.empty()) {
            const auto dash = published.find('-');
            const auto first = port_number(published.substr(0, dash));
            const auto last = dash == std::string_view::npos ? first : port_number(published.substr(dash + 1));
            if (!first || !last || *last < *first) {
                findings.error(node.find("published")->pos, fmt::format("{}.ports[{}].published", path, i),
                               shown(published) + " is not a port number or range of the host");
                continue;
            }
            port.published = true;
            port.published_first = *first;
            port.published_last = *last;
        }
        out.push_back(std::move(port));
    }
    return out;
}

}  // namespace compose
