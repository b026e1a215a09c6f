// From a registry to the disk: manifest, config, then the layers side by side, each hashed, decompressed and unpacked
// while it is downloaded. What is here already is not fetched again; what was begun is gone on with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/content_store.hpp"
#include "image/manifest.hpp"
#include "image/registry.hpp"

namespace compose::image {

struct LayerProgress {
    enum class Stage { waiting, exists, downloading, finishing, done };
    std::string digest;
    Stage stage = Stage::waiting;
    std::int64_t current = 0;
    std::int64_t total = 0;
};

struct StoredLayer {
    std::string chain_id;
    std::string diff_id;
    std::int64_t size = -1;  // unpacked; -1: it was here already
};

/// An image whose layers lie on the disk. No row names it yet: hold a LayerLease from before until one does.
struct StoredImage {
    std::string id;  // of the config
    std::string config_json;
    Manifest manifest;
    std::string manifest_json;
    std::string manifest_digest;
    std::string digest;  // what the name stands for: the manifest, or the index it was chosen from
    std::vector<StoredLayer> layers;
    std::vector<std::string> warnings;
};

struct StorePlace {
    ContentStore& blobs;
    std::string layers_dir;
};

struct PullOptions {
    Platform platform;
    bool platform_given = false;                         // a user's own wish: nothing else will do
    int parallel = 4;                                    // layers at a time
    std::function<void(const LayerProgress&)> progress;  // called from several threads
};

[[nodiscard]] StoredImage pull_image(Registry& registry, const StorePlace& place, const PullOptions& options);

/// Reads a config that was verified, and checks it against its manifest.
struct CheckedConfig {
    std::vector<std::string> diff_ids;
    Platform platform;
};
[[nodiscard]] CheckedConfig check_config(const std::string& config_json, const Manifest& manifest);

/// One layer whose blob is on its way: fetches and unpacks what is missing of the two.
struct LayerJob {
    Descriptor blob;
    std::string diff_id;
    std::string chain_id;
    std::string parent;
};
[[nodiscard]] std::vector<LayerJob> layer_jobs(const Manifest& manifest, const std::vector<std::string>& diff_ids);

}  // namespace compose::image
