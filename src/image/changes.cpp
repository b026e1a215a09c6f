#include "image/changes.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "image/words.hpp"
#include "sys/process.hpp"

namespace compose::image {

namespace {

Variables variables_of(const ImageConfig& config) {
    Variables out;
    for (const auto& item : config.env) {
        const auto equals = std::min(item.find('='), item.size());
        out.insert_or_assign(item.substr(0, equals), item.substr(std::min(equals + 1, item.size())));
    }
    return out;
}

std::vector<std::string> command_form(const ImageConfig& config, std::string_view text) {
    if (auto list = parse_string_list(text)) return std::move(*list);
    auto command = config.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : config.shell;
    command.emplace_back(text);
    return command;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// K=V K2="v 2", or the old form: K and the rest of the line.
Pairs key_values(std::string_view text, const Variables& variables) {
    Pairs out;
    const auto first = text.substr(0, first_word_end(text));
    if (first.find('=') == std::string_view::npos) {
        const auto value = trim(text.substr(first.size()));
        if (value.empty()) throw Error("must have two arguments, KEY=VALUE", ErrorKind::invalid);
        out.emplace_back(expand_word(first, variables), expand_word(value, variables));
        return out;
    }
    for (const auto& word : split_words(text, variables)) {
        const auto equals = word.find('=');
        if (equals == std::string::npos)
            throw make_error(ErrorKind::invalid, "{} is not of the form KEY=VALUE", quote(word));
        out.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    for (const auto& [key, value] : out)
        if (key.empty()) throw Error("a name is empty", ErrorKind::invalid);
    return out;
}

void change_env(ImageConfig& config, std::string_view text) {
    for (const auto& [key, value] : key_values(text, variables_of(config))) {
        const auto prefix = key + "=";
        const auto found = std::find_if(config.env.begin(), config.env.end(),
                                        [&](const std::string& item) { return item.starts_with(prefix); });
        if (found != config.env.end())
            *found = prefix + value;
        else
            config.env.push_back(prefix + value);
    }
}

void change_label(ImageConfig& config, std::string_view text) {
    for (auto& [key, value] : key_values(text, variables_of(config))) config.labels.insert_or_assign(key, value);
}

void add_sorted(std::vector<std::string>& list, std::string item) {
    const auto at = std::lower_bound(list.begin(), list.end(), item);
    if (at == list.end() || *at != item) list.insert(at, std::move(item));
}

void change_expose(ImageConfig& config, std::string_view text) {
    for (const auto& word : split_words(text, variables_of(config))) {
        if (!is_port_spec(word))
            throw make_error(ErrorKind::invalid, "{} is not a port such as 80 or 53/udp", quote(word));
        const auto slash = std::min(word.find('/'), word.size());
        const auto protocol = slash < word.size() ? word.substr(slash) : "/tcp";
        const auto ports = word.substr(0, slash);
        const auto dash = ports.find('-');
        const int first = std::stoi(ports);
        const int last = dash == std::string::npos ? first : std::stoi(ports.substr(dash + 1));
        if (last < first) throw make_error(ErrorKind::invalid, "the range {} is empty", quote(word));
        for (int port = first; port <= last; ++port) add_sorted(config.exposed_ports, std::to_string(port) + protocol);
    }
}

void change_volume(ImageConfig& config, std::string_view text) {
    const auto list = parse_string_list(text);
    for (const auto& path : list ? *list : split_words(text, variables_of(config))) {
        if (!is_container_path(path)) throw make_error(ErrorKind::invalid, "{} is not an absolute path", quote(path));
        add_sorted(config.volumes, path);
    }
}

void change_workdir(ImageConfig& config, std::string_view text) {
    auto path = expand_word(text, variables_of(config));
    if (!path.starts_with('/')) path = (config.working_dir.empty() ? "/" : config.working_dir + "/") + path;
    std::vector<std::string> parts;
    for (const auto& part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            parts.push_back(part);
        else if (!parts.empty())
            parts.pop_back();
    }
    config.working_dir = "/" + join(parts, "/");
    if (!is_container_path(config.working_dir)) throw Error("the path is too long", ErrorKind::invalid);
}

void change_user(ImageConfig& config, std::string_view text) {
    const auto user = expand_word(text, variables_of(config));
    if (user.empty() || !is_user_spec(user)) throw make_error(ErrorKind::invalid, "{} is not a user", quote(user));
    config.user = user;
}

void change_stop_signal(ImageConfig& config, std::string_view text) {
    const auto name = expand_word(text, variables_of(config));
    if (!sys::signal_number(name)) throw make_error(ErrorKind::invalid, "{} is not a signal", quote(name));
    config.stop_signal = name;
}

std::int64_t parse_flag_duration(std::string_view name, std::string_view value) {
    const auto duration = parse_duration(value);
    // Docker's rule: nothing, or at least a millisecond.
    if (!duration || duration->count() < 0 || (duration->count() > 0 && duration->count() < 1'000'000))
        throw make_error(ErrorKind::invalid, "{} {} is not a duration such as 30s", name, quote(value));
    return duration->count();
}

void apply_health_flag(HealthCheck& check, std::string_view flag) {
    const auto equals = std::min(flag.find('='), flag.size());
    const auto name = flag.substr(0, equals);
    const auto value = flag.substr(std::min(equals + 1, flag.size()));
    if (name == "--interval") {
        check.interval_ns = parse_flag_duration(name, value);
    } else if (name == "--timeout") {
        check.timeout_ns = parse_flag_duration(name, value);
    } else if (name == "--start-period") {
        check.start_period_ns = parse_flag_duration(name, value);
    } else if (name == "--start-interval") {
        check.start_interval_ns = parse_flag_duration(name, value);
    } else if (name == "--retries") {
        const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), check.retries);
        if (code != std::errc{} || end != value.data() + value.size() || check.retries < 0 || check.retries > 1'000'000)
            throw make_error(ErrorKind::invalid, "--retries {} is not a number", quote(value));
    } else {
        throw make_error(ErrorKind::invalid, "unknown flag {}", quote(name));
    }
}

void change_health_check(ImageConfig& config, std::string_view text) {
    HealthCheck check;
    while (text.starts_with("--")) {
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        apply_health_flag(check, text.substr(0, end));
        text = trim(text.substr(end));
    }
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const auto kind = lower(text.substr(0, end));
    const auto rest = trim(text.substr(end));
    if (kind == "none" && rest.empty()) {
        check = HealthCheck{.test = {"NONE"}};
    } else if (kind == "cmd" && !rest.empty()) {
        if (auto list = parse_string_list(rest)) {
            check.test = {"CMD"};
            check.test.insert(check.test.end(), list->begin(), list->end());
        } else {
            check.test = {"CMD-SHELL", std::string(rest)};
        }
        if (check.test.size() < 2) throw Error("the command is empty", ErrorKind::invalid);
    } else {
        throw Error("must be NONE, or CMD and a command", ErrorKind::invalid);
    }
    config.health_check = std::move(check);
}

struct Instruction {
    std::string_view name;
    void (*apply)(ImageConfig&, std::string_view);
};
constexpr Instruction kInstructions[] = {
    {"CMD", [](ImageConfig& config, std::string_view text) { config.cmd = command_form(config, text); }},
    {"ENTRYPOINT", [](ImageConfig& config, std::string_view text) { config.entrypoint = command_form(config, text); }},
    {"ENV", change_env},
    {"EXPOSE", change_expose},
    {"HEALTHCHECK", change_health_check},
    {"LABEL", change_label},
    {"STOPSIGNAL", change_stop_signal},
    {"USER", change_user},
    {"VOLUME", change_volume},
    {"WORKDIR", change_workdir},
};

}  // namespace

void apply_change(ImageConfig& config, std::string_view instruction) {
    const auto text = trim(instruction);
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    auto name = lower(text.substr(0, end));
    for (auto& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    const auto rest = trim(text.substr(end));
    in_context([&] { return "change " + quote(text.substr(0, 200)); },
               [&] {
                   if (text.find('\0') != std::string_view::npos) throw Error("contains a NUL", ErrorKind::invalid);
                   const auto* found = std::find_if(std::begin(kInstructions), std::end(kInstructions),
                                                    [&](const auto& item) { return item.name == name; });
                   if (found == std::end(kInstructions)) {
                       std::vector<std::string_view> names;
                       for (const auto& item : kInstructions) names.push_back(item.name);
                       throw make_error(ErrorKind::invalid, "{} is not an instruction that changes a config",
                                        quote(name))
                           .with_hint(fmt::format("it can be one of {}", fmt::join(names, ", ")));
                   }
                   if (rest.empty()) throw Error("has no argument", ErrorKind::invalid);
                   found->apply(config, rest);
               });
}

}  // namespace compose::image
