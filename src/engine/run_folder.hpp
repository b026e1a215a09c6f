// A project's folder under the run directory: its control socket, locks and its keeper's words.
#pragma once

#include <string>

#include "store/store.hpp"

namespace compose::engine {

/// When nothing of the project is left: waits for its keeper to leave, and removes the folder.
void remove_run_folder(store::Store& store, const std::string& project);

}  // namespace compose::engine
