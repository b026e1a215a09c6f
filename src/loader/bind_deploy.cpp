// How a service is deployed, and what runs beside its containers: hooks, watch rules, a provider, models.
#include <array>
#include <utility>

#include "loader/bind_service.hpp"
#include "loader/bind_values.hpp"
#include "loader/tree_edit.hpp"
#include "loader/units_bind.hpp"

namespace compose {

namespace {

constexpr std::string_view kOnFailure = "on-failure";

std::optional<Deploy::Update> bind_update(const Node& deploy, std::string_view key) {
    const auto* node = deploy.find(key);
    if (node == nullptr || !node->is_mapping()) return std::nullopt;
    Deploy::Update out;
    out.parallelism = bind_int(*node, "parallelism", out.parallelism);
    out.delay = bind_duration(*node, "delay").value_or(out.delay);
    out.failure_action = text_of(*node, "failure_action");
    out.monitor = bind_duration(*node, "monitor").value_or(out.monitor);
    if (const auto* ratio = node->find("max_failure_ratio")) out.max_failure_ratio = number_of(*ratio).value_or(0);
    out.order = text_of(*node, "order");
    return out;
}

Hook bind_hook(const Node& node) {
    Hook out;
    out.command = bind_list(node.find("command"));
    out.image = text_of(node, "image");
    out.user = text_of(node, "user");
    out.privileged = bind_flag(node, "privileged");
    out.per_replica = bind_flag(node, "per_replica");
    out.working_dir = text_of(node, "working_dir");
    out.environment = bind_variables(node.find("environment"));
    out.pos = node.pos;
    return out;
}

std::vector<Hook> bind_hooks(const Node& service, std::string_view key) {
    std::vector<Hook> out;
    for (const auto& node : child_or_empty(service, key).items)
        if (node.is_mapping()) out.push_back(bind_hook(node));
    return out;
}

WatchRule::Action watch_action(std::string_view text) {
    using enum WatchRule::Action;
    for (const auto& [word, action] : {std::pair<std::string_view, WatchRule::Action>{"restart", restart},
                                       {"sync", sync},
                                       {"sync+restart", sync_restart},
                                       {"sync+exec", sync_exec}})
        if (text == word) return action;
    return rebuild;
}

std::vector<WatchRule> bind_watch(const Node& service) {
    std::vector<WatchRule> out;
    for (const auto& node : child_or_empty(child_or_empty(service, "develop"), "watch").items) {
        if (!node.is_mapping()) continue;
        WatchRule rule;
        rule.path = text_of(node, "path");
        rule.action = watch_action(text_of(node, "action"));
        rule.target = text_of(node, "target");
        if (const auto* exec = node.find("exec"); exec != nullptr && exec->is_mapping()) rule.exec = bind_hook(*exec);
        rule.ignore = bind_list(node.find("ignore"));
        rule.include = bind_list(node.find("include"));
        rule.initial_sync = bind_flag(node, "initial_sync");
        rule.pos = node.pos;
        out.push_back(std::move(rule));
    }
    return out;
}

std::optional<Provider> bind_provider(const Node& service) {
    const auto* node = service.find("provider");
    if (node == nullptr || !node->is_mapping()) return std::nullopt;
    Provider out;
    out.type = text_of(*node, "type");
    for (const auto& [key, pos, value] : child_or_empty(*node, "options").entries)
        out.options[key] = value.is_sequence() ? bind_list(&value) : std::vector{scalar_text(value)};
    out.pos = key_pos_of(service, "provider");
    return out;
}

std::vector<ModelUse> bind_models(const Node& service) {
    std::vector<ModelUse> out;
    for (const auto& [key, pos, value] : child_or_empty(service, "models").entries)
        out.push_back({key, std::string(text_of(value, "endpoint_var")), std::string(text_of(value, "model_var"))});
    return out;
}

}  // namespace

RestartPolicy bind_restart(const Node& service) {
    RestartPolicy out;
    const auto& policy = child_or_empty(child_or_empty(service, "deploy"), "restart_policy");
    const auto condition = text_of(policy, "condition");
    const auto text = text_of(service, "restart");
    if (policy.is_mapping()) {
        // A job that has done its work is not done again.
        const bool job = text_of(child_or_empty(service, "deploy"), "mode").ends_with("-job");
        if (condition == "any" || (condition.empty() && !job)) out.kind = RestartPolicy::Kind::always;
        if (condition == kOnFailure || (condition.empty() && job)) out.kind = RestartPolicy::Kind::on_failure;
        if (out.kind != RestartPolicy::Kind::no) out.max_retries = bind_int(policy, "max_attempts", 0);
    } else if (text == "always") {
        out.kind = RestartPolicy::Kind::always;
    } else if (text == "unless-stopped") {
        out.kind = RestartPolicy::Kind::unless_stopped;
    } else if (text.starts_with(kOnFailure)) {
        out.kind = RestartPolicy::Kind::on_failure;
        if (text.size() > kOnFailure.size() + 1) {
            const auto count = Node::make_string(std::string(text.substr(kOnFailure.size() + 1)), {});
            out.max_retries = static_cast<int>(integer_of(count).value_or(0));
        }
    }
    return out;
}

Deploy bind_deploy(const Node& service) {
    const auto& node = child_or_empty(service, "deploy");
    Deploy out;
    out.mode = text_of(node, "mode");
    out.endpoint_mode = text_of(node, "endpoint_mode");
    out.labels = bind_texts(node.find("labels"));
    out.update = bind_update(node, "update_config");
    out.rollback = bind_update(node, "rollback_config");
    const auto& policy = child_or_empty(node, "restart_policy");
    out.restart_delay = bind_duration(policy, "delay");
    out.restart_window = bind_duration(policy, "window");
    return out;
}

void bind_companions(Service& out, const Node& service) {
    out.pre_start = bind_hooks(service, "pre_start");
    out.post_start = bind_hooks(service, "post_start");
    out.pre_stop = bind_hooks(service, "pre_stop");
    out.watch = bind_watch(service);
    out.provider = bind_provider(service);
    out.models = bind_models(service);
    out.use_api_socket = bind_flag(service, "use_api_socket");
}

}  // namespace compose
