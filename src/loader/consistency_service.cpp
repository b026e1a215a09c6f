#include <algorithm>
#include <array>
#include <map>

#include "base/strings.hpp"
#include "loader/consistency.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

class ServiceCheck {
public:
    ServiceCheck(const Node::Entry& entry, const PathFrame& path, Diagnostics& findings)
        : entry_(entry), service_(entry.value), path_(path), findings_(findings) {}

    void check_all() {
        origin();
        build();
        network_mode();
        healthcheck();
        scale();
        limits();
        watch();
        mount_targets();
        devices();
        labels();
    }

private:
    [[nodiscard]] const Node* find(std::string_view key) const { return service_.find(key); }

    void error(SourcePos pos, std::string_view key, std::string message, std::string hint = {}) {
        findings_.error(pos, to_string(key.empty() ? path_ : path_.child(key)), std::move(message), std::move(hint));
    }

    void origin() {
        const bool provided = find("provider") != nullptr;
        if (find("image") == nullptr && find("build") == nullptr && !provided)
            error(entry_.key_pos, "", "needs an image, a build or a provider", "add image: NAME, or build: FOLDER");
        if (provided && text_of(*find("provider"), "type").empty())
            error(find("provider")->pos, "provider", "needs type", "add type: the program that provides the service");
        for (const char* key : {"image", "build"})
            if (provided && find(key) != nullptr)
                error(key_pos_of(service_, key), key, "excludes provider", "remove one of the two");
    }

    void build() {
        const auto* build = find("build");
        if (build == nullptr) return;
        if (build->find("dockerfile") != nullptr && build->find("dockerfile_inline") != nullptr)
            error(key_pos_of(*build, "dockerfile_inline"), "build",
                  "dockerfile and dockerfile_inline exclude each other", "remove one of the two");
        const auto platform = text_of(service_, "platform");
        const auto* platforms = build->find("platforms");
        if (platform.empty() || platforms == nullptr) return;
        for (const auto& item : platforms->items)
            if (item.text == platform) return;
        error(find("platform")->pos, "platform", fmt::format("{} is not among build.platforms", shown(platform)),
              "add it to build.platforms");
    }

    void network_mode() {
        const auto* mode = find("network_mode");
        if (mode != nullptr && find("networks") != nullptr)
            error(key_pos_of(service_, "network_mode"), "", "network_mode and networks exclude each other",
                  "remove one of the two");
        const auto* own = find("mac_address");
        if (own == nullptr) return;
        for (const auto& [key, pos, value] : child_or_empty(service_, "networks").entries)
            if (const auto* mac = value.find("mac_address");
                mac != nullptr && mac->text != own->text && key == "default")
                error(mac->pos, "networks", "mac_address differs from the service's mac_address",
                      "keep one of the two");
    }

    void healthcheck() {
        const auto* health = find("healthcheck");
        if (health == nullptr) return;
        if (const auto* test = health->find("test"); test != nullptr && !test->items.empty()) {
            const auto& first = test->items[0].text;
            if (first != "CMD" && first != "CMD-SHELL" && first != "NONE")
                error(test->pos, "healthcheck.test",
                      shown(first) + " is not one of CMD, CMD-SHELL or NONE, which a list starts with",
                      "write [CMD, " + (first.size() < 40 ? first : "program") + ", ...], or the command as one text");
        }
        if (health->find("start_interval") != nullptr && health->find("start_period") == nullptr)
            error(key_pos_of(*health, "start_interval"), "healthcheck", "start_interval needs start_period",
                  "add start_period: the time in which start_interval holds");
    }

    void scale() {
        const auto* scale = find("scale");
        const auto* replicas = child_or_empty(service_, "deploy").find("replicas");
        if (scale != nullptr && replicas != nullptr && scale->integer != replicas->integer)
            error(scale->pos, "scale",
                  fmt::format("scale is {}, but deploy.replicas is {}", scale->integer, replicas->integer),
                  "remove one of the two");
        const auto* count = scale != nullptr ? scale : replicas;
        if (count != nullptr && count->integer > 1 && find("container_name") != nullptr)
            error(key_pos_of(service_, "container_name"), "container_name",
                  fmt::format("container_name allows one container, but {} is {}",
                              scale != nullptr ? "scale" : "deploy.replicas", count->integer),
                  "remove container_name, or run one container");
    }

    void limits() {
        const auto& resources = child_or_empty(child_or_empty(service_, "deploy"), "resources");
        const auto& limits = child_or_empty(resources, "limits");
        const auto& reservations = child_or_empty(resources, "reservations");
        same("cpus", limits.find("cpus"), "deploy.resources.limits.cpus");
        same("mem_limit", limits.find("memory"), "deploy.resources.limits.memory");
        same("pids_limit", limits.find("pids"), "deploy.resources.limits.pids");
        same("mem_reservation", reservations.find("memory"), "deploy.resources.reservations.memory");
    }

    void same(const char* key, const Node* other, const char* other_name) {
        const auto* own = find(key);
        if (own == nullptr || other == nullptr || scalar_text(*own) == scalar_text(*other)) return;
        error(own->pos, key,
              fmt::format("{} is {}, but {} is {}", key, scalar_text(*own), other_name, scalar_text(*other)),
              "remove one of the two");
    }

    void watch() {
        const auto& rules = child_or_empty(child_or_empty(service_, "develop"), "watch").items;
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const auto action = text_of(rules[i], "action");
            const auto path = to_string(path_.child("develop").child("watch").item(i));
            if (action.starts_with("sync") && text_of(rules[i], "target").empty())
                findings_.error(rules[i].find("action")->pos, path, fmt::format("{} needs a target", action),
                                "add target: the path in the container");
            if (action == "sync+exec" && rules[i].find("exec") == nullptr)
                findings_.error(rules[i].find("action")->pos, path, "sync+exec needs exec", "add exec: {command: ...}");
            if (action == "rebuild" && find("build") == nullptr)
                findings_.error(rules[i].find("action")->pos, path, "rebuild needs a service with build",
                                "add build, or use sync or restart");
        }
    }

    void mount_targets() {
        std::map<std::string, SourcePos> seen;
        const auto take = [&](std::string_view target, SourcePos pos, const char* key, std::size_t index) {
            while (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
            const auto [at, fresh] = seen.try_emplace(std::string(target), pos);
            if (fresh) return;
            const auto other = findings_.sources.name(at->second.file);
            findings_.error(pos, to_string(path_.child(key).item(index)),
                            fmt::format("target {} is already mounted", shown(target)),
                            at->second.known() ? fmt::format("the other mount is at {}:{}", other, at->second.line)
                                               : std::string());
        };
        const auto& volumes = child_or_empty(service_, "volumes").items;
        for (std::size_t i = 0; i < volumes.size(); ++i)
            if (const auto target = text_of(volumes[i], "target"); !target.empty())
                take(target, volumes[i].pos, "volumes", i);
        const auto& tmpfs = child_or_empty(service_, "tmpfs").items;
        for (std::size_t i = 0; i < tmpfs.size(); ++i)
            take(std::string_view(tmpfs[i].text).substr(0, tmpfs[i].text.find(':')), tmpfs[i].pos, "tmpfs", i);
    }

    void device_requests(const Node& requests, const PathFrame& path) {
        for (std::size_t i = 0; i < requests.items.size(); ++i)
            if (requests.items[i].find("count") != nullptr && requests.items[i].find("device_ids") != nullptr)
                findings_.error(requests.items[i].pos, to_string(path.item(i)),
                                "count and device_ids exclude each other", "remove one of the two");
    }

    void devices() {
        device_requests(child_or_empty(service_, "gpus"), path_.child("gpus"));
        const auto& resources = child_or_empty(child_or_empty(service_, "deploy"), "resources");
        const auto deploy = path_.child("deploy");
        const auto place = deploy.child("resources");
        const auto reservations = place.child("reservations");
        device_requests(child_or_empty(child_or_empty(resources, "reservations"), "devices"),
                        reservations.child("devices"));
    }

    void labels() {
        for (const auto& entry : child_or_empty(service_, "labels").entries)
            if (entry.key.starts_with("com.docker.compose."))
                findings_.warning(entry.key_pos, to_string(path_.child("labels")),
                                  shown(entry.key) + " is set by the engine, this value is ignored", "remove it");
    }

    const Node::Entry& entry_;
    const Node& service_;
    const PathFrame& path_;
    Diagnostics& findings_;
};

}  // namespace

void check_service(const Node::Entry& service, const PathFrame& path, Diagnostics& findings) {
    ServiceCheck(service, path, findings).check_all();
}

}  // namespace compose
