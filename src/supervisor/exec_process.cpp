#include "supervisor/exec_process.hpp"

#include <algorithm>
#include <string_view>

namespace compose::supervisor {

void complete_from(const runtime::ContainerSpec& spec, runtime::ProcessSpec& process) {
    const auto key_of = [](const std::string& entry) { return std::string_view(entry).substr(0, entry.find('=')); };
    std::vector<std::string> env;
    for (const auto& entry : spec.process.env) {
        const bool replaced = std::any_of(process.env.begin(), process.env.end(),
                                          [&](const std::string& own) { return key_of(own) == key_of(entry); });
        if (!replaced) env.push_back(entry);
    }
    env.insert(env.end(), process.env.begin(), process.env.end());
    process.env = std::move(env);
    if (process.cwd.empty()) process.cwd = spec.process.cwd;
    if (process.user.empty()) {
        process.user = spec.process.user;
        if (process.additional_groups.empty()) process.additional_groups = spec.process.additional_groups;
    }
}

}  // namespace compose::supervisor
