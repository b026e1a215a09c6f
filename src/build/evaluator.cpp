#include "build/evaluator.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "base/units.hpp"
#include "build/paths.hpp"
#include "build/ports.hpp"
#include "sys/process.hpp"

namespace compose::build {

namespace {

std::string as_json(const std::vector<std::string>& list) {
    return json::serialize(json::array(list.begin(), list.end()));
}

void add_sorted(std::vector<std::string>& list, std::string item) {
    const auto at = std::lower_bound(list.begin(), list.end(), item);
    if (at == list.end() || *at != item) list.insert(at, std::move(item));
}

}  // namespace

StageEvaluator::StageEvaluator(char escape, Values globals, Values given, RunConfig base)
    : escape_(escape), globals_(std::move(globals)), given_(std::move(given)), config_(std::move(base)) {}

Lookup StageEvaluator::lookup() const {
    return [this](const std::string& name) -> std::optional<std::string> {
        if (auto value = config_.variable(name)) return value;
        const auto found = args_.find(name);
        if (found == args_.end()) return std::nullopt;
        return found->second;
    };
}

std::string StageEvaluator::expand(const std::string& text, SourcePos pos, Diagnostics& findings) const {
    auto done = expand_word(text, escape_, lookup());
    for (const auto& name : done.undefined)
        findings.warning(pos, "UndefinedVar", fmt::format("{} is not set", quote("$" + name)));
    return std::move(done.text);
}

std::vector<std::string> StageEvaluator::expand_words(const Instruction& one, Diagnostics& findings) const {
    std::vector<std::string> out;
    if (one.json) {
        for (const auto& item : *one.json) out.push_back(expand(item, one.pos, findings));
        return out;
    }
    for (const auto& word : raw_words(one.args, escape_))
        out.push_back(expand(word.text, one.place_of(word.offset), findings));
    return out;
}

std::vector<std::pair<std::string, std::string>> StageEvaluator::key_values(const Instruction& one,
                                                                            Diagnostics& findings) const {
    std::vector<std::pair<std::string, std::string>> out;
    const auto words = raw_words(one.args, escape_);
    // The old form: a name and the rest of the line.
    if (!words.empty() && words[0].text.find('=') == std::string::npos) {
        if (words.size() < 2) throw make_error(ErrorKind::invalid, "{} must be KEY=VALUE", one.name);
        out.emplace_back(expand(words[0].text, one.pos, findings),
                         expand(one.args.substr(words[1].offset), one.place_of(words[1].offset), findings));
        return out;
    }
    for (const auto& word : words) {
        const auto equals = word.text.find('=');
        if (equals == std::string::npos)
            throw make_error(ErrorKind::invalid, "{} is not of the form KEY=VALUE", quote(word.text))
                .with_hint("quote values that hold blanks");
        // Every value sees the variables as they were before this line.
        auto key = expand(word.text.substr(0, equals), one.place_of(word.offset), findings);
        if (key.empty()) throw Error("a name is empty", ErrorKind::invalid);
        out.emplace_back(std::move(key), expand(word.text.substr(equals + 1), one.place_of(word.offset), findings));
    }
    return out;
}

std::vector<std::string> StageEvaluator::shell() const {
    return config_.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : config_.shell;
}

std::vector<std::string> StageEvaluator::command(const Instruction& one) const {
    if (one.json) return *one.json;
    if (one.args.empty()) return {};
    auto out = shell();
    out.push_back(one.args);
    return out;
}

Step StageEvaluator::evaluate(const Instruction& one, Diagnostics& findings) {
    Step step;
    step.pos = one.pos;
    step.shown = one.text();
    step.created_by = step.shown;
    const auto& name = one.name;
    if (name == "RUN") {
        auto what = run(one, findings);
        step.created_by = "RUN " + (one.json ? as_json(*one.json) : join(what.argv, " "));
        if (what.script) step.created_by = "RUN " + one.args;
        step.what = std::move(what);
    } else if (name == "COPY" || name == "ADD") {
        step.what = copy(one, findings);
    } else if (name == "WORKDIR") {
        auto what = workdir(one, findings);
        step.created_by = "WORKDIR " + what.path;
        step.what = std::move(what);
    } else if (name == "ARG") {
        arg(one, findings);
    } else if (name == "ENV") {
        env(one, findings);
    } else if (name == "LABEL") {
        label(one, findings);
    } else if (name == "EXPOSE") {
        expose(one, findings);
    } else if (name == "VOLUME") {
        volume(one, findings);
    } else if (name == "USER") {
        user(one, findings);
    } else if (name == "STOPSIGNAL") {
        stop_signal(one, findings);
    } else if (name == "HEALTHCHECK") {
        health_check(one);
    } else if (name == "SHELL") {
        config_.shell = *one.json;
    } else if (name == "CMD") {
        config_.cmd = command(one);
        cmd_set_ = true;
        step.created_by = "CMD " + as_json(config_.cmd);
    } else if (name == "ENTRYPOINT") {
        config_.entrypoint = command(one);
        // What the base runs by default means nothing to another program.
        if (!cmd_set_) config_.cmd.clear();
        step.created_by = "ENTRYPOINT " + as_json(config_.entrypoint);
    } else if (name == "ONBUILD") {
        config_.on_build.push_back(one.args);
    } else if (name == "MAINTAINER") {
        config_.author = one.args;
    }
    return step;
}

void StageEvaluator::arg(const Instruction& one, Diagnostics& findings) {
    for (const auto& word : raw_words(one.args, escape_)) {
        const auto equals = word.text.find('=');
        const auto name = word.text.substr(0, equals);
        if (const auto given = given_.find(name); given != given_.end()) {
            args_[name] = given->second;
            used_[name] = true;
        } else if (equals != std::string::npos) {
            args_[name] = expand(word.text.substr(equals + 1), one.place_of(word.offset), findings);
        } else if (const auto global = globals_.find(name); global != globals_.end()) {
            args_[name] = global->second;
        }
    }
}

void StageEvaluator::env(const Instruction& one, Diagnostics& findings) {
    for (const auto& [key, value] : key_values(one, findings)) config_.set_variable(key, value);
}

void StageEvaluator::label(const Instruction& one, Diagnostics& findings) {
    for (auto& [key, value] : key_values(one, findings)) config_.labels.insert_or_assign(key, value);
}

void StageEvaluator::expose(const Instruction& one, Diagnostics& findings) {
    for (const auto& text : expand_words(one, findings))
        for (const auto& word : split(text, ' '))
            if (!word.empty())
                for (auto& port : exposed_ports(word)) add_sorted(config_.exposed_ports, std::move(port));
}

void StageEvaluator::volume(const Instruction& one, Diagnostics& findings) {
    for (const auto& path : expand_words(one, findings)) {
        if (path.empty()) throw Error("VOLUME has an empty path", ErrorKind::invalid);
        add_sorted(config_.volumes, absolute_in(config_.working_dir, path));
    }
}

void StageEvaluator::user(const Instruction& one, Diagnostics& findings) {
    const auto name = expand(one.args, one.place_of(0), findings);
    const bool good = !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != 0x7f;
    });
    if (!good) throw make_error(ErrorKind::invalid, "{} is not a user", quote(name));
    config_.user = name;
}

void StageEvaluator::stop_signal(const Instruction& one, Diagnostics& findings) {
    const auto name = expand(one.args, one.place_of(0), findings);
    if (!sys::signal_number(name)) throw make_error(ErrorKind::invalid, "{} is not a signal", quote(name));
    config_.stop_signal = name;
}

void StageEvaluator::health_check(const Instruction& one) {
    HealthCheck check;
    for (const auto& flag : one.flags) {
        if (flag.name == "retries") {
            const auto [end, code] =
                std::from_chars(flag.value.data(), flag.value.data() + flag.value.size(), check.retries);
            if (code != std::errc{} || end != flag.value.data() + flag.value.size() || check.retries < 0)
                throw make_error(ErrorKind::invalid, "--retries {} is not a number", quote(flag.value));
            continue;
        }
        const auto duration = parse_duration(flag.value);
        if (!duration || duration->count() < 0 || (duration->count() > 0 && duration->count() < 1'000'000))
            throw make_error(ErrorKind::invalid, "--{} {} is not a duration such as 30s", flag.name, quote(flag.value));
        (flag.name == "interval"       ? check.interval_ns
         : flag.name == "timeout"      ? check.timeout_ns
         : flag.name == "start-period" ? check.start_period_ns
                                       : check.start_interval_ns) = duration->count();
    }
    const auto end = std::min(one.args.find_first_of(" \t"), one.args.size());
    const auto kind = lower(one.args.substr(0, end));
    const auto rest = std::string(trim(std::string_view(one.args).substr(end)));
    if (kind == "none" && rest.empty() && one.flags.empty()) {
        config_.health_check = HealthCheck{.test = {"NONE"}};
        return;
    }
    if (kind != "cmd" || rest.empty())
        throw Error("HEALTHCHECK must be NONE, or CMD and a command", ErrorKind::invalid);
    if (auto list = parse_string_list(rest)) {
        check.test = {"CMD"};
        check.test.insert(check.test.end(), list->begin(), list->end());
    } else {
        check.test = {"CMD-SHELL", rest};
    }
    config_.health_check = std::move(check);
}

RunStep StageEvaluator::run(const Instruction& one, Diagnostics& findings) const {
    RunStep step;
    step.argv = command(one);
    if (!one.heredocs.empty()) {
        const auto& first = one.heredocs.front();
        const auto words = raw_words(one.args, escape_);
        const bool alone = words.size() == 1 && one.heredocs.size() == 1;
        step.argv = shell();
        if (alone && first.body.starts_with("#!")) {
            step.script = first.body;
            step.argv = {"/dev/pipes/" + clean_relative(first.name)};
        } else if (alone) {
            step.argv.push_back(first.body);
        } else {
            auto text = one.args + "\n";
            for (const auto& doc : one.heredocs) text += doc.body + doc.name + "\n";
            step.argv.push_back(std::move(text));
        }
    }
    step.env = config_.env;
    for (const auto& [name, value] : args_)
        if (!config_.variable(name)) step.env.push_back(name + "=" + value);
    for (const auto& [name, value] : given_)
        if (is_proxy_arg(name) && !args_.contains(name) && !config_.variable(name))
            step.hidden.push_back(name + "=" + value);
    step.network = "default";
    if (const auto* network = find_flag(one, "network")) step.network = network->value;
    if (const auto* security = find_flag(one, "security")) step.insecure = security->value == "insecure";
    if (const auto* device = find_flag(one, "device"))
        throw make_error(ErrorKind::invalid, "--device={} is not supported", device->value);
    for (const auto& flag : one.flags) {
        if (flag.name != "mount") continue;
        auto mount = parse_run_mount(expand(flag.value, flag.pos, findings), flag.pos, findings);
        if (!mount.target.empty()) mount.target = absolute_in(config_.working_dir, mount.target);
        if (!mount.target.empty() && !is_mountable(mount.target))
            throw make_error(ErrorKind::invalid, "nothing can be mounted on {}", quote(mount.target));
        step.mounts.push_back(std::move(mount));
    }
    std::stable_sort(step.mounts.begin(), step.mounts.end(),
                     [](const RunMount& a, const RunMount& b) { return a.target < b.target; });
    return step;
}

namespace {
bool is_on(const Flag* flag) {
    return flag != nullptr && (!flag->has_value || flag->value == "true" || flag->value == "1");
}
}  // namespace

CopyStep StageEvaluator::copy(const Instruction& one, Diagnostics& findings) const {
    CopyStep step;
    step.add = one.name == "ADD";
    const auto value = [&](const char* name) {
        const auto* flag = find_flag(one, name);
        return flag == nullptr ? std::string() : expand(flag->value, flag->pos, findings);
    };
    if (const auto* from = find_flag(one, "from")) step.from = from->value;
    step.owner = value("chown");
    step.mode = value("chmod");
    step.checksum = value("checksum");
    step.link = is_on(find_flag(one, "link"));
    step.parents = is_on(find_flag(one, "parents"));
    step.keep_git_dir = is_on(find_flag(one, "keep-git-dir"));
    if (const auto* unpack = find_flag(one, "unpack")) step.unpack = is_on(unpack);
    for (const auto& flag : one.flags)
        if (flag.name == "exclude") step.excludes.push_back(expand(flag.value, flag.pos, findings));
    auto words = expand_words(one, findings);
    if (words.size() < 2) throw make_error(ErrorKind::invalid, "{} needs a source and a destination", one.name);
    const auto written = words.back();
    words.pop_back();
    step.target = absolute_in(config_.working_dir, written);
    const bool folder = written.ends_with('/') || written == "." || written.ends_with("/.") || written == ".." ||
                        written.ends_with("/..");
    if (folder && step.target != "/") step.target += '/';
    for (auto& word : words) {
        const auto doc = std::find_if(one.heredocs.begin(), one.heredocs.end(), [&](const Heredoc& d) {
            const auto at = word.find("<<");
            return at != std::string::npos && word.substr(at + 2 + (d.strip_tabs ? 1 : 0)) == d.name;
        });
        if (doc == one.heredocs.end()) {
            step.sources.push_back(std::move(word));
            continue;
        }
        auto body = doc->body;
        if (doc->expand) body = expand_body(body, escape_, lookup()).text;
        step.inline_files.push_back({std::string(base_name(doc->name)), std::move(body)});
    }
    if (step.sources.size() + step.inline_files.size() > 1 && !step.target.ends_with('/'))
        throw make_error(ErrorKind::invalid, "with more than one source the destination must be a directory")
            .with_hint(fmt::format("end it with a slash: {}/", written));
    return step;
}

WorkdirStep StageEvaluator::workdir(const Instruction& one, Diagnostics& findings) {
    const auto text = expand(one.args, one.place_of(0), findings);
    if (text.empty()) throw Error("WORKDIR is empty", ErrorKind::invalid);
    config_.working_dir = absolute_in(config_.working_dir, text);
    if (config_.working_dir.size() > 4095) throw Error("the path is too long", ErrorKind::invalid);
    return {.path = config_.working_dir, .user = config_.user};
}

}  // namespace compose::build
