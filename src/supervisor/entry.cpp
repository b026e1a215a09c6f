#include "supervisor/entry.hpp"

#include <malloc.h>

#include <string_view>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/launcher.hpp"
#include "supervisor/resident.hpp"
#include "supervisor/supervisor.hpp"
#include "sys/process.hpp"
#include "sys/reaper.hpp"

namespace compose::supervisor {
namespace {

constexpr std::string_view kKeeperWord = "__keeper";
constexpr std::string_view kSupervisorWord = "__supervise";

std::string_view word_of(int argc, char** argv) {
    return argc > 1 ? std::string_view(argv[1]) : std::string_view();
}

void limit_memory() {
    // One thread needs one arena; what a burst took goes back when it is over.
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    ::mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    ::mallopt(M_TOP_PAD, 64 * 1024);
}

}  // namespace

bool is_resident(int argc, char** argv) {
    const auto word = word_of(argc, argv);
    return word == kKeeperWord || word == kSupervisorWord;
}

int run_resident(int argc, char** argv) {
    limit_memory();
    const auto word = word_of(argc, argv);
    try {
        auto arguments = ResidentArguments::parse(argc, argv);
        // Before anything is opened that could take a number that was left free.
        arguments.claim_descriptors();
        const bool keeper = word == kKeeperWord;
        sys::set_process_title(argc, argv,
                               fmt::format("compose: {} [{}]", keeper ? "keeper" : "supervisor", arguments.project));
        if (arguments.debug) log::enable(arguments.layout.project_run(arguments.project) + "/keeper.log");
        return keeper ? run_keeper(arguments) : run_supervisor(arguments);
    } catch (const Error& error) {
        log::debug("{}: {}", word, error.what());
        return 1;
    }
}

int run_supervisor(const ResidentArguments& arguments) {
    sys::block_all_signals();
    sys::settle_down();
    sys::Fd ready(arguments.ready ? kReadyFd : -1);
    const auto say = [&](std::string_view text) {
        if (!ready) return;
        try {
            sys::write_all(ready, text);
        } catch (const Error& error) {
            log::debug("nobody waits: {}", error.what());
        }
        ready.reset();
    };
    try {
        sys::hide_from_others();
        runtime::prepare_launcher();
        Supervisor supervisor(arguments, sys::Fd(kKeeperFd));
        supervisor.run([&] { say("ok"); });
        return 0;
    } catch (const std::exception& error) {
        log::debug("supervisor: {}", error.what());
        say(error.what());
        return 1;
    }
}

}  // namespace compose::supervisor
