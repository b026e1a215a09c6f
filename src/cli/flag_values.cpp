#include "cli/flag_values.hpp"

#include <charconv>
#include <cmath>

#include "base/disk_size.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"

namespace compose::cli {

namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

void bad_flag(std::string_view flag, std::string_view text, std::string_view why) {
    throw make_error(ErrorKind::usage, "invalid argument {} for {}: {}", quote(text), flag, why);
}

bool is_object_name(std::string_view text) {
    if (text.empty() || text.size() > 255 || !is_plain(text.front())) return false;
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
           std::string_view::npos;
}

std::int64_t whole_flag(std::string_view flag, std::string_view text, std::int64_t least, std::int64_t most) {
    const auto value = number<std::int64_t>(text);
    if (!value) bad_flag(flag, text, "not a whole number");
    if (*value < least || *value > most) bad_flag(flag, text, fmt::format("it must be {} to {}", least, most));
    return *value;
}

std::int64_t bytes_flag(std::string_view flag, std::string_view text) {
    const auto value = parse_bytes(text);
    if (!value) bad_flag(flag, text, "not a size; write for example 512m or 2g");
    return *value;
}

Nanoseconds duration_flag(std::string_view flag, std::string_view text) {
    const auto value = parse_duration(text);
    if (!value || value->count() < 0) bad_flag(flag, text, "not a duration; write for example 30s or 1m30s");
    return *value;
}

double cpus_flag(std::string_view text) {
    const auto value = number<double>(text);
    if (!value || !std::isfinite(*value) || *value < 0 || *value > 1'000'000)
        bad_flag("--cpus", text, "not a number of CPUs; write for example 1.5");
    return *value;
}

std::pair<std::string, std::string> pair_flag(std::string_view flag, std::string_view text, bool bare) {
    const auto equals = text.find('=');
    if (equals == 0 || text.empty()) bad_flag(flag, text, "the name is missing");
    if (equals == std::string_view::npos) {
        if (!bare) bad_flag(flag, text, "write KEY=VALUE");
        return {std::string(text), {}};
    }
    return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

RestartPolicy restart_flag(std::string_view text) {
    using Kind = RestartPolicy::Kind;
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    RestartPolicy policy;
    if (name == "on-failure") {
        policy.kind = Kind::on_failure;
        if (colon != std::string_view::npos)
            policy.max_retries = static_cast<int>(whole_flag("--restart", text.substr(colon + 1), 0, 1'000'000'000));
        return policy;
    }
    if (colon != std::string_view::npos) bad_flag("--restart", text, "only on-failure takes a number of retries");
    if (name == "always")
        policy.kind = Kind::always;
    else if (name == "unless-stopped")
        policy.kind = Kind::unless_stopped;
    else if (name != "no" && !name.empty())
        bad_flag("--restart", text, "use no, always, unless-stopped or on-failure[:N]");
    return policy;
}

std::pair<std::string, Service::Ulimit> ulimit_flag(std::string_view text) {
    const auto [name, limits] = pair_flag("--ulimit", text);
    const auto colon = limits.find(':');
    const auto one = [&](std::string_view digits) -> std::int64_t {
        if (digits == "unlimited") return -1;
        return whole_flag("--ulimit", digits, -1, INT64_MAX);
    };
    Service::Ulimit result;
    result.soft = one(std::string_view(limits).substr(0, colon));
    result.hard = colon == std::string::npos ? result.soft : one(std::string_view(limits).substr(colon + 1));
    if (result.hard >= 0 && (result.soft < 0 || result.soft > result.hard))
        bad_flag("--ulimit", text, "the soft limit is above the hard one");
    return {name, result};
}

std::pair<std::string, std::string> storage_flag(std::string_view text) {
    auto option = pair_flag("--storage-opt", text);
    try {
        (void)disk_size({option});
    } catch (const Error& error) {
        bad_flag("--storage-opt", text, error.what());
    }
    return option;
}

DeviceMapping device_flag(std::string_view text) {
    DeviceMapping device;
    const auto parts = split(text, ':');
    if (parts.size() > 3 || parts[0].empty()) bad_flag("--device", text, "write HOST[:PATH[:rwm]]");
    device.source = parts[0];
    const auto is_mode = [](const std::string& word) {
        return !word.empty() && word.find_first_not_of("rwm") == std::string::npos;
    };
    if (device.source.front() != '/') {
        if (device.source.find('=') == std::string::npos || parts.size() > 1)
            bad_flag("--device", text, "a device is an absolute path, or a name like vendor.com/class=name");
        return device;
    }
    device.target = device.source;
    device.permissions = "rwm";
    if (parts.size() == 2 && is_mode(parts[1]))
        device.permissions = parts[1];
    else if (parts.size() >= 2)
        device.target = parts[1];
    if (parts.size() == 3) device.permissions = parts[2];
    if (!is_mode(device.permissions)) bad_flag("--device", text, "permissions are made of r, w and m");
    if (device.target.empty() || device.target.front() != '/')
        bad_flag("--device", text, "the path in the container must be absolute");
    return device;
}

DeviceRequest gpus_flag(std::string_view text) {
    DeviceRequest request;
    request.capabilities = {"gpu"};
    for (const auto& field : csv_fields("--gpus", text)) {
        if (field == "all") {
            request.count = -1;
        } else if (const auto equals = field.find('='); equals == std::string::npos) {
            request.count = whole_flag("--gpus", field, 1, 1000);
        } else {
            const auto key = field.substr(0, equals), value = field.substr(equals + 1);
            if (key == "count")
                request.count = value == "all" ? -1 : whole_flag("--gpus", value, 1, 1000);
            else if (key == "device")
                request.device_ids = split(value, ',');
            else if (key == "driver")
                request.driver = value;
            else if (key == "capabilities")
                request.capabilities = split(value, ',');
            else
                bad_flag("--gpus", text, fmt::format("unknown key {}", quote(key)));
        }
    }
    return request;
}

Limits::DeviceRate rate_flag(std::string_view flag, std::string_view text, bool bytes) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || text.front() != '/')
        bad_flag(flag, text, bytes ? "write DEVICE:BYTES, for example /dev/sda:1mb" : "write DEVICE:NUMBER");
    const auto value = text.substr(colon + 1);
    return {std::string(text.substr(0, colon)),
            bytes ? bytes_flag(flag, value) : whole_flag(flag, value, 0, INT64_MAX)};
}

std::pair<std::string, std::string> host_flag(std::string_view text) {
    const auto at = text.find_first_of("=:");
    if (at == std::string_view::npos || at == 0) bad_flag("--add-host", text, "write NAME:ADDRESS");
    auto address = text.substr(at + 1);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']')
        address = address.substr(1, address.size() - 2);
    const bool known =
        address == "host-gateway" ||
        (!address.empty() && address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos);
    if (!known) bad_flag("--add-host", text, "what follows the name is not an address");
    return {std::string(text.substr(0, at)), std::string(address)};
}

std::optional<std::pair<std::string, std::string>> environment_flag(std::string_view flag, std::string_view text,
                                                                    const std::map<std::string, std::string>& own) {
    const auto [name, value] = pair_flag(flag, text, true);
    if (name.find_first_of(" \t") != std::string::npos && flag == "--env-file")
        bad_flag(flag, text, "a name with a space in it");
    if (text.find('=') != std::string_view::npos) return std::pair{name, value};
    const auto found = own.find(name);
    if (found == own.end()) return std::nullopt;
    return std::pair{name, found->second};
}

std::vector<std::string> file_lines(std::string_view flag, std::string_view file, std::string_view text) {
    if (!is_valid_utf8(text)) throw make_error(ErrorKind::usage, "{} {}: not UTF-8", flag, quote(file));
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::vector<std::string> out;
    for (const auto& line : split(text, '\n')) {
        std::string_view rest(line);
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
        if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
        if (!rest.empty() && rest.front() != '#') out.emplace_back(rest);
    }
    return out;
}

std::pair<std::string, std::string> link_flag(std::string_view text) {
    const auto parts = split(text, ':');
    if (parts.size() > 2 || parts[0].empty() || parts.back().empty())
        bad_flag("--link", text, "write CONTAINER[:ALIAS]");
    return {parts.back(), parts[0]};
}

std::pair<std::string, std::string> endpoint_option_flag(std::string_view flag, std::string_view text) {
    const auto equals = text.find('=');
    const auto key = text.substr(0, equals);
    const bool known = key == "com.docker.network.endpoint.ifname" || key == "com.docker.network.endpoint.sysctls";
    if (!known || equals == std::string_view::npos || equals + 1 == text.size())
        bad_flag(flag, text,
                 "write com.docker.network.endpoint.ifname=NAME or com.docker.network.endpoint.sysctls=LIST");
    return {std::string(key), std::string(text.substr(equals + 1))};
}

NetworkAttachment network_flag(std::string_view text) {
    NetworkAttachment result;
    if (text.empty()) bad_flag("--network", text, "the name is missing");
    if (text.find('=') == std::string_view::npos) {
        result.network = text;
        return result;
    }
    for (const auto& field : csv_fields("--network", text)) {
        const auto [key, value] = pair_flag("--network", field);
        if (key == "name")
            result.network = value;
        else if (key == "alias")
            result.aliases.push_back(value);
        else if (key == "ip")
            result.ipv4_address = value;
        else if (key == "ip6")
            result.ipv6_address = value;
        else if (key == "mac-address")
            result.mac_address = value;
        else if (key == "link-local-ip")
            result.link_local_ips.push_back(value);
        else if (key == "gw-priority")
            result.gw_priority = static_cast<int>(whole_flag("--network", value, -1'000'000, 1'000'000));
        else if (key == "driver-opt")
            result.driver_opts.insert(endpoint_option_flag("--network", value));
        else
            bad_flag("--network", text,
                     fmt::format("{} is not supported; use name, alias, ip, ip6, mac-address, link-local-ip, "
                                 "gw-priority, driver-opt",
                                 quote(key)));
    }
    if (result.network.empty()) bad_flag("--network", text, "name=NETWORK is missing");
    return result;
}

std::vector<std::string> csv_fields(std::string_view flag, std::string_view text) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c != '"')
                out.back() += c;
            else if (i + 1 < text.size() && text[i + 1] == '"')
                out.back() += text[++i];
            else
                quoted = false;
        } else if (c == '"' && out.back().empty()) {
            quoted = true;
        } else if (c == '"') {
            bad_flag(flag, text, "a quote in the middle of a field");
        } else if (c == ',') {
            out.emplace_back();
        } else {
            out.back() += c;
        }
    }
    if (quoted) bad_flag(flag, text, "a quote has no end");
    return out;
}

}  // namespace compose::cli
