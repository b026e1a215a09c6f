#include "engine/image_catalog.hpp"

#include "base/error.hpp"
#include "image/config.hpp"
#include "image/reference.hpp"

namespace compose::engine {
namespace {

std::optional<Nanoseconds> set_or_nothing(std::int64_t nanoseconds) {
    if (nanoseconds == 0) return std::nullopt;
    return Nanoseconds(nanoseconds);
}

Healthcheck health_of(const image::HealthCheck& check) {
    Healthcheck result;
    result.disabled = !check.test.empty() && check.test.front() == "NONE";
    result.test = check.test;
    result.interval = set_or_nothing(check.interval_ns);
    result.timeout = set_or_nothing(check.timeout_ns);
    result.start_period = set_or_nothing(check.start_period_ns);
    result.start_interval = set_or_nothing(check.start_interval_ns);
    if (check.retries > 0) result.retries = check.retries;
    return result;
}

std::optional<store::Image> image_by_id_prefix(const store::Store& store, const std::string& prefix) {
    std::optional<store::Image> found;
    for (store::Image& image : store.images()) {
        if (!std::string_view(image.id).substr(7).starts_with(prefix)) continue;
        if (found) throw make_error(ErrorKind::conflict, "image id {} is ambiguous: write more digits", prefix);
        found = std::move(image);
    }
    return found;
}

}  // namespace

std::optional<store::Image> find_image(const store::Store& store, const std::string& reference) {
    const std::optional<std::string> prefix = image::id_prefix(reference);
    try {
        const image::Reference name = image::parse_reference(reference);
        // A digest says all: a tag beside it is for the reader.
        if (!name.digest.empty())
            if (auto image = store.image_by_digest(name.registry + "/" + name.repository, name.digest)) return image;
        if (auto image = store.image_by_reference(name.to_string())) return image;
    } catch (const Error&) {
        if (!prefix) throw;  // "sha256:..." is no name
    }
    return prefix ? image_by_id_prefix(store, *prefix) : std::nullopt;
}

ImageFacts facts_of(const store::Image& image) {
    image::ImageConfig config = image::parse_config(image.config);
    ImageFacts facts;
    facts.id = image.id;
    facts.layers = image.layers;
    facts.environment = std::move(config.env);
    facts.entrypoint = std::move(config.entrypoint);
    facts.command = std::move(config.cmd);
    facts.shell = std::move(config.shell);
    facts.volumes = std::move(config.volumes);
    facts.exposed = std::move(config.exposed_ports);
    facts.user = std::move(config.user);
    facts.working_dir = std::move(config.working_dir);
    facts.stop_signal = std::move(config.stop_signal);
    facts.labels = std::move(config.labels);
    std::erase_if(facts.labels, [](const auto& label) { return label.first.starts_with("com.docker.compose."); });
    if (config.health_check && !config.health_check->test.empty()) facts.healthcheck = health_of(*config.health_check);
    return facts;
}

const ImageFacts* ImageCatalog::find(const std::string& reference) {
    auto known = known_.find(reference);
    if (known == known_.end()) {
        std::optional<ImageFacts> facts;
        if (const auto image = find_image(store_, reference)) facts = facts_of(*image);
        known = known_.emplace(reference, std::move(facts)).first;
    }
    return known->second ? &*known->second : nullptr;
}

}  // namespace compose::engine
