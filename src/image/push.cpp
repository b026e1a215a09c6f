#include "image/push.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "sys/file.hpp"
#include "sys/spool.hpp"

namespace compose::image {

namespace {

class LayerPusher {
public:
    LayerPusher(Registry& registry, const ContentStore& blobs, const PushOptions& options)
        : registry_(registry), blobs_(blobs), options_(options) {}

    void run(const std::vector<Descriptor>& layers) {
        std::set<std::string> seen;
        for (const auto& layer : layers)
            if (seen.insert(layer.digest).second) jobs_.push_back(layer);
        {
            std::vector<std::jthread> threads;
            const auto count =
                std::min<std::size_t>(jobs_.size(), static_cast<std::size_t>(std::max(options_.parallel, 1)));
            for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
        }
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    void report(const Descriptor& layer, PushProgress::Stage stage, std::int64_t current) const {
        if (options_.progress) options_.progress({layer.digest, stage, current, layer.size});
    }

    void work() {
        for (std::size_t i = 0; (i = next_++) < jobs_.size() && !failed_;) {
            try {
                in_context([&] { return "layer " + jobs_[i].digest.substr(0, 19); }, [&] { push(jobs_[i]); });
            } catch (...) {
                const std::lock_guard guard(mutex_);
                if (!failure_) failure_ = std::current_exception();
                failed_ = true;
            }
        }
    }

    void push(const Descriptor& layer) {
        report(layer, PushProgress::Stage::preparing, 0);
        if (registry_.has_blob(layer.digest)) return report(layer, PushProgress::Stage::exists, 0);
        for (const auto& repository : options_.mount_from) {
            // That it can't be had that way is no failure: it is sent then.
            bool mounted = false;
            try {
                mounted = registry_.mount_blob(layer.digest, repository);
            } catch (const Error&) {
                registry_.interrupt().check();
            }
            if (mounted) return report(layer, PushProgress::Stage::mounted, 0);
        }
        const auto file = blobs_.open(layer.digest);
        if (!file) throw make_error(ErrorKind::not_found, "blob {} is not here", layer.digest);
        registry_.upload_blob(layer.digest, *file, layer.size, [&](std::int64_t sent) {
            if (failed_) throw Error("given up");
            report(layer, PushProgress::Stage::pushing, sent);
        });
        report(layer, PushProgress::Stage::done, layer.size);
    }

    Registry& registry_;
    const ContentStore& blobs_;
    const PushOptions& options_;
    std::vector<Descriptor> jobs_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace

std::string push_image(Registry& registry, const ContentStore& blobs, const OutgoingImage& image,
                       const PushOptions& options) {
    LayerPusher(registry, blobs, options).run(image.manifest.layers);
    const auto& config = image.manifest.config;
    if (!registry.has_blob(config.digest)) {
        const auto memory = sys::make_memory_file("config");
        sys::write_all(memory, image.config_json);
        registry.upload_blob(config.digest, memory, config.size, {});
    }
    const auto& reference = registry.reference();
    return registry.put_manifest(reference.tag, image.manifest_json, image.manifest.media_type);
}

}  // namespace compose::image
