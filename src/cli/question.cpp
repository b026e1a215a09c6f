#include "cli/question.hpp"

#include "base/strings.hpp"
#include "cli/output.hpp"
#include "sys/fd.hpp"
#include "sys/poll.hpp"

namespace compose::cli {

bool ask(const std::string& question, bool otherwise) {
    print_error(question + (otherwise ? " [Y/n] " : " [y/N] "));
    std::string answer;
    char byte = 0;
    // One byte at a time: what follows the line is not ours.
    for (;;) {
        const auto n = sys::read_some(sys::FdRef(0), {&byte, 1});
        if (!n || *n == 0 || byte == '\n' || answer.size() > 16) break;
        answer += byte;
    }
    const auto word = lower(trim(answer));
    if (word.empty()) return otherwise;
    return word == "y" || word == "yes" || word == "true" || word == "1";
}

}  // namespace compose::cli
