#include "engine/container_root.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "engine/container_disk.hpp"
#include "engine/observe.hpp"
#include "runtime/spec.hpp"
#include "sys/dir.hpp"
#include "sys/file.hpp"
#include "sys/overlay_view.hpp"
#include "sys/process.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::seconds kLockTimeout{30};

sys::RootLayout layout_of(const runtime::ContainerSpec& spec, const std::string& folder) {
    sys::RootLayout layout;
    layout.lower = spec.lower;
    layout.upper = spec.upper;
    layout.work = spec.work;
    layout.disk = disk_of(spec);
    layout.place = folder;
    layout.read_only = spec.read_only;
    for (const runtime::MountSpec& mount : spec.mounts)
        if (mount.kind == runtime::MountSpec::Kind::bind && sys::exists(mount.source))
            layout.binds.push_back({mount.source, mount.target, mount.read_only});
    const auto add_file = [&](const std::string& source, const char* target) {
        if (!source.empty() && sys::exists(source)) layout.binds.push_back({source, target, spec.read_only});
    };
    add_file(spec.hosts_file, "/etc/hosts");
    add_file(spec.resolv_conf_file, "/etc/resolv.conf");
    add_file(spec.hostname_file, "/etc/hostname");
    std::stable_sort(layout.binds.begin(), layout.binds.end(), [](const auto& a, const auto& b) {
        return std::count(a.target.begin(), a.target.end(), '/') < std::count(b.target.begin(), b.target.end(), '/');
    });
    return layout;
}

}  // namespace

ContainerRoot::ContainerRoot(const store::Layout& layout, const store::Container& row, bool volumes,
                             const std::string& command) {
    const runtime::ContainerSpec spec = runtime::spec_from_json(row.config.spec);
    const auto is_live = [&](const store::Container& container) {
        const auto state = Liveness(layout, row.project).state_of(container);
        return state == store::ContainerState::running || state == store::ContainerState::paused;
    };
    if (!is_live(row)) {
        lock_.emplace(layout, row.project, command,
                      std::chrono::duration_cast<std::chrono::milliseconds>(kLockTimeout));
        auto now = store::Store(layout).container(row.id);
        if (!now) throw make_error(ErrorKind::not_found, "container {} was removed", row.name);
        if (!is_live(*now)) {
            sys::RootLayout root = layout_of(spec, layout.container(row.id));
            if (!volumes) root.binds.clear();
            for (const runtime::MountSpec& mount : spec.mounts)
                if (mount.kind == runtime::MountSpec::Kind::tmpfs) absent_.push_back(mount.target);
            merged_.emplace(root);
            return;
        }
        lock_.reset();
    }
    if (!volumes) {
        // Beside the living one: overlayfs reads what is in the upper folder now.
        std::vector<std::string> lowers{spec.upper};
        lowers.insert(lowers.end(), spec.lower.begin(), spec.lower.end());
        sys::visit_disk(disk_of(spec), [&] { live_ = sys::open_overlay_view(lowers); });
        return;
    }
    live_ = sys::open_root_of(row.pid);
    // The number may be another process's by now.
    if (!live_ || sys::start_time(row.pid) != row.pid_start_time)
        throw make_error(ErrorKind::conflict, "container {} has just ended", row.name).with_hint("try again");
}

sys::FdRef ContainerRoot::get() const {
    return merged_ ? merged_->root() : sys::FdRef(live_);
}

void ContainerRoot::check_lasting(const std::string& path) const {
    const std::string clean = std::filesystem::path("/" + path).lexically_normal().string();
    for (const std::string& target : absent_)
        if (clean == target || clean.starts_with(target + "/"))
            throw make_error(ErrorKind::conflict, "{} is in the tmpfs {}, which is there only while the container runs",
                             path, target)
                .with_hint("start it first");
}

}  // namespace compose::engine
