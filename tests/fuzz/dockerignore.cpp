// .dockerignore: the first line is a path, the rest the patterns. A path is hidden the same way whether it is asked for
// whole or found in a walk.
#include "build/dockerignore.hpp"

#include <string>

#include "base/error.hpp"
#include "build/paths.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace compose;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto newline = std::min(text.find('\n'), text.size());
    const auto path = build::clean_relative(text.substr(0, newline));
    if (path.empty()) return 0;
    try {
        const build::DockerIgnore ignore(text.substr(std::min(newline + 1, text.size())));
        build::DockerIgnore::Matches above, own;
        bool hidden = false;
        for (std::size_t end = 0; end < path.size();) {
            end = std::min(path.find('/', end + 1), path.size());
            hidden = ignore.hides(path.substr(0, end), above, own);
            above.swap(own);
        }
        if (hidden != ignore.hides(path)) __builtin_trap();
    } catch (const Error&) {
    }
    return 0;
}
