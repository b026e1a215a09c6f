#include "image/reference.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace compose::image {

namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kDefaultNamespace = "library/";
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

[[noreturn]] void fail(std::string_view text, const std::string& why) {
    throw make_error(ErrorKind::invalid, "image name {} {}", quote(text.substr(0, 300)), why);
}

/// Lower-case letters and digits, separated by one ".", one or two "_", or any number of "-".
bool is_path_component(std::string_view part) {
    if (part.empty()) return false;
    std::size_t at = 0;
    const auto take_word = [&] {
        const auto start = at;
        while (at < part.size() && (is_lower(part[at]) || is_digit(part[at]))) ++at;
        return at > start;
    };
    if (!take_word()) return false;
    while (at < part.size()) {
        if (part[at] == '.') {
            ++at;
        } else if (part[at] == '_') {
            ++at;
            if (at < part.size() && part[at] == '_') ++at;
        } else if (part[at] == '-') {
            while (at < part.size() && part[at] == '-') ++at;
        } else {
            return false;
        }
        if (!take_word()) return false;
    }
    return true;
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_host(std::string_view text) {
    for (const auto& label : split(text, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; }))
            return false;
    }
    return true;
}

bool is_registry(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos || end < 3) return false;
        const auto inside = text.substr(1, end - 1);
        if (!std::all_of(inside.begin(), inside.end(), [](char c) {
                return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
            }))
            return false;
        const auto rest = text.substr(end + 1);
        return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
    }
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
    return is_host(text.substr(0, colon));
}

bool is_tag(std::string_view tag) {
    if (tag.empty() || tag.size() > kMaxTag || tag[0] == '.' || tag[0] == '-') return false;
    return std::all_of(tag.begin(), tag.end(),
                       [](char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; });
}

/// What stands before the first slash is a registry when it cannot be part of a name.
bool looks_like_registry(std::string_view first) {
    return first == "localhost" || first.find_first_of(".:[") != std::string_view::npos ||
           std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

void check_repository(std::string_view text, std::string_view repository) {
    if (repository.size() > kMaxName) fail(text, fmt::format("is longer than {} characters", kMaxName));
    if (std::any_of(repository.begin(), repository.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
        fail(text, "must be in lower case");
    for (const auto& part : split(repository, '/'))
        if (!is_path_component(part))
            fail(text, "is not of the form [registry/][namespace/]name[:tag][@digest], for example \"debian:stable\"");
}

}  // namespace

bool is_digest(std::string_view text) {
    constexpr std::string_view kPrefix = "sha256:";
    return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
           std::all_of(text.begin() + kPrefix.size(), text.end(), is_hex);
}

std::optional<std::string> id_prefix(std::string_view text) {
    if (text.starts_with("sha256:")) text.remove_prefix(7);
    if (text.size() < 4 || text.size() > 64 || !std::all_of(text.begin(), text.end(), is_hex)) return std::nullopt;
    return std::string(text);
}

Reference parse_reference(std::string_view text) {
    if (text.empty()) throw make_error(ErrorKind::invalid, "the image name is empty");
    if (id_prefix(text) && text.size() == 64)
        fail(text, "is an image id: write sha256: before it to mean the image, or choose another name");
    Reference out;
    auto rest = text;
    if (const auto at = rest.find('@'); at != std::string_view::npos) {
        out.digest = rest.substr(at + 1);
        if (!is_digest(out.digest)) fail(text, "has a bad digest: only sha256: and 64 lower-case hex digits will do");
        rest = rest.substr(0, at);
    }
    if (const auto slash = rest.find('/');
        slash != std::string_view::npos && looks_like_registry(rest.substr(0, slash))) {
        out.registry = rest.substr(0, slash);
        if (!is_registry(out.registry)) fail(text, fmt::format("has a bad registry {}", quote(out.registry)));
        rest = rest.substr(slash + 1);
    }
    if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
        out.tag = rest.substr(colon + 1);
        if (!is_tag(out.tag))
            fail(text, fmt::format("has a bad tag {}", quote(std::string_view(out.tag).substr(0, 150))));
        rest = rest.substr(0, colon);
    }
    check_repository(text, rest);
    if (out.registry.empty() || out.registry == "index.docker.io") out.registry = kDefaultRegistry;
    out.repository = rest;
    if (out.registry == kDefaultRegistry && rest.find('/') == std::string_view::npos)
        out.repository = std::string(kDefaultNamespace) + out.repository;
    if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
    return out;
}

namespace {

std::string with_suffix(std::string name, const Reference& reference) {
    if (!reference.tag.empty()) name += ":" + reference.tag;
    if (!reference.digest.empty()) name += "@" + reference.digest;
    return name;
}

}  // namespace

std::string Reference::to_string() const {
    return with_suffix(registry + "/" + repository, *this);
}

std::string Reference::familiar_name() const {
    if (registry != kDefaultRegistry) return registry + "/" + repository;
    if (!repository.starts_with(kDefaultNamespace)) return repository;
    auto name = repository.substr(kDefaultNamespace.size());
    return name.find('/') == std::string::npos ? name : repository;
}

std::string Reference::familiar() const {
    return with_suffix(familiar_name(), *this);
}

}  // namespace compose::image
