#include "image/pull.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "image/config.hpp"
#include "image/fetch.hpp"
#include "image/layer.hpp"

namespace compose::image {

namespace {

constexpr int kMaxNesting = 3;

struct Chosen {
    Manifest manifest;
    Registry::ManifestReply reply;
};

/// From what the name stands for down to the manifest for the platform.
Chosen choose_manifest(Registry& registry, Registry::ManifestReply reply, const Platform& platform) {
    for (int depth = 0;; ++depth) {
        auto parsed = parse_manifest(reply.text, reply.media_type);
        if (auto* manifest = std::get_if<Manifest>(&parsed)) return {std::move(*manifest), std::move(reply)};
        if (depth == kMaxNesting) throw Error("the index leads to further ones without end", ErrorKind::invalid);
        const auto entry = choose(std::get<Index>(parsed), platform);
        reply = registry.manifest(entry.digest);
        if (static_cast<std::int64_t>(reply.text.size()) != entry.size)
            throw make_error(ErrorKind::invalid, "the index says {} bytes, the manifest {} has {}", entry.size,
                             entry.digest, reply.text.size());
    }
}

/// Fetches the layers side by side; the first failure stops the rest.
class LayerFetcher {
public:
    LayerFetcher(Registry& registry, const StorePlace& place, const PullOptions& options, std::vector<LayerJob> jobs)
        : registry_(registry), place_(place), options_(options), jobs_(std::move(jobs)), results_(jobs_.size()) {}

    void run(StoredImage& image) {
        for (const auto& job : jobs_) report(job, LayerProgress::Stage::waiting, 0);
        {
            std::vector<std::jthread> threads;
            const auto count =
                std::min<std::size_t>(jobs_.size(), static_cast<std::size_t>(std::max(options_.parallel, 1)));
            for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
        }
        if (failure_) std::rethrow_exception(failure_);
        image.layers = std::move(results_);
        image.warnings = std::move(warnings_);
    }

private:
    void report(const LayerJob& job, LayerProgress::Stage stage, std::int64_t current) const {
        if (options_.progress) options_.progress({job.blob.digest, stage, current, job.blob.size});
    }

    void work() {
        for (;;) {
            const auto index = next_++;
            if (index >= jobs_.size() || failed_) return;
            try {
                std::vector<std::string> warnings;
                const auto& job = jobs_[index];
                results_[index] = fetch_layer(
                    registry_, place_, job,
                    [&](LayerProgress::Stage stage, std::int64_t current) {
                        // A layer that is long must not hold up the news that another has failed.
                        if (failed_ && stage == LayerProgress::Stage::downloading) throw Error("given up");
                        report(job, stage, current);
                    },
                    warnings);
                report(job, LayerProgress::Stage::done, job.blob.size);
                const std::lock_guard guard(mutex_);
                for (auto& warning : warnings) warnings_.push_back(std::move(warning));
            } catch (...) {
                const std::lock_guard guard(mutex_);
                if (!failure_) failure_ = std::current_exception();
                failed_ = true;
            }
        }
    }

    Registry& registry_;
    const StorePlace& place_;
    const PullOptions& options_;
    std::vector<LayerJob> jobs_;
    std::vector<StoredLayer> results_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::vector<std::string> warnings_;
};

}  // namespace

CheckedConfig check_config(const std::string& config_json, const Manifest& manifest) {
    const auto config = in_context([] { return "image config"; }, [&] { return parse_config(config_json); });
    if (config.diff_ids.size() != manifest.layers.size())
        throw make_error(ErrorKind::invalid, "the manifest has {} layers, the image's config {}",
                         manifest.layers.size(), config.diff_ids.size());
    if (config.diff_ids.empty()) throw Error("the image has no layers", ErrorKind::invalid);
    CheckedConfig out{.diff_ids = config.diff_ids, .platform = {config.os, config.architecture, ""}};
    if (out.platform.os.empty()) out.platform.os = "linux";
    return out;
}

std::vector<LayerJob> layer_jobs(const Manifest& manifest, const std::vector<std::string>& diff_ids) {
    std::vector<LayerJob> jobs;
    std::string parent;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        LayerJob job{.blob = manifest.layers[i],
                     .diff_id = diff_ids[i],
                     .chain_id = chain_id(parent, diff_ids[i]),
                     .parent = parent};
        parent = job.chain_id;
        jobs.push_back(std::move(job));
    }
    return jobs;
}

StoredImage pull_image(Registry& registry, const StorePlace& place, const PullOptions& options) {
    const auto& reference = registry.reference();
    auto top = registry.manifest(reference.digest.empty() ? reference.tag : reference.digest);
    StoredImage image;
    image.digest = top.digest;
    auto chosen = choose_manifest(registry, std::move(top), options.platform);
    image.manifest = std::move(chosen.manifest);
    image.manifest_json = std::move(chosen.reply.text);
    image.manifest_digest = chosen.reply.digest;
    image.id = image.manifest.config.digest;
    image.config_json = fetch_small(registry, image.manifest.config, kMaxConfig, "config");
    const auto config = check_config(image.config_json, image.manifest);
    if (platform_match(config.platform, options.platform) == 0) {
        if (options.platform_given)
            throw make_error(ErrorKind::not_found, "the image is for {}, not for {}", config.platform.to_string(),
                             options.platform.to_string());
        image.warnings.push_back(fmt::format("the image is for {}, this machine is {}", config.platform.to_string(),
                                             options.platform.to_string()));
    }
    auto warnings = std::move(image.warnings);
    LayerFetcher(registry, place, options, layer_jobs(image.manifest, config.diff_ids)).run(image);
    image.warnings.insert(image.warnings.begin(), warnings.begin(), warnings.end());
    return image;
}

}  // namespace compose::image
