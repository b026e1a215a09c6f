#include "engine/image_list.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "engine/base_images.hpp"
#include "engine/image_catalog.hpp"
#include "image/config.hpp"
#include "image/reference.hpp"
#include "sys/clock.hpp"

namespace compose::engine {
namespace {

constexpr const char* kNone = "<none>";

/// * stands for what has no slash, ? for one such character.
bool glob(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        for (std::size_t i = 0;; ++i) {
            if (glob(pattern.substr(1), text.substr(i))) return true;
            if (i == text.size() || text[i] == '/') return false;
        }
    }
    if (text.empty() || (pattern[0] == '?' ? text[0] == '/' : pattern[0] != text[0])) return false;
    return glob(pattern.substr(1), text.substr(1));
}

/// Everything that is known of images beside their rows, read once.
struct Names {
    explicit Names(const store::Store& store) {
        for (const auto& name : store.image_names())
            tags[name.image_id].push_back(image::parse_reference(name.reference));
        for (const auto& digest : store.image_digests()) digests[digest.image_id].push_back(digest);
        for (const auto& container : store.containers_without_spec("")) ++containers[container.config.image_id];
    }
    [[nodiscard]] std::string digest_in(const std::string& id, const std::string& repository) const {
        const auto found = digests.find(id);
        if (found != digests.end())
            for (const auto& digest : found->second)
                if (digest.repository == repository) return digest.digest;
        return kNone;
    }
    std::map<std::string, std::vector<image::Reference>> tags;
    std::map<std::string, std::vector<store::ImageDigest>> digests;
    std::map<std::string, int> containers;
};

std::vector<ImageListing> listings_of(const store::Image& row, const Names& names) {
    const auto config = image::parse_config(row.config);
    ImageListing base;
    base.id = row.id;
    base.size = row.size;
    base.created_at = image::parse_time(config.created).value_or(row.created_at);
    base.platform = platform_of(row).to_string();
    base.labels = config.labels;
    if (const auto used = names.containers.find(row.id); used != names.containers.end()) base.containers = used->second;
    std::vector<ImageListing> out;
    const auto add = [&](const std::string& repository, const std::string& tag, const std::string& digest) {
        auto listing = base;
        listing.repository = repository;
        listing.tag = tag;
        listing.digest = digest;
        out.push_back(std::move(listing));
    };
    std::set<std::string> covered;
    if (const auto tags = names.tags.find(row.id); tags != names.tags.end())
        for (const auto& name : tags->second) {
            const auto repository = name.registry + "/" + name.repository;
            covered.insert(repository);
            add(name.familiar_name(), name.tag.empty() ? kNone : name.tag, names.digest_in(row.id, repository));
        }
    if (const auto digests = names.digests.find(row.id); digests != names.digests.end())
        for (const auto& digest : digests->second)
            if (!covered.contains(digest.repository))
                add(image::parse_reference(digest.repository).familiar_name(), kNone, digest.digest);
    if (out.empty()) add(kNone, kNone, kNone);
    return out;
}

std::optional<bool> truth(const std::string& text) {
    const std::string word = lower(text);
    if (word == "true" || word == "1" || word == "t") return true;
    if (word == "false" || word == "0" || word == "f") return false;
    return std::nullopt;
}

bool wanted(const ImageListing& listing, const ImageListOptions& options, std::int64_t before, std::int64_t since) {
    const ImageFilter filter{options.filters};
    for (const auto& value : filter.values("dangling"))
        if ((listing.tag == kNone) != truth(value).value_or(false)) return false;
    if (!labels_match(listing.labels, filter.values("label"))) return false;
    for (const auto& value : filter.values("until"))
        if (listing.created_at >= filter_time(value)) return false;
    if (before != 0 && listing.created_at >= before) return false;
    if (since != 0 && listing.created_at <= since) return false;
    auto patterns = filter.values("reference");
    if (!patterns.empty() && std::none_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            return reference_matches(pattern, listing.repository, listing.tag);
        }))
        return false;
    return options.reference.empty() || reference_matches(options.reference, listing.repository, listing.tag);
}

std::int64_t time_of(const store::Store& store, const std::vector<std::string>& references) {
    if (references.empty()) return 0;
    const auto image = require_image(store, references.front());
    return image::parse_time(image::parse_config(image.config).created).value_or(image.created_at);
}

void check_filters(const ImageListOptions& options) {
    static constexpr std::array<std::string_view, 6> kKnown{"dangling", "label", "before",
                                                            "since",    "until", "reference"};
    for (const auto& [key, value] : options.filters) {
        if (key == "dangling" && !truth(value))
            throw make_error(ErrorKind::usage, "invalid filter dangling={}", quote(value))
                .with_hint("it is true or false");
        if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end())
            throw make_error(ErrorKind::usage, "invalid filter {}", quote(key))
                .with_hint("use dangling, label, before, since, until or reference");
    }
}

}  // namespace

std::vector<std::string> ImageFilter::values(const std::string& key) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : all)
        if (name == key) out.push_back(value);
    return out;
}

bool labels_match(const Labels& labels, const std::vector<std::string>& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& text) {
        const auto equals = text.find('=');
        const auto found = labels.find(text.substr(0, equals));
        return found != labels.end() && (equals == std::string::npos || found->second == text.substr(equals + 1));
    });
}

std::int64_t filter_time(const std::string& text) {
    if (const auto time = image::parse_time(text)) return *time;
    if (const auto span = parse_duration(text)) return sys::wall_now().time_since_epoch().count() - span->count();
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size() && seconds >= 0 && seconds < 9'000'000'000)
        return seconds * 1'000'000'000;
    throw make_error(ErrorKind::usage, "{} is no time", quote(text)).with_hint("write 24h, or 2026-01-02T03:04:05Z");
}

bool reference_matches(const std::string& pattern, const std::string& familiar_name, const std::string& tag) {
    return glob(pattern, familiar_name) || glob(pattern, familiar_name + ":" + tag);
}

store::Image require_image(const store::Store& store, const std::string& reference) {
    auto image = find_image(store, reference);
    if (!image) throw make_error(ErrorKind::not_found, "no such image: {}", reference);
    return std::move(*image);
}

std::vector<std::string> names_of(const store::Store& store, const std::string& image_id) {
    std::vector<std::string> out;
    for (const auto& name : store.image_names())
        if (name.image_id == image_id) out.push_back(name.reference);
    return out;
}

std::vector<ImageListing> list_images(const store::Store& store, const ImageListOptions& options) {
    check_filters(options);
    const Names names(store);
    const ImageFilter filter{options.filters};
    const auto before = time_of(store, filter.values("before"));
    const auto since = time_of(store, filter.values("since"));
    std::vector<ImageListing> out;
    for (const auto& row : store.images())
        for (auto& listing : listings_of(row, names))
            if (wanted(listing, options, before, since)) out.push_back(std::move(listing));
    std::stable_sort(out.begin(), out.end(), [](const ImageListing& a, const ImageListing& b) {
        return std::tie(b.created_at, a.repository, a.tag) < std::tie(a.created_at, b.repository, b.tag);
    });
    return out;
}

std::int64_t last_tag_time(const store::Store& store, const std::string& image_id) {
    std::int64_t out = 0;
    for (const auto& name : store.image_names())
        if (name.image_id == image_id) out = std::max(out, name.tagged_at);
    return out;
}

std::vector<ContainerImage> images_of_containers(const store::Store& store, const std::string& project,
                                                 const std::vector<std::string>& services) {
    const Names names(store);
    std::vector<ContainerImage> out;
    for (const auto& container : store.containers_without_spec(project)) {
        const bool named =
            services.empty() || std::find(services.begin(), services.end(), container.service) != services.end();
        const auto row = named ? store.image(container.config.image_id) : std::nullopt;
        if (!row) continue;
        auto listings = listings_of(*row, names);
        // The name that the service wrote, if it still stands for this image.
        auto best = listings.front();
        for (const auto& listing : listings)
            if (!image::id_prefix(container.config.image)) {
                const auto wish = image::parse_reference(container.config.image);
                if (listing.repository == wish.familiar_name() && listing.tag == wish.tag) best = listing;
            }
        out.push_back({.container = container.name,
                       .repository = best.repository,
                       .tag = best.tag,
                       .id = row->id,
                       .platform = best.platform,
                       .size = row->size,
                       .created_at = best.created_at,
                       .tagged_at = last_tag_time(store, row->id)});
    }
    return out;
}

std::vector<HistoryView> image_history(const store::Store& store, const std::string& reference) {
    const auto image = require_image(store, reference);
    const auto config = image::parse_config(image.config);
    std::vector<HistoryView> out;
    std::size_t layer = 0;
    for (const auto& step : config.history) {
        HistoryView view{.id = "", .created_at = 0, .created_by = step.created_by, .size = 0, .comment = step.comment};
        view.created_at = image::parse_time(step.created).value_or(0);
        if (!step.empty_layer && layer < image.layers.size()) view.size = store.layer_size(image.layers[layer++]);
        out.push_back(std::move(view));
    }
    for (; layer < image.layers.size(); ++layer) {
        HistoryView view;
        view.created_at = image::parse_time(config.created).value_or(0);
        view.size = store.layer_size(image.layers[layer]);
        out.push_back(std::move(view));
    }
    std::reverse(out.begin(), out.end());
    if (!out.empty()) out.front().id = image.id;
    return out;
}

std::string inspect_image(const store::Store& store, const std::string& reference) {
    const auto image = require_image(store, reference);
    const auto value = parse_json(image.config);
    const auto& config = value.as_object();
    json::array tags, digests, layers;
    const auto tagged_at = last_tag_time(store, image.id);
    for (const auto& name : names_of(store, image.id)) tags.emplace_back(image::parse_reference(name).familiar());
    for (const auto& digest : store.image_digests())
        if (digest.image_id == image.id)
            digests.emplace_back(image::parse_reference(digest.repository).familiar_name() + "@" + digest.digest);
    const auto parsed = image::parse_config(image.config);
    for (const auto& id : parsed.diff_ids) layers.emplace_back(id);
    json::array lowers;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
        lowers.emplace_back(store.layout().layer(*layer));
    json::object out;
    out["Id"] = image.id;
    out["RepoTags"] = std::move(tags);
    out["RepoDigests"] = std::move(digests);
    out["Parent"] = "";
    auto comment = string_or(config, "comment");
    if (comment.empty() && !parsed.history.empty()) comment = parsed.history.back().comment;
    out["Comment"] = comment;
    out["Created"] = string_or(config, "created");
    out["Author"] = string_or(config, "author");
    const auto* inner = config.if_contains("config");
    out["Config"] = inner != nullptr && inner->is_object() ? *inner : json::value(json::object{});
    out["Architecture"] = string_or(config, "architecture");
    if (const auto variant = string_or(config, "variant"); !variant.empty()) out["Variant"] = variant;
    out["Os"] = string_or(config, "os", "linux");
    out["Size"] = image.size;
    json::array paths;
    json::object data{{"LowerDirs", std::move(lowers)}};
    out["GraphDriver"] = json::object{{"Name", "overlayfs"}, {"Data", std::move(data)}};
    out["RootFS"] = json::object{{"Type", "layers"}, {"Layers", std::move(layers)}};
    const sys::WallTime last{std::chrono::nanoseconds(tagged_at)};
    out["Metadata"] = json::object{{"LastTagTime", tagged_at == 0 ? "0001-01-01T00:00:00Z" : sys::rfc3339(last)}};
    if (const auto manifest = store.image_manifest(image.id))
        out["Descriptor"] = json::object{{"digest", manifest->digest}, {"size", manifest->content.size()}};
    return json::serialize(out);
}

}  // namespace compose::engine
