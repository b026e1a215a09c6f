#include "support/terminal.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

namespace compose::test {

using Clock = std::chrono::steady_clock;

Terminal::Terminal(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
                   const std::string& folder) {
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    variables.emplace_back("TERM=xterm");
    std::vector<char*> words, settings;
    for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    for (const auto& variable : variables) settings.push_back(const_cast<char*>(variable.c_str()));
    words.push_back(nullptr);
    settings.push_back(nullptr);
    winsize size{24, 80, 0, 0};
    pid_ = ::forkpty(&pty_, nullptr, nullptr, &size);
    if (pid_ == 0) {
        if (::chdir(folder.c_str()) == 0) ::execve(words[0], words.data(), settings.data());
        ::_exit(99);
    }
}

Terminal::~Terminal() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(pty_);
}

void Terminal::type(const std::string& keys) const {
    EXPECT_EQ(::write(pty_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(pty_, TIOCSWINSZ, &size);
}

bool Terminal::read_some(std::chrono::milliseconds patience) {
    pollfd item{pty_, POLLIN, 0};
    if (::poll(&item, 1, static_cast<int>(patience.count())) <= 0) return false;
    std::array<char, 4096> buffer;
    const auto count = ::read(pty_, buffer.data(), buffer.size());
    if (count <= 0) return false;
    screen_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

bool Terminal::shows(const std::string& text, std::chrono::milliseconds deadline) {
    const auto end = Clock::now() + deadline;
    while (screen_.find(text) == std::string::npos) {
        if (Clock::now() > end) return false;
        if (!read_some(std::chrono::milliseconds(50))) ::usleep(2000);
    }
    return true;
}

int Terminal::wait(std::chrono::milliseconds deadline) {
    const auto end = Clock::now() + deadline;
    while (pid_ > 0) {
        (void)read_some(std::chrono::milliseconds(5));
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            while (read_some(std::chrono::milliseconds(0))) {
            }
            pid_ = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (Clock::now() > end) return -1;
    }
    return -1;
}

}  // namespace compose::test
