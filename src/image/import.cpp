#include "image/import.hpp"

#include "base/error.hpp"
#include "image/changes.hpp"
#include "image/config.hpp"
#include "image/layer.hpp"

namespace compose::image {

ImportedImage make_imported_image(sys::FdRef tar, const std::string& layers_dir,
                                  const std::vector<std::string>& changes, const std::string& message,
                                  const std::string& created_time) {
    ImageConfig config;
    config.architecture = native_architecture();
    config.os = "linux";
    config.created = created_time;
    // What the user wrote is checked before a long archive is read.
    for (const auto& change : changes) apply_change(config, change);

    auto layer = in_context([] { return "import"; }, [&] { return unpack_layer(tar, layers_dir); });
    config.diff_ids = {layer.diff_id};
    config.history = {{.created = created_time,
                       .created_by = "",
                       .comment = message.empty() ? "Imported from -" : message,
                       .empty_layer = false}};
    ImportedImage image;
    image.config_json = render_config(config);
    image.id = config_digest(image.config_json);
    image.layers = {layer.chain_id};
    image.size = layer.size;
    image.warnings = std::move(layer.warnings);
    return image;
}

}  // namespace compose::image
