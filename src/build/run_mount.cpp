#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "build/paths.hpp"
#include "build/steps.hpp"

namespace compose::build {

namespace {

using Type = RunMount::Type;

struct TypeName {
    std::string_view name;
    Type type;
    std::string_view options;  // that it takes, blanks between
};
constexpr TypeName kTypes[] = {
    {"bind", Type::bind, "target dst destination source src from rw readwrite ro readonly"},
    {"cache", Type::cache, "id target dst destination ro readonly rw readwrite sharing from source src mode uid gid"},
    {"tmpfs", Type::tmpfs, "target dst destination size"},
    {"secret", Type::secret, "id target dst destination source src env required mode uid gid"},
    {"ssh", Type::ssh, "id target dst destination required mode uid gid"},
};

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

class MountParser {
public:
    MountParser(SourcePos pos, Diagnostics& findings) : findings_(findings) { mount_.pos = pos; }

    RunMount run(const std::string& text) {
        const auto parts = split(text, ',');
        for (const auto& part : parts)
            if (part.starts_with("type=")) set_type(part.substr(5));
        for (const auto& part : parts) {
            const auto equals = std::min(part.find('='), part.size());
            const auto key = lower(trim(part.substr(0, equals)));
            if (key == "type") continue;
            set(key, part.substr(std::min(equals + 1, part.size())), equals < part.size());
        }
        complete();
        return std::move(mount_);
    }

private:
    void fail(const std::string& message, const std::string& hint = {}) {
        findings_.error(mount_.pos, "", "--mount: " + message, hint);
    }

    void set_type(const std::string& name) {
        std::vector<std::string_view> names;
        for (const auto& type : kTypes) {
            names.push_back(type.name);
            if (type.name != name) continue;
            kind_ = &type;
            mount_.type = type.type;
            return;
        }
        const auto near = nearest(name, names);
        fail(fmt::format("unknown type {}", quote(name)),
             near.empty() ? "one of bind, cache, tmpfs, secret, ssh" : fmt::format("did you mean {}?", near));
    }

    void set(const std::string& key, const std::string& value, bool has_value) {
        const auto known = words(kind_->options);
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            const auto near = nearest(key, known);
            return fail(fmt::format("type {} has no option {}", kind_->name, quote(key)),
                        near.empty() ? std::string() : fmt::format("did you mean {}?", near));
        }
        if (key == "target" || key == "dst" || key == "destination") {
            mount_.target = value;
        } else if (key == "source" || key == "src") {
            (mount_.type == Type::secret ? mount_.id : mount_.source) = value;
        } else if (key == "from") {
            mount_.from = value;
        } else if (key == "id") {
            mount_.id = value;
        } else if (key == "env") {
            mount_.env = value;
        } else if (key == "sharing") {
            set_sharing(value);
        } else if (key == "size") {
            mount_.size = parse_bytes(value);
            if (!mount_.size || *mount_.size <= 0) fail(fmt::format("{} is not a size", quote(value)));
        } else if (key == "mode" || key == "uid" || key == "gid") {
            set_number(key, value);
        } else {
            const auto on = switched(value, has_value);
            if (!on) return fail(fmt::format("{}={} is neither true nor false", key, value));
            if (key == "required")
                mount_.required = *on;
            else
                read_only_ = (key == "ro" || key == "readonly") == *on;
        }
    }

    static std::optional<bool> switched(const std::string& value, bool has_value) {
        const auto text = lower(value);
        if (!has_value || text == "true" || text == "1") return true;
        if (text == "false" || text == "0") return false;
        return std::nullopt;
    }

    void set_sharing(const std::string& value) {
        if (value == "shared")
            mount_.sharing = RunMount::Sharing::shared;
        else if (value == "private")
            mount_.sharing = RunMount::Sharing::exclusive;
        else if (value == "locked")
            mount_.sharing = RunMount::Sharing::locked;
        else
            fail(fmt::format("unknown sharing {}", quote(value)), "one of shared, private, locked");
    }

    void set_number(const std::string& key, const std::string& value) {
        std::uint32_t number = 0;
        const int base = key == "mode" ? 8 : 10;
        const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number, base);
        const bool good = code == std::errc{} && end == value.data() + value.size() &&
                          (base == 10 || number <= 07777U) && number <= 0x7fffffffU;
        if (!good) return fail(fmt::format("{} is not a {}", quote(value), key == "mode" ? "mode such as 0755" : key));
        if (key == "mode")
            mount_.mode = number;
        else
            (key == "uid" ? mount_.uid : mount_.gid) = number;
    }

    void complete() {
        switch (mount_.type) {
            case Type::bind:
                mount_.read_only = read_only_.value_or(true);
                break;
            case Type::cache:
                mount_.read_only = read_only_.value_or(false);
                if (mount_.id.empty()) mount_.id = mount_.target;
                break;
            case Type::secret:
                if (mount_.id.empty()) mount_.id = std::string(base_name(mount_.target));
                if (mount_.id.empty()) return fail("type secret needs an id");
                if (mount_.target.empty() && mount_.env.empty()) mount_.target = "/run/secrets/" + mount_.id;
                break;
            case Type::ssh:
                if (mount_.id.empty()) mount_.id = "default";
                if (mount_.target.empty()) mount_.target = "/run/buildkit/ssh_agent." + mount_.id;
                break;
            case Type::tmpfs:
                break;
        }
        if (mount_.target.empty()) {
            if (mount_.type != Type::secret)
                fail(fmt::format("type {} needs a target", kind_->name), "add target=/path");
            return;
        }
    }

    Diagnostics& findings_;
    RunMount mount_;
    const TypeName* kind_ = &kTypes[0];
    std::optional<bool> read_only_;
};

}  // namespace

RunMount parse_run_mount(const std::string& text, SourcePos pos, Diagnostics& findings) {
    return MountParser(pos, findings).run(text);
}

bool is_mountable(const std::string& target) {
    const auto clean = clean_relative(target);
    if (clean.empty()) return false;
    for (const std::string top : {"proc", "sys", "dev"})
        if (clean == top || clean.starts_with(top + "/")) return false;
    return true;
}

RunDevice parse_run_device(const std::string& text, SourcePos pos, Diagnostics& findings) {
    RunDevice device;
    device.pos = pos;
    for (const auto& part : split(text, ',')) {
        if (part == "required" || part == "required=true")
            device.required = true;
        else if (part == "required=false")
            device.required = false;
        else if (device.name.empty())
            device.name = part.starts_with("name=") ? part.substr(5) : part;
        else
            findings.error(pos, "", fmt::format("--device has no option {}", quote(part)),
                           "write --device=vendor.com/class=name, or add ,required");
    }
    const auto slash = device.name.find('/');
    if (slash == std::string::npos || slash == 0 || device.name.find('=', slash) == std::string::npos)
        findings.error(pos, "", fmt::format("--device: {} is no name of a device", quote(device.name)),
                       "write it as /etc/cdi names it: vendor.com/class=name");
    return device;
}

}  // namespace compose::build
