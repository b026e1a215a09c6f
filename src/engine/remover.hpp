// A life of the program without a user: it removes a container that was not to stay once it had ended, where the
// command that started it no longer waits. Its supervisor starts it.
#pragma once

namespace compose::engine {

[[nodiscard]] bool is_remover(int argc, char** argv);
int run_remover(int argc, char** argv);

}  // namespace compose::engine
