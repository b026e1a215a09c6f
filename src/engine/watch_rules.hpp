// Which rule of which service a changed path belongs to. Pure but for reading .dockerignore and links to folders.
#pragma once

#include <compose/project.hpp>
#include <optional>
#include <string>
#include <vector>

#include "build/dockerignore.hpp"

namespace compose::engine {

class WatchedRule {
public:
    WatchedRule(const Service& service, const WatchRule& rule);

    [[nodiscard]] const std::string& service() const { return service_; }
    [[nodiscard]] const WatchRule& rule() const { return rule_; }
    /// The path below the rule's own ("" for itself); nothing when it is none of its business.
    [[nodiscard]] std::optional<std::string> relative(const std::string& path) const;
    /// Nothing below this directory can be of interest.
    [[nodiscard]] bool skips(const std::string& directory) const;
    /// Where a path below lies in the container.
    [[nodiscard]] std::string target(const std::string& relative) const;

private:
    [[nodiscard]] bool ignored(const std::string& path, const std::string& relative) const;

    std::string service_;
    WatchRule rule_;
    build::DockerIgnore ignore_;          // of the rule, relative to its path
    build::DockerIgnore include_;         // likewise; empty: everything
    build::DockerIgnore context_ignore_;  // .dockerignore, relative to the context
    std::string context_;
    std::vector<std::string> mounted_;  // bind mounts at the very places to which they would be copied
};

/// Do the containers of the service see the rule's folder itself? What is copied into it would come back for ever.
[[nodiscard]] bool is_mounted(const Service& service, const WatchRule& rule);
/// Files that editors make for themselves: swap files, backups, locks.
[[nodiscard]] bool is_editors_file(std::string_view name);

}  // namespace compose::engine
