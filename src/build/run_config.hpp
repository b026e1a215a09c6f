// What the steps of a stage say about how the image runs. The engine turns it into an image config and back: the layers
// that know images and builds do not know each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::build {

struct HealthCheck {
    std::vector<std::string> test;  // ["NONE"], ["CMD", ...] or ["CMD-SHELL", text]
    std::int64_t interval_ns = 0;
    std::int64_t timeout_ns = 0;
    std::int64_t start_period_ns = 0;
    std::int64_t start_interval_ns = 0;
    int retries = 0;
};

struct RunConfig {
    std::vector<std::string> env;  // "K=V", in order
    std::vector<std::string> cmd;
    std::vector<std::string> entrypoint;
    std::vector<std::string> shell;
    std::string user;
    std::string working_dir;
    std::string stop_signal;
    std::vector<std::string> exposed_ports;
    std::vector<std::string> volumes;
    std::map<std::string, std::string> labels;
    std::optional<HealthCheck> health_check;
    std::vector<std::string> on_build;
    std::string author;

    [[nodiscard]] std::optional<std::string> variable(const std::string& name) const;
    void set_variable(const std::string& name, const std::string& value);
};

}  // namespace compose::build
