// completion and __complete: shells ask the program itself what could come next, so that their scripts stay short and
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
        if (i + 2 == rest.size()) return complete_value(context, command.name, *wanting, out);
        ++i;
    }
    if (const auto equals = current.find('='); current.starts_with("--") && equals != std::string::npos) {
        if (const auto* wanting = taker(options, current.substr(0, equals))) {
            Answer values;
            complete_value(context, command.name, *wanting, values);
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

constexpr const char* kBash = R"(# bash completion for compose
_compose() {
    local line word files=
    COMPREPLY=()
    while IFS=$'\t' read -r word line; do
        case $word in
            :files) files=1 ;;
            "${COMP_WORDS[COMP_CWORD]}"*) COMPREPLY+=("$word") ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ -n $files ]]; then
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        compopt -o filenames 2>/dev/null
    fi
    case ${COMPREPLY[0]} in *[:=]) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _compose compose
)";

constexpr const char* kZsh = R"(#compdef compose
_compose() {
    local -a found
    local word meaning files=
    while IFS=$'\t' read -r word meaning; do
        if [[ $word == :files ]]; then files=1
        elif [[ -n $meaning ]]; then found+=("${word//:/\\:}:$meaning")
        else found+=("${word//:/\\:}"); fi
    done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    (( ${#found} )) && _describe -t words 'compose' found
    [[ -n $files ]] && _files
}
compdef _compose compose
)";

constexpr const char* kFish = R"(# fish completion for compose
function __compose_complete
    set -l tokens (commandline -opc) (commandline -ct)
    set -l program $tokens[1]
    set -e tokens[1]
    set -l files
    for line in ($program __complete $tokens 2>/dev/null)
        if test "$line" = :files
            set files 1
        else
            echo $line
        end
    end
    if test -n "$files"
        __fish_complete_path (commandline -ct)
    end
end
complete -c compose -f -a '(__compose_complete)'
)";

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
        complete_value(context, {}, *wanting, out);
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

Run completion_for(Arguments& arguments, const char* program) {
    const auto shell = std::make_shared<std::string>();
    arguments.text("A script that makes the shell complete commands, options, services, containers and files.");
    arguments.required("SHELL", *shell);
    return [shell, program](Context&) {
        const char* script = *shell == "bash" ? kBash : *shell == "zsh" ? kZsh : *shell == "fish" ? kFish : nullptr;
        if (script == nullptr)
            throw make_error(ErrorKind::usage, "unknown shell {}", quote(*shell)).with_hint("use bash, zsh or fish");
        std::string text = script;
        const std::string name = "compose";
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
            text.replace(at, name.size(), program);
        print(text);
        return 0;
    };
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

Run define_completion(Arguments& arguments) {
    arguments.example("compose completion bash > /etc/bash_completion.d/compose", "for every shell to come");
    arguments.example("source <(compose completion bash)", "for this one");
    return completion_for(arguments, "compose");
}

Run define_docker_completion(Arguments& arguments) {
    arguments.example("source <(docker completion bash)", "for this shell");
    return completion_for(arguments, "docker");
}

}  // namespace compose::cli
