#include "engine/image_store.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "engine/image_catalog.hpp"
#include "image/import.hpp"
#include "image/layer.hpp"
#include "image/reference.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

std::map<std::string, std::vector<std::string>> names_by_image(const store::Store& store) {
    std::map<std::string, std::vector<std::string>> result;
    for (const store::ImageName& name : store.image_names()) result[name.image_id].push_back(name.reference);
    return result;
}

/// Held while layers lie on the disk that no image names yet.
std::string import_lock(const store::Layout& layout) {
    return layout.state + "/import.lock";
}

void remove_layers(const store::Store& store) {
    // Beside an import they wait for the next removal.
    if (const auto lock = sys::FileLock::try_acquire(import_lock(store.layout())))
        (void)image::remove_unused_layers(store.layout().layers(), store.layers_in_use());
}

void delete_image(store::Store& store, const std::string& id, const std::vector<std::string>& names) {
    store.transaction([&] {
        for (const std::string& name : names) store.untag_image(name);
        store.delete_image(id);
    });
}

}  // namespace

std::string import_image(store::Store& store, EventSink& events, int fd, const std::string& reference,
                         const std::vector<std::string>& changes, const std::string& message) {
    const image::Reference name = image::parse_reference(reference);
    if (!name.digest.empty())
        throw make_error(ErrorKind::invalid, "\"{}\": an import can't have a digest in its name", reference);
    const auto lock = sys::FileLock::acquire(import_lock(store.layout()), std::chrono::minutes(10));
    if (!lock) throw make_error(ErrorKind::conflict, "another import is running, and hangs");
    const auto now = sys::wall_now();
    const image::ImportedImage imported =
        image::make_imported_image(sys::FdRef(fd), store.layout().layers(), changes, message, sys::rfc3339(now));
    for (const std::string& warning : imported.warnings)
        events.on_event({Event::Status::warning, "Image " + name.familiar(), warning, {}, 0, 0});
    store::Image row;
    row.id = imported.id;
    row.config = imported.config_json;
    row.layers = imported.layers;
    row.size = imported.size;
    row.created_at = now.time_since_epoch().count();
    store.transaction([&] {
        store.put_image(row);
        store.tag_image(name.to_string(), row.id);
    });
    store.sync();
    return row.id;
}

std::vector<ImageView> list_images(const store::Store& store) {
    const auto names = names_by_image(store);
    std::vector<ImageView> result;
    for (const store::Image& image : store.images()) {
        ImageView view;
        view.id = image.id;
        view.size = image.size;
        view.created_at = image.created_at;
        const auto known = names.find(image.id);
        if (known == names.end()) {
            view.repository = view.tag = "<none>";
            result.push_back(view);
            continue;
        }
        for (const std::string& text : known->second) {
            const image::Reference reference = image::parse_reference(text);
            view.repository = reference.familiar_name();
            view.tag = reference.tag.empty() ? "<none>" : reference.tag;
            result.push_back(view);
        }
    }
    std::stable_sort(result.begin(), result.end(), [](const ImageView& a, const ImageView& b) {
        return std::tie(a.repository, a.tag) < std::tie(b.repository, b.tag);
    });
    return result;
}

std::vector<std::string> remove_image(store::Store& store, const std::string& reference, bool force) {
    const std::optional<store::Image> image = find_image(store, reference);
    if (!image) throw make_error(ErrorKind::not_found, "no such image: {}", reference);
    const auto all = names_by_image(store);
    const auto known = all.find(image->id);
    std::vector<std::string> names = known == all.end() ? std::vector<std::string>{} : known->second;

    std::string named;  // the name by which it was meant, if it was
    try {
        named = image::parse_reference(reference).to_string();
    } catch (const Error&) {
        named.clear();
    }
    const bool by_name = std::find(names.begin(), names.end(), named) != names.end();
    if (!by_name && names.size() > 1 && !force)
        throw make_error(ErrorKind::conflict, "unable to delete {} (must be forced): it has several names",
                         short_id(std::string_view(image->id).substr(7)))
            .with_hint("remove it by name, or with --force");

    std::vector<std::string> done;
    if (by_name && names.size() > 1) {
        store.untag_image(named);
        return {"Untagged: " + image::parse_reference(named).familiar()};
    }
    try {
        delete_image(store, image->id, names);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::conflict || !force || !by_name) throw;
        store.untag_image(named);
        return {"Untagged: " + image::parse_reference(named).familiar()};
    }
    for (const std::string& name : names) done.push_back("Untagged: " + image::parse_reference(name).familiar());
    done.push_back("Deleted: " + image->id);
    remove_layers(store);
    return done;
}

}  // namespace compose::engine
