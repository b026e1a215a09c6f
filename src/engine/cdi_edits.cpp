#include "engine/cdi_edits.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/mount_options.hpp"

namespace compose::engine {
namespace {

constexpr std::int64_t kMostId = std::numeric_limits<std::uint32_t>::max() - 1;

// One mapping of the file. Whatever in it is not asked for is refused in the end.
class Section {
public:
    Section(const Node& node, const std::string& file, const char* what) : node_(node), file_(file), what_(what) {
        if (!node.is_mapping()) throw bad(node, fmt::format("{} is no mapping", what));
    }

    [[nodiscard]] std::string text(const char* key) {
        const Node* found = use(key);
        if (found == nullptr || found->is_null()) return {};
        if (!found->is_scalar()) throw bad(*found, fmt::format("{} is no text", key));
        return found->text;
    }
    [[nodiscard]] std::optional<std::int64_t> number(const char* key, std::int64_t most) {
        const Node* found = use(key);
        if (found == nullptr || found->is_null()) return std::nullopt;
        return number_of(*found, key, most);
    }
    [[nodiscard]] std::span<const Node> list(const char* key) {
        const Node* found = use(key);
        if (found == nullptr || found->is_null()) return {};
        if (!found->is_sequence()) throw bad(*found, fmt::format("{} is no list", key));
        return found->items;
    }
    [[nodiscard]] std::vector<std::string> texts(const char* key) {
        std::vector<std::string> result;
        for (const Node& item : list(key)) {
            if (!item.is_scalar()) throw bad(item, fmt::format("{} has an entry that is no text", key));
            result.push_back(item.text);
        }
        return result;
    }
    [[nodiscard]] std::int64_t number_of(const Node& node, const char* key, std::int64_t most) const {
        if (node.kind != Node::Kind::integer || node.integer < 0 || node.integer > most)
            throw bad(node, fmt::format("{} {} is no number from 0 to {}", key, quote(node.text), most));
        return node.integer;
    }
    void end() const {
        for (const auto& entry : node_.entries)
            if (std::find(used_.begin(), used_.end(), entry.key) == used_.end())
                throw bad(entry.value, fmt::format("{} has an unknown field {}", what_, quote(entry.key)));
    }
    /// Nothing when it is absent or null.
    [[nodiscard]] const Node* find(const char* key) {
        const Node* found = use(key);
        return found == nullptr || found->is_null() ? nullptr : found;
    }
    [[nodiscard]] Error bad(const Node& at, const std::string& why) const {
        return make_error(ErrorKind::invalid, "{}:{}: {}", file_, at.pos.line, why);
    }
    [[nodiscard]] Error bad(const std::string& why) const { return bad(node_, why); }

private:
    const Node* use(const char* key) {
        used_.emplace_back(key);
        return node_.find(key);
    }

    const Node& node_;
    const std::string& file_;
    const char* what_;
    std::vector<std::string_view> used_;
};

runtime::DeviceSpec device_of(const Node& node, const std::string& file) {
    constexpr std::int64_t kMostMajor = 0xfff, kMostMinor = 0xfffff, kMostMode = 0177777;
    Section section(node, file, "a device node");
    runtime::DeviceSpec device;
    device.target = section.text("path");
    device.source = section.text("hostPath");
    device.permissions = section.text("permissions");
    device.type = section.text("type");
    device.major = section.number("major", kMostMajor);
    device.minor = section.number("minor", kMostMinor);
    device.mode = section.number("fileMode", kMostMode);
    device.uid = section.number("uid", kMostId);
    device.gid = section.number("gid", kMostId);
    section.end();
    if (device.target.empty()) throw section.bad("a device node without a path");
    if (device.permissions.find_first_not_of("rwm") != std::string::npos)
        throw section.bad(fmt::format("permissions {} are not of \"rwm\"", quote(device.permissions)));
    if (!device.type.empty() && (device.type.size() != 1 || std::string("bcup").find(device.type) == std::string::npos))
        throw section.bad(fmt::format("there is no type of device {}", quote(device.type)));
    if (device.mode) *device.mode &= 07777;  // Go's tools write the type along
    // Numbers that stand there need no node on the host.
    const bool complete = device.type == "p" || (!device.type.empty() && device.major.value_or(0) != 0);
    if (device.source.empty() && !complete) device.source = device.target;
    if (complete) device.source.clear();
    return device;
}

bool is_propagation(const std::string& word) {
    static constexpr std::string_view kWords[] = {"private", "rprivate", "slave",      "rslave",
                                                  "shared",  "rshared",  "unbindable", "runbindable"};
    return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

void bind_options(const std::vector<std::string>& words, runtime::MountSpec& mount) {
    std::vector<std::string> others;
    mount.recursive_read_only = false;
    for (const auto& word : words) {
        if (word == "bind" || word == "rbind") {
            mount.recursive = word == "rbind";
        } else if (word == "ro" || word == "rw" || word == "rro") {
            mount.read_only = word != "rw";
            mount.recursive_read_only = word == "rro";
        } else if (is_propagation(word)) {
            mount.propagation = word;
        } else {
            others.push_back(word);
        }
    }
    mount.options = join(others, ",");
    (void)runtime::parse_bind_options(mount.options);
}

void tmpfs_options(const std::vector<std::string>& words, runtime::MountSpec& mount) {
    std::vector<std::string> options{"suid", "dev", "exec"};  // here nothing is forbidden unless it stands there
    for (const auto& word : words)
        if (word != "private" && word != "rprivate") options.push_back(word);
    mount.options = join(options, ",");
    (void)runtime::parse_tmpfs_options(mount.options);
}

runtime::MountSpec mount_of(const Node& node, const std::string& file) {
    Section section(node, file, "a mount");
    runtime::MountSpec mount;
    mount.source = section.text("hostPath");
    mount.target = section.text("containerPath");
    mount.for_this_one = true;
    const auto type = section.text("type");
    const auto options = section.texts("options");
    section.end();
    const bool memory = type == "tmpfs";
    if (!memory && !type.empty() && type != "bind" && type != "none")
        throw make_error(ErrorKind::unavailable, "{}:{}: mounts of type {} are not made", file, node.pos.line,
                         quote(type))
            .with_hint("bind and tmpfs are");
    if (!mount.target.starts_with('/') || (!memory && !mount.source.starts_with('/')))
        throw section.bad("a mount needs absolute paths");
    try {
        if (memory) {
            mount.kind = runtime::MountSpec::Kind::tmpfs;
            tmpfs_options(options, mount);
        } else {
            bind_options(options, mount);
        }
    } catch (const Error& error) {
        throw section.bad(error.what());
    }
    return mount;
}

runtime::HostHook hook_of(const Node& node, const std::string& file) {
    static constexpr std::string_view kStages[] = {"prestart",       "createRuntime", "createContainer",
                                                   "startContainer", "poststart",     "poststop"};
    Section section(node, file, "a hook");
    runtime::HostHook hook;
    hook.stage = section.text("hookName");
    hook.path = section.text("path");
    hook.origin = file;
    hook.args = section.texts("args");
    hook.env = section.texts("env");
    if (const auto timeout = section.number("timeout", std::numeric_limits<std::int32_t>::max())) {
        if (*timeout == 0) throw section.bad("a hook's timeout of 0 s can't be kept");
        hook.timeout = std::chrono::seconds(*timeout);
    }
    section.end();
    if (std::find(std::begin(kStages), std::end(kStages), hook.stage) == std::end(kStages))
        throw section.bad(fmt::format("there is no kind of hook {}", quote(hook.stage)));
    if (!hook.path.starts_with('/'))
        throw section.bad(fmt::format("the hook's path {} is not absolute", quote(hook.path)));
    return hook;
}

runtime::NetDevice net_device_of(const Node& node, const std::string& file) {
    constexpr std::size_t kLongest = 15;
    Section section(node, file, "a network device");
    runtime::NetDevice device;
    device.host = section.text("hostInterfaceName");
    device.name = section.text("name");
    section.end();
    if (device.name.empty()) device.name = device.host;
    for (const auto& name : {device.host, device.name})
        if (name.empty() || name.size() > kLongest || name == "." || name == ".." || name == "lo" ||
            name.find_first_of("/ :%\t\n") != std::string::npos)
            throw section.bad(fmt::format("{} is no name of a network interface", quote(name)));
    return device;
}

bool has_control(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

runtime::CacheShare cache_share_of(const Node& node, const std::string& file) {
    static constexpr std::string_view kKernels[] = {".", "..", "info", "mon_groups", "mon_data"};
    Section section(node, file, "intelRdt");
    runtime::CacheShare share;
    share.group = section.text("closID");
    share.schemata = section.texts("schemata");
    for (const char* key : {"l3CacheSchema", "memBwSchema"})
        for (auto& line : split(section.text(key), '\n'))
            if (!line.empty()) share.schemata.push_back(std::move(line));
    for (const char* key : {"enableCMT", "enableMBM", "enableMonitoring"})
        if (const Node* found = section.find(key); found != nullptr && found->text != "false")
            throw make_error(ErrorKind::unavailable, "{}:{}: {}: nothing is monitored", file, found->pos.line, key);
    section.end();
    if (has_control(share.group) || share.group.find('/') != std::string::npos ||
        std::find(std::begin(kKernels), std::end(kKernels), share.group) != std::end(kKernels))
        throw section.bad(fmt::format("{} is no name of a group", quote(share.group)));
    for (const auto& line : share.schemata)
        if (has_control(line) || line.find(':') == std::string::npos)
            throw section.bad(fmt::format("{} is no schema", quote(line)));
    if (share.group.empty() && share.schemata.empty()) throw section.bad("intelRdt has neither a group nor schemata");
    return share;
}

}  // namespace

void add_edits(const Node* edits, const std::string& file, CdiEdits& out) {
    if (edits == nullptr || edits->is_null()) return;
    Section section(*edits, file, "containerEdits");
    for (auto& entry : section.texts("env")) {
        if (entry.find('=') == std::string::npos || entry.starts_with('='))
            throw section.bad(fmt::format("{} in env is not like NAME=VALUE", quote(entry)));
        out.environment.push_back(std::move(entry));
    }
    for (const Node& node : section.list("deviceNodes")) out.devices.push_back(device_of(node, file));
    for (const Node& node : section.list("mounts")) out.mounts.push_back(mount_of(node, file));
    for (const Node& node : section.list("hooks")) out.hooks.push_back(hook_of(node, file));
    for (const Node& node : section.list("netDevices")) out.net_devices.push_back(net_device_of(node, file));
    if (const Node* node = section.find("intelRdt"); node != nullptr) out.cache_share = cache_share_of(*node, file);
    for (const Node& node : section.list("additionalGids"))
        if (const auto gid = section.number_of(node, "additionalGids", kMostId); gid != 0)
            out.groups.push_back(std::to_string(gid));
    section.end();
}

}  // namespace compose::engine
