// Images by the references that services write, read once each.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/image_facts.hpp"
#include "store/store.hpp"

namespace compose::engine {

class ImageCatalog {
public:
    explicit ImageCatalog(store::Store& store) : store_(store) {}
    /// By name ("debian", "x/y:1") or id ("sha256:..." or at least 12 digits of it); null when it is not here.
    [[nodiscard]] const ImageFacts* find(const std::string& reference);

private:
    store::Store& store_;
    std::map<std::string, std::optional<ImageFacts>> known_;
};

/// The row that a reference means, by the same rules.
[[nodiscard]] std::optional<store::Image> find_image(const store::Store& store, const std::string& reference);
[[nodiscard]] ImageFacts facts_of(const store::Image& image);

}  // namespace compose::engine
