// The YAML reader: what the full parser reads, the quick one reads alike. (The full one refuses some texts that are
// fine, such as {?a: 1}.)
#include "fuzz/support.hpp"
#include "loader/yaml_reader.hpp"

constexpr const char* kMistakes = "mistakes";

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    std::string read[2];
    for (const bool quick : {false, true}) {
        Diagnostics findings;
        const auto file = findings.sources.add("c.yaml", std::string(reinterpret_cast<const char*>(data), size));
        YamlOptions options;
        options.quick = quick;
        for (const auto& document : read_yaml(file, findings, options)) read[quick] += flow(document) + "\n";
        if (findings.has_errors()) read[quick] = kMistakes;
        for (const auto& finding : findings.sorted()) (void)render(finding, findings.sources, true);
    }
    if (read[0] != read[1] && read[0] != kMistakes) fuzz::broken("both parsers read the same", read[0], read[1]);
    return 0;
}
