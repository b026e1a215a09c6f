// Walks a project beside the table of what the engine can run. Only commands that run containers ask for it; `config`
// prints everything.
#include <algorithm>
#include <array>
#include <compose/config.hpp>

#include "base/strings.hpp"
#include "loader/schema.hpp"
#include "loader/stages.hpp"
#include "loader/support.hpp"
#include "loader/support_values.hpp"
#include "loader/tree_edit.hpp"
#include "model/host_ports.hpp"
#include "model/stacked_networks.hpp"

namespace compose {

namespace {

class SupportCheck {
public:
    SupportCheck(Diagnostics& findings, const HostSupport& host) : findings_(findings), host_(host) {}

    // `node` is reached and listed as `inside`.
    void walk(const Node& node, const PathTrie::Cursor& cursor, const PathFrame& path) {
        for (const auto& entry : node.entries) {
            if (entry.key.starts_with("x-") && support_table().at(cursor.child(entry.key)) == nullptr) continue;
            visit(entry.key, entry.key_pos, entry.value, cursor.child(entry.key), path.child(entry.key));
        }
        const auto next = cursor.item();
        for (std::size_t i = 0; i < node.items.size(); ++i)
            visit({}, node.items[i].pos, node.items[i], next, path.item(i));
    }

    void check_build(const Node::Entry& service, const PathFrame& path) {
        const auto* build = service.value.find("build");
        if (build == nullptr || !build->is_mapping()) return;
        static constexpr std::pair<std::string_view, std::string_view> kIgnored[] = {
            {"provenance", "no attestations are made"},
            {"sbom", "no attestations are made"},
            {"isolation", "only Windows has it"},
        };
        for (const auto& [key, why] : kIgnored)
            if (const auto* value = build->find(key); value != nullptr && value->text != "false")
                findings_.warning(key_pos_of(*build, key), to_string(path) + ".build",
                                  fmt::format("{} is ignored: {}", key, why), "remove it");
    }

    void check_host_ports(const Node::Entry& service, const PathFrame& path) {
        if (text_of(service.value, "network_mode") == "host" && service.value.find("ports") != nullptr)
            findings_.warning(key_pos_of(service.value, "ports"), to_string(path),
                              "ports mean nothing with network_mode: host", "remove ports");
    }

    // As Docker's bridge, the engine looks for two keys only.
    void check_endpoint_options(const Node::Entry& service, const PathFrame& path) {
        for (const auto& network : child_or_empty(service.value, "networks").entries) {
            if (!network.value.is_mapping()) continue;
            for (const auto& option : child_or_empty(network.value, "driver_opts").entries)
                if (option.key != "com.docker.network.endpoint.ifname" &&
                    option.key != "com.docker.network.endpoint.sysctls")
                    findings_.warning(option.key_pos, to_string(path) + ".networks." + network.key + ".driver_opts",
                                      fmt::format("{} is ignored: no driver knows it", shown(option.key)), "remove it");
        }
    }

    // What stands on an interface of the host's is reached at its own address, and an internal network from nowhere.
    void check_unpublished_ports(const Node& networks, const Node::Entry& service, const PathFrame& path) {
        const auto* ports = service.value.find("ports");
        const auto& own = child_or_empty(service.value, "networks").entries;
        if (ports == nullptr || ports->items.empty() || own.empty()) return;
        for (const auto& network : own) {
            const auto* definition = networks.is_mapping() ? networks.find(network.key) : nullptr;
            if (definition == nullptr || !definition->is_mapping()) return;
            const auto* internal = definition->find("internal");
            if (!(internal != nullptr && internal->boolean) && !is_stacked_driver(text_of(*definition, "driver")))
                return;
        }
        findings_.warning(key_pos_of(service.value, "ports"), to_string(path),
                          "ports are not published: all networks are macvlan, ipvlan or internal",
                          "remove ports, or add a bridge network");
    }

    void check_api_socket(const Node::Entry& service, const PathFrame& path) {
        const auto* wanted = service.value.find("use_api_socket");
        if (wanted == nullptr || !wanted->boolean || host_.no_api_socket.empty()) return;
        findings_.error(
            wanted->pos, to_string(path) + ".use_api_socket", host_.no_api_socket,
            "it is the socket of a Docker daemon, which compose itself does without: start one, or name its "
            "socket in DOCKER_HOST");
    }

    // A host that has SELinux is looked at when containers are made.
    void check_selinux(const Node::Entry& service, const PathFrame& path) {
        const auto options = path.child("security_opt");
        const auto& items = child_or_empty(service.value, "security_opt").items;
        for (std::size_t i = 0; i < items.size() && !host_.selinux; ++i) {
            const auto& text = items[i].text;
            if ((text.starts_with("label=") || text.starts_with("label:")) && text.substr(6) != "disable")
                findings_.warning(items[i].pos, to_string(options.item(i)),
                                  shown(text) + " is ignored: this host has no SELinux");
        }
    }

    void check_job(const Node::Entry& service, const PathFrame& path) {
        const Node& deploy = child_or_empty(service.value, "deploy");
        if (!text_of(deploy, "mode").ends_with("-job")) return;
        const Node& policy = child_or_empty(deploy, "restart_policy");
        const Node* const how = policy.is_mapping() ? policy.find("condition") : service.value.find("restart");
        if (how == nullptr || (how->text != "any" && how->text != "always" && how->text != "unless-stopped")) return;
        findings_.error(how->pos, to_string(path),
                        fmt::format("a job is not started again once it is done, but {} asks for that", how->text),
                        "use on-failure, or leave it out");
    }

private:
    void visit(std::string_view key, SourcePos pos, const Node& value, const PathTrie::Cursor& cursor,
               const PathFrame& path) {
        if (key == "build" && path.parent != nullptr && path.parent->parent != nullptr &&
            path.parent->parent->key == "services")
            return;  // check_build says what of it is not done
        const auto* support = support_table().at(cursor);
        if (support == nullptr) {
            findings_.error(pos, to_string(*path.parent), shown(key) + " is not implemented yet",
                            "remove it to run this project");
        } else if (support->state == Support::State::ignored) {
            findings_.warning(pos, to_string(*path.parent), fmt::format("{} is ignored: {}", key, support->note),
                              "remove it");
        } else {
            if (support->check != nullptr)
                if (const auto wrong = support->check(value); !wrong.empty())
                    findings_.error(value.pos, to_string(path), wrong);
            if (support->state == Support::State::inside) walk(value, cursor, path);
        }
    }

    Diagnostics& findings_;
    const HostSupport& host_;
};

// A value that a variable should give is needed only when containers run.
void check_granted(const std::string& path, const std::vector<FileGrant>& grants,
                   const std::map<std::string, FileObject>& objects, const char* what, Diagnostics& findings) {
    for (std::size_t i = 0; i < grants.size(); ++i) {
        const auto found = objects.find(grants[i].source);
        if (found == objects.end() || found->second.environment.empty() || found->second.content) continue;
        findings.error(grants[i].pos, fmt::format("{}[{}]", path, i),
                       fmt::format("the environment variable {} is not set: {} {} takes its value from it",
                                   found->second.environment, what, quote(grants[i].source)),
                       fmt::format("set {} in the environment or in .env", found->second.environment));
    }
}

// What is reached by routes takes no port of the host, so writing one has no effect.
void check_routed_ports(const Project& project, const std::string& path, const Service& service,
                        Diagnostics& findings) {
    if (!service.network_mode.empty() || publishes_nothing(project, service)) return;
    const HostFamilies families = host_families(project, service);
    for (std::size_t i = 0; i < service.ports.size(); ++i) {
        const Port& port = service.ports[i];
        if (!has_no_effect(port, families)) continue;
        findings.warning(port.pos, fmt::format("{}.ports[{}]", path, i),
                         "the host address and port have no effect: the network is routed",
                         fmt::format("the container is reached at its own address, port {}", port.target));
    }
}

// Two containers can't have one address at once.
void check_update_order(const std::string& path, const Service& service, Diagnostics& findings) {
    if (!service.deploy.update || service.deploy.update->order != "start-first") return;
    for (const NetworkAttachment& attachment : service.networks) {
        if (attachment.ipv4_address.empty() && attachment.ipv6_address.empty()) continue;
        findings.warning(attachment.pos.known() ? attachment.pos : service.pos,
                         path + ".networks." + attachment.network,
                         "order: start-first can't be kept with an address of its own: the old container stops first",
                         "leave the address out: the service is reached by its name");
        return;
    }
}

}  // namespace

void check_supported(const Node& root, Diagnostics& findings, const HostSupport& host) {
    SupportCheck check(findings, host);
    const PathFrame top;
    const auto cursor = support_table().root();
    for (const char* section : {"services", "networks", "volumes"})
        check.walk(child_or_empty(root, section), cursor.child(section), top.child(section));
    const auto services = top.child("services");
    for (const auto& entry : child_or_empty(root, "services").entries) {
        check.check_build(entry, services.child(entry.key));
        check.check_host_ports(entry, services.child(entry.key));
        check.check_endpoint_options(entry, services.child(entry.key));
        check.check_unpublished_ports(child_or_empty(root, "networks"), entry, services.child(entry.key));
        check.check_api_socket(entry, services.child(entry.key));
        check.check_selinux(entry, services.child(entry.key));
        check.check_job(entry, services.child(entry.key));
    }
}

void check_supported(const LoadedProject& loaded, Diagnostics& findings, const HostSupport& host) {
    if (loaded.tree) check_supported(loaded.tree->root, findings, host);
    constexpr const char* kPlatform = "DOCKER_DEFAULT_PLATFORM";
    if (const auto found = loaded.environment.find(kPlatform);
        found != loaded.environment.end() && !found->second.empty())
        if (const auto wrong = check_platform(Node::make_string(found->second, {})); !wrong.empty())
            findings.error({}, kPlatform, wrong, "unset it: containers are of this machine's platform");
    const auto& project = loaded.project;
    for (const auto& [name, service] : project.services) {
        const auto path = "services." + name;
        check_routed_ports(project, path, service, findings);
        check_update_order(path, service, findings);
        check_granted(path + ".configs", service.configs, project.configs, "config", findings);
        check_granted(path + ".secrets", service.secrets, project.secrets, "secret", findings);
        if (service.build)
            check_granted(path + ".build.secrets", service.build->secrets, project.secrets, "secret", findings);
    }
}

}  // namespace compose
