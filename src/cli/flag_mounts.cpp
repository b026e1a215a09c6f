#include "cli/flag_mounts.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/flag_values.hpp"

namespace compose::cli {

namespace {

bool is_path(std::string_view text) {
    return text.starts_with("/") || text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") ||
           text == "~" || text.starts_with("~/");
}

std::string absolute(std::string_view path, const std::string& working_dir, const std::string& home) {
    if (path.starts_with("/")) return std::string(path);
    if (path.starts_with("~")) return home + std::string(path.substr(1));
    return working_dir + "/" + std::string(path);
}

void check_target(std::string_view flag, std::string_view text, const std::string& target) {
    if (target.empty()) bad_flag(flag, text, "the path in the container is missing");
    if (target.front() != '/')
        bad_flag(flag, text, fmt::format("the path in the container, {}, must be absolute", quote(target)));
    if (target.find_first_not_of('/') == std::string::npos) bad_flag(flag, text, "nothing can be mounted on /");
}

bool is_propagation(std::string_view word) {
    static const std::set<std::string_view> known{"private", "rprivate", "shared", "rshared", "slave", "rslave"};
    return known.contains(word);
}

void volume_options(std::string_view text, std::string_view options, Mount& mount) {
    for (const auto& word : split(options, ',')) {
        if (word == "ro" || word == "readonly")
            mount.read_only = true;
        else if (word == "nocopy" || word == "volume-nocopy")
            mount.nocopy = true;
        else if (is_propagation(word) && mount.type == Mount::Type::bind)
            mount.propagation = word;
        else if ((word == "z" || word == "Z") && mount.type == Mount::Type::bind)
            mount.selinux = word;
        else if (word != "rw" && word != "z" && word != "Z" && word != "consistent" && word != "cached" &&
                 word != "delegated" && !word.empty())
            bad_flag("-v", text, fmt::format("unknown option {}", quote(word)));
    }
}

bool truth(std::string_view text, std::string_view field, const std::string& value) {
    if (value.empty() || value == "true" || value == "1") return true;
    if (value == "false" || value == "0") return false;
    bad_flag("--mount", text, fmt::format("{} is true or false, not {}", field, quote(value)));
}

unsigned octal(std::string_view text, const std::string& value) {
    unsigned mode = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mode, 8);
    if (error != std::errc{} || end != value.data() + value.size() || mode > 07777)
        bad_flag("--mount", text, fmt::format("tmpfs-mode {} is no octal mode", quote(value)));
    return mode;
}

class MountFields {
public:
    MountFields(std::string_view text, VolumeWish& wish) : text_(text), wish_(wish) {}

    Mount read() {
        mount_.create_host_path = false;
        mount_.long_form = true;
        for (const auto& field : csv_fields("--mount", text_)) {
            const auto equals = field.find('=');
            const auto key = lower(field.substr(0, equals));
            take(key, equals == std::string::npos ? std::string{} : field.substr(equals + 1),
                 equals != std::string::npos);
        }
        for (const auto& [type, key] : needed_)
            if (type != mount_.type) bad_flag("--mount", text_, fmt::format("{} does not fit the type", quote(key)));
        return std::move(mount_);
    }

private:
    void take(const std::string& key, const std::string& value, bool has_value) {
        if (key == "readonly" || key == "ro") {
            mount_.read_only = truth(text_, key, value);
            return;
        }
        if (key == "bind-nonrecursive") {
            if (truth(text_, key, value)) mount_.recursive = "disabled";
            return;
        }
        if (key == "volume-nocopy") {
            mount_.nocopy = truth(text_, key, value);
            return needs(Mount::Type::volume, key);
        }
        if (!has_value) bad_flag("--mount", text_, fmt::format("{} is no KEY=VALUE", quote(key)));
        if (key == "type")
            type(value);
        else if (key == "source" || key == "src")
            mount_.source = value;
        else if (key == "target" || key == "dst" || key == "destination")
            mount_.target = value;
        else
            special(key, value);
    }

    void type(const std::string& value) {
        if (value == "bind")
            mount_.type = Mount::Type::bind;
        else if (value == "volume")
            mount_.type = Mount::Type::volume;
        else if (value == "tmpfs")
            mount_.type = Mount::Type::tmpfs;
        else if (value == "image")
            mount_.type = Mount::Type::image;
        else
            bad_flag("--mount", text_, fmt::format("unknown type {}; use bind, volume, tmpfs or image", quote(value)));
    }

    void special(const std::string& key, const std::string& value) {
        if (key == "bind-propagation") {
            if (!is_propagation(value)) bad_flag("--mount", text_, fmt::format("unknown propagation {}", quote(value)));
            mount_.propagation = value;
            needs(Mount::Type::bind, key);
        } else if (key == "bind-recursive") {
            if (value != "enabled" && value != "disabled" && value != "writable" && value != "readonly")
                bad_flag("--mount", text_, "bind-recursive is enabled, disabled, writable or readonly");
            mount_.recursive = value;
            needs(Mount::Type::bind, key);
        } else if (key == "tmpfs-size") {
            mount_.tmpfs_size = bytes_flag("--mount", value);
            needs(Mount::Type::tmpfs, key);
        } else if (key == "tmpfs-mode") {
            mount_.tmpfs_mode = octal(text_, value);
            needs(Mount::Type::tmpfs, key);
        } else if (key == "volume-subpath" || key == "image-subpath") {
            mount_.subpath = value;
        } else if (key == "volume-driver") {
            wish_.driver = value;
            needs(Mount::Type::volume, key);
        } else if (key == "volume-opt" || key == "volume-label") {
            auto& target = key == "volume-opt" ? wish_.options : wish_.labels;
            target.insert_or_assign(pair_flag("--mount", value, true).first, pair_flag("--mount", value, true).second);
            needs(Mount::Type::volume, key);
        } else if (key != "consistency") {
            bad_flag("--mount", text_, fmt::format("unknown key {}", quote(key)));
        }
    }

    /// The type may stand after it, so it is checked at the end.
    void needs(Mount::Type type, const std::string& key) { needed_.emplace_back(type, key); }

    std::string_view text_;
    VolumeWish& wish_;
    Mount mount_;
    std::vector<std::pair<Mount::Type, std::string>> needed_;
};

struct Range {
    std::uint16_t first = 0, last = 0;
    [[nodiscard]] int size() const { return last - first + 1; }
};

Range range_of(std::string_view flag, std::string_view whole, std::string_view text, bool zero) {
    const auto one = [&](std::string_view digits) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size() || value > 65535 || (value == 0 && !zero))
            bad_flag(flag, whole, fmt::format("{} is not a port number", quote(digits)));
        return static_cast<std::uint16_t>(value);
    };
    const auto dash = text.find('-');
    Range range;
    range.first = one(text.substr(0, dash));
    range.last = dash == std::string_view::npos ? range.first : one(text.substr(dash + 1));
    if (range.last < range.first) bad_flag(flag, whole, "the range ends before it begins");
    return range;
}

/// "80/udp" -> "80", "udp"
std::pair<std::string_view, std::string> protocol_of(std::string_view flag, std::string_view whole,
                                                     std::string_view text) {
    const auto slash = text.find('/');
    const std::string protocol = slash == std::string_view::npos ? "tcp" : lower(text.substr(slash + 1));
    if (protocol != "tcp" && protocol != "udp")
        bad_flag(flag, whole, fmt::format("unknown protocol {}; use tcp or udp", quote(protocol)));
    return {text.substr(0, slash), protocol};
}

void check_address(std::string_view whole, const std::string& address, bool bracketed) {
    const auto is_byte = [](const std::string& part) {
        unsigned value = 256;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        return error == std::errc{} && end == part.data() + part.size() && value < 256;
    };
    if (address.empty()) return;
    const auto bytes = split(address, '.');
    const bool four = bytes.size() == 4 && std::all_of(bytes.begin(), bytes.end(), is_byte);
    const bool six = bracketed && address.find(':') != std::string::npos &&
                     address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
    if (!four && !six) bad_flag("-p", whole, fmt::format("{} is not an address", quote(address)));
}

}  // namespace

Mount volume_flag(std::string_view text, const std::string& working_dir, const std::string& home) {
    Mount mount;
    const auto parts = split(text, ':');
    if (parts.size() > 3) bad_flag("-v", text, "write [SOURCE:]TARGET[:OPTIONS]");
    if (parts.size() == 1) {
        mount.target = parts[0];
        check_target("-v", text, mount.target);
        return mount;
    }
    const auto& source = parts[0];
    mount.target = parts[1];
    if (source.empty()) bad_flag("-v", text, "the source is missing");
    if (is_path(source)) {
        mount.type = Mount::Type::bind;
        mount.source = absolute(source, working_dir, home);
        mount.create_host_path = true;
    } else {
        if (!is_object_name(source))
            bad_flag("-v", text, fmt::format("{} is no volume name; a host path begins with / or ./", quote(source)));
        mount.source = source;
    }
    if (parts.size() == 3) volume_options(text, parts[2], mount);
    check_target("-v", text, mount.target);
    return mount;
}

Mount mount_flag(std::string_view text, const std::string& working_dir, VolumeWish& wish) {
    Mount mount = MountFields(text, wish).read();
    check_target("--mount", text, mount.target);
    if (mount.type == Mount::Type::bind) {
        if (mount.source.empty()) bad_flag("--mount", text, "source=PATH is missing");
        mount.source = absolute(mount.source, working_dir, "~");
    }
    if (mount.type == Mount::Type::volume && !mount.source.empty() && !is_object_name(mount.source))
        bad_flag("--mount", text,
                 fmt::format("{} is no volume name; for a host path write type=bind", quote(mount.source)));
    if (mount.type == Mount::Type::tmpfs && !mount.source.empty()) bad_flag("--mount", text, "a tmpfs has no source");
    if (mount.type == Mount::Type::image && mount.source.empty()) bad_flag("--mount", text, "source=IMAGE is missing");
    return mount;
}

Mount tmpfs_flag(std::string_view text) {
    Mount mount;
    mount.type = Mount::Type::tmpfs;
    const auto colon = text.find(':');
    mount.target = text.substr(0, colon);
    if (colon != std::string_view::npos) mount.tmpfs_options = text.substr(colon + 1);
    check_target("--tmpfs", text, mount.target);
    return mount;
}

std::vector<Port> publish_flag(std::string_view text) {
    auto [ports, protocol] = protocol_of("-p", text, text);
    std::string address;
    const bool bracketed = ports.starts_with("[");
    std::string_view host;
    if (bracketed) {
        const auto end = ports.find("]:");
        if (end == std::string_view::npos) bad_flag("-p", text, "\"]:\" is missing after the address");
        address = ports.substr(1, end - 1);
        ports.remove_prefix(end + 2);
    }
    const auto last = ports.rfind(':');
    const auto container = range_of("-p", text, last == std::string_view::npos ? ports : ports.substr(last + 1), false);
    if (last != std::string_view::npos) {
        host = ports.substr(0, last);
        if (const auto colon = host.rfind(':'); colon != std::string_view::npos) {
            if (!address.empty()) bad_flag("-p", text, "write [IP:][HOST:]CONTAINER");
            address = host.substr(0, colon);
            host.remove_prefix(colon + 1);
        }
    }
    check_address(text, address, bracketed);
    const bool wished = !host.empty();
    const Range published = wished ? range_of("-p", text, host, true) : Range{};
    if (wished && published.size() != container.size() && container.size() != 1)
        bad_flag("-p", text, "the ranges have different lengths");
    std::vector<Port> out;
    for (int i = 0; i < container.size(); ++i) {
        Port port;
        port.host_ip = address;
        port.protocol = protocol;
        port.target = static_cast<std::uint16_t>(container.first + i);
        port.published = wished && published.first != 0;
        if (wished && container.size() == 1) {
            port.published_first = published.first;
            port.published_last = published.last;
        } else if (wished) {
            port.published_first = port.published_last = static_cast<std::uint16_t>(published.first + i);
        }
        out.push_back(std::move(port));
    }
    return out;
}

std::string expose_flag(std::string_view text) {
    const auto [ports, protocol] = protocol_of("--expose", text, text);
    const auto range = range_of("--expose", text, ports, false);
    return range.size() == 1 ? fmt::format("{}/{}", range.first, protocol)
                             : fmt::format("{}-{}/{}", range.first, range.last, protocol);
}

}  // namespace compose::cli
