#include "engine/log_details.hpp"

#include <regex.h>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/template.hpp"

namespace compose::engine {
namespace {

class Pattern {
public:
    Pattern(const std::string& option, const std::string& text) {
        if (::regcomp(&expression_, text.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
            throw make_error(ErrorKind::invalid, "logging option {}: {} is no regular expression", option, quote(text));
    }
    ~Pattern() { ::regfree(&expression_); }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;
    [[nodiscard]] bool matches(const std::string& name) const {
        return ::regexec(&expression_, name.c_str(), 0, nullptr, 0) == 0;
    }

private:
    regex_t expression_{};
};

std::string render_tag(const std::string& tag, const store::Container& row, const ImageFacts& image) {
    const auto whole = [](const std::string& id) { return id.substr(id.find(':') + 1); };
    const std::string image_id = whole(image.id);
    const json::object facts{{"ID", std::string(short_id(row.id))},
                             {"FullID", row.id},
                             {"Name", row.name},
                             {"ImageID", std::string(short_id(image_id))},
                             {"ImageFullID", image_id},
                             {"ImageName", row.config.image},
                             {"DaemonName", "compose"}};
    try {
        return Template(tag).render(facts);
    } catch (const Error& error) {
        throw make_error(ErrorKind::invalid, "logging option tag: {}", error.what())
            .with_hint("it knows {{.Name}}, {{.ID}}, {{.FullID}}, {{.ImageName}}, {{.ImageID}} and {{.ImageFullID}}");
    }
}

}  // namespace

void check_log_pattern(const std::string& option, const std::string& pattern) {
    const Pattern compiled(option, pattern);
}

void check_log_tag(const std::string& tag) {
    (void)render_tag(tag, {}, {});
}

std::map<std::string, std::string> log_details(const Service& service, const ImageFacts& image,
                                               const store::Container& row, const std::vector<std::string>& spec_env) {
    std::map<std::string, std::string> out;
    if (!service.logging || service.logging->driver == "none") return out;
    std::map<std::string, std::string> environment;
    for (const auto& pair : spec_env) {
        const auto equals = pair.find('=');
        if (equals != std::string::npos) environment[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    for (const auto& [key, value] : service.logging->options) {
        if (key == "tag" && !value.empty()) out["tag"] = render_tag(value, row, image);
        const auto& from = key.starts_with("labels") ? row.labels : environment;
        if (key == "labels" || key == "env")
            for (const auto& name : split(value, ','))
                if (const auto found = from.find(std::string(trim(name))); found != from.end()) out.insert(*found);
        if ((key == "labels-regex" || key == "env-regex") && !value.empty()) {
            const Pattern pattern(key, value);
            for (const auto& pair : from)
                if (pattern.matches(pair.first)) out.insert(pair);
        }
    }
    return out;
}

}  // namespace compose::engine
