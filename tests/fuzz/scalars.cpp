// Every parser of a scalar: the first byte chooses an attribute, the rest is its value. What loads has one canonical
// form.
#include <array>
#include <compose/config.hpp>

#include "base/units.hpp"
#include "fuzz/support.hpp"
#include "loader/units_bind.hpp"
#include "loader/yaml_reader.hpp"
#include "model/canonical.hpp"

namespace {

using namespace compose;

// `%` is where the value goes.
constexpr std::array<std::string_view, 30> kAttributes{
    "ports: [%]",
    "expose: [%]",
    "volumes: [%]",
    "tmpfs: [%]",
    "devices: [%]",
    "command: %",
    "entrypoint: %",
    "environment: [%]",
    "labels: [%]",
    "extra_hosts: [%]",
    "mem_limit: %",
    "cpus: %",
    "restart: %",
    "pull_policy: %",
    "stop_grace_period: %",
    "healthcheck: {test: %}",
    "secrets: [{source: s, mode: %}]",
    "container_name: %",
    "network_mode: %",
    "volumes_from: [%]",
    "links: [%]",
    "ulimits: {nofile: %}",
    "gpus: [{count: %}]",
    "cpu_period: %",
    "scale: %",
    "init: %",
    "sysctls: [%]",
    "platform: %",
    "image: %",
    "build: {ssh: [%]}",
};

void convert_all(const std::string& text) {
    for (int type = 0; type <= static_cast<int>(ScalarType::address); ++type) {
        for (const bool plain : {false, true}) {
            Node node = plain ? resolve_plain_scalar(text, {1, 1, 1}) : Node::make_string(text, {1, 1, 1});
            const auto scalar = static_cast<ScalarType>(type);
            const bool fits = fits_scalar(node, scalar);
            if (convert_scalar(node, scalar) != fits) fuzz::broken("a scalar that fits converts", text);
            if (!fits) continue;
            const auto once = scalar_text(node);
            if (!convert_scalar(node, scalar)) fuzz::broken("a canonical scalar fits", text, once);
            if (scalar_text(node) != once) fuzz::broken("a canonical scalar stays", once, scalar_text(node));
        }
    }
    (void)parse_bytes(text);
    if (const auto duration = parse_duration(text))
        if (parse_duration(format_duration(*duration)) != duration) fuzz::broken("a duration is read back", text);
}

void load_with(std::string_view attribute, const std::string& text) {
    std::string yaml =
        "services:\n  a:\n    " + (attribute.starts_with("image") ? "" : std::string("image: app\n    "));
    const auto at = attribute.find('%');
    yaml += std::string(attribute.substr(0, at)) + json_quoted(text) + std::string(attribute.substr(at + 1));
    yaml += "\nsecrets: {s: {file: f}}\n";
    MemoryFiles files({{"/p/compose.yaml", yaml}});
    Diagnostics findings;
    const auto loaded = load_project(fuzz::request(), files, findings);
    if (findings.has_errors()) return;
    const auto once = render_config(loaded, ConfigFormat::yaml);
    MemoryFiles again({{"/p/compose.yaml", once}});
    Diagnostics none;
    const auto reloaded = load_project(fuzz::request(), again, none);
    if (none.has_errors()) fuzz::broken("what is printed loads again", once, text_of(none));
    const auto twice = render_config(reloaded, ConfigFormat::yaml);
    if (once != twice) fuzz::broken("the output fed back gives the same output", once, twice);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    convert_all(text);
    if (text.find('\0') == std::string::npos) load_with(kAttributes[data[0] % kAttributes.size()], text);
    return 0;
}
