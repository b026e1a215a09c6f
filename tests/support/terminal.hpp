// A program at a terminal of its own, as a person would use it: type, look what comes, wait for the end.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace compose::test {

class Terminal {
public:
    Terminal(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
             const std::string& folder);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void type(const std::string& keys) const;
    void resize(unsigned short rows, unsigned short columns) const;
    /// Until what was shown has `text`; false when it doesn't come in time.
    [[nodiscard]] bool shows(const std::string& text, std::chrono::milliseconds deadline = std::chrono::seconds(20));
    /// The exit code; -1 when it doesn't end in time.
    [[nodiscard]] int wait(std::chrono::milliseconds deadline = std::chrono::seconds(20));
    [[nodiscard]] const std::string& screen() const { return screen_; }

private:
    bool read_some(std::chrono::milliseconds patience);

    int pty_ = -1;
    int pid_ = -1;
    std::string screen_;
};

}  // namespace compose::test
