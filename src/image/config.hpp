// The part of an OCI image config that running a container needs, as values, and its JSON form. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compose::image {

struct HealthCheck {
    std::vector<std::string> test;  // ["NONE"], ["CMD", ...] or ["CMD-SHELL", text]; empty: inherit
    std::int64_t interval_ns = 0;   // 0: the default
    std::int64_t timeout_ns = 0;
    std::int64_t start_period_ns = 0;
    std::int64_t start_interval_ns = 0;
    int retries = 0;
    friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

struct History {
    std::string created;  // RFC 3339
    std::string created_by;
    std::string comment;
    bool empty_layer = false;
    friend bool operator==(const History&, const History&) = default;
};

struct ImageConfig {
    std::string architecture;  // "amd64"
    std::string os;            // "linux"
    std::string created;       // RFC 3339
    std::string author;

    std::vector<std::string> env;  // "K=V"
    std::vector<std::string> cmd;
    std::vector<std::string> entrypoint;
    std::vector<std::string> shell;
    std::string user;
    std::string working_dir;
    std::string stop_signal;
    std::vector<std::string> exposed_ports;  // "80/tcp", sorted
    std::vector<std::string> volumes;        // absolute paths, sorted
    std::map<std::string, std::string> labels;
    std::optional<HealthCheck> health_check;
    std::vector<std::string> on_build;  // instructions for images built on this one

    std::vector<std::string> diff_ids;  // "sha256:..." lowest first
    std::vector<History> history;

    friend bool operator==(const ImageConfig&, const ImageConfig&) = default;
};

/// Checks types, lengths and numbers; throws Error(invalid) that names the member. Unknown members are ignored.
[[nodiscard]] ImageConfig parse_config(std::string_view json_text);
/// Deterministic: the same config gives the same bytes, and so the same image id.
[[nodiscard]] std::string render_config(const ImageConfig& config);
/// RFC 3339 as nanoseconds since 1970; nothing when it is no time, or out of range.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);
/// "sha256:" and the digest of the text.
[[nodiscard]] std::string config_digest(std::string_view config_json);
/// "80", "80/tcp", "8000-8010/udp"
[[nodiscard]] bool is_port_spec(std::string_view text);
/// Absolute, without "..".
[[nodiscard]] bool is_container_path(std::string_view path);
/// "user", "1000:1000": at most 256 characters without blanks and control characters; empty is fine.
[[nodiscard]] bool is_user_spec(std::string_view user);
/// The name of this machine in image configs: "amd64", "arm64".
[[nodiscard]] std::string_view native_architecture();

}  // namespace compose::image
