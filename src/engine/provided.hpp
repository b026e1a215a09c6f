// What programs of the host said while a plan is carried out: the variables of providers, and where models are served.
// Several workers tell and ask at once.
#pragma once

#include <compose/observed.hpp>
#include <compose/project.hpp>
#include <map>
#include <mutex>
#include <string>

namespace compose::engine {

using Variables = std::map<std::string, std::string>;

struct ProviderAnswer {
    Variables prefixed;  // NAME of the answer with the service's own name before it
    Variables raw;
};

struct ModelAnswer {
    std::string model;
    std::string endpoint;
};

class Provided {
public:
    void tell(const std::string& service, ProviderAnswer answer);
    void tell_model(const std::string& key, ModelAnswer answer);

    /// The service with the variables of the providers that it depends on, and of its models, in its environment. They
    /// count in its hash, as "base+variables"; those that were not asked count as silent.
    [[nodiscard]] Service applied(const Service& service) const;
    /// The project in which those that were asked count as disabled, and nobody waits for them or uses them any more:
    /// each service as applied() has it, with its providers' dependencies instead of the providers.
    [[nodiscard]] Project settled(const Project& project) const;
    /// For the next plan: who was asked, and the hashes of the services that got everything.
    void note(ObservedState& observed, Project& project) const;

private:
    [[nodiscard]] Variables variables_of(const Service& service) const;

    mutable std::mutex mutex_;
    std::map<std::string, ProviderAnswer> providers_;
    std::map<std::string, ModelAnswer> models_;
};

/// A name as the beginning of a variable's: "my-db.1" -> "MY_DB_1".
[[nodiscard]] std::string variable_stem(const std::string& name);
/// The variables in which a service finds a model's address and its name.
[[nodiscard]] std::string endpoint_variable(const ModelUse& use);
[[nodiscard]] std::string model_variable(const ModelUse& use);

}  // namespace compose::engine
