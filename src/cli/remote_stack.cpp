#include "cli/remote_stack.hpp"

#include <algorithm>
#include <compose/config.hpp>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/project.hpp"
#include "cli/question.hpp"
#include "cli/render_table.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

[[noreturn]] void decline() {
    throw make_error("operation cancelled by user");
}

void confirm_addresses(const std::vector<std::string>& addresses, bool terminal) {
    std::string text = "This project includes files from other places:\n";
    for (const auto& address : addresses) text += "  - " + address + "\n";
    print_error(text + "They can do what the project itself can. Make sure that you trust them.\n");
    if (!terminal)
        throw make_error("nobody can be asked whether these files are to be trusted").with_hint("say so with --yes");
    if (!ask("Do you want to continue?", false)) decline();
}

/// What a stranger wrote must not write on the terminal by itself.
std::string harmless(const std::string& text) {
    const bool odd =
        std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
    return odd ? quote(text) : text;
}

std::string table_of(const std::vector<ConfigVariable>& variables, const LoadedProject& loaded) {
    Table table({"VARIABLE", "VALUE", "SOURCE", "REQUIRED", "DEFAULT"});
    for (const auto& variable : variables) {
        const auto found = loaded.environment.find(variable.name);
        const bool set = found != loaded.environment.end();
        const bool has_default = !variable.default_value.empty();
        const auto by_default = harmless(variable.default_value);
        table.add({harmless(variable.name),
                   set           ? harmless(found->second)
                   : has_default ? by_default
                                 : "<unset>",
                   set           ? "environment"
                   : has_default ? "compose file"
                                 : "none",
                   variable.required ? "yes" : "no", by_default});
    }
    return table.text();
}

void confirm_variables(Context& context, const LoadedProject& loaded) {
    auto request = make_load_request(context);
    request.interpolate = false;
    request.hashes = false;
    request.resolve_environment = false;
    Diagnostics findings;  // they have been told
    auto variables = config_variables(load_project(request, context.files(), findings));
    std::erase_if(variables, [](const auto& variable) { return variable.name == "COMPOSE_PROJECT_NAME"; });
    if (variables.empty()) return;
    print_error("\nFound the following variables in configuration:\n" + table_of(variables, loaded));
    if (!ask("Do you want to proceed with these variables?", true)) decline();
}

}  // namespace

void confirm_remote_stack(Context& context, const LoadedProject& loaded, bool yes) {
    if (loaded.project.config_files.empty()) return;
    const auto& file = loaded.project.config_files.front();
    const auto address = context.address_of(file);
    if (address.empty()) return;
    if (context.progress_mode != ProgressMode::quiet && context.progress_mode != ProgressMode::json)
        print_error(
            fmt::format("Your compose stack {} is stored in {}\n", quote(address), quote(loaded.project.working_dir)));
    if (yes) return;
    const bool terminal = sys::is_terminal(sys::FdRef(0)) && sys::is_terminal(sys::FdRef(2));
    if (const auto others = context.addresses_of_strangers(); !others.empty()) confirm_addresses(others, terminal);
    if (terminal) confirm_variables(context, loaded);
}

}  // namespace compose::cli
