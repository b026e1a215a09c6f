// WWW-Authenticate headers: what a server wants to know before it answers. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace compose::image {

struct Challenge {
    std::string scheme;                             // lower case: "bearer", "basic"
    std::map<std::string, std::string> parameters;  // names in lower case
};

/// All challenges of one header, in order; what can't be read is left out.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace compose::image
