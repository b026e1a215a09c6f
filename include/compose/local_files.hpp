// The file system of this machine as the loader sees it.
#pragma once

#include <compose/load.hpp>
#include <map>
#include <memory>
#include <string>

namespace compose {

/// Fetches nothing.
[[nodiscard]] std::unique_ptr<FileSource> make_local_files();
/// With what lies elsewhere: `environment` says where copies are kept (COMPOSE_STATE_DIR), how registries are spoken to
/// (COMPOSE_INSECURE_REGISTRIES, DOCKER_CONFIG, proxies). Nothing of it is looked at before something is fetched.
[[nodiscard]] std::unique_ptr<FileSource> make_fetching_files(std::map<std::string, std::string> environment);

}  // namespace compose
