#include "image/credentials.hpp"

#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "sys/command.hpp"
#include "sys/file.hpp"

namespace compose::image {

namespace {

constexpr std::string_view kHubKey = "https://index.docker.io/v1/";
constexpr std::size_t kMaxHelperOutput = std::size_t{1} << 20U;
constexpr std::chrono::seconds kHelperTimeout{60};

json::object read_config(const std::string& path) {
    const auto text = sys::read_file_if_exists(path);
    if (!text || trim(*text).empty()) return {};
    const auto value = in_context([&] { return path; }, [&] { return parse_json(*text); });
    if (!value.is_object()) throw make_error(ErrorKind::invalid, "{}: is no JSON object", path);
    return value.get_object();
}

const json::object* object_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr ? value->if_object() : nullptr;
}

/// The names under which other programs may have stored it.
std::vector<std::string> spellings(const std::string& registry) {
    if (registry == "docker.io")
        return {std::string(kHubKey), "https://index.docker.io/v1", "index.docker.io", "docker.io"};
    return {registry,
            "https://" + registry,
            "http://" + registry,
            "https://" + registry + "/v1/",
            "https://" + registry + "/v2/",
            "https://" + registry + "/"};
}

std::optional<Credentials> from_entry(const json::object& entry, const std::string& path, const std::string& registry) {
    Credentials out;
    out.user = string_or(entry, "username");
    out.secret = string_or(entry, "password");
    if (const auto auth = string_or(entry, "auth"); !auth.empty()) {
        const auto plain = base64_decode(auth);
        const auto colon = plain ? plain->find(':') : std::string::npos;
        if (colon == std::string::npos)
            throw make_error(ErrorKind::invalid, "{}: the entry of {} can't be read", path, quote(registry))
                .with_hint(fmt::format("log in again: compose login {}", registry));
        out.user = plain->substr(0, colon);
        out.secret = plain->substr(colon + 1);
        while (out.secret.ends_with('\0')) out.secret.pop_back();
    }
    if (const auto token = string_or(entry, "identitytoken"); !token.empty()) {
        out.secret = token;
        out.identity_token = true;
    }
    if (out.secret.empty()) return std::nullopt;
    return out;
}

sys::CommandResult run_helper(const std::string& helper, const char* verb, const std::string& input,
                              const std::map<std::string, std::string>& environment) {
    if (helper.empty() || helper.find('/') != std::string::npos)
        throw make_error(ErrorKind::invalid, "{} is no name of a credential helper", quote(helper));
    sys::Command command;
    command.argv = {"docker-credential-" + helper, verb};
    command.environment = environment;
    command.input = input;
    command.output_limit = kMaxHelperOutput;
    command.timeout = kHelperTimeout;
    return in_context([&] { return fmt::format("credential helper {}", quote(helper)); },
                      [&] { return sys::run_command(command); });
}

[[noreturn]] void fail_helper(const std::string& helper, const sys::CommandResult& result) {
    const auto text = result.timed_out ? std::string("does not answer") : std::string(trim(result.out + result.err));
    throw make_error("credential helper {}: {}", quote(helper), text.empty() ? "failed" : quote(text.substr(0, 300)));
}

json::object object_from(const std::string& helper, const sys::CommandResult& result) {
    const auto value = in_context([&] { return fmt::format("credential helper {}", quote(helper)); },
                                  [&] { return parse_json(result.out); });
    if (!value.is_object()) fail_helper(helper, result);
    return value.get_object();
}

bool is_missing(const sys::CommandResult& result) {
    return (result.out + result.err).find("credentials not found") != std::string::npos;
}

}  // namespace

std::string credential_key(const std::string& registry) {
    return registry == "docker.io" ? std::string(kHubKey) : registry;
}

CredentialFile::CredentialFile(std::map<std::string, std::string> environment) : environment_(std::move(environment)) {
    const auto folder = environment_.find("DOCKER_CONFIG");
    const auto home = environment_.find("HOME");
    if (folder != environment_.end() && !folder->second.empty())
        path_ = folder->second + "/config.json";
    else
        path_ = (home != environment_.end() && !home->second.empty() ? home->second : "/root") + "/.docker/config.json";
}

std::string CredentialFile::helper_for(const std::string& registry) const {
    const auto config = read_config(path_);
    if (const auto* helpers = object_at(config, "credHelpers"))
        for (const auto& name : spellings(registry))
            if (auto helper = string_or(*helpers, name); !helper.empty()) return helper;
    return string_or(config, "credsStore");
}

std::optional<Credentials> CredentialFile::ask(const std::string& helper, const std::string& key) const {
    const auto result = run_helper(helper, "get", key, environment_);
    if (!result.ok()) {
        if (is_missing(result)) return std::nullopt;
        fail_helper(helper, result);
    }
    const auto object = object_from(helper, result);
    Credentials out{.user = string_or(object, "Username"), .secret = string_or(object, "Secret")};
    out.identity_token = out.user == "<token>";
    if (out.secret.empty()) return std::nullopt;
    return out;
}

std::optional<Credentials> CredentialFile::find(const std::string& registry) const {
    if (const auto helper = helper_for(registry); !helper.empty()) return ask(helper, credential_key(registry));
    const auto config = read_config(path_);
    const auto* auths = object_at(config, "auths");
    if (auths == nullptr) return std::nullopt;
    for (const auto& name : spellings(registry))
        if (const auto* entry = object_at(*auths, name)) return from_entry(*entry, path_, registry);
    return std::nullopt;
}

std::map<std::string, Credentials> CredentialFile::all() const {
    std::map<std::string, Credentials> out;
    const auto config = read_config(path_);
    const auto add = [&](const std::string& key, std::optional<Credentials> credentials) {
        if (credentials) out.insert_or_assign(key, std::move(*credentials));
    };
    if (const auto* auths = object_at(config, "auths"))
        for (const auto& [key, entry] : *auths)
            if (entry.is_object()) add(key, from_entry(entry.get_object(), path_, key));
    if (const auto store = string_or(config, "credsStore"); !store.empty()) {
        const auto result = run_helper(store, "list", "", environment_);
        if (!result.ok()) fail_helper(store, result);
        for (const auto& [key, user] : object_from(store, result)) add(key, ask(store, key));
    }
    if (const auto* helpers = object_at(config, "credHelpers"))
        for (const auto& [key, helper] : *helpers)
            if (helper.is_string()) add(key, ask(std::string(helper.get_string()), key));
    return out;
}

std::string CredentialFile::store(const std::string& registry, const Credentials& credentials) {
    const auto key = credential_key(registry);
    if (const auto helper = helper_for(registry); !helper.empty()) {
        const json::object entry{{"ServerURL", key}, {"Username", credentials.user}, {"Secret", credentials.secret}};
        const auto result = run_helper(helper, "store", json::serialize(entry), environment_);
        if (!result.ok()) fail_helper(helper, result);
        return helper;
    }
    auto config = read_config(path_);
    auto& auths = config["auths"];
    if (!auths.is_object()) auths = json::object{};
    json::object entry{{"auth", base64_encode(credentials.user + ":" + credentials.secret)}};
    auths.get_object()[key] = entry;
    sys::make_directories(path_.substr(0, path_.rfind('/')), 0700);
    sys::replace_file(path_, json::serialize(config) + "\n", 0600);
    return path_;
}

bool CredentialFile::erase(const std::string& registry) {
    if (const auto helper = helper_for(registry); !helper.empty()) {
        const auto result = run_helper(helper, "erase", credential_key(registry), environment_);
        if (!result.ok() && !is_missing(result)) fail_helper(helper, result);
        return result.ok();
    }
    auto config = read_config(path_);
    auto* auths = config.if_contains("auths");
    bool any = false;
    if (auths != nullptr && auths->is_object())
        for (const auto& name : spellings(registry)) any = auths->get_object().erase(name) > 0 || any;
    if (any) sys::replace_file(path_, json::serialize(config) + "\n", 0600);
    return any;
}

std::string render_credentials(const std::map<std::string, Credentials>& all) {
    json::object auths;
    for (const auto& [key, credentials] : all) {
        json::object entry;
        if (credentials.identity_token)
            entry = {{"auth", base64_encode(credentials.user + ":")}, {"identitytoken", credentials.secret}};
        else
            entry = {{"auth", base64_encode(credentials.user + ":" + credentials.secret)}};
        auths[key] = std::move(entry);
    }
    return json::serialize(json::object{{"auths", std::move(auths)}}) + "\n";
}

}  // namespace compose::image
