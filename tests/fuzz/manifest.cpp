// What registries and archives say of images: manifests, indexes, configs. What is accepted renders to something that
// is accepted again, and every digest in it is one.
#include "image/manifest.hpp"

#include "base/error.hpp"
#include "fuzz/promise.hpp"
#include "image/config.hpp"
#include "image/reference.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto parsed = image::parse_manifest(text, {});
        if (const auto* manifest = std::get_if<image::Manifest>(&parsed)) {
            for (const auto& layer : manifest->layers)
                if (!image::is_digest(layer.digest) || layer.size < 0) fuzz::broken("a layer has a digest and a size");
            const auto once = image::render_manifest(*manifest);
            const auto again = image::parse_manifest(once, manifest->media_type);
            if (image::render_manifest(std::get<image::Manifest>(again)) != once)
                fuzz::broken("a manifest renders the same again");
        } else {
            for (const auto& entry : std::get<image::Index>(parsed).manifests)
                if (!image::is_digest(entry.digest)) fuzz::broken("an entry has a digest");
        }
    } catch (const Error&) {  // refused
    }
    try {
        const auto config = image::parse_config(text);
        if (image::parse_config(image::render_config(config)) != config) fuzz::broken("a config survives rendering");
        (void)image::parse_time(config.created);
    } catch (const Error&) {  // refused
    }
    return 0;
}
