#include "cli/by_hand.hpp"

#include <array>
#include <limits>
#include <random>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/context.hpp"
#include "cli/filters.hpp"
#include "cli/output.hpp"
#include "cli/time_argument.hpp"
#include "sys/clock.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/poll.hpp"
#include "sys/process.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

class Nowhere : public EventSink {
public:
    void on_event(const Event& /*event*/) override {}
};

constexpr std::array<const char*, 40> kManners{
    "amber", "bold",  "brave",   "bright", "busy",  "calm",  "clever", "cool",   "curious", "eager",
    "fair",  "fond",  "gentle",  "glad",   "happy", "jolly", "keen",   "kind",   "lively",  "lucid",
    "merry", "noble", "patient", "proud",  "quick", "quiet", "rapid",  "serene", "sharp",   "silent",
    "smart", "snug",  "steady",  "sunny",  "swift", "tidy",  "vivid",  "warm",   "wise",    "witty"};
constexpr std::array<const char*, 40> kPeople{
    "bell",    "bohr",    "boole",    "cerf",   "church",   "curie",    "darwin",   "dijkstra", "euler",   "faraday",
    "fermi",   "feynman", "franklin", "gauss",  "goedel",   "hamilton", "hilbert",  "hopper",   "huygens", "johnson",
    "kepler",  "knuth",   "lamarr",   "liskov", "lovelace", "maxwell",  "meitner",  "newton",   "noether", "pascal",
    "perlman", "ritchie", "shannon",  "shaw",   "tesla",    "thompson", "torvalds", "turing",   "volta",   "wilson"};

}  // namespace

std::unique_ptr<Containers> make_containers(const Context& context) {
    static Nowhere nowhere;
    return std::make_unique<Containers>(context.engine_options(), nowhere);
}

void report_failure(const Context& context, const Error& error) {
    print_error(labelled("error", error.what(), error.hint(), context.color_err));
}

int each_target(const Context& context, const std::vector<std::string>& targets,
                const std::function<std::string(const std::string&)>& action) {
    int status = 0;
    for (const auto& target : targets) {
        try {
            const auto line = action(target);
            if (!line.empty()) print(line + "\n");
        } catch (const Error& error) {
            report_failure(context, error);
            status = 1;
        }
    }
    return status;
}

bool confirm(const std::string& warning) {
    if (!sys::is_terminal(sys::FdRef(0)))
        throw make_error(ErrorKind::usage, "this asks a question, and the input is no terminal")
            .with_hint("use --force to do it without asking");
    print(warning + "\nAre you sure you want to continue? [y/N] ");
    std::string answer;
    for (std::array<char, 1> byte{}; answer.size() < 100;) {
        const auto count = sys::read_some(sys::FdRef(0), byte);
        if (!count || *count == 0 || byte[0] == '\n') break;
        answer += byte[0];
    }
    const auto word = lower(trim(answer));
    return word == "y" || word == "yes";
}

std::int64_t until_filter(const Filters& filters) {
    std::int64_t until = std::numeric_limits<std::int64_t>::max();
    for (const auto& text : filters.values("until")) {
        const auto time = parse_time(text, sys::wall_now().time_since_epoch().count());
        if (!time) throw make_error(ErrorKind::usage, "invalid filter: {} is no time", quote(text));
        until = std::min(until, *time);
    }
    return until;
}

std::string made_up_name(int attempt) {
    std::random_device random;
    auto name = fmt::format("{}_{}", kManners[random() % kManners.size()], kPeople[random() % kPeople.size()]);
    if (attempt > 2) name += std::to_string(random() % 1'000'000);
    return name;
}

int signal_argument(const std::string& text) {
    const auto number = sys::signal_number(text);
    if (!number)
        throw make_error(ErrorKind::usage, "{} is no signal", quote(text))
            .with_hint("use a name such as SIGHUP or a number");
    return *number;
}

}  // namespace compose::cli
