// Small projects and states for planner tests, and plans as text.
#pragma once

#include <compose/plan.hpp>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/strings.hpp"

namespace compose::test {

/// A project "p" with the network p_default; services get the image "img".
struct World {
    Project project;
    ObservedState observed;
    UpOptions options;

    World() {
        project.name = "p";
        observed.project = "p";
        add_network("default");
        observed.images["img"] = {"sha256:1", false, false, true};
    }

    Network& add_network(const std::string& key) {
        Network& network = project.networks[key];
        network.key = key;
        network.name = "p_" + key;
        network.config_hash = "n1";
        return network;
    }
    Volume& add_volume(const std::string& key) {
        Volume& volume = project.volumes[key];
        volume.key = key;
        volume.name = "p_" + key;
        volume.config_hash = "v1";
        return volume;
    }
    Service& add(const std::string& name, const std::vector<std::string>& needs = {}) {
        Service& service = project.services[name];
        service.name = name;
        service.image = "img";
        service.config_hash = "h1";
        NetworkAttachment attachment;
        attachment.network = "default";
        service.networks.push_back(attachment);
        for (const std::string& need : needs) depend(name, need);
        return service;
    }
    Dependency& depend(const std::string& name, const std::string& on, Condition condition = Condition::started) {
        Dependency dependency;
        dependency.service = on;
        dependency.condition = condition;
        project.services[name].depends_on.push_back(dependency);
        return project.services[name].depends_on.back();
    }
    void give_healthcheck(const std::string& name) {
        Healthcheck check;
        check.test = {"CMD", "true"};
        project.services[name].healthcheck = check;
    }

    ObservedNetwork& there_network(const std::string& key) {
        ObservedNetwork& network = observed.networks["p_" + key];
        network.id = "net-" + key;
        network.name = "p_" + key;
        network.project = "p";
        network.key = key;
        network.config_hash = "n1";
        return network;
    }
    ObservedVolume& there_volume(const std::string& key) {
        ObservedVolume& volume = observed.volumes["p_" + key];
        volume.name = "p_" + key;
        volume.project = "p";
        volume.key = key;
        volume.config_hash = "v1";
        return volume;
    }
    /// A running container as an earlier up would have left it. Its id begins with its number, padded to 12 digits.
    ObservedContainer& there(const std::string& service, int number = 1,
                             ObservedStatus status = ObservedStatus::running) {
        ObservedContainer container;
        const std::string digits = std::to_string(observed.containers.size() + 1);
        container.id = std::string(12 - digits.size(), '0') + digits + std::string(52, 'f');
        container.name = "p-" + service + "-" + std::to_string(number);
        container.service = service;
        container.number = number;
        container.status = status;
        container.config_hash = "h1";
        container.image_id = "sha256:1";
        container.networks = {"p_default"};
        if (const auto known = project.services.find(service); known != project.services.end()) {
            container.depends_on = known->second.depends_on;
            container.has_healthcheck = known->second.healthcheck.has_value();
        }
        observed.containers.push_back(std::move(container));
        return observed.containers.back();
    }

    [[nodiscard]] Plan plan() const { return plan_up(project, observed, options); }
    [[nodiscard]] std::string text() const { return lines(plan()); }
    [[nodiscard]] static std::string lines(const Plan& plan) {
        std::string result = "\n";
        for (const std::string& line : to_text(plan)) result += line + "\n";
        return result;
    }
    [[nodiscard]] static std::vector<std::string> notes(const Plan& plan) {
        std::vector<std::string> result;
        for (const Event& note : plan.notes) result.push_back(note.id + ": " + note.text);
        return result;
    }
    /// What plan_up complains about: "path: message" each.
    [[nodiscard]] std::vector<std::string> findings() const {
        std::vector<std::string> result;
        try {
            (void)plan();
        } catch (const ProjectError& error) {
            for (const Diagnostic& finding : error.findings()) result.push_back(finding.path + ": " + finding.message);
        }
        return result;
    }
};

}  // namespace compose::test
