// Text to project. The loader sees the world only through a FileSource and an environment map.
#pragma once

#include <compose/project.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose {

/// Files that lie elsewhere, fetched.
struct RemoteCopy {
    std::string file;  // the one that was asked for, absolute
    std::string root;  // the folder of all that came with it, absolute
    std::string
        name;  // what people are shown instead of root and "/": the address without a password, and one character
};

class FileSource {
public:
    virtual ~FileSource() = default;
    /// The content; nothing when there is no such file. Throws Error for a directory, a FIFO, a file over the limit.
    virtual std::optional<std::string> read(const std::string& absolute_path) = 0;
    virtual bool is_file(const std::string& absolute_path) = 0;
    virtual bool is_directory(const std::string& absolute_path) = 0;
    virtual std::string read_stdin() = 0;
    /// What is at the address of an artifact or a repository ("oci://...", "https://....git#ref:folder"): asked for
    /// once, then remembered. `named_in` is the file or folder that names it: what was itself fetched is a stranger's.
    /// Throws Error; so does a source that fetches nothing.
    virtual RemoteCopy fetch(const std::string& address, const std::string& named_in);
};

/// Is it such an address?
[[nodiscard]] bool is_remote_file(std::string_view path);

struct LoadRequest {
    std::vector<std::string> files;           // -f; empty: COMPOSE_FILE, else discovery from working_directory upwards
    std::optional<std::string> project_name;  // -p
    std::optional<std::string> project_directory;
    std::vector<std::string> env_files;          // --env-file
    std::vector<std::string> profiles;           // --profile; "*" for all
    std::vector<std::string> selected_services;  // named on the command line: enables their profiles
    std::map<std::string, std::string> environment;
    std::string working_directory;  // absolute
    bool all_resources = false;
    // `config` only
    bool interpolate = true;
    bool normalize = true;
    bool resolve_paths = true;
    bool consistency = true;
    bool resolve_environment = true;
    bool trace = false;  // for explain()
    bool hashes = true;  // config_hash of services, which only running them needs
};

struct Trace;       // what the stages did (loader/trace.hpp)
struct ConfigTree;  // the merged, canonical tree behind a project (model/node.hpp); what `config` prints

struct LoadedProject {
    Project project;
    std::shared_ptr<const ConfigTree> tree;
    std::map<std::string, std::string> environment;  // after .env files: what interpolation saw
    std::shared_ptr<const Trace> trace;              // null unless asked for
};

/// Never throws for what stands in the files: every finding goes to `findings`. The result is meaningful only when
/// `findings` has no error.
LoadedProject load_project(const LoadRequest& request, FileSource& files, Diagnostics& findings);

/// The environment of `request` with what .env files add to it, the files of the project unread.
std::map<std::string, std::string> find_environment(const LoadRequest& request, FileSource& files);

/// Only the project's name and directory, for commands that work from the state alone (`down -p`, `ps`); nothing when
/// it can't be told without a file and there is none.
std::optional<std::string> find_project_name(const LoadRequest& request, FileSource& files);

}  // namespace compose
