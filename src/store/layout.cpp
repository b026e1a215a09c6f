#include "store/layout.hpp"

#include "sys/file.hpp"
#include "sys/private_path.hpp"

namespace compose::store {

Layout Layout::from(const std::string& state_dir, const std::string& run_dir) {
    return {.state = sys::absolute_path(state_dir.empty() ? "/var/lib/compose" : state_dir),
            .run = sys::absolute_path(run_dir.empty() ? "/run/compose" : run_dir)};
}

void Layout::prepare() const {
    sys::make_private_directory(state);
    for (const auto* name : {"/layers", "/containers", "/volumes"}) sys::make_private_directory(state + name);
    sys::make_private_directory(run);
    sys::make_private_directory(run + "/projects");
}

}  // namespace compose::store
