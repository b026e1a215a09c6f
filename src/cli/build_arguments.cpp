#include "cli/build_arguments.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/flag_values.hpp"
#include "sys/file.hpp"

namespace compose::cli {

namespace {

/// "a=1,b=2" as pairs; a word without "=" has an empty value.
std::vector<std::pair<std::string, std::string>> fields(const char* flag, const std::string& text) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& part : csv_fields(flag, text)) {
        const auto equals = part.find('=');
        out.emplace_back(part.substr(0, equals), equals == std::string::npos ? std::string() : part.substr(equals + 1));
    }
    return out;
}

std::optional<std::string> variable_of(const Context& context, const std::string& name) {
    const auto found = context.environment.find(name);
    if (found == context.environment.end()) return std::nullopt;
    return found->second;
}

}  // namespace

void add_build_args(const Context& context, const std::vector<std::string>& texts, BuildRequest& request) {
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        if (name.empty())
            throw make_error(ErrorKind::usage, "--build-arg {} has no name", quote(text)).with_hint("write NAME=value");
        if (equals != std::string::npos)
            request.args[name] = text.substr(equals + 1);
        else if (const auto value = variable_of(context, name))
            request.args[name] = *value;
    }
    const auto epoch = request.args.contains("SOURCE_DATE_EPOCH") ? request.args["SOURCE_DATE_EPOCH"]
                                                                  : context.variable("SOURCE_DATE_EPOCH");
    if (epoch.empty()) return;
    std::int64_t seconds = 0;
    const auto [end, code] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), seconds);
    if (code != std::errc{} || end != epoch.data() + epoch.size() || seconds < 0 || seconds > 8'000'000'000)
        throw make_error(ErrorKind::usage, "SOURCE_DATE_EPOCH is {}, not seconds since 1970", quote(epoch));
    request.source_date_epoch = seconds;
}

void add_ssh(const Context& context, const std::vector<std::string>& texts, BuildRequest& request) {
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        const auto id = text.empty() ? "default" : text.substr(0, equals);
        auto path = equals == std::string::npos ? context.variable("SSH_AUTH_SOCK") : text.substr(equals + 1);
        if (path.empty())
            throw Error("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set", ErrorKind::usage);
        request.ssh[id] = sys::absolute_path(path);
    }
}

void add_secrets(const Context& context, const std::vector<std::string>& texts, BuildRequest& request) {
    for (const auto& text : texts) {
        BuildSecret secret;
        std::string variable;
        for (const auto& [key, value] : fields("--secret", text)) {
            if (key == "id")
                secret.id = value;
            else if (key == "src" || key == "source")
                secret.file = sys::absolute_path(value);
            else if (key == "env")
                variable = value;
            else if (key != "type" || (value != "file" && value != "env"))
                throw make_error(ErrorKind::usage, "--secret {}: unknown part {}", quote(text), quote(key))
                    .with_hint("write id=NAME,src=FILE or id=NAME,env=VARIABLE");
        }
        if (secret.id.empty()) throw make_error(ErrorKind::usage, "--secret {} has no id", quote(text));
        if (secret.file.empty()) {
            const auto name = variable.empty() ? secret.id : variable;
            secret.value = variable_of(context, name);
            if (!secret.value && variable.empty() && sys::exists(secret.id))
                secret.file = sys::absolute_path(secret.id);
            if (!secret.value && secret.file.empty())
                throw make_error(ErrorKind::usage, "--secret {}: the variable {} is not set", quote(text), name);
        } else if (!sys::exists(secret.file)) {
            throw make_error(ErrorKind::usage, "--secret {}: there is no file {}", quote(text), quote(secret.file));
        }
        request.secrets.push_back(std::move(secret));
    }
}

namespace {

BuildOutput parse_output(const std::string& text, BuildRequest& request) {
    if (text == "-") return {.type = "tar", .dest = "-"};
    if (text.find('=') == std::string::npos) return {.type = "local", .dest = sys::absolute_path(text)};
    BuildOutput output;
    for (const auto& [key, value] : fields("--output", text)) {
        if (key == "type")
            output.type = value;
        else if (key == "dest" || key == "destination")
            output.dest = value == "-" ? value : sys::absolute_path(value);
        else if (key == "name")
            request.tags.push_back(value);
        else if (key == "push" && (value == "true" || value == "false"))
            request.push = request.push || value == "true";
        else
            throw make_error(ErrorKind::usage, "--output {}: unknown part {}", quote(text), quote(key))
                .with_hint("write type=KIND,dest=PATH");
    }
    return output;
}

}  // namespace

void add_outputs(const std::vector<std::string>& texts, BuildRequest& request) {
    static const std::vector<std::string> kTypes{"image", "local", "tar", "oci", "docker"};
    for (const auto& text : texts) {
        auto output = parse_output(text, request);
        if (output.type == "registry") {
            request.push = true;
            output.type = "image";
        }
        if (std::find(kTypes.begin(), kTypes.end(), output.type) == kTypes.end())
            throw make_error(ErrorKind::usage, "--output {}: unknown type {}", quote(text), quote(output.type))
                .with_hint("one of image, registry, local, tar, oci, docker");
        if (output.type == "local" && (output.dest.empty() || output.dest == "-"))
            throw make_error(ErrorKind::usage, "--output {} needs a folder: add dest=PATH", quote(text));
        // "docker" without a file means this program's own store.
        if (output.type == "docker" && output.dest.empty()) output.type = "image";
        if (output.type != "image" && output.dest.empty()) output.dest = "-";
        request.outputs.push_back(std::move(output));
    }
}

void check_builder(const std::string& name) {
    if (!name.empty() && name != "default")
        throw make_error(ErrorKind::usage, "there is no builder {}", quote(name))
            .with_hint("there is one, default: builds are done by this program itself");
}

void check_attestation(const char* flag, const std::string& value) {
    if (value.empty() || value == "false" || value == "0" || value == "disabled=true") return;
    throw make_error(ErrorKind::usage, "{}={}: attestations are not made", flag, value)
        .with_hint(fmt::format("leave {} out, or give false", flag));
}

}  // namespace compose::cli
