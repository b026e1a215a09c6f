// What all stages of one build share.
#pragma once

#include <atomic>
#include <compose/build.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "build/stages.hpp"
#include "engine/action_context.hpp"
#include "engine/build_network.hpp"
#include "engine/build_sources.hpp"
#include "engine/build_workspace.hpp"
#include "image/config.hpp"
#include "store/build_cache.hpp"
#include "store/store.hpp"

namespace compose::engine {

/// An image, or a stage as far as it has come.
struct BuiltLayers {
    std::vector<std::string> chain;  // chain ids, lowest first
    image::ImageConfig config;       // with diff ids and history
    std::int64_t size = 0;
    std::vector<std::pair<std::string, std::int64_t>> steps;  // key, and the place of its layer in the chain or -1
    [[nodiscard]] std::string top() const { return chain.empty() ? std::string() : chain.back(); }
};

struct BuildShared {
    BuildShared(const BuildRequest& asked, const store::Layout& where, BuildWorkspace& place, BuildSources& files,
                BuildNetwork& net, BuildSink& told, Diagnostics& found, std::stop_token stop)
        : request(asked),
          layout(where),
          workspace(place),
          sources(files),
          network(net),
          sink(told),
          findings(found),
          cancel(std::move(stop)) {}

    const BuildRequest& request;
    const store::Layout layout;
    BuildWorkspace& workspace;
    BuildSources& sources;
    BuildNetwork& network;
    BuildSink& sink;
    Diagnostics& findings;
    const std::stop_token cancel;
    build::BuildFile file;
    std::string installation;
    HostFacts host;
    std::map<std::size_t, BuiltLayers> stages;  // those that are done
    std::mutex mutex;                           // of findings, stages, used
    std::atomic<int> steps = 0;
    std::vector<std::string> used_keys;
    std::map<std::string, bool> used_args;
    std::map<std::string, store::CachedStep> imported;  // by key; complete before the first stage runs

    /// The folders of layers, topmost first.
    [[nodiscard]] std::vector<std::string> folders(const std::vector<std::string>& chain) const;
    /// An image of the store; pulled when it is not there, or when the request says so.
    [[nodiscard]] BuiltLayers image(store::Store& store, const std::string& reference, const std::string& platform);
    /// The same, as the registry has it now.
    [[nodiscard]] BuiltLayers pulled(store::Store& store, const std::string& reference);
    /// What COPY --from or RUN --mount,from means beside folders: a stage, an image. `name` is no folder.
    [[nodiscard]] BuiltLayers layers_of(store::Store& store, const std::string& name);
};

/// The files of layers, to copy from.
class LayersView {
public:
    LayersView(const BuildShared& shared, const std::vector<std::string>& chain);
    [[nodiscard]] const build::SourceTree& tree() const { return *tree_; }

private:
    build::FileDigests digests_;
    std::unique_ptr<build::SourceTree> tree_;
};

}  // namespace compose::engine
