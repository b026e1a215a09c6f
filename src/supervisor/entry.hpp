// The two resident programs, which are this same binary under another argv[0] word. main() asks is_resident() first.
#pragma once

namespace compose::supervisor {

/// True for "__keeper", "__supervise" and "__init" as argv[1] (and the forms that an exec by descriptor needs).
[[nodiscard]] bool is_resident(int argc, char** argv);
/// Runs it; returns the exit status.
int run_resident(int argc, char** argv);

}  // namespace compose::supervisor
