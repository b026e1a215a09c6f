#include "engine/build_config.hpp"

namespace compose::engine {

build::RunConfig run_config_of(const image::ImageConfig& config) {
    build::RunConfig out;
    out.env = config.env;
    out.cmd = config.cmd;
    out.entrypoint = config.entrypoint;
    out.shell = config.shell;
    out.user = config.user;
    out.working_dir = config.working_dir;
    out.stop_signal = config.stop_signal;
    out.exposed_ports = config.exposed_ports;
    out.volumes = config.volumes;
    out.labels = config.labels;
    out.on_build = config.on_build;
    out.author = config.author;
    if (const auto& check = config.health_check)
        out.health_check = build::HealthCheck{.test = check->test,
                                              .interval_ns = check->interval_ns,
                                              .timeout_ns = check->timeout_ns,
                                              .start_period_ns = check->start_period_ns,
                                              .start_interval_ns = check->start_interval_ns,
                                              .retries = check->retries};
    return out;
}

void put_run_config(const build::RunConfig& from, image::ImageConfig& to) {
    to.env = from.env;
    to.cmd = from.cmd;
    to.entrypoint = from.entrypoint;
    to.shell = from.shell;
    to.user = from.user;
    to.working_dir = from.working_dir;
    to.stop_signal = from.stop_signal;
    to.exposed_ports = from.exposed_ports;
    to.volumes = from.volumes;
    to.labels = from.labels;
    to.on_build = from.on_build;
    to.author = from.author;
    to.health_check.reset();
    if (const auto& check = from.health_check)
        to.health_check = image::HealthCheck{.test = check->test,
                                             .interval_ns = check->interval_ns,
                                             .timeout_ns = check->timeout_ns,
                                             .start_period_ns = check->start_period_ns,
                                             .start_interval_ns = check->start_interval_ns,
                                             .retries = check->retries};
}

}  // namespace compose::engine
