// Building images: what a front end asks for, and what it is told meanwhile.
#pragma once

#include <compose/diagnostics.hpp>
#include <compose/engine.hpp>
#include <compose/error.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace compose {

struct BuildSecret {
    std::string id;
    std::string file;                  // absolute; or
    std::optional<std::string> value;  // the secret itself
};

struct BuildOutput {
    std::string type;  // image, local, tar, oci, docker
    std::string dest;  // folder or file; "-": BuildRequest::output_fd
};

struct BuildRequest {
    std::string name;                            // what it is called in messages: the service's name, or empty
    std::string context;                         // absolute folder, or an address (git, http, https); empty: none
    int context_fd = -1;                         // a tar of the context, instead
    std::string dockerfile;                      // relative ones count from the context; empty: Dockerfile
    std::optional<std::string> dockerfile_text;  // instead of the file
    std::vector<std::string> tags;
    std::map<std::string, std::string> args;
    std::map<std::string, std::string> contexts;  // name -> absolute folder, address, docker-image://, image id
    std::map<std::string, std::string> labels;
    std::string target;
    std::string platform;
    bool no_cache = false;
    std::vector<std::string> no_cache_filter;  // stages
    bool pull = false;
    std::vector<std::string> cache_from;  // "type=registry,ref=NAME", "NAME"
    std::vector<std::string> cache_to;    // "type=inline", "type=registry,ref=NAME"
    std::vector<BuildSecret> secrets;
    std::map<std::string, std::string> ssh;  // id -> path of an agent's socket
    std::string network;                     // default, none, host
    std::map<std::string, std::vector<std::string>> extra_hosts;
    std::optional<std::int64_t> shm_size;
    std::optional<std::int64_t> memory;  // bytes that a step may use
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> ulimits;
    std::vector<std::string> allow;    // security.insecure, network.host, device, device=NAME
    std::string cgroup_parent;         // of the steps' cgroups; empty: this installation's
    std::vector<BuildOutput> outputs;  // empty: the store
    bool push = false;                 // all tags, when it is built
    int output_fd = -1;
    std::optional<std::int64_t> source_date_epoch;
    int parallel = 4;  // stages at once
};

/// One step of a build. Numbers count within one build.
struct BuildEvent {
    enum class Kind { started, output, cached, done, failed, warning };
    Kind kind = Kind::started;
    std::string build;  // BuildRequest::name
    int step = 0;       // 0: about the whole
    std::string title;  // "[web 2/5] RUN make"
    std::string text;   // output: bytes as they came; failed, warning: why
    double seconds = 0;
};

class BuildSink {
public:
    virtual ~BuildSink() = default;
    /// Called from any worker thread; implementations serialise.
    virtual void on_build_event(const BuildEvent& event) = 0;
};

struct BuildResult {
    std::string image_id;  // "sha256:..."; empty when the outputs leave no image
    std::vector<std::string> names;
    std::vector<std::string> unused_args;
    std::string pushed_digest;  // of the manifest that registries have, when it was pushed
};

/// A build that could not go on. The place and the reason stand among the findings, too.
class BuildFailure : public Error {
public:
    using Error::Error;
    /// The last lines of what the step wrote.
    std::string output;
};

/// What is wrong with the Dockerfile goes to `findings`, errors as well; then BuildFailure is thrown.
[[nodiscard]] BuildResult build_image(const EngineOptions& options, const BuildRequest& request, Diagnostics& findings,
                                      BuildSink& sink, std::stop_token cancel = {});
/// Reads and lints without building: everything lands in `findings`.
void check_build(const EngineOptions& options, const BuildRequest& request, Diagnostics& findings);

}  // namespace compose
