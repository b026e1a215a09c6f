// completion: the scripts that make a shell ask __complete (see complete.cpp).
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/complete.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace compose::cli {

namespace {

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

// A word that the cursor stands before is none yet, and old versions drop an empty argument.
constexpr const char* kPowershell = R"(# PowerShell completion for compose
Register-ArgumentCompleter -Native -CommandName 'compose' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { "$_" }
    })
    $program = $words[0]
    $words = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') {
        $drops = $PSVersionTable.PSVersion -lt [version]'7.3.0' -or $PSNativeCommandArgumentPassing -eq 'Legacy'
        $words += if ($drops) { '""' } else { '' }
    }
    $lines = @(& $program __complete @words 2>$null)
    foreach ($line in $lines) {
        if ($line -eq ':files') { continue }
        $word, $meaning = $line -split "`t", 2
        if (-not $meaning) { $meaning = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
    }
    if ($lines -contains ':files') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
}
)";

Run completion_for(Arguments& arguments, const char* program) {
    const auto shell = std::make_shared<std::string>();
    arguments.text("A script that makes the shell complete commands, options, services, containers and files.");
    arguments.required("SHELL", *shell);
    return [shell, program](Context&) {
        static constexpr std::array<std::pair<std::string_view, const char*>, 4> kScripts{
            {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}, {"powershell", kPowershell}}};
        const auto* const found =
            std::find_if(kScripts.begin(), kScripts.end(), [&](const auto& script) { return script.first == *shell; });
        if (found == kScripts.end())
            throw make_error(ErrorKind::usage, "unknown shell {}", quote(*shell))
                .with_hint("use bash, zsh, fish or powershell");
        std::string text = found->second;
        const std::string name = "compose";
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
            text.replace(at, name.size(), program);
        print(text);
        return 0;
    };
}

}  // namespace

Run define_completion(Arguments& arguments) {
    arguments.example("compose completion bash > /etc/bash_completion.d/compose", "for every shell to come");
    arguments.example("source <(compose completion bash)", "for this one");
    arguments.example("compose completion powershell | Out-String | Invoke-Expression", "the same in PowerShell");
    return completion_for(arguments, "compose");
}

Run define_docker_completion(Arguments& arguments) {
    arguments.example("source <(docker completion bash)", "for this shell");
    return completion_for(arguments, "docker");
}

}  // namespace compose::cli
