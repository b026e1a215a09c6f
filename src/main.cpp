// One binary, three lives: the command line, and the two programs that stay with a project.
#include "cli/app.hpp"
#include "supervisor/entry.hpp"

int main(int argc, char** argv) {
    if (compose::supervisor::is_resident(argc, argv)) return compose::supervisor::run_resident(argc, argv);
    return compose::cli::run(argc, argv);
}
