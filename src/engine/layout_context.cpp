#include "engine/layout_context.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "engine/base_images.hpp"
#include "image/archive_read.hpp"
#include "image/content_store.hpp"
#include "image/interrupt.hpp"
#include "sys/file.hpp"

namespace compose::engine {

std::string load_layout_image(store::Store& store, const std::string& address, const std::string& platform,
                              const std::stop_token& cancel) {
    auto folder = address.substr(kLayoutScheme.size());
    std::string tag;
    const auto colon = folder.rfind(':');
    if (colon != std::string::npos && colon > folder.rfind('/') && !sys::is_directory(folder)) {
        tag = folder.substr(colon + 1);
        folder.resize(colon);
    }
    if (!folder.starts_with('/') || !sys::is_directory(folder))
        throw make_error(ErrorKind::not_found, "the context {} is no folder", quote(address))
            .with_hint("write oci-layout:///FOLDER or oci-layout:///FOLDER:TAG");
    const image::Interrupt interrupt(cancel);
    image::ContentStore blobs(store.layout().blobs());
    const auto files = image::open_folder_archive(folder);
    auto loaded = in_context([&] { return "context " + quote(address); },
                             [&] {
                                 return image::load_archive(*files, {blobs, store.layout().layers()},
                                                            image::parse_platform(platform), interrupt,
                                                            [](const image::LayerProgress&) {});
                             });
    if (!tag.empty())
        std::erase_if(loaded, [&](const image::LoadedImage& one) {
            return std::none_of(one.names.begin(), one.names.end(),
                                [&](const auto& name) { return name.tag == tag || name.familiar_name() == tag; });
        });
    if (loaded.size() != 1)
        throw make_error(ErrorKind::not_found, "{} has {} such images", quote(address), loaded.size())
            .with_hint(tag.empty() ? "say which: oci-layout:///FOLDER:TAG" : "");
    return record_image(store, loaded.front().image, nullptr, false).id;
}

}  // namespace compose::engine
