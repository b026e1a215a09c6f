#include "engine/remover.hpp"

#include <compose/containers.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "engine/silent_sink.hpp"
#include "supervisor/resident.hpp"

namespace compose::engine {

bool is_remover(int argc, char** argv) {
    return argc == 5 && std::string_view(argv[1]) == supervisor::kRemoverWord;
}

int run_remover(int /*argc*/, char** argv) {
    SilentSink nowhere;
    EngineOptions options;
    options.state_dir = argv[2];
    options.run_dir = argv[3];
    options.command = "remove a container that has ended";
    try {
        Containers containers(options, nowhere);
        const auto details = containers.inspect(argv[4]);
        // It may have been started again meanwhile.
        if (details.view.state == "exited") containers.remove(details.view.id, false, true);
        return 0;
    } catch (const Error& error) {
        log::debug("remove {}: {}", argv[4], error.what());
        return 1;
    }
}

}  // namespace compose::engine
