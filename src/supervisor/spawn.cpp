#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "supervisor/resident.hpp"
#include "sys/detach.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {

std::vector<std::string> ResidentArguments::render(const std::string& word) const {
    return {"compose", word, layout.state, layout.run, project, debug ? "debug" : "-", inherit ? "inherit" : "-"};
}

ResidentArguments ResidentArguments::parse(int argc, char** argv) {
    constexpr int kCount = 7;
    if (argc != kCount) throw make_error(ErrorKind::usage, "this word is for the program itself");
    ResidentArguments arguments;
    arguments.layout.state = argv[2];
    arguments.layout.run = argv[3];
    arguments.project = argv[4];
    arguments.debug = std::string_view(argv[5]) == "debug";
    arguments.inherit = std::string_view(argv[6]) == "inherit";
    return arguments;
}

void ResidentArguments::claim_descriptors() {
    ready = sys::is_open(sys::FdRef(kReadyFd));
    for (const int fd : {sys::kOwnImageFd, kReadyFd, kSupervisorFd})
        if (sys::is_open(sys::FdRef(fd))) sys::set_close_on_exec(sys::FdRef(fd));
}

void spawn_keeper(const ResidentArguments& arguments) {
    auto ready = sys::make_pipe();
    const auto image = sys::open_own_image();
    sys::spawn_detached({.image = image, .arguments = arguments.render("__keeper"), .passed = {ready.write}});
    ready.write.reset();
    constexpr std::size_t kLongestReason = 4096;
    const auto answer = sys::read_all(ready.read, kLongestReason);
    if (answer == "ok") return;
    const auto reason = answer.empty() ? std::string("it ended without saying why") : answer;
    throw make_error("start the supervisor of project {}: {}", quote(arguments.project), reason);
}

void spawn_heir(ResidentArguments arguments, sys::FdRef image, sys::FdRef pair_end) {
    arguments.inherit = true;
    sys::spawn_detached(
        {.image = image, .arguments = arguments.render("__keeper"), .passed = {sys::FdRef(), pair_end}});
}

void spawn_remover(const store::Layout& layout, const std::string& container_id) noexcept {
    try {
        sys::spawn_detached({.image = sys::FdRef(sys::kOwnImageFd),
                             .arguments = {"compose", kRemoverWord, layout.state, layout.run, container_id},
                             .passed = {}});
    } catch (const std::exception& error) {
        log::debug("remove {}: {}", container_id, error.what());
    }
}

}  // namespace compose::supervisor
