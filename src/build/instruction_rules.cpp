// What each instruction may look like.
#include <algorithm>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/stages.hpp"
#include "build/steps.hpp"

namespace compose::build {

namespace {

struct Rule {
    std::string_view name;
    std::string_view flags;  // "x" takes a value, "x?" may stand alone, blanks between
    int least_words;
    void (*check)(const Instruction&, char, Diagnostics&);
};

void check_none(const Instruction&, char, Diagnostics&) {}

void check_from(const Instruction& one, char escape, Diagnostics& findings) {
    const auto words = raw_words(one.args, escape);
    if (words.size() == 1) return;
    if (words.size() != 3 || lower(words[1].text) != "as")
        return findings.error(one.place_of(words[1].offset), "", "FROM takes an image, and a name after AS",
                              "write FROM image AS name");
    const auto& name = words[2].text;
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    const bool letter = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');
    if (!letter || !std::all_of(name.begin(), name.end(), good))
        findings.error(one.place_of(words[2].offset), "", fmt::format("{} can't be the name of a stage", quote(name)),
                       "a letter, then letters, digits, -, _ or .");
}

void check_copy(const Instruction& one, char escape, Diagnostics& findings) {
    const auto count = one.json ? one.json->size() : raw_words(one.args, escape).size();
    if (count < 2)
        findings.error(one.pos, "", fmt::format("{} needs at least two arguments", one.name),
                       fmt::format("write {} source... destination", one.name));
}

void check_run(const Instruction& one, char, Diagnostics& findings) {
    if (one.json && one.json->empty()) findings.error(one.pos, "", "RUN has no command");
    for (const auto& flag : one.flags) {
        if (flag.name == "mount" && flag.value.find('$') == std::string::npos) {
            const auto mount = parse_run_mount(flag.value, flag.pos, findings);
            if (!mount.target.empty() && !is_mountable(mount.target))
                findings.error(flag.pos, "", fmt::format("--mount: nothing can be mounted on {}", quote(mount.target)));
        } else if (flag.name == "network" && flag.value != "default" && flag.value != "none" && flag.value != "host") {
            findings.error(flag.pos, "", fmt::format("unknown network {}", quote(flag.value)),
                           "one of default, none, host");
        } else if (flag.name == "device") {
            static_cast<void>(parse_run_device(flag.value, flag.pos, findings));
        } else if (flag.name == "security" && flag.value != "sandbox" && flag.value != "insecure") {
            findings.error(flag.pos, "", fmt::format("unknown security mode {}", quote(flag.value)),
                           "one of sandbox, insecure");
        }
    }
}

void check_shell(const Instruction& one, char, Diagnostics& findings) {
    if (!one.json || one.json->empty())
        findings.error(one.pos, "", "SHELL needs a JSON list of strings", "write SHELL [\"/bin/bash\", \"-c\"]");
}

void check_on_build(const Instruction& one, char escape, Diagnostics& findings) {
    const auto inner = parse_instruction(one.args, escape, one.place_of(0), findings);
    if (inner.name == "ONBUILD" || inner.name == "FROM" || inner.name == "MAINTAINER")
        return findings.error(inner.pos, "", fmt::format("ONBUILD {} is not allowed", inner.name));
    check_instruction(inner, escape, findings);
}

void check_one_word(const Instruction& one, char escape, Diagnostics& findings) {
    const auto words = raw_words(one.args, escape);
    if (words.size() > 1)
        findings.error(one.place_of(words[1].offset), "", fmt::format("{} takes one argument", one.name));
}

void check_arg(const Instruction& one, char escape, Diagnostics& findings) {
    for (const auto& word : raw_words(one.args, escape)) {
        const auto name = word.text.substr(0, word.text.find('='));
        const auto good = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                   c == '-';
        };
        if (name.empty() || !std::all_of(name.begin(), name.end(), good))
            findings.error(one.place_of(word.offset), "", fmt::format("{} is not a name", quote(name)),
                           "write ARG NAME=default");
    }
}

constexpr std::string_view kCopyFlags = "from chown chmod link? parents? exclude";
constexpr std::string_view kAddFlags = "chown chmod link? exclude checksum keep-git-dir? unpack?";

constexpr Rule kRules[] = {
    {"ADD", kAddFlags, 1, check_copy},
    {"ARG", "", 1, check_arg},
    {"CMD", "", 0, check_none},
    {"COPY", kCopyFlags, 1, check_copy},
    {"ENTRYPOINT", "", 0, check_none},
    {"ENV", "", 1, check_none},
    {"EXPOSE", "", 1, check_none},
    {"FROM", "platform", 1, check_from},
    {"HEALTHCHECK", "interval timeout start-period start-interval retries", 1, check_none},
    {"LABEL", "", 1, check_none},
    {"MAINTAINER", "", 1, check_none},
    {"ONBUILD", "", 1, check_on_build},
    {"RUN", "mount network security device", 1, check_run},
    {"SHELL", "", 1, check_shell},
    {"STOPSIGNAL", "", 1, check_one_word},
    {"USER", "", 1, check_one_word},
    {"VOLUME", "", 1, check_none},
    {"WORKDIR", "", 1, check_none},
};

void check_flags(const Instruction& one, const Rule& rule, Diagnostics& findings) {
    std::vector<std::string_view> known;
    std::vector<std::string_view> alone;
    auto rest = rule.flags;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        auto name = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (name.ends_with('?')) {
            name.remove_suffix(1);
            alone.push_back(name);
        }
        known.push_back(name);
    }
    const auto repeats = [](std::string_view name) { return name == "mount" || name == "exclude" || name == "device"; };
    for (std::size_t i = 0; i < one.flags.size(); ++i) {
        const auto& flag = one.flags[i];
        if (std::find(known.begin(), known.end(), flag.name) == known.end()) {
            const auto near = nearest(flag.name, known);
            findings.error(flag.pos, "", fmt::format("{} has no flag --{}", one.name, flag.name),
                           near.empty() ? std::string() : fmt::format("did you mean --{}?", near));
            continue;
        }
        const bool may_be_alone = std::find(alone.begin(), alone.end(), flag.name) != alone.end();
        if ((!flag.has_value || flag.value.empty()) && !may_be_alone)
            findings.error(flag.pos, "", fmt::format("--{} needs a value", flag.name),
                           fmt::format("write --{}=VALUE", flag.name));
        if (may_be_alone && flag.has_value && flag.value != "true" && flag.value != "false" && flag.value != "1" &&
            flag.value != "0")
            findings.error(flag.pos, "", fmt::format("--{} is neither true nor false", flag.name));
        for (std::size_t j = 0; j < i && !repeats(flag.name); ++j)
            if (one.flags[j].name == flag.name)
                findings.error(flag.pos, "", fmt::format("--{} stands here twice", flag.name));
    }
}

}  // namespace

const Flag* find_flag(const Instruction& instruction, std::string_view name) {
    for (const auto& flag : instruction.flags)
        if (flag.name == name) return &flag;
    return nullptr;
}

void check_instruction(const Instruction& one, char escape, Diagnostics& findings) {
    const auto* rule =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.name == one.name; });
    if (rule == std::end(kRules)) {
        std::vector<std::string_view> names;
        for (const auto& known : kRules) names.push_back(known.name);
        const auto near = nearest(one.name, names);
        findings.error(one.pos, "",
                       fmt::format("unknown instruction {}", quote(std::string_view(one.written).substr(0, 60))),
                       near.empty() ? std::string() : fmt::format("did you mean {}?", near));
        return;
    }
    check_flags(one, *rule, findings);
    if (rule->least_words > 0 && one.args.empty())
        return findings.error(one.pos, "", fmt::format("{} needs an argument", one.name));
    rule->check(one, escape, findings);
}

bool is_proxy_arg(std::string_view name) {
    static constexpr std::string_view kNames[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
                                                  "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
                                                  "ALL_PROXY",  "all_proxy"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace compose::build
