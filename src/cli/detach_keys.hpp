// The keys that leave a container running: ctrl-p,ctrl-q unless told otherwise. A pure filter of what is typed.
#pragma once

#include <string>
#include <string_view>

namespace compose::cli {

class DetachKeys {
public:
    /// "ctrl-p,ctrl-q", "a", "ctrl-@,x"; throws Error(usage). Empty: none.
    explicit DetachKeys(std::string_view text);

    /// What of `typed` goes on to the container. Keys that may be the beginning of the sequence are held back until the
    /// next one tells.
    [[nodiscard]] std::string feed(std::string_view typed);
    /// The whole sequence was typed; what came after it was dropped.
    [[nodiscard]] bool detached() const { return detached_; }

private:
    std::string keys_;
    std::size_t matched_ = 0;
    bool detached_ = false;
};

}  // namespace compose::cli
