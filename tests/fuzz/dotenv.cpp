// Files of variables, in both grammars: every entry has a name and a place in the text.
#include "loader/dotenv.hpp"

#include "fuzz/support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    for (const bool raw : {false, true}) {
        Diagnostics findings;
        const auto file = findings.sources.add(".env", std::string(reinterpret_cast<const char*>(data), size));
        const std::map<std::string, std::string> environment{{"SET", "value"}};
        const auto entries =
            raw ? parse_raw_env(file, environment, findings) : parse_dotenv(file, environment, {}, findings);
        for (const auto& entry : entries)
            if (entry.key.empty() || !entry.pos.known()) fuzz::broken("an entry has a name and a place");
        for (const auto& finding : findings.sorted()) (void)render(finding, findings.sources, true);
    }
    return 0;
}
