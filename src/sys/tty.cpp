#include "sys/tty.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace compose::sys {

bool is_terminal(FdRef fd) {
    return ::isatty(fd.get()) == 1;
}

std::optional<WindowSize> window_size(FdRef fd) {
    winsize size{};
    if (::ioctl(fd.get(), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return std::nullopt;
    return WindowSize{size.ws_row, size.ws_col};
}

bool set_window_size(FdRef fd, WindowSize size) {
    winsize raw{};
    raw.ws_row = size.rows;
    raw.ws_col = size.columns;
    return ::ioctl(fd.get(), TIOCSWINSZ, &raw) == 0;
}

struct RawMode::Saved {
    termios before{};
};

RawMode::RawMode(FdRef terminal) : terminal_(terminal), saved_(std::make_unique<Saved>()) {
    if (::tcgetattr(terminal.get(), &saved_->before) != 0) throw errno_error("read terminal settings");
    termios raw = saved_->before;
    ::cfmakeraw(&raw);
    // TCSADRAIN, not TCSAFLUSH: what was typed ahead belongs to the command.
    if (::tcsetattr(terminal.get(), TCSADRAIN, &raw) != 0) throw errno_error("set terminal to raw mode");
}

RawMode::~RawMode() {
    restore();
}

void RawMode::restore() noexcept {
    if (!saved_) return;
    ::tcsetattr(terminal_.get(), TCSADRAIN, &saved_->before);
    saved_.reset();
}

struct CharacterMode::Saved {
    termios mode{};
};

CharacterMode::CharacterMode(FdRef terminal) : terminal_(terminal) {
    auto saved = std::make_unique<Saved>();
    if (::tcgetattr(terminal_.get(), &saved->mode) != 0) return;
    auto mode = saved->mode;
    mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    if (::tcsetattr(terminal_.get(), TCSADRAIN, &mode) == 0) saved_ = std::move(saved);
}

CharacterMode::~CharacterMode() {
    if (saved_) ::tcsetattr(terminal_.get(), TCSADRAIN, &saved_->mode);
}

}  // namespace compose::sys
