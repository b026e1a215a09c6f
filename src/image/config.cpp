#include "image/config.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "image/reference.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kMaxConfig = std::size_t{4} << 20U;
constexpr std::size_t kMaxItems = 10'000;
constexpr std::size_t kMaxText = std::size_t{256} << 10U;

[[noreturn]] void fail(std::string_view member, const std::string& why) {
    throw make_error(ErrorKind::invalid, "image config: {} {}", member, why);
}

/// Reads members of one object; absent and null are the same, as Go writes them.
class Members {
public:
    Members(const json::object& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

    [[nodiscard]] const json::value* find(std::string_view key) const {
        const auto* value = object_.if_contains(key);
        return value == nullptr || value->is_null() ? nullptr : value;
    }
    [[nodiscard]] std::string name(std::string_view key) const { return prefix_ + std::string(key); }

    [[nodiscard]] std::string text(std::string_view key) const {
        const auto* value = find(key);
        return value == nullptr ? std::string() : check_text(*value, key);
    }

    [[nodiscard]] std::vector<std::string> list(std::string_view key) const {
        std::vector<std::string> out;
        const auto* value = find(key);
        if (value == nullptr) return out;
        const auto* array = value->if_array();
        if (array == nullptr) fail(name(key), "is not a list of strings");
        check_count(array->size(), key);
        for (const auto& item : *array) out.push_back(check_text(item, key));
        return out;
    }

    [[nodiscard]] std::map<std::string, std::string> map(std::string_view key) const {
        std::map<std::string, std::string> out;
        if (const auto* members = object(key))
            for (const auto& [item, value] : *members) out.emplace(std::string(item), check_text(value, key));
        return out;
    }

    /// The keys of an object whose values are empty objects: how Go writes a set.
    [[nodiscard]] std::vector<std::string> set(std::string_view key) const {
        std::vector<std::string> out;
        if (const auto* members = object(key))
            for (const auto& member : *members) out.emplace_back(member.key());
        std::sort(out.begin(), out.end());
        return out;
    }

    [[nodiscard]] const json::object* object(std::string_view key) const {
        const auto* value = find(key);
        if (value == nullptr) return nullptr;
        const auto* members = value->if_object();
        if (members == nullptr) fail(name(key), "is not an object");
        check_count(members->size(), key);
        return members;
    }

    [[nodiscard]] std::int64_t duration(std::string_view key) const { return integer(key, INT64_MAX); }
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t max) const {
        const auto* value = find(key);
        if (value == nullptr) return 0;
        json::error_code code;
        const auto number = value->to_number<std::int64_t>(code);
        if (code || number < 0 || number > max) fail(name(key), "is not a number in range");
        return number;
    }

private:
    [[nodiscard]] std::string check_text(const json::value& value, std::string_view key) const {
        const auto* text = value.if_string();
        if (text == nullptr) fail(name(key), "is not a string");
        if (text->size() > kMaxText) fail(name(key), fmt::format("is longer than {} bytes", kMaxText));
        if (text->find('\0') != json::string::npos) fail(name(key), "contains a NUL");
        return std::string(*text);
    }
    void check_count(std::size_t count, std::string_view key) const {
        if (count > kMaxItems) fail(name(key), fmt::format("has more than {} items", kMaxItems));
    }

    const json::object& object_;
    std::string prefix_;
};

HealthCheck parse_health_check(const json::object& object) {
    const Members members(object, "config.Healthcheck.");
    return {.test = members.list("Test"),
            .interval_ns = members.duration("Interval"),
            .timeout_ns = members.duration("Timeout"),
            .start_period_ns = members.duration("StartPeriod"),
            .start_interval_ns = members.duration("StartInterval"),
            .retries = static_cast<int>(members.integer("Retries", 1'000'000))};
}

void check_run_config(const ImageConfig& config) {
    for (const auto& item : config.env)
        if (item.find('=') == std::string::npos || item.starts_with('='))
            fail("config.Env", quote(std::string_view(item).substr(0, 100)) + " is not of the form KEY=VALUE");
    for (const auto& port : config.exposed_ports)
        if (!is_port_spec(port))
            fail("config.ExposedPorts", quote(port.substr(0, 100)) + " is not a port such as 80/tcp");
    for (const auto& volume : config.volumes)
        if (!is_container_path(volume))
            fail("config.Volumes", quote(volume.substr(0, 300)) + " is not an absolute path");
    if (!config.working_dir.empty() && !is_container_path(config.working_dir))
        fail("config.WorkingDir", quote(config.working_dir.substr(0, 300)) + " is not an absolute path");
    if (!is_user_spec(config.user)) fail("config.User", quote(config.user.substr(0, 100)) + " is not a user");
}

void parse_run_config(const json::object& object, ImageConfig& config) {
    const Members members(object, "config.");
    config.env = members.list("Env");
    config.cmd = members.list("Cmd");
    config.entrypoint = members.list("Entrypoint");
    config.shell = members.list("Shell");
    config.user = members.text("User");
    config.working_dir = members.text("WorkingDir");
    config.stop_signal = members.text("StopSignal");
    config.exposed_ports = members.set("ExposedPorts");
    config.volumes = members.set("Volumes");
    config.labels = members.map("Labels");
    config.on_build = members.list("OnBuild");
    if (const auto* check = members.object("Healthcheck")) config.health_check = parse_health_check(*check);
    check_run_config(config);
}

}  // namespace

bool is_port_spec(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    const auto protocol = text.substr(slash);
    if (!protocol.empty() && protocol != "/tcp" && protocol != "/udp" && protocol != "/sctp") return false;
    const auto ports = text.substr(0, slash);
    const auto is_number = [](std::string_view number) {
        if (number.empty() || number.size() > 5) return false;
        int value = 0;
        for (const char c : number) {
            if (c < '0' || c > '9') return false;
            value = value * 10 + (c - '0');
        }
        return value >= 1 && value <= 65535;
    };
    const auto dash = ports.find('-');
    if (dash == std::string_view::npos) return is_number(ports);
    return is_number(ports.substr(0, dash)) && is_number(ports.substr(dash + 1));
}

bool is_container_path(std::string_view path) {
    if (!path.starts_with('/') || path.size() > 4095) return false;
    for (const auto& part : split(path, '/'))
        if (part == "..") return false;
    return true;
}

bool is_user_spec(std::string_view user) {
    return user.size() <= 256 && std::none_of(user.begin(), user.end(),
                                              [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

ImageConfig parse_config(std::string_view text) {
    if (text.size() > kMaxConfig)
        throw make_error(ErrorKind::invalid, "image config: is longer than {} bytes", kMaxConfig);
    const auto value = in_context([] { return "image config"; }, [&] { return parse_json(text); });
    const auto* root = value.if_object();
    if (root == nullptr) throw Error("image config: is not an object", ErrorKind::invalid);
    const Members members(*root, "");
    ImageConfig config;
    config.architecture = members.text("architecture");
    config.os = members.text("os");
    config.created = members.text("created");
    config.author = members.text("author");
    if (const auto* run = members.object("config")) parse_run_config(*run, config);
    if (const auto* rootfs = members.object("rootfs")) {
        config.diff_ids = Members(*rootfs, "rootfs.").list("diff_ids");
        for (const auto& id : config.diff_ids)
            if (!is_digest(id)) fail("rootfs.diff_ids", quote(id.substr(0, 100)) + " is not a digest");
    }
    if (const auto* history = members.find("history")) {
        const auto* items = history->if_array();
        if (items == nullptr || items->size() > kMaxItems) fail("history", "is not a list");
        for (const auto& item : *items) {
            const auto* entry = item.if_object();
            if (entry == nullptr) fail("history", "is not a list of objects");
            const Members fields(*entry, "history.");
            config.history.push_back({.created = fields.text("created"),
                                      .created_by = fields.text("created_by"),
                                      .comment = fields.text("comment"),
                                      .empty_layer = bool_or(*entry, "empty_layer", false)});
        }
    }
    return config;
}

namespace {

void put(json::object& object, std::string_view key, const std::string& value) {
    if (!value.empty()) object.emplace(key, value);
}
void put(json::object& object, std::string_view key, const std::vector<std::string>& value) {
    if (!value.empty()) object.emplace(key, json::array(value.begin(), value.end()));
}
void put(json::object& object, std::string_view key, std::int64_t value) {
    if (value != 0) object.emplace(key, value);
}
void put_set(json::object& object, std::string_view key, std::vector<std::string> value) {
    if (value.empty()) return;
    std::sort(value.begin(), value.end());
    json::object set;
    for (const auto& item : value) set.emplace(item, json::object());
    object.emplace(key, std::move(set));
}

json::object render_run_config(const ImageConfig& config) {
    json::object run;
    put(run, "User", config.user);
    put_set(run, "ExposedPorts", config.exposed_ports);
    put(run, "Env", config.env);
    put(run, "Entrypoint", config.entrypoint);
    put(run, "Cmd", config.cmd);
    put_set(run, "Volumes", config.volumes);
    put(run, "WorkingDir", config.working_dir);
    if (!config.labels.empty()) {
        json::object labels;
        for (const auto& [key, value] : config.labels) labels.emplace(key, value);
        run.emplace("Labels", std::move(labels));
    }
    put(run, "OnBuild", config.on_build);
    put(run, "StopSignal", config.stop_signal);
    put(run, "Shell", config.shell);
    if (config.health_check) {
        json::object check;
        put(check, "Test", config.health_check->test);
        put(check, "Interval", config.health_check->interval_ns);
        put(check, "Timeout", config.health_check->timeout_ns);
        put(check, "StartPeriod", config.health_check->start_period_ns);
        put(check, "StartInterval", config.health_check->start_interval_ns);
        put(check, "Retries", config.health_check->retries);
        run.emplace("Healthcheck", std::move(check));
    }
    return run;
}

}  // namespace

std::string render_config(const ImageConfig& config) {
    json::object root;
    put(root, "created", config.created);
    put(root, "author", config.author);
    put(root, "architecture", config.architecture);
    put(root, "os", config.os);
    root.emplace("config", render_run_config(config));
    root.emplace("rootfs", json::object{{"type", "layers"},
                                        {"diff_ids", json::array(config.diff_ids.begin(), config.diff_ids.end())}});
    json::array history;
    for (const auto& item : config.history) {
        json::object entry;
        put(entry, "created", item.created);
        put(entry, "created_by", item.created_by);
        put(entry, "comment", item.comment);
        if (item.empty_layer) entry.emplace("empty_layer", true);
        history.push_back(std::move(entry));
    }
    if (!history.empty()) root.emplace("history", std::move(history));
    return json::serialize(root);
}

std::string config_digest(std::string_view config_json) {
    return "sha256:" + sha256_hex(config_json);
}

std::string_view native_architecture() {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__riscv)
    return "riscv64";
#else
#error "name this architecture as image configs do"
#endif
}

}  // namespace compose::image
