// What the engine can run: every attribute of a project is either a row of the table here, or refused with its place.
#pragma once

#include <cstdint>
#include <string>

#include "loader/path_pattern.hpp"
#include "model/node.hpp"

namespace compose {

/// Says what is wrong with a value that is only partly supported; empty when it is fine.
using ValueCheck = std::string (*)(const Node& value);

struct Support {
    enum class State : std::uint8_t {
        whole,    // works, with all that is below
        inside,   // works as far as its attributes do
        ignored,  // a warning: means nothing here
    };
    State state = State::whole;
    ValueCheck check = nullptr;
    const char* note = nullptr;  // why it is ignored
};

[[nodiscard]] const PathTable<Support>& support_table();

}  // namespace compose
