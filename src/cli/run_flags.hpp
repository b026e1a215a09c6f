// The flags of `docker run` and `docker create`, as given. What they mean is run_service's business.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace compose::cli {

class Arguments;

class RunFlags {
public:
    /// `for_run`: with those that say how to attach.
    void declare(Arguments& arguments, bool for_run);

    // By long name without dashes.
    [[nodiscard]] bool on(const std::string& name) const;
    [[nodiscard]] const std::optional<std::string>& value(const std::string& name) const;
    [[nodiscard]] const std::vector<std::string>& list(const std::string& name) const;

    std::string image;
    std::vector<std::string> command;

private:
    std::map<std::string, bool> switches_;
    std::map<std::string, std::optional<std::string>> values_;
    std::map<std::string, std::vector<std::string>> lists_;
};

}  // namespace compose::cli
