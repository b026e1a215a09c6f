// Values of Docker's flags, from text to types. Pure; what is wrong is an Error(usage) that names the flag and the
// text.
#pragma once

#include <compose/service.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compose::cli {

/// `invalid argument "x" for --cpus: ...`
[[noreturn]] void bad_flag(std::string_view flag, std::string_view text, std::string_view why);

[[nodiscard]] std::int64_t whole_flag(std::string_view flag, std::string_view text, std::int64_t least,
                                      std::int64_t most);
[[nodiscard]] std::int64_t bytes_flag(std::string_view flag, std::string_view text);
[[nodiscard]] Nanoseconds duration_flag(std::string_view flag, std::string_view text);
[[nodiscard]] double cpus_flag(std::string_view text);
/// "KEY=VALUE"; without "=" an error, unless `bare`, where the value is empty.
[[nodiscard]] std::pair<std::string, std::string> pair_flag(std::string_view flag, std::string_view text,
                                                            bool bare = false);
[[nodiscard]] RestartPolicy restart_flag(std::string_view text);
[[nodiscard]] std::pair<std::string, Service::Ulimit> ulimit_flag(std::string_view text);
/// "size=10G"
[[nodiscard]] std::pair<std::string, std::string> storage_flag(std::string_view text);
[[nodiscard]] DeviceMapping device_flag(std::string_view text);
[[nodiscard]] DeviceRequest gpus_flag(std::string_view text);
/// "/dev/sda:1mb" or, unless `bytes`, "/dev/sda:1000".
[[nodiscard]] Limits::DeviceRate rate_flag(std::string_view flag, std::string_view text, bool bytes);
/// "name:address" or "name=address", IPv6 with or without brackets.
[[nodiscard]] std::pair<std::string, std::string> host_flag(std::string_view text);
/// `-e` and one line of an --env-file: nothing for "NAME" when it is not set here.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> environment_flag(
    std::string_view flag, std::string_view text, const std::map<std::string, std::string>& own);
/// The lines of an --env-file or --label-file without comments; values are taken as they are.
[[nodiscard]] std::vector<std::string> file_lines(std::string_view flag, std::string_view file, std::string_view text);
/// "container:alias" or "container" -> alias, container.
[[nodiscard]] std::pair<std::string, std::string> link_flag(std::string_view text);
/// An option of an endpoint: "com.docker.network.endpoint.ifname=NAME", or ".sysctls=LIST".
[[nodiscard]] std::pair<std::string, std::string> endpoint_option_flag(std::string_view flag, std::string_view text);
/// "name", "host", "none", "container:x", or "name=...,alias=...,ip=..."
[[nodiscard]] NetworkAttachment network_flag(std::string_view text);
/// Fields of a line of comma separated values, with quotes as in RFC 4180.
[[nodiscard]] std::vector<std::string> csv_fields(std::string_view flag, std::string_view text);
/// Container, network and volume names: letters, digits, "_", ".", "-".
[[nodiscard]] bool is_object_name(std::string_view text);

}  // namespace compose::cli
