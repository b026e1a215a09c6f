#include <compose/version.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

struct Args {
    std::string format = "pretty";
    bool brief = false;
};

int run(const Args& args) {
    if (args.format != "pretty" && args.format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(args.format))
            .with_hint("use pretty or json");
    if (args.brief)
        print(fmt::format("{}\n", kVersion));
    else if (args.format == "json")
        print(fmt::format("{{\"version\":\"{}\"}}\n", kVersion));
    else
        print(fmt::format("Compose version {}\n", kVersion));
    return 0;
}

}  // namespace

Run define_version(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.value("-f,--format", args->format, "FORMAT", "pretty or json");
    arguments.flag("--short", args->brief, "The number alone");
    return [args](Context&) { return run(*args); };
}

}  // namespace compose::cli
