// The files of one load: each is read once, kept for excerpts, and shown by its shortest name. Owns path arithmetic of
// the loader too: purely lexical, symbolic links are kept.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/load.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose {

/// `path` against `base` when it is relative; "." and ".." are resolved in the text.
[[nodiscard]] std::string join_path(const std::string& base, const std::string& path);
/// The folder that holds `path`.
[[nodiscard]] std::string parent_folder(const std::string& path);
/// What the files of variables are called in findings.
inline constexpr std::string_view kEnvFile = "env file";

/// Where a file is asked for, for findings.
struct AskedAt {
    SourcePos pos;
    std::string path;  // in the tree
};

class SourceFiles {
public:
    SourceFiles(FileSource& source, std::string working_directory, Diagnostics& findings)
        : source_(source), working_directory_(std::move(working_directory)), findings_(findings) {}

    /// The index of the file's text in the source map. What can't be read is reported as `what`; a file that is not
    /// there too, unless `optional`.
    [[nodiscard]] std::optional<std::uint32_t> open(const std::string& path, const AskedAt& asked,
                                                    std::string_view what, bool optional = false);
    /// Where the file is: for an address that of the copy, which is fetched now; else `path` against `base`. Nothing
    /// when it can't be fetched: reported.
    [[nodiscard]] std::optional<std::string> locate(const std::string& base, const std::string& path,
                                                    const AskedAt& asked);
    [[nodiscard]] bool is_file(const std::string& path) { return source_.is_file(path); }
    [[nodiscard]] std::string shown(const std::string& path) const;
    /// The env files opened so far.
    [[nodiscard]] const std::vector<std::uint32_t>& env_files() const { return env_files_; }

private:
    FileSource& source_;
    std::string working_directory_;
    Diagnostics& findings_;
    std::map<std::string, std::optional<std::uint32_t>> known_;
    std::map<std::string, std::string> copies_;  // "root/" of what was fetched -> its name
    std::vector<std::uint32_t> env_files_;
};

}  // namespace compose
