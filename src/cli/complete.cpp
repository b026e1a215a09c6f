// __complete: shells ask the program itself what could come next, so that their scripts (completion.cpp) stay short and
// never out of date.
#include "cli/complete.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/complete_values.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

using Words = std::vector<std::string>;

using Answer = Completions;

void add_options(const Arguments& arguments, Answer& out) {
    for (const auto& option : arguments.options())
        for (const auto& name : option.names) out.add(name, option.help);
}

/// The option that wants `word` as its value; null when none does.
const Arguments::OptionInfo* taker(const std::vector<Arguments::OptionInfo>& options, const std::string& word) {
    for (const auto& option : options)
        for (const auto& name : option.names)
            if (name == word && !option.placeholder.empty()) return &option;
    return nullptr;
}

struct Place {
    const CommandInfo* command = nullptr;
    std::size_t next = 0;  // of the words after its name
};

Place find_place(std::span<const CommandInfo> commands, const Arguments& root, const Words& words) {
    Place place;
    const auto globals = root.options();
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i].starts_with('-')) {
            if (words[i].find('=') == std::string::npos && taker(globals, words[i]) != nullptr) ++i;
            continue;
        }
        const auto found = std::find_if(commands.begin(), commands.end(),
                                        [&](const CommandInfo& command) { return words[i] == command.name; });
        if (found == commands.end()) return place;
        place = {&*found, i + 1};
        if (found->define != nullptr) return place;
        commands = found->group;
    }
    return place;
}

void complete_command(Context& context, const CommandInfo& command, const Arguments& root, const Words& rest,
                      Answer& out) {
    Arguments arguments("compose", command.summary);
    (void)command.define(arguments);
    auto options = arguments.options();
    const auto globals = root.options();
    options.insert(options.end(), globals.begin(), globals.end());
    const auto& current = rest.back();
    std::size_t at = 0;  // which positional the current word is
    for (std::size_t i = 0; i + 1 < rest.size(); ++i) {
        if (!rest[i].starts_with('-')) {
            ++at;
            continue;
        }
        const auto* wanting = rest[i].find('=') == std::string::npos ? taker(options, rest[i]) : nullptr;
        if (wanting == nullptr) continue;
        if (i + 2 == rest.size()) return complete_value(context, *wanting, out);
        ++i;
    }
    if (const auto equals = current.find('='); current.starts_with("--") && equals != std::string::npos) {
        if (const auto* wanting = taker(options, current.substr(0, equals))) {
            Answer values;
            complete_value(context, *wanting, values);
            for (const auto& [word, meaning] : values.words) out.add(current.substr(0, equals + 1) + word, meaning);
            out.files = values.files;
        }
        return;
    }
    if (current.starts_with('-')) {
        add_options(arguments, out);
        return add_options(root, out);
    }
    const auto positionals = arguments.positionals();
    if (positionals.empty()) return;
    if (at < positionals.size()) return complete_argument(context, positionals[at].name, out);
    if (positionals.back().many) complete_argument(context, positionals.back().name, out);
}

int answer(Context& context, const Words& words, std::span<const CommandInfo> commands, const Arguments& root,
           bool docker) {
    Answer out;
    const Words typed = words.empty() ? Words{""} : words;
    const auto place = find_place(commands, root, typed);
    const auto& current = typed.back();
    const auto globals = root.options();
    if (place.command != nullptr && place.command->define != nullptr) {
        complete_command(context, *place.command, root,
                         Words(typed.begin() + static_cast<std::ptrdiff_t>(place.next), typed.end()), out);
    } else if (const auto* wanting = typed.size() > 1 ? taker(globals, typed[typed.size() - 2]) : nullptr) {
        complete_value(context, *wanting, out);
    } else if (current.starts_with('-')) {
        add_options(root, out);
    } else {
        for (const auto& command : place.command == nullptr ? commands : place.command->group)
            out.add(command.name, command.summary);
        if (docker && place.command == nullptr) out.add("compose", "Run applications of several containers");
    }
    std::string text;
    for (const auto& [word, meaning] : out.words)
        if (word.starts_with(current)) text += word + (meaning.empty() ? "" : "\t" + meaning) + "\n";
    if (out.files) text += ":files\n";
    print(text);
    return 0;
}

}  // namespace

int complete(Context& context, const Words& words) {
    Arguments root("compose", "");
    Globals unused;
    define_globals(root, unused);
    return answer(context, words, all_commands(), root, false);
}

int complete_docker(Context& context, const Words& words, const Arguments& root) {
    return answer(context, words, docker_commands(), root, true);
}

}  // namespace compose::cli
