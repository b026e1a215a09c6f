// ContainerSpec as JSON: what the store keeps and the supervisor is sent.
#include "base/error.hpp"
#include "base/json.hpp"
#include "runtime/spec.hpp"

namespace compose::runtime {
namespace {

constexpr const char* kKinds[] = {"bind", "tmpfs", "image"};
constexpr const char* kModes[] = {"own", "host", "joined"};

// One description of the fields serves both directions: `Archive` writes them into an object or reads them from one.
class Writer {
public:
    json::object object;

    template <class T>
    void field(const char* key, const T& value) {
        object[key] = write(value);
    }

private:
    static json::value write(const std::string& value) { return json::value(value); }
    static json::value write(bool value) { return value; }
    static json::value write(int value) { return value; }
    static json::value write(std::int64_t value) { return value; }
    static json::value write(std::uint64_t value) { return value; }
    static json::value write(std::uint16_t value) { return value; }
    static json::value write(double value) { return value; }
    static json::value write(MountSpec::Kind value) { return json::value(kKinds[static_cast<int>(value)]); }
    static json::value write(NamespaceMode value) { return json::value(kModes[static_cast<int>(value)]); }
    template <class T>
    static json::value write(const std::optional<T>& value) {
        return value ? write(*value) : json::value(nullptr);
    }
    template <class T>
    static json::value write(const std::vector<T>& values) {
        json::array result;
        for (const auto& value : values) result.push_back(write(value));
        return result;
    }
    static json::value write(const std::map<std::string, std::string>& values) {
        json::object result;
        for (const auto& [key, value] : values) result[key] = value;
        return result;
    }
    template <class T>
    static json::value write(const T& value);
};

class Reader {
public:
    explicit Reader(const json::value& value) : value_(&value) {
        if (!value.is_object()) throw bad("an object");
    }

    template <class T>
    void field(const char* key, T& value) {
        const auto* found = value_->get_object().if_contains(key);
        if (found == nullptr) throw make_error(ErrorKind::invalid, "container description has no {}", key);
        read(*found, value);
        ++used_;
    }
    void end() const {
        if (used_ != value_->get_object().size())
            throw make_error(ErrorKind::invalid, "container description has unknown members");
    }

private:
    static Error bad(const char* expected) {
        return make_error(ErrorKind::invalid, "container description: expected {}", expected);
    }
    static void read(const json::value& from, std::string& to) {
        if (!from.is_string()) throw bad("a text");
        to = std::string(from.get_string());
    }
    static void read(const json::value& from, bool& to) {
        if (!from.is_bool()) throw bad("true or false");
        to = from.get_bool();
    }
    static void read(const json::value& from, double& to) {
        if (!from.is_number()) throw bad("a number");
        to = from.to_number<double>();
    }
    template <class T>
    requires std::is_integral_v<T>
    static void read(const json::value& from, T& to) {
        json::error_code error;
        to = from.to_number<T>(error);
        if (error) throw bad("a number in range");
    }
    static void read(const json::value& from, MountSpec::Kind& to) {
        to = static_cast<MountSpec::Kind>(one_of(from, kKinds, "a kind of mount"));
    }
    static void read(const json::value& from, NamespaceMode& to) {
        to = static_cast<NamespaceMode>(one_of(from, kModes, "own, host or joined"));
    }
    static int one_of(const json::value& from, const char* const (&words)[3], const char* expected) {
        std::string text;
        read(from, text);
        for (int i = 0; i < 3; ++i)
            if (text == words[i]) return i;
        throw bad(expected);
    }
    template <class T>
    static void read(const json::value& from, std::optional<T>& to) {
        to.reset();
        if (!from.is_null()) read(from, to.emplace());
    }
    template <class T>
    static void read(const json::value& from, std::vector<T>& to) {
        if (!from.is_array()) throw bad("a list");
        to.clear();
        for (const auto& item : from.get_array()) read(item, to.emplace_back());
    }
    static void read(const json::value& from, std::map<std::string, std::string>& to) {
        if (!from.is_object()) throw bad("an object");
        to.clear();
        for (const auto& item : from.get_object()) read(item.value(), to[std::string(item.key())]);
    }
    template <class T>
    requires std::is_class_v<T>
    static void read(const json::value& from, T& to);

    const json::value* value_;
    std::size_t used_ = 0;
};

template <class Archive, class Mount>
void fields(Archive& archive, Mount& mount) requires std::is_same_v<std::remove_const_t<Mount>, MountSpec> {
    archive.field("kind", mount.kind);
    archive.field("source", mount.source);
    archive.field("target", mount.target);
    archive.field("read_only", mount.read_only);
    archive.field("recursive_read_only", mount.recursive_read_only);
    archive.field("recursive", mount.recursive);
    archive.field("propagation", mount.propagation);
    archive.field("options", mount.options);
    archive.field("subpath", mount.subpath);
    archive.field("lower", mount.lower);
    archive.field("volume", mount.volume);
    archive.field("for_this_one", mount.for_this_one);
}

template <class Archive, class Device>
void fields(Archive& archive, Device& device) requires std::is_same_v<std::remove_const_t<Device>, DeviceSpec> {
    archive.field("source", device.source);
    archive.field("target", device.target);
    archive.field("permissions", device.permissions);
    archive.field("type", device.type);
    archive.field("major", device.major);
    archive.field("minor", device.minor);
    archive.field("mode", device.mode);
    archive.field("uid", device.uid);
    archive.field("gid", device.gid);
}

template <class Archive, class Device>
void fields(Archive& archive, Device& device) requires std::is_same_v<std::remove_const_t<Device>, NetDevice> {
    archive.field("host", device.host);
    archive.field("name", device.name);
}

template <class Archive, class Share>
void fields(Archive& archive, Share& share) requires std::is_same_v<std::remove_const_t<Share>, CacheShare> {
    archive.field("group", share.group);
    archive.field("schemata", share.schemata);
}

template <class Archive, class Rate>
void fields(Archive& archive, Rate& rate) requires std::is_same_v<std::remove_const_t<Rate>, DeviceRate> {
    archive.field("path", rate.path);
    archive.field("rate", rate.rate);
}

template <class Archive, class Limit>
void fields(Archive& archive, Limit& limit) requires std::is_same_v<std::remove_const_t<Limit>, Rlimit> {
    archive.field("name", limit.name);
    archive.field("soft", limit.soft);
    archive.field("hard", limit.hard);
}

template <class Archive, class Process>
void fields(Archive& archive, Process& process) requires std::is_same_v<std::remove_const_t<Process>, ProcessSpec> {
    archive.field("args", process.args);
    archive.field("env", process.env);
    archive.field("cwd", process.cwd);
    archive.field("user", process.user);
    archive.field("additional_groups", process.additional_groups);
    archive.field("terminal", process.terminal);
    archive.field("rows", process.rows);
    archive.field("columns", process.columns);
    archive.field("privileged", process.privileged);
}

template <class Archive, class Limits>
void fields(Archive& archive, Limits& resources) requires std::is_same_v<std::remove_const_t<Limits>, Resources> {
    archive.field("memory", resources.memory);
    archive.field("memory_swap", resources.memory_swap);
    archive.field("pids", resources.pids);
    archive.field("cpus", resources.cpus);
    archive.field("cpu_shares", resources.cpu_shares);
    archive.field("cpuset_cpus", resources.cpuset_cpus);
    archive.field("cpuset_mems", resources.cpuset_mems);
    archive.field("cpu_quota", resources.cpu_quota);
    archive.field("cpu_period", resources.cpu_period);
    archive.field("cpu_rt_runtime", resources.cpu_rt_runtime);
    archive.field("cpu_rt_period", resources.cpu_rt_period);
    archive.field("memory_reservation", resources.memory_reservation);
    archive.field("memory_swappiness", resources.memory_swappiness);
    archive.field("oom_kill_disable", resources.oom_kill_disable);
    archive.field("blkio_weight", resources.blkio_weight);
    archive.field("blkio_weight_device", resources.blkio_weight_device);
    archive.field("read_bps", resources.read_bps);
    archive.field("write_bps", resources.write_bps);
    archive.field("read_iops", resources.read_iops);
    archive.field("write_iops", resources.write_iops);
}

template <class Archive, class Spec>
void fields(Archive& archive, Spec& spec) requires std::is_same_v<std::remove_const_t<Spec>, ContainerSpec> {
    archive.field("id", spec.id);
    archive.field("name", spec.name);
    archive.field("lower", spec.lower);
    archive.field("upper", spec.upper);
    archive.field("work", spec.work);
    archive.field("disk", spec.disk);
    archive.field("disk_place", spec.disk_place);
    archive.field("read_only", spec.read_only);
    archive.field("hostname", spec.hostname);
    archive.field("domainname", spec.domainname);
    archive.field("hosts_file", spec.hosts_file);
    archive.field("resolv_conf_file", spec.resolv_conf_file);
    archive.field("hostname_file", spec.hostname_file);
    archive.field("process", spec.process);
    archive.field("mounts", spec.mounts);
    archive.field("shm_size", spec.shm_size);
    archive.field("network", spec.network);
    archive.field("pid", spec.pid);
    archive.field("ipc", spec.ipc);
    archive.field("uts", spec.uts);
    archive.field("cgroup", spec.cgroup);
    archive.field("network_of", spec.network_of);
    archive.field("pid_of", spec.pid_of);
    archive.field("ipc_of", spec.ipc_of);
    archive.field("shared_memory", spec.shared_memory);
    archive.field("joinable_ipc", spec.joinable_ipc);
    archive.field("cap_add", spec.cap_add);
    archive.field("cap_drop", spec.cap_drop);
    archive.field("privileged", spec.privileged);
    archive.field("no_new_privileges", spec.no_new_privileges);
    archive.field("apparmor", spec.apparmor);
    archive.field("process_label", spec.process_label);
    archive.field("mount_label", spec.mount_label);
    archive.field("seccomp_unconfined", spec.seccomp_unconfined);
    archive.field("seccomp_profile", spec.seccomp_profile);
    archive.field("unprotected_paths", spec.unprotected_paths);
    archive.field("writable_cgroups", spec.writable_cgroups);
    archive.field("devices", spec.devices);
    archive.field("net_devices", spec.net_devices);
    archive.field("cache_share", spec.cache_share);
    archive.field("device_rules", spec.device_rules);
    archive.field("init", spec.init);
    archive.field("sysctls", spec.sysctls);
    archive.field("rlimits", spec.rlimits);
    archive.field("resources", spec.resources);
    archive.field("cgroup_parent", spec.cgroup_parent);
    archive.field("oom_score_adj", spec.oom_score_adj);
    archive.field("stdin_open", spec.stdin_open);
}

template <class T>
json::value Writer::write(const T& value) {
    Writer inner;
    fields(inner, value);
    return std::move(inner.object);
}

template <class T>
requires std::is_class_v<T>
void Reader::read(const json::value& from, T& to) {
    Reader inner(from);
    fields(inner, to);
    inner.end();
}

}  // namespace

std::string to_json(const ContainerSpec& spec) {
    Writer writer;
    fields(writer, spec);
    return json::serialize(writer.object);
}

ContainerSpec spec_from_json(std::string_view text) {
    const json::value value = parse_json(text);
    ContainerSpec spec;
    Reader reader(value);
    fields(reader, spec);
    reader.end();
    return spec;
}

}  // namespace compose::runtime
