// What `compose config` prints: the canonical model as YAML or JSON, and its lists. Pure functions of a loaded project.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compose {

enum class ConfigFormat { yaml, json };

/// "yaml" or "json"; throws Error(usage) that names the accepted ones.
ConfigFormat parse_config_format(std::string_view text);

/// The whole model, ending in a newline. The output can be loaded again: every `$` is doubled, unless the project was
/// loaded with LoadRequest::interpolate off (pass `interpolated` false then), where texts are printed as written.
std::string render_config(const LoadedProject& loaded, ConfigFormat format, bool interpolated = true);

/// A model that was put together elsewhere, as JSON, in the same forms; `$` is doubled.
std::string render_model(std::string_view json_text, ConfigFormat format);

/// The same project with other images, by service.
LoadedProject with_images(const LoadedProject& loaded, const std::map<std::string, std::string>& images);
/// The services' images and nothing else: an override file.
LoadedProject only_images(const LoadedProject& loaded);

// The list modes, one name a line in this order.
std::vector<std::string> config_services(const LoadedProject& loaded);     // active ones, sorted
std::vector<std::string> config_networks(const LoadedProject& loaded);     // keys of those in use, sorted
std::vector<std::string> config_volumes(const LoadedProject& loaded);      // keys of those in use, sorted
std::vector<std::string> config_models(const LoadedProject& loaded);       // keys, sorted
std::vector<std::string> config_images(const LoadedProject& loaded);       // of active services, sorted, once each
std::vector<std::string> config_profiles(const LoadedProject& loaded);     // of all services, sorted, once each
std::vector<std::string> config_environment(const LoadedProject& loaded);  // "K=V", sorted

/// Service and hash, sorted by service. `selector` is "*" or service names with commas between; throws
/// Error(not_found) for a name that is no service.
std::vector<std::pair<std::string, std::string>> config_hashes(const LoadedProject& loaded, std::string_view selector);

struct ConfigVariable {
    std::string name;
    bool required = false;
    std::string default_value;    // of ${V-x} and ${V:-x}
    std::string alternate_value;  // of ${V+x} and ${V:+x}
};
/// Every variable that the files use, sorted by name. The project must have been loaded with interpolate off.
std::vector<ConfigVariable> config_variables(const LoadedProject& uninterpolated);
/// As `config --variables` prints them: a table with a heading.
std::string render_variables(const std::vector<ConfigVariable>& variables);
/// The same for programs: {NAME: {Name, DefaultValue, PresenceValue, Required}}.
std::string render_variables(const std::vector<ConfigVariable>& variables, ConfigFormat format);

/// The JSON schema (draft 2020-12) of the Compose file, as `compose schema` prints it.
std::string_view compose_schema();

/// What of this machine decides whether an attribute can be honoured (see objects.hpp).
struct HostSupport {
    std::string no_api_socket{};  // why there is none for use_api_socket; empty: there is one
    bool selinux = false;         // the kernel has it, and a policy
};

/// Reports what the engine can't do yet or never will, with the place of each attribute. For commands that run
/// containers; `config` doesn't call it.
void check_supported(const LoadedProject& loaded, Diagnostics& findings, const HostSupport& host = {});

}  // namespace compose
