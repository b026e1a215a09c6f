#include "build/source_tree.hpp"

#include <algorithm>
#include <cerrno>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/pattern.hpp"
#include "sys/dir.hpp"
#include "sys/xattr.hpp"

namespace compose::build {

namespace {

constexpr int kMaxLinks = 40;

std::string inside(const std::string& path) {
    return path.empty() ? "." : path;
}

std::string below(const std::string& dir, const std::string& name) {
    return dir.empty() ? name : dir + "/" + name;
}

std::optional<sys::FileInfo> look_up(sys::FdRef root, const std::string& path) {
    if (path.empty()) return sys::inspect(root);
    const auto parent = std::string(parent_path(path));
    const auto dir = sys::find_directory_in_root(root, inside(parent), sys::Missing::anything_else);
    if (!dir) return std::nullopt;
    return sys::inspect_at(*dir, std::string(base_name(path)));
}

// Links are resolved here and not by the kernel, since what .dockerignore says is about the path they lead to. Nothing
// for a loop of links, and, unless `lenient`, for what is not there; the top is "".
std::optional<std::string> resolve(sys::FdRef root, const std::string& path, bool lenient) {
    std::vector<std::string> todo = split(clean_relative(path), '/');
    std::reverse(todo.begin(), todo.end());
    std::string done;
    int links = 0;
    while (!todo.empty()) {
        const auto part = std::move(todo.back());
        todo.pop_back();
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            done = std::string(parent_path(done));
            continue;
        }
        const auto next = below(done, part);
        const auto info = look_up(root, next);
        if (!info && !lenient) return std::nullopt;
        if (!info || info->kind != sys::FileKind::symlink) {
            done = next;
            continue;
        }
        if (++links > kMaxLinks) return std::nullopt;
        const auto dir = sys::find_directory_in_root(root, inside(done));
        if (!dir) return std::nullopt;
        const auto target = sys::read_link_at(*dir, part);
        if (target.starts_with('/')) done.clear();
        auto parts = split(target, '/');
        todo.insert(todo.end(), parts.rbegin(), parts.rend());
    }
    return done;
}

}  // namespace

SourceTree::SourceTree(sys::Fd root, DockerIgnore ignore, FileDigests& digests, bool keep_owners)
    : root_(std::move(root)), ignore_(std::move(ignore)), digests_(digests), keep_owners_(keep_owners) {}

std::string resolve_leniently(sys::FdRef root, const std::string& path) {
    return resolve(root, path, true).value_or("");
}

std::vector<FoundSource> SourceTree::find(const std::string& source) const {
    std::vector<FoundSource> out;
    const auto clean = clean_relative(source);
    if (!has_wildcard(clean)) {
        const auto path = resolve(root_, clean, false);
        const bool hidden = path && !path->empty() && ignore_.hides(*path) && !ignore_.shows_again();
        if (!path || hidden)
            throw make_error(ErrorKind::not_found, "{} is not there", quote(clean))
                .with_hint(hidden ? ".dockerignore hides it" : std::string());
        return {{*path, clean}};
    }
    if (!is_well_formed(clean)) throw make_error(ErrorKind::invalid, "{} is not a pattern", quote(clean));
    match("", split(clean, '/'), 0, out);
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.matched < b.matched; });
    return out;
}

void SourceTree::match(const std::string& dir, const std::vector<std::string>& parts, std::size_t at,
                       std::vector<FoundSource>& out) const {
    const auto opened = sys::find_directory_in_root(root_, inside(dir), sys::Missing::anything_else);
    if (!opened) return;
    for (const auto& name : sys::list_directory(sys::FdRef(*opened))) {
        if (!match_part(parts[at], name)) continue;
        const auto path = below(dir, name);
        if (at + 1 < parts.size()) {
            match(path, parts, at + 1, out);
        } else {
            const auto resolved = resolve(root_, path, false);
            if (resolved && !(ignore_.hides(path) && !ignore_.shows_again())) out.push_back({*resolved, path});
        }
    }
}

namespace {

class Walker {
public:
    Walker(sys::FdRef root, const DockerIgnore& ignore, const std::vector<std::string>& excludes,
           const std::function<void(const SourceFile&)>& visit)
        : root_(root), ignore_(ignore), visit_(visit) {
        for (const auto& exclude : excludes) {
            if (!is_well_formed(exclude)) throw make_error(ErrorKind::invalid, "{} is not a pattern", quote(exclude));
            excludes_.emplace_back(clean_relative(exclude));
        }
    }

    void run(const std::string& top) {
        DockerIgnore::Matches above;
        for (std::size_t end = 0; end < top.size();) {
            end = std::min(top.find('/', end + 1), top.size());
            DockerIgnore::Matches own;
            hidden_top_ = ignore_.hides(top.substr(0, end), above, own);
            above = std::move(own);
        }
        const auto parent = sys::find_directory_in_root(root_, inside(std::string(parent_path(top))));
        if (!parent) throw make_error(ErrorKind::not_found, "{} is not there", quote(top));
        const auto name = top.empty() ? std::string(".") : std::string(base_name(top));
        const auto info = sys::inspect_at(*parent, name);
        if (!info) throw make_error(ErrorKind::not_found, "{} is not there", quote(top));
        SourceFile file{.path = top, .below = "", .dir = *parent, .name = name, .info = *info};
        if (info->kind != sys::FileKind::directory) {
            if (!hidden_top_) visit_(file);
            return;
        }
        enter(file, above, hidden_top_);
    }

private:
    /// A directory that is hidden is shown only when something in it is.
    void enter(const SourceFile& directory, const DockerIgnore::Matches& matches, bool hidden) {
        const auto before = pending_.size();
        pending_.push_back({directory.path, directory.below});
        if (!hidden) show_pending();
        list(directory, matches);
        if (pending_.size() > before) pending_.resize(before);
    }

    void list(const SourceFile& directory, const DockerIgnore::Matches& matches) {
        const auto dir =
            sys::find_directory_in_root(root_, inside(directory.path), sys::Missing::anything_else_or_link);
        if (!dir) throw make_error("{} is no directory any more", quote(directory.path));
        for (const auto& name : sys::list_directory(sys::FdRef(*dir))) {
            SourceFile file{.path = below(directory.path, name),
                            .below = below(directory.below, name),
                            .dir = *dir,
                            .name = name,
                            .info = {}};
            if (excluded(file.below)) continue;
            DockerIgnore::Matches own;
            const bool hidden = !ignore_.empty() && ignore_.hides(file.path, matches, own);
            if (hidden && !ignore_.shows_again()) continue;
            const auto info = sys::inspect_at(*dir, name);
            if (!info) continue;
            file.info = *info;
            switch (info->kind) {
                case sys::FileKind::directory:
                    enter(file, own, hidden);
                    break;
                case sys::FileKind::regular:
                case sys::FileKind::symlink:
                case sys::FileKind::fifo:
                    if (hidden) break;
                    show_pending();
                    visit_(file);
                    break;
                default:
                    break;
            }
        }
    }

    [[nodiscard]] bool excluded(const std::string& path) const {
        return std::any_of(excludes_.begin(), excludes_.end(), [&](const PathPattern& p) { return p.matches(path); });
    }

    void show_pending() {
        const auto pending = std::move(pending_);
        pending_.clear();
        for (const auto& [path, from_top] : pending) {
            const auto parent = sys::find_directory_in_root(root_, inside(std::string(parent_path(path))));
            const auto name = path.empty() ? std::string(".") : std::string(base_name(path));
            const auto info = parent ? sys::inspect_at(*parent, name) : std::nullopt;
            if (!info) throw make_error("{} is gone", quote(path));
            visit_({.path = path, .below = from_top, .dir = *parent, .name = name, .info = *info});
        }
    }

    struct Pending {
        std::string path, from_top;
    };

    sys::FdRef root_;
    const DockerIgnore& ignore_;
    const std::function<void(const SourceFile&)>& visit_;
    std::vector<PathPattern> excludes_;
    std::vector<Pending> pending_;  // directories that nobody has been told of
    bool hidden_top_ = false;
};

}  // namespace

void SourceTree::walk(const std::string& path, const std::vector<std::string>& excludes,
                      const std::function<void(const SourceFile&)>& visit) const {
    Walker(root_, ignore_, excludes, visit).run(path);
}

std::optional<sys::FileInfo> SourceTree::inspect(const std::string& path) const {
    return look_up(root_, path);
}

std::string SourceTree::digest(const std::string& path, const std::vector<std::string>& excludes) const {
    Sha256 hash;
    const auto add = [&](std::string_view text) {
        const std::uint64_t size = text.size();
        hash.update(&size, sizeof size);
        hash.update(text.data(), text.size());
    };
    walk(path, excludes, [&](const SourceFile& file) {
        add(file.below);
        add(fmt::format("{} {:o} {} {}", static_cast<int>(file.info.kind), file.info.mode,
                        keep_owners_ ? file.info.owner : 0, keep_owners_ ? file.info.group : 0));
        if (file.info.kind == sys::FileKind::regular) {
            add(digests_.digest(file.dir, file.name, file.info));
            if (keep_owners_)
                if (const auto opened = sys::find_regular_file_in_root(file.dir, file.name))
                    add(sys::read_xattr(*opened, "security.capability").value_or(""));
        } else if (file.info.kind == sys::FileKind::symlink) {
            add(sys::read_link_at(file.dir, file.name));
        }
    });
    return hash.hex();
}

}  // namespace compose::build
