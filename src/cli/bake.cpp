#include "cli/bake.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/strings.hpp"

namespace compose::cli {

namespace {

/// Puts what is not empty.
class Target {
public:
    void put(const char* key, const std::string& value) {
        if (!value.empty()) object_[key] = value;
    }
    void put(const char* key, bool value) {
        if (value) object_[key] = true;
    }
    void put(const char* key, const std::vector<std::string>& list) {
        if (!list.empty()) object_[key] = json::array(list.begin(), list.end());
    }
    void put(const char* key, const std::map<std::string, std::string>& map) {
        json::object out;
        for (const auto& [name, value] : map) out[name] = value;
        if (!out.empty()) object_[key] = std::move(out);
    }
    [[nodiscard]] json::object take() { return std::move(object_); }

private:
    json::object object_;
};

std::vector<std::string> secrets_of(const BuildRequest& request) {
    std::vector<std::string> out;
    for (const auto& secret : request.secrets)
        out.push_back(secret.value ? "id=" + secret.id : fmt::format("id={},type=file,src={}", secret.id, secret.file));
    return out;
}

json::object target_of(const BuildRequest& request) {
    Target target;
    target.put("context", request.context);
    if (request.dockerfile_text)
        target.put("dockerfile-inline", *request.dockerfile_text);
    else
        target.put("dockerfile", request.dockerfile.empty() ? "Dockerfile" : request.dockerfile);
    target.put("args", request.args);
    target.put("labels", request.labels);
    target.put("contexts", request.contexts);
    target.put("target", request.target);
    if (!request.platform.empty()) target.put("platforms", std::vector<std::string>{request.platform});
    target.put("no-cache", request.no_cache);
    target.put("no-cache-filter", request.no_cache_filter);
    target.put("pull", request.pull);
    target.put("cache-from", request.cache_from);
    target.put("cache-to", request.cache_to);
    target.put("secret", secrets_of(request));
    std::vector<std::string> agents, limits;
    for (const auto& [id, path] : request.ssh) agents.push_back(id + "=" + path);
    target.put("ssh", agents);
    target.put("network", request.network);
    std::map<std::string, std::string> hosts;
    for (const auto& [name, addresses] : request.extra_hosts) hosts[name] = join(addresses, ",");
    target.put("extra-hosts", hosts);
    if (request.shm_size) target.put("shm-size", std::to_string(*request.shm_size));
    for (const auto& [name, limit] : request.ulimits)
        limits.push_back(fmt::format("{}={}:{}", name, limit.first, limit.second));
    target.put("ulimits", limits);
    target.put("entitlements", request.allow);
    target.put("tags", request.tags);
    target.put("output", std::vector<std::string>{request.push ? "type=image,push=true" : "type=docker"});
    return target.take();
}

}  // namespace

std::string bake_text(const std::vector<BuildRequest>& requests) {
    json::object targets;
    json::array group;
    for (const auto& request : requests) {
        targets[request.name] = target_of(request);
        group.emplace_back(request.name);
    }
    return json::serialize(json::object{{"group", {{"default", {{"targets", group}}}}}, {"target", targets}}) + "\n";
}

}  // namespace compose::cli
