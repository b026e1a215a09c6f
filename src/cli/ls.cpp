#include <map>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/output.hpp"
#include "cli/render_table.hpp"

namespace compose::cli {

namespace {

struct Args {
    bool all = false, quiet = false;
    std::vector<std::string> filter;
    std::string format = "table";
};

struct Stack {
    std::map<std::string, int> states;
    std::set<std::string> files;
    [[nodiscard]] std::string status() const {
        std::string out;
        for (const auto& [state, count] : states) out += fmt::format("{}{}({})", out.empty() ? "" : ", ", state, count);
        return out;
    }
    [[nodiscard]] std::string config_files() const {
        return files.empty() ? "N/A" : join({files.begin(), files.end()}, ",");
    }
};

int run(Context& context, const Args& args) {
    if (args.format != "table" && args.format != "json")
        throw make_error(ErrorKind::usage, "invalid value {} for --format", quote(args.format))
            .with_hint("use table or json");
    const Filters filters(args.filter, {"name"});
    std::map<std::string, Stack> stacks;
    for (const auto& view : context.containers().list()) {
        if (view.project == kStandaloneProject || view.oneoff) continue;
        if (!args.all && (view.state == "exited" || view.state == "created" || view.state == "dead")) continue;
        auto& stack = stacks[view.project];
        ++stack.states[view.state];
        if (const auto label = view.labels.find("com.docker.compose.project.config_files"); label != view.labels.end())
            stack.files.insert(label->second);
    }
    std::erase_if(stacks, [&](const auto& entry) {
        const bool named = filters.any("name", [&](const std::string& text) { return matches(text, entry.first); });
        return !named;
    });
    std::string out;
    if (args.quiet) {
        for (const auto& [name, stack] : stacks) out += name + "\n";
    } else if (args.format == "json") {
        json::array list;
        for (const auto& [name, stack] : stacks)
            list.push_back(
                json::object{{"Name", name}, {"Status", stack.status()}, {"ConfigFiles", stack.config_files()}});
        out = json::serialize(list) + "\n";
    } else {
        Table table({"NAME", "STATUS", "CONFIG FILES"}, kSection);
        for (const auto& [name, stack] : stacks) table.add({name, stack.status(), stack.config_files()});
        out = table.text();
    }
    print(out);
    return 0;
}

}  // namespace

Run define_ls(Arguments& arguments) {
    const auto args = std::make_shared<Args>();
    arguments.text("Projects of this machine, whatever folder they were started from.");
    arguments.flag("-a,--all", args->all, "Show projects of which nothing runs too");
    arguments.list("--filter", args->filter, "name=TEXT", "Only projects whose name matches");
    arguments.value("--format", args->format, "FORMAT", "table or json");
    arguments.flag("-q,--quiet", args->quiet, "Show names only");
    return [args](Context& context) { return run(context, *args); };
}

}  // namespace compose::cli
