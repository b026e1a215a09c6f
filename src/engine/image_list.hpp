// Looking at images: lists, history, Docker's image object. Reads the store only.
#pragma once

#include <compose/images.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace compose::engine {

[[nodiscard]] std::vector<ImageListing> list_images(const store::Store& store, const ImageListOptions& options);
[[nodiscard]] std::vector<ContainerImage> images_of_containers(const store::Store& store, const std::string& project,
                                                               const std::vector<std::string>& services);
[[nodiscard]] std::vector<HistoryView> image_history(const store::Store& store, const std::string& reference);
[[nodiscard]] std::string inspect_image(const store::Store& store, const std::string& reference);

/// By name, digest or id; throws Error(not_found).
/// When it last got a name, in nanoseconds since 1970; 0 without one.
[[nodiscard]] std::int64_t last_tag_time(const store::Store& store, const std::string& image_id);
[[nodiscard]] store::Image require_image(const store::Store& store, const std::string& reference);
[[nodiscard]] std::vector<std::string> names_of(const store::Store& store, const std::string& image_id);

/// "label=k=v", "until=24h" and so on, as filters of lists and prunes have them.
struct ImageFilter {
    std::vector<std::pair<std::string, std::string>> all;
    [[nodiscard]] std::vector<std::string> values(const std::string& key) const;
};
/// Do the labels have all that the `label` filters ask for?
[[nodiscard]] bool labels_match(const Labels& labels, const std::vector<std::string>& wanted);
/// A time as filters have it, as nanoseconds since 1970: RFC 3339, seconds since 1970, or a duration before now.
[[nodiscard]] std::int64_t filter_time(const std::string& text);
/// Does the name match a pattern of * and ?, as it is written or without its tag?
[[nodiscard]] bool reference_matches(const std::string& pattern, const std::string& familiar_name,
                                     const std::string& tag);

}  // namespace compose::engine
