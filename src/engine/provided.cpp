#include "engine/provided.hpp"

#include <algorithm>
#include <compose/plan.hpp>

#include "base/digest.hpp"
#include "base/strings.hpp"

namespace compose::engine {
namespace {

constexpr std::size_t kHashDigits = 16;  // tells two answers apart; nobody gains by two that look alike

}  // namespace

std::string variable_stem(const std::string& name) {
    std::string out = name;
    for (char& c : out)
        if (c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
        else if (c == '-' || c == '.')
            c = '_';
    return out;
}

std::string endpoint_variable(const ModelUse& use) {
    return use.endpoint_var.empty() ? variable_stem(use.model) + "_URL" : use.endpoint_var;
}

std::string model_variable(const ModelUse& use) {
    return use.model_var.empty() ? variable_stem(use.model) + "_MODEL" : use.model_var;
}

void Provided::tell(const std::string& service, ProviderAnswer answer) {
    const std::lock_guard lock(mutex_);
    providers_[service] = std::move(answer);
}

void Provided::tell_model(const std::string& key, ModelAnswer answer) {
    const std::lock_guard lock(mutex_);
    models_[key] = std::move(answer);
}

Variables Provided::variables_of(const Service& service) const {
    const std::lock_guard lock(mutex_);
    Variables out;
    for (const Dependency& dependency : service.depends_on) {
        const auto answer = providers_.find(dependency.service);
        if (answer == providers_.end()) continue;
        for (const auto* variables : {&answer->second.prefixed, &answer->second.raw})
            for (const auto& [name, value] : *variables) out[name] = value;
    }
    for (const ModelUse& use : service.models) {
        const auto answer = models_.find(use.model);
        if (answer == models_.end()) continue;
        out[model_variable(use)] = answer->second.model;
        // What the specification first called it; an own variable of that name stays.
        if (const std::string bare = variable_stem(use.model);
            use.model_var.empty() && !service.environment.contains(bare))
            out[bare] = answer->second.model;
        out[endpoint_variable(use)] = answer->second.endpoint;
    }
    return out;
}

Service Provided::applied(const Service& service) const {
    Service result = service;
    std::string all;
    for (const auto& [name, value] : variables_of(service)) {
        result.environment[name] = value;
        all += name + "=" + value + "\n";
    }
    result.config_hash = base_hash(service.config_hash);
    if (!all.empty()) result.config_hash += "+" + sha256_hex(all).substr(0, kHashDigits);
    return result;
}

Project Provided::settled(const Project& project) const {
    Project result = project;
    for (auto& [name, service] : result.services) service = applied(service);
    const std::lock_guard lock(mutex_);
    for (const auto& [name, answer] : providers_) {
        const std::string& gone = name;
        const auto provider = result.services.extract(name);
        if (provider.empty()) continue;
        for (auto& [other, service] : result.services) {
            auto& list = service.depends_on;
            if (std::erase_if(list, [&](const Dependency& on) { return on.service == gone; }) == 0) continue;
            for (const Dependency& needed : provider.mapped().depends_on)
                if (std::none_of(list.begin(), list.end(),
                                 [&](const Dependency& on) { return on.service == needed.service; }))
                    list.push_back(needed);
        }
        result.disabled_services.emplace(name, provider.mapped());
    }
    for (auto& [name, service] : result.services)
        std::erase_if(service.models, [&](const ModelUse& use) { return models_.contains(use.model); });
    return result;
}

void Provided::note(ObservedState& observed, Project& project) const {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, answer] : providers_) observed.asked_providers.insert(name);
        for (const auto& [key, answer] : models_) observed.asked_models.insert(key);
    }
    for (auto& [name, service] : project.services) service.config_hash = applied(service).config_hash;
}

}  // namespace compose::engine
