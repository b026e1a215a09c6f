#include <thread>

#include "base/strings.hpp"
#include "store/impl.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"

namespace compose::store {

struct ProjectLock::Impl {
    std::string path;
    std::optional<sys::FileLock> lock;
};

namespace {

/// "`compose up` (pid 123)", from what the holder wrote; it may be about to write it.
std::string read_holder(const std::string& path) {
    const auto text = sys::read_file_if_exists(path).value_or("");
    const auto line_end = text.find('\n');
    if (line_end == std::string::npos) return "another command";
    auto command = text.substr(line_end + 1, 200);
    for (auto& c : command)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return fmt::format("`{}` (pid {})", trim(command), text.substr(0, line_end));
}

}  // namespace

// The kernel drops a flock with its holder, however that dies, so nothing here can go stale: the text in the file only
// explains who is waited for.
ProjectLock::ProjectLock(const Layout& layout, const std::string& project, const std::string& command,
                         std::chrono::milliseconds timeout, const std::stop_token& cancel)
    : impl_(std::make_unique<Impl>()) {
    if (project.empty() || project == "." || project == ".." || project.find('/') != std::string::npos)
        throw make_error(ErrorKind::invalid, "{} is not a project name", quote(project));
    impl_->path = layout.project_lock(project);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (auto pause = std::chrono::milliseconds(1);; pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
        // Made again each time: the project that is waited for may go away with its folder.
        sys::make_directories(layout.project_run(project), 0700);
        impl_->lock = sys::FileLock::try_acquire(impl_->path);
        if (impl_->lock) break;
        if (cancel.stop_requested()) throw make_error("canceled").with_exit_code(130);
        if (std::chrono::steady_clock::now() >= deadline)
            throw make_error(ErrorKind::conflict, "project {} is busy: {} holds it", project, read_holder(impl_->path))
                .with_hint("wait for it to end, or end it");
        std::this_thread::sleep_for(pause);
    }
    sys::write_file(impl_->path, fmt::format("{}\n{}", sys::current_pid(), command), 0600);
}

ProjectLock::~ProjectLock() = default;
ProjectLock::ProjectLock(ProjectLock&&) noexcept = default;

}  // namespace compose::store
