// The part of a launch plan that builds the container's file system: root, /proc, /sys, /dev, volumes, and last what
// must not be seen or written.

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "runtime/mount_options.hpp"
#include "runtime/plan_builder.hpp"
#include "sys/kernel_abi.hpp"
#include "sys/mount.hpp"

namespace compose::runtime {
namespace {

using namespace sys::mount_attribute;

struct Propagation {
    std::string_view name;
    unsigned long type;
    bool recursive;
};
constexpr Propagation kPropagations[] = {
    {"private", MS_PRIVATE, false},       {"rprivate", MS_PRIVATE, true},       {"slave", MS_SLAVE, false},
    {"rslave", MS_SLAVE, true},           {"shared", MS_SHARED, false},         {"rshared", MS_SHARED, true},
    {"unbindable", MS_UNBINDABLE, false}, {"runbindable", MS_UNBINDABLE, true},
};

const Propagation& propagation_of(const MountSpec& mount) {
    for (const auto& known : kPropagations)
        if (known.name == mount.propagation) return known;
    throw make_error(ErrorKind::invalid, "unknown propagation {} of mount {}", quote(mount.propagation), mount.target);
}

// The volumes of the spec and the three generated files, parents before children.
std::vector<MountSpec> effective_mounts(const ContainerSpec& spec) {
    std::vector<MountSpec> mounts;
    const std::pair<const std::string*, const char*> generated[] = {{&spec.hosts_file, "/etc/hosts"},
                                                                    {&spec.resolv_conf_file, "/etc/resolv.conf"},
                                                                    {&spec.hostname_file, "/etc/hostname"}};
    for (const auto& [source, target] : generated) {
        const auto same = [&, &target = target](const MountSpec& mount) { return mount.target == target; };
        if (source->empty() || std::any_of(spec.mounts.begin(), spec.mounts.end(), same)) continue;
        MountSpec& mount = mounts.emplace_back();
        mount.source = *source;
        mount.target = target;
    }
    mounts.insert(mounts.end(), spec.mounts.begin(), spec.mounts.end());
    for (auto& mount : mounts)
        mount.target = mount_target(mount.target, mount.kind == MountSpec::Kind::bind && mount.read_only);
    const auto depth = [](const MountSpec& mount) { return std::count(mount.target.begin(), mount.target.end(), '/'); };
    std::stable_sort(mounts.begin(), mounts.end(), [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
    return mounts;
}

std::string cgroup_directory(const PlanBuilder& plan, const std::string& hierarchy) {
    return fmt::format("/sys/fs/cgroup/{}/{}/{}", hierarchy, plan.spec.cgroup_parent, plan.spec.id);
}

std::vector<std::string> visible_hierarchies(const HostFacts& facts) {
    auto names = facts.cgroup_v1;
    if (facts.cgroup_unified) names.emplace_back("unified");
    return names;
}

// Relative and lexically clean; that links in it stay inside is the kernel's business.
std::string clean_subpath(const std::string& subpath) {
    std::vector<std::string> parts;
    for (auto& part : split(subpath, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..")
            throw make_error(ErrorKind::invalid, "subpath {} of a volume must not contain \"..\"", quote(subpath));
        parts.push_back(std::move(part));
    }
    return join(parts, "/");
}

void open_source(PlanBuilder& plan, const std::string& source, bool recursive, const std::string& subpath = {}) {
    const std::string inside = clean_subpath(subpath);
    Op& op = plan.add(OpKind::open_source, "open " + source + (inside.empty() ? "" : "/" + inside));
    op.source = plan.arena.text(source);
    op.target = plan.arena.text(inside);
    op.recursive = recursive;
    op.slot = plan.slots++;
}

void open_image(PlanBuilder& plan, const MountSpec& mount) {
    if (mount.lower.empty()) throw make_error(ErrorKind::invalid, "mount {}: the image has no layers", mount.target);
    const std::string inside = clean_subpath(mount.subpath);
    Op& op = plan.add(OpKind::open_image, fmt::format("open {} of image {}", quote("/" + inside), mount.source));
    std::vector<const char*> lower;
    for (const auto& path : mount.lower) lower.push_back(plan.arena.text(path));
    op.list = plan.arena.list(lower);
    op.target = plan.arena.text(inside);
    op.attributes = kReadOnly;
    op.slot = plan.slots++;
}

using Options = std::vector<std::pair<std::string, std::string>>;

// SELinux: all files of a file system that is the container's own have one context. The kernel's own have others.
Options labelled(const PlanBuilder& plan, Options options) {
    if (!plan.spec.mount_label.empty()) options.emplace_back("context", plan.spec.mount_label);
    return options;
}

Op& mount_new(PlanBuilder& plan, Handle place, const char* type, const std::string& target, std::uint64_t attributes,
              const Options& options, Handle save = Handle::none) {
    const std::string shown = (place == Handle::dev      ? "/dev/"
                               : place == Handle::cgroup ? "/sys/fs/cgroup/"
                                                         : "/") +
                              target;
    Op& op = plan.add(OpKind::mount_new, fmt::format("mount {} on {}", type, shown));
    op.place = place;
    op.source = type;
    op.target = plan.arena.text(target);
    op.attributes = attributes;
    op.options = plan.options(options);
    op.save = save;
    return op;
}

void entry(PlanBuilder& plan, OpKind kind, Handle place, const std::string& target, const char* source = "") {
    Op& op = plan.add(kind, fmt::format("make {}", target));
    op.place = place;
    op.target = plan.arena.text(target);
    op.source = source;
    op.mode = 0755;
}

void device(PlanBuilder& plan, const DeviceNode& node, unsigned mode) {
    Op& op = plan.add(OpKind::device, "make device /dev/" + node.path);
    op.place = Handle::dev;
    op.target = plan.arena.text(node.path);
    op.mode = mode | (node.type == 'b' ? S_IFBLK : node.type == 'p' ? S_IFIFO : S_IFCHR);
    // The kernel's own packing of mknod's argument.
    op.a = (node.minor & 0xffU) | (std::uint64_t{node.major} << 8U) | (std::uint64_t{node.minor & ~0xffU} << 12U);
    op.b = std::uint64_t{node.uid} << 32U | node.gid;
}

void plan_host_devices(PlanBuilder& plan) {
    std::set<std::string> made;
    for (const auto& node : plan.facts.devices) {
        for (std::size_t slash = node.path.find('/'); slash != std::string::npos;
             slash = node.path.find('/', slash + 1))
            if (made.insert(node.path.substr(0, slash)).second)
                entry(plan, OpKind::directory, Handle::dev, node.path.substr(0, slash));
        if (made.insert(node.path).second) device(plan, node, node.mode & 07777U);
    }
}

void plan_dev(PlanBuilder& plan) {
    mount_new(plan, Handle::root, "tmpfs", "dev", kNosuid | kStrictatime,
              labelled(plan, {{"mode", "755"}, {"size", "65536k"}}), Handle::dev);
    for (const char* name : {"pts", "shm", "mqueue"}) entry(plan, OpKind::directory, Handle::dev, name);
    const DeviceNode standard[] = {{"null", 'c', 1, 3},   {"zero", 'c', 1, 5},    {"full", 'c', 1, 7},
                                   {"random", 'c', 1, 8}, {"urandom", 'c', 1, 9}, {"tty", 'c', 5, 0}};
    const auto& wanted = plan.facts.devices;
    for (const auto& node : standard) {
        const auto same = [&](const DeviceNode& other) { return other.path == node.path; };
        if (std::none_of(wanted.begin(), wanted.end(), same)) device(plan, node, 0666);
    }
    entry(plan, OpKind::symlink, Handle::dev, "ptmx", "pts/ptmx");
    entry(plan, OpKind::symlink, Handle::dev, "fd", "/proc/self/fd");
    entry(plan, OpKind::symlink, Handle::dev, "stdin", "/proc/self/fd/0");
    entry(plan, OpKind::symlink, Handle::dev, "stdout", "/proc/self/fd/1");
    entry(plan, OpKind::symlink, Handle::dev, "stderr", "/proc/self/fd/2");
    if (plan.facts.kcore) entry(plan, OpKind::symlink, Handle::dev, "core", "/proc/kcore");
    plan_host_devices(plan);
    constexpr std::uint64_t kPlain = kNosuid | kNoexec;
    mount_new(plan, Handle::dev, "devpts", "pts", kPlain,
              labelled(plan, {{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}}), Handle::pts);
    mount_new(plan, Handle::dev, "mqueue", "mqueue", kPlain | kNodev, {});
    if (plan.spec.ipc == NamespaceMode::own && plan.spec.shared_memory)
        mount_new(plan, Handle::dev, "tmpfs", "shm", kPlain | kNodev,
                  labelled(plan, {{"mode", "1777"}, {"size", std::to_string(plan.spec.shm_size)}}));
}

void plan_cgroup_mounts(PlanBuilder& plan) {
    const std::uint64_t flags = kNosuid | kNodev | kNoexec;
    const std::uint64_t access = plan.spec.privileged || plan.spec.writable_cgroups ? 0 : kReadOnly;
    if (plan.facts.cgroup_v2) {
        mount_new(plan, Handle::root, "cgroup2", "sys/fs/cgroup", flags | access, {});
        return;
    }
    const auto names = visible_hierarchies(plan.facts);
    if (names.empty()) return;
    mount_new(plan, Handle::root, "tmpfs", "sys/fs/cgroup", flags, labelled(plan, {{"mode", "755"}, {"size", "64k"}}),
              Handle::cgroup);
    int slot = 0;
    for (const auto& name : names) {
        entry(plan, OpKind::directory, Handle::cgroup, name);
        if (plan.spec.cgroup == NamespaceMode::own) {
            if (name == "unified")
                mount_new(plan, Handle::cgroup, "cgroup2", name, flags | access, {});
            else
                mount_new(plan, Handle::cgroup, "cgroup", name, flags | access, {{name, ""}});
            continue;
        }
        // In the host's cgroup namespace only the container's own directory of each hierarchy may be seen.
        Op& op = plan.add(OpKind::attach_source, "mount cgroup on /sys/fs/cgroup/" + name);
        op.place = Handle::cgroup;
        op.target = plan.arena.text(name);
        op.slot = slot++;
        op.attributes = flags | access;
        op.propagation = MS_PRIVATE;
    }
    Op& seal = plan.add(OpKind::seal, "make /sys/fs/cgroup read-only");
    seal.place = Handle::cgroup;
    seal.attributes = kReadOnly;
}

void plan_tmpfs(PlanBuilder& plan, const MountSpec& mount) {
    const TmpfsOptions parsed = parse_tmpfs_options(mount.options);
    Op& op = mount_new(plan, Handle::none, "tmpfs", mount.target, parsed.attributes | (mount.read_only ? kReadOnly : 0),
                       labelled(plan, parsed.values));
    op.inherit_mode = std::none_of(parsed.values.begin(), parsed.values.end(),
                                   [](const auto& option) { return option.first == "mode"; });
}

void plan_attributes(PlanBuilder& plan, const MountSpec& mount, int slot, MountAttributes attributes, bool recursive) {
    if (attributes.empty()) return;
    Op& op = plan.add(OpKind::set_attributes, fmt::format("set the options of {} on /{}", mount.source, mount.target));
    op.slot = slot;
    op.attributes = attributes.set;
    op.a = attributes.cleared;
    op.recursive = recursive;
}

void plan_bind(PlanBuilder& plan, const MountSpec& mount, int slot) {
    const Propagation& propagation = propagation_of(mount);
    const BindOptions options = parse_bind_options(mount.options);
    plan_attributes(plan, mount, slot, options.all, true);
    plan_attributes(plan, mount, slot, options.own, false);
    Op& op = plan.add(OpKind::attach_source, fmt::format("mount {} on /{}", mount.source, mount.target));
    op.target = plan.arena.text(mount.target);
    op.slot = slot;
    op.attributes = mount.read_only || mount.kind == MountSpec::Kind::image ? kReadOnly : 0;
    op.recursive = mount.recursive && mount.recursive_read_only;
    op.propagation = propagation.type;
    op.flag = propagation.recursive;
}

}  // namespace

std::string mount_target(const std::string& target, bool read_only_bind) {
    if (!target.starts_with('/'))
        throw make_error(ErrorKind::invalid, "mount target {} is not an absolute path", quote(target));
    std::vector<std::string> parts;
    for (auto& part : split(target, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            parts.push_back(std::move(part));
        else if (!parts.empty())
            parts.pop_back();
    }
    if (parts.empty()) throw make_error(ErrorKind::invalid, "nothing can be mounted on / of a container");
    std::string clean = join(parts, "/");
    static constexpr std::string_view kInProc[] = {"cpuinfo",
                                                   "diskstats",
                                                   "meminfo",
                                                   "stat",
                                                   "swaps",
                                                   "uptime",
                                                   "loadavg",
                                                   "slabinfo",
                                                   "sys/kernel/ns_last_pid",
                                                   "sys/crypto/fips_enabled"};
    if (clean == "proc" || clean.starts_with("proc/")) {
        const auto inside = std::string_view(clean).substr(std::min<std::size_t>(clean.size(), 5));
        if (std::find(std::begin(kInProc), std::end(kInProc), inside) == std::end(kInProc))
            throw make_error(ErrorKind::invalid, "mount target {} lies in /proc, which belongs to the kernel",
                             quote(target));
    }
    if (clean == "sys" && !read_only_bind)
        throw make_error(ErrorKind::invalid,
                         "mount target /sys belongs to the kernel: only a read-only bind may cover it");
    return clean;
}

// Before anything else changes: copies must be taken while the mounts are still peers of the host's, or a volume could
// not be shared with it.
void plan_sources(PlanBuilder& plan) {
    if (plan.spec.cgroup == NamespaceMode::host && !plan.facts.cgroup_v2)
        for (const auto& name : visible_hierarchies(plan.facts)) open_source(plan, cgroup_directory(plan, name), false);
    if (plan.spec.ipc == NamespaceMode::host) open_source(plan, "/dev/shm", false);
    if (plan.spec.ipc == NamespaceMode::joined)
        plan.add(OpKind::shared_memory, "open /dev/shm of container " + plan.spec.ipc_of).slot = plan.slots++;
    for (const auto& mount : effective_mounts(plan.spec)) {
        if (mount.kind == MountSpec::Kind::bind) open_source(plan, mount.source, mount.recursive, mount.subpath);
        if (mount.kind == MountSpec::Kind::image) open_image(plan, mount);
    }
}

void plan_root(PlanBuilder& plan) {
    const ContainerSpec& spec = plan.spec;
    if (spec.lower.empty()) throw make_error(ErrorKind::invalid, "container {} has no root layers", spec.name);
    plan.add(OpKind::isolate_mounts, "separate mounts from the host");
    const char* place = plan.arena.text(spec.bundle.empty() ? spec.lower.front() : spec.bundle + "/rootfs");
    if (spec.upper.empty() && spec.lower.size() == 1) {
        Op& op = plan.add(OpKind::bind_root, "mount the root " + spec.lower.front());
        op.source = plan.arena.text(spec.lower.front());
        op.target = place;
        op.attributes = kReadOnly;
        return;
    }
    if (!spec.disk.empty())
        plan.add(OpKind::attach_disk, "mount the disk of the container").source = plan.arena.text(spec.disk_place);
    Op& op = plan.add(OpKind::overlay_root, "mount the overlay root");
    std::vector<const char*> lower;
    for (const auto& path : spec.lower) lower.push_back(plan.arena.text(path));
    op.list = plan.arena.list(lower);
    op.target = place;
    Options options;
    if (!spec.upper.empty()) {
        options.emplace_back("upperdir", spec.upper);
        options.emplace_back("workdir", spec.work);
    }
    // Whatever the host's defaults: no hard-link index, and no metadata-only copies that an image could forge.
    options.emplace_back("index", "off");
    options.emplace_back("metacopy", "off");
    op.options = plan.options(labelled(plan, std::move(options)));
}

void plan_default_mounts(PlanBuilder& plan) {
    constexpr std::uint64_t kKernel = kNosuid | kNodev | kNoexec;
    mount_new(plan, Handle::root, "proc", "proc", kKernel, {}, Handle::proc);
    plan_dev(plan);
    if (plan.spec.process.terminal) plan.add(OpKind::open_terminal, "open a terminal");
    mount_new(plan, Handle::root, "sysfs", "sys", kKernel | (plan.spec.privileged ? 0 : kReadOnly), {});
    plan_cgroup_mounts(plan);
}

void plan_user_mounts(PlanBuilder& plan) {
    int slot = 0;
    if (plan.spec.cgroup == NamespaceMode::host && !plan.facts.cgroup_v2)
        slot += static_cast<int>(visible_hierarchies(plan.facts).size());
    if (plan.spec.ipc != NamespaceMode::own) {
        Op& op = plan.add(OpKind::attach_source, "mount the shared /dev/shm");
        op.place = Handle::dev;
        op.target = "shm";
        op.slot = slot++;
        op.propagation = MS_PRIVATE;
    }
    for (const auto& mount : effective_mounts(plan.spec)) {
        if (mount.kind == MountSpec::Kind::tmpfs)
            plan_tmpfs(plan, mount);
        else
            plan_bind(plan, mount, slot++);
    }
}

const std::vector<std::string>& masked_paths() {
    static const std::vector<std::string> paths{"proc/acpi",
                                                "proc/asound",
                                                "proc/interrupts",
                                                "proc/kcore",
                                                "proc/keys",
                                                "proc/latency_stats",
                                                "proc/sched_debug",
                                                "proc/scsi",
                                                "proc/timer_list",
                                                "proc/timer_stats",
                                                "sys/devices/virtual/powercap",
                                                "sys/firmware"};
    return paths;
}

const std::vector<std::string>& read_only_paths() {
    static const std::vector<std::string> paths{"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    return paths;
}

// Last, so that they hold for the final tree.
void plan_protected_paths(PlanBuilder& plan) {
    if (!plan.spec.privileged && !plan.spec.unprotected_paths) {
        auto masked = masked_paths();
        masked.insert(masked.end(), plan.facts.thermal_throttle.begin(), plan.facts.thermal_throttle.end());
        for (const auto& path : masked) plan.add(OpKind::mask, "mask /" + path).target = plan.arena.text(path);
        for (const auto& path : read_only_paths())
            plan.add(OpKind::read_only_path, fmt::format("make /{} read-only", path)).target = path.c_str();
    }
    if (plan.spec.read_only) {
        Op& op = plan.add(OpKind::seal, "make the root read-only");
        op.place = Handle::root;
        op.attributes = kReadOnly;
    }
}

}  // namespace compose::runtime
