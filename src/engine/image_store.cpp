#include "engine/image_store.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/strings.hpp"
#include "engine/image_catalog.hpp"
#include "engine/image_list.hpp"
#include "image/content_store.hpp"
#include "image/import.hpp"
#include "image/layer.hpp"
#include "image/manifest.hpp"
#include "image/reference.hpp"
#include "sys/clock.hpp"

namespace compose::engine {
namespace {

std::map<std::string, std::vector<std::string>> names_by_image(const store::Store& store) {
    std::map<std::string, std::vector<std::string>> result;
    for (const store::ImageName& name : store.image_names()) result[name.image_id].push_back(name.reference);
    return result;
}

std::vector<std::string> blobs_in_use(const store::Store& store) {
    std::vector<std::string> out;
    for (const auto& row : store.image_manifests()) {
        const auto parsed = image::parse_manifest(row.content, {});
        if (const auto* manifest = std::get_if<image::Manifest>(&parsed))
            for (const auto& layer : manifest->layers) out.push_back(layer.digest);
    }
    const auto layers = store.layers_in_use();  // sorted
    for (auto& blob : store.layer_blobs())
        if (std::binary_search(layers.begin(), layers.end(), blob.chain_id)) out.push_back(std::move(blob.digest));
    return out;
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
    const image::LayerLease lease(store.layout().layers());
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
        store.put_layer_size(row.layers.front(), row.size);
        store.tag_image(name.to_string(), row.id);
    });
    store.sync();
    return row.id;
}

std::vector<ImageView> list_images(const store::Store& store) {
    std::vector<ImageView> result;
    for (const ImageListing& listing : list_images(store, ImageListOptions{})) {
        ImageView view;
        view.id = listing.id;
        view.repository = listing.repository;
        view.tag = listing.tag;
        view.size = listing.size;
        view.created_at = listing.created_at;
        result.push_back(std::move(view));
    }
    std::stable_sort(result.begin(), result.end(), [](const ImageView& a, const ImageView& b) {
        return std::tie(a.repository, a.tag) < std::tie(b.repository, b.tag);
    });
    return result;
}

std::int64_t collect_garbage(store::Store& store, bool partial) {
    std::int64_t freed = 0;
    const auto& layout = store.layout();
    image::ContentStore blobs(layout.blobs());
    const auto removed = image::remove_unused_layers(layout.layers(), [&] {
        // Nobody holds a lease now, so the rows tell of everything: the blobs' turn too.
        freed += blobs.remove_unused(blobs_in_use(store), partial);
        return store.layers_in_use();
    });
    for (const auto& chain : removed) {
        freed += std::max<std::int64_t>(store.layer_size(chain), 0);
        store.forget_layer(chain);
    }
    return freed;
}

PruneResult prune_images(store::Store& store, const PruneOptions& options) {
    const ImageFilter filter{options.filters};
    for (const auto& [key, value] : options.filters)
        if (key != "until" && key != "label" && key != "label!")
            throw make_error(ErrorKind::usage, "invalid filter {}", quote(key)).with_hint("use until, label or label!");
    PruneResult result;
    const auto names = names_by_image(store);
    for (const ImageListing& listing : list_images(store, ImageListOptions{})) {
        if (listing.containers > 0 || !labels_match(listing.labels, filter.values("label"))) continue;
        const auto unwanted = filter.values("label!");
        if (std::any_of(unwanted.begin(), unwanted.end(),
                        [&](const std::string& text) { return labels_match(listing.labels, {text}); }))
            continue;
        const auto times = filter.values("until");
        if (std::any_of(times.begin(), times.end(),
                        [&](const std::string& text) { return listing.created_at >= filter_time(text); }))
            continue;
        const auto known = names.find(listing.id);
        if (known != names.end() && !options.all) continue;
        if (!store.image(listing.id)) continue;  // listed under another name before
        const std::vector<std::string> tags = known == names.end() ? std::vector<std::string>{} : known->second;
        try {
            delete_image(store, listing.id, tags);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::conflict) throw;
            continue;  // a container was made of it just now
        }
        for (const auto& tag : tags) result.lines.push_back("untagged: " + image::parse_reference(tag).familiar());
        result.lines.push_back("deleted: " + listing.id);
    }
    result.freed = collect_garbage(store, true);
    return result;
}

std::vector<std::string> remove_image(store::Store& store, const std::string& reference, bool force, bool keep_layers) {
    const std::optional<store::Image> image = find_image(store, reference);
    if (!image) throw make_error(ErrorKind::not_found, "no such image: {}", reference);
    const auto all = names_by_image(store);
    const auto known = all.find(image->id);
    std::vector<std::string> names = known == all.end() ? std::vector<std::string>{} : known->second;

    std::string named;  // the name by which it was meant, if it was
    try {
        const auto name = image::parse_reference(reference);
        named = name.to_string();
        if (!name.digest.empty() && !names.empty()) {
            store.delete_image_digest(name.registry + "/" + name.repository, name.digest);
            return {"Untagged: " + name.familiar()};
        }
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
    if (!keep_layers) (void)collect_garbage(store, false);
    return done;
}

}  // namespace compose::engine
