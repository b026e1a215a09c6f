#include "engine/watch_rules.hpp"

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

}  // namespace

bool is_editors_file(std::string_view name) {
    const auto ends = [&](std::string_view tail) { return name.ends_with(tail); };
    return ends("~") || ends(".swp") || ends(".swx") || ends(".swo") || name == "4913" || name.starts_with(".#") ||
           (name.starts_with("#") && ends("#")) || name.starts_with(".goutputstream") || ends("___jb_tmp___") ||
           ends("___jb_old___");
}

WatchedRule::WatchedRule(const Service& service, const WatchRule& rule)
    : service_(service.name), rule_(rule), ignore_(join(rule.ignore, "\n")), include_(join(rule.include, "\n")) {
    if (!service.build || service.build->context.empty() || service.build->context.front() != '/') return;
    context_ = service.build->context;
    if (const auto text = sys::read_file_if_exists(context_ + "/.dockerignore"))
        context_ignore_ = build::DockerIgnore(*text);
}

bool WatchedRule::ignored(const std::string& path, const std::string& relative) const {
    if (hides(ignore_, relative)) return true;
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
    return !ignore_.shows_again() && !context_ignore_.shows_again() && ignored(directory, *inside);
}

std::string WatchedRule::target(const std::string& relative) const {
    if (relative.empty()) return rule_.target;
    return rule_.target + (rule_.target.ends_with('/') ? "" : "/") + relative;
}

}  // namespace compose::engine
