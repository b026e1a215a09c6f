#include "engine/build_remote_cache.hpp"

#include <map>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "sys/clock.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kMaxSteps = 10'000;

void warn(const BuildShared& shared, const std::string& text) {
    BuildEvent event;
    event.kind = BuildEvent::Kind::warning;
    event.build = shared.request.name;
    event.text = text;
    shared.sink.on_build_event(event);
}

/// "type=registry,ref=x" or "x".
std::map<std::string, std::string> fields(const std::string& text) {
    if (text.find('=') == std::string::npos) return {{"type", "registry"}, {"ref", text}};
    std::map<std::string, std::string> out;
    for (const auto& part : split(text, ',')) {
        const auto equals = std::min(part.find('='), part.size());
        out[part.substr(0, equals)] = part.substr(std::min(equals + 1, part.size()));
    }
    return out;
}

bool is_hex(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What the label says, held against the layers that the image has.
std::size_t remember(BuildShared& shared, const BuiltLayers& image, const std::string& label) {
    std::size_t count = 0;
    const auto now = sys::wall_now().time_since_epoch().count();
    const auto list = parse_json(label);
    for (const auto& item : list.as_array()) {
        const auto& pair = item.as_array();
        store::CachedStep row;
        row.key = std::string(pair.at(0).as_string());
        const auto layer = pair.at(1).to_number<std::int64_t>();
        if (!is_hex(row.key) || layer >= static_cast<std::int64_t>(image.chain.size()) || ++count > kMaxSteps)
            throw Error("its list of steps is broken", ErrorKind::invalid);
        if (layer >= 0) {
            row.chain_id = image.chain[static_cast<std::size_t>(layer)];
            row.diff_id = image.config.diff_ids.at(static_cast<std::size_t>(layer));
        }
        row.created_at = row.used_at = now;
        shared.imported[row.key] = row;
    }
    return count;
}

}  // namespace

CacheTargets cache_targets(BuildShared& shared) {
    CacheTargets out;
    for (const auto& text : shared.request.cache_to) {
        auto wanted = fields(text);
        if (wanted["type"] == "inline") {
            out.in_image = true;
        } else if (wanted["type"] == "registry" && !wanted["ref"].empty()) {
            out.names.push_back(image::parse_reference(wanted["ref"]));
            if (wanted["mode"] == "max")
                warn(shared, fmt::format("the cache {} has the steps of the target only", quote(text)));
        } else {
            warn(shared,
                 fmt::format("the cache {} is not written: use type=inline or type=registry,ref=NAME", quote(text)));
        }
    }
    return out;
}

void import_caches(BuildShared& shared, store::Store& store) {
    for (const auto& text : shared.request.cache_from) {
        auto wanted = fields(text);
        if (wanted["type"] != "registry" || wanted["ref"].empty()) {
            warn(shared, fmt::format("the cache {} is not used: use type=registry,ref=NAME", quote(text)));
            continue;
        }
        try {
            const auto image = shared.pulled(store, wanted["ref"]);
            const auto label = image.config.labels.find(kCacheLabel);
            if (label == image.config.labels.end())
                warn(shared, fmt::format("{} carries no cache: build it with --cache-to type=inline", wanted["ref"]));
            else
                (void)remember(shared, image, label->second);
        } catch (const std::exception& error) {
            if (shared.cancel.stop_requested()) throw;
            warn(shared, fmt::format("the cache {} can't be had: {}", wanted["ref"], error.what()));
        }
    }
}

std::string render_cache(const BuiltLayers& built) {
    std::vector<std::string> out;
    for (const auto& [key, layer] : built.steps) out.push_back(fmt::format("[\"{}\",{}]", key, layer));
    return "[" + join(out, ",") + "]";
}

}  // namespace compose::engine
