// One binary, four lives: the command line, the two programs that stay with a project, and one that cleans up.
#include "cli/app.hpp"
#include "engine/remover.hpp"
#include "supervisor/entry.hpp"

int main(int argc, char** argv) {
    if (compose::supervisor::is_resident(argc, argv)) return compose::supervisor::run_resident(argc, argv);
    if (compose::engine::is_remover(argc, argv)) return compose::engine::run_remover(argc, argv);
    return compose::cli::run(argc, argv);
}
