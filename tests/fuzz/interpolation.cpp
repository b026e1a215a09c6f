// Expressions in one text: never more than the limit, and a text without a dollar stays what it is.
#include "fuzz/support.hpp"
#include "loader/expand.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::map<std::string, std::string> values{{"A", "1"}, {"B", "${A}"}, {"EMPTY", ""}, {"SPACE", " x "}};
    const VariableLookup lookup = [&](const std::string& name) -> const std::string* {
        const auto found = values.find(name);
        return found == values.end() ? nullptr : &found->second;
    };
    ExpandHooks hooks;
    hooks.unset = [&](std::string_view name, std::size_t offset) {
        if (name.empty() || offset >= text.size()) fuzz::broken("an unset variable has a name and a place");
    };
    try {
        const auto out = expand(text, lookup, hooks);
        if (text.find('$') == std::string::npos && out != text) fuzz::broken("plain text stays", text, out);
    } catch (const ExpandFailure& failure) {
        if (failure.message.empty() || failure.offset > text.size()) fuzz::broken("a failure says what and where");
    }
    return 0;
}
