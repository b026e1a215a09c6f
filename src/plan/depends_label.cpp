#include "plan/depends_label.hpp"

#include "base/strings.hpp"

namespace compose::plan {
namespace {

struct Word {
    std::string_view text;
    Condition condition;
};
constexpr Word kConditions[] = {
    {"service_started", Condition::started},
    {"service_healthy", Condition::healthy},
    {"service_completed_successfully", Condition::completed},
};

}  // namespace

std::string render_depends_on(const std::vector<Dependency>& dependencies) {
    std::vector<std::string> parts;
    for (const Dependency& dependency : dependencies)
        for (const Word& word : kConditions)
            if (word.condition == dependency.condition)
                parts.push_back(dependency.service + ":" + std::string(word.text) +
                                (dependency.restart ? ":true" : ":false"));
    return join(parts, ",");
}

std::vector<Dependency> parse_depends_on(std::string_view label) {
    std::vector<Dependency> result;
    for (const std::string& part : split(label, ',')) {
        const std::vector<std::string> fields = split(part, ':');
        if (fields[0].empty()) continue;
        Dependency dependency;
        dependency.service = fields[0];
        if (fields.size() > 1)
            for (const Word& word : kConditions)
                if (word.text == fields[1]) dependency.condition = word.condition;
        dependency.restart = fields.size() > 2 && fields[2] == "true";
        result.push_back(std::move(dependency));
    }
    return result;
}

}  // namespace compose::plan
