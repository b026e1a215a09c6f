// How the two resident programs are told what to do: hidden words of their command line.
#pragma once

#include <string>
#include <vector>

#include "store/layout.hpp"
#include "sys/fd.hpp"

namespace compose::supervisor {

struct ResidentArguments {
    store::Layout layout;
    std::string project;
    bool debug = false;    // decisions go to keeper.log
    bool inherit = false;  // keeper: a supervisor that has lost its keeper is at the other end of kSupervisorFd

    bool ready = false;  // kReadyFd is open; not on the command line

    /// Takes note of which descriptors were passed, and keeps them from going further.
    void claim_descriptors();
    [[nodiscard]] std::vector<std::string> render(const std::string& word) const;
    [[nodiscard]] static ResidentArguments parse(int argc, char** argv);
};

// Descriptors of the keeper. 3 is the program's image (see sys/detach.hpp).
inline constexpr int kReadyFd = 4;       // gets "ok", or why it could not start; may be closed
inline constexpr int kSupervisorFd = 5;  // keeper with `inherit`: the pair's end
// Descriptors of the supervisor: 3 image, 4 ready (may be closed), 5 the keeper.
inline constexpr int kKeeperFd = 5;

int run_keeper(const ResidentArguments& arguments);
int run_supervisor(const ResidentArguments& arguments);

/// Starts a keeper, which starts a supervisor; returns when that one listens, throws what either of them says. The
/// caller holds the spawn lock.
void spawn_keeper(const ResidentArguments& arguments);
/// For a supervisor whose keeper is gone: a new keeper that takes over `pair_end`.
void spawn_heir(ResidentArguments arguments, sys::FdRef image, sys::FdRef pair_end);

/// A process that removes a container which has ended (see engine/remover.hpp). Only from a resident program.
void spawn_remover(const store::Layout& layout, const std::string& container_id) noexcept;
inline constexpr const char* kRemoverWord = "__remove";

[[nodiscard]] inline std::string spawn_lock(const store::Layout& layout, const std::string& project) {
    return layout.project_run(project) + "/spawn.lock";
}

}  // namespace compose::supervisor
