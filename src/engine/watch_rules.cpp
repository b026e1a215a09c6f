#include "engine/watch_rules.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

/// The part of `path` below `root`: "" for itself, nothing when it is elsewhere.
std::optional<std::string> below(const std::string& path, const std::string& root) {
    if (path == root) return "";
    if (root == "/") return path.substr(1);
    if (path.size() > root.size() && path.starts_with(root) && path[root.size()] == '/')
        return path.substr(root.size() + 1);
    return std::nullopt;
}

bool hides(const build::DockerIgnore& rules, const std::string& path) {
    return !rules.empty() && !path.empty() && rules.hides(path);
}

/// Paths as inotify has them: those of what links lead to.
std::string resolved(const std::string& path) {
    return sys::exists(path) ? sys::real_path(path) : path;
}

/// What tools keep beside the files that they look after.
bool is_tools_folder(std::string_view relative) {
    for (const auto& part : split(relative, '/'))
        if (part == ".git" || part == ".idea") return true;
    return false;
}

/// Docker's order: one of the Dockerfile's own comes first.
std::string ignore_text(const BuildConfig& build) {
    const std::string dockerfile = build.dockerfile.empty() ? "Dockerfile" : build.dockerfile;
    const std::string path = dockerfile.front() == '/' ? dockerfile : build.context + "/" + dockerfile;
    if (const auto own = sys::read_file_if_exists(path + ".dockerignore")) return *own;
    return sys::read_file_if_exists(build.context + "/.dockerignore").value_or("");
}

bool copies(const WatchRule& rule) {
    return rule.action != WatchRule::Action::rebuild && rule.action != WatchRule::Action::restart;
}

bool is_below_any(const std::string& path, const std::vector<std::string>& roots) {
    return std::any_of(roots.begin(), roots.end(), [&](const auto& root) { return below(path, root).has_value(); });
}

}  // namespace

bool is_mounted(const Service& service, const WatchRule& rule) {
    const std::string path = resolved(rule.path);
    return copies(rule) && std::any_of(service.mounts.begin(), service.mounts.end(), [&](const Mount& mount) {
               return mount.type == Mount::Type::bind && below(path, resolved(mount.source)).has_value();
           });
}

bool is_editors_file(std::string_view name) {
    const auto ends = [&](std::string_view tail) { return name.ends_with(tail); };
    return ends("~") || ends(".swp") || ends(".swx") || ends(".swo") || name == "4913" || name.starts_with(".#") ||
           (name.starts_with("#") && ends("#")) || name.starts_with(".goutputstream") || ends("___jb_tmp___") ||
           ends("___jb_old___");
}

WatchedRule::WatchedRule(const Service& service, const WatchRule& rule)
    : service_(service.name), rule_(rule), ignore_(join(rule.ignore, "\n")), include_(join(rule.include, "\n")) {
    rule_.path = resolved(rule.path);
    for (const Mount& mount : service.mounts) {
        if (!copies(rule) || mount.type != Mount::Type::bind) continue;
        const std::string source = resolved(mount.source);
        const auto inside = below(source, rule_.path);
        if (inside && target(*inside) == mount.target) mounted_.push_back(source);
    }
    if (!service.build || service.build->context.empty() || service.build->context.front() != '/') return;
    context_ = resolved(service.build->context);
    context_ignore_ = build::DockerIgnore(ignore_text(*service.build));
}

bool WatchedRule::ignored(const std::string& path, const std::string& relative) const {
    if (is_tools_folder(relative) || is_below_any(path, mounted_) || hides(ignore_, relative)) return true;
    const auto inside = context_.empty() ? std::nullopt : below(path, context_);
    return inside && hides(context_ignore_, *inside);
}

std::optional<std::string> WatchedRule::relative(const std::string& path) const {
    auto result = below(path, rule_.path);
    if (!result || is_editors_file(path.substr(path.rfind('/') + 1)) || ignored(path, *result)) return std::nullopt;
    if (!include_.empty() && !result->empty() && !include_.hides(*result)) return std::nullopt;
    return result;
}

bool WatchedRule::skips(const std::string& directory) const {
    const auto inside = below(directory, rule_.path);
    // What may be shown again must be looked into; .dockerignore and the rule's own list are asked apart.
    if (!inside) return !below(rule_.path, directory);
    if (is_tools_folder(*inside) || is_below_any(directory, mounted_)) return true;
    return !ignore_.shows_again() && !context_ignore_.shows_again() && ignored(directory, *inside);
}

std::string WatchedRule::target(const std::string& relative) const {
    if (relative.empty()) return rule_.target;
    return rule_.target + (rule_.target.ends_with('/') ? "" : "/") + relative;
}

}  // namespace compose::engine
