#include "build/run_config.hpp"

namespace compose::build {

std::optional<std::string> RunConfig::variable(const std::string& name) const {
    for (const auto& item : env)
        if (item.size() > name.size() && item[name.size()] == '=' && item.starts_with(name))
            return item.substr(name.size() + 1);
    return std::nullopt;
}

void RunConfig::set_variable(const std::string& name, const std::string& value) {
    for (auto& item : env)
        if (item.size() > name.size() && item[name.size()] == '=' && item.starts_with(name)) {
            item = name + "=" + value;
            return;
        }
    env.push_back(name + "=" + value);
}

}  // namespace compose::build
