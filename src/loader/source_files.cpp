#include "loader/source_files.hpp"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "loader/yaml_reader.hpp"

namespace compose {

std::string join_path(const std::string& base, const std::string& path) {
    auto joined = (std::filesystem::path(base) / path).lexically_normal().string();
    while (joined.size() > 1 && joined.ends_with('/')) joined.pop_back();
    return joined;
}

std::string parent_folder(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
}

bool is_remote_file(std::string_view path) {
    const auto web = path.starts_with("https://") || path.starts_with("http://");
    return path.starts_with("oci://") || path.starts_with("git@") || path.starts_with("git://") ||
           path.starts_with("ssh://") || path.starts_with("github.com/") || web;
}

RemoteCopy FileSource::fetch(const std::string& address, const std::string& /*named_in*/) {
    throw make_error(ErrorKind::unavailable, "{} can't be fetched here", quote(address));
}

std::optional<std::string> SourceFiles::locate(const std::string& base, const std::string& path, const AskedAt& asked) {
    if (!is_remote_file(path)) return path == "-" ? path : join_path(base, path);
    try {
        auto copy = source_.fetch(path, base);
        copies_[copy.root + "/"] = std::move(copy.name);
        return std::move(copy.file);
    } catch (const Error& error) {
        findings_.error(asked.pos, asked.path, error.what(), error.hint());
        return std::nullopt;
    }
}

std::string SourceFiles::shown(const std::string& path) const {
    if (path == "-") return "stdin";
    for (const auto& [root, name] : copies_)
        if (path.starts_with(root)) return name + path.substr(root.size());
    const auto prefix = working_directory_.ends_with('/') ? working_directory_ : working_directory_ + "/";
    return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

std::optional<std::uint32_t> SourceFiles::open(const std::string& path, const AskedAt& asked, std::string_view what,
                                               bool optional) {
    if (const auto found = known_.find(path); found != known_.end() && (found->second || optional))
        return found->second;
    std::optional<std::string> text;
    try {
        text = path == "-" ? source_.read_stdin() : source_.read(path);
    } catch (const Error& error) {
        findings_.error(asked.pos, asked.path, fmt::format("cannot read {} {}: {}", what, shown(path), error.what()),
                        error.hint());
        return std::nullopt;
    }
    auto& slot = known_[path];
    if (text) {
        if (const auto clean = without_bom(*text); clean.size() != text->size()) text = std::string(clean);
        slot = findings_.sources.add(shown(path), std::move(*text));
        if (what == kEnvFile) env_files_.push_back(*slot);
    } else if (!optional) {
        findings_.error(asked.pos, asked.path, fmt::format("{} {} not found: no such file", what, shown(path)));
    }
    return slot;
}

}  // namespace compose
