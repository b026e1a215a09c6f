// What an instruction asks for, with all variables replaced: values that somebody else carries out.
#pragma once

#include <compose/diagnostics.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace compose::build {

struct RunMount {
    enum class Type { bind, cache, tmpfs, secret, ssh };
    enum class Sharing { shared, exclusive, locked };  // exclusive: "private"
    Type type = Type::bind;
    std::string target;
    std::string source;  // bind, cache: a path inside `from`
    std::string from;    // stage, image or context; empty: the build context (bind), nothing (cache)
    std::string id;
    bool read_only = false;
    Sharing sharing = Sharing::shared;
    bool required = false;
    std::optional<unsigned> mode;
    std::uint32_t uid = 0, gid = 0;
    std::optional<std::int64_t> size;
    std::string env;  // secret: the variable that holds it
    SourcePos pos;
};

/// A device by its name in the Container Device Interface: "vendor.com/class=name".
struct RunDevice {
    std::string name;
    bool required = false;  // else the step runs without it where there is none
    SourcePos pos;
};

struct RunStep {
    std::vector<std::string> argv;
    std::vector<std::string> env;     // "K=V": ENV and the ARGs declared so far
    std::vector<std::string> hidden;  // the same, but neither in keys nor in the history (proxies)
    std::vector<RunMount> mounts;
    std::vector<RunDevice> devices;
    std::string network;                // "default", "none", "host"
    bool insecure = false;              // --security=insecure
    std::optional<std::string> script;  // argv[0] is the place of this file, made for the run
};

struct InlineFile {
    std::string name;
    std::string content;
};

struct CopyStep {
    bool add = false;
    std::string from;  // stage, image or context; empty: the build context
    std::vector<std::string> sources;
    std::vector<InlineFile> inline_files;
    std::string target;  // absolute; ends in "/" when it must be a directory
    std::string owner;   // of --chown; empty: 0:0
    std::string mode;    // of --chmod
    bool parents = false;
    bool link = false;
    std::vector<std::string> excludes;
    std::string checksum;
    bool keep_git_dir = false;
    std::optional<bool> unpack;
};

struct WorkdirStep {
    std::string path;
    std::string user;  // who owns it when it is made
};

/// Changes the config only.
struct ConfigStep {};

struct Step {
    std::variant<ConfigStep, RunStep, CopyStep, WorkdirStep> what;
    std::string shown;       // "RUN --network=none make"
    std::string created_by;  // for the history
    SourcePos pos;
    bool in_history = true;  // an ARG is, a comment isn't
};

/// "type=cache,target=/x". Findings name the option that is wrong.
[[nodiscard]] RunMount parse_run_mount(const std::string& text, SourcePos pos, Diagnostics& findings);
/// "vendor.com/class=name", "name=vendor.com/class=name,required". Findings name what is wrong.
[[nodiscard]] RunDevice parse_run_device(const std::string& text, SourcePos pos, Diagnostics& findings);
/// An absolute, clean path on which a step may mount: not "/", not /proc, /sys or /dev.
[[nodiscard]] bool is_mountable(const std::string& target);

}  // namespace compose::build
