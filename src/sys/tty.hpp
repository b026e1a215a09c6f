// Terminals: is this one, how big is it, raw mode that is always undone. Owns no descriptor and never makes a pty.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "sys/fd.hpp"

namespace compose::sys {

[[nodiscard]] bool is_terminal(FdRef fd);

struct WindowSize {
    std::uint16_t rows = 0;
    std::uint16_t columns = 0;
};
/// Nothing when `fd` is no terminal or does not know its size.
[[nodiscard]] std::optional<WindowSize> window_size(FdRef fd);
/// The kernel sends SIGWINCH to the foreground group when the size changed. False when `fd` is no terminal.
bool set_window_size(FdRef fd, WindowSize size);

/// Every key at once and unseen, for its lifetime; signals and output stay as they are.
class CharacterMode {
public:
    explicit CharacterMode(FdRef terminal);
    ~CharacterMode();
    CharacterMode(const CharacterMode&) = delete;
    CharacterMode& operator=(const CharacterMode&) = delete;

private:
    struct Saved;
    FdRef terminal_;
    std::unique_ptr<Saved> saved_;
};

/// Puts a terminal into raw mode for its lifetime. Signals must end the program by unwinding (see SignalSet), so that
/// the destructor runs; only SIGKILL leaves the terminal as it is.
class RawMode {
public:
    explicit RawMode(FdRef terminal);
    ~RawMode();
    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;
    void restore() noexcept;

private:
    struct Saved;
    FdRef terminal_;
    std::unique_ptr<Saved> saved_;
};

}  // namespace compose::sys
