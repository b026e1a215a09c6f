// The version of the engine and its command.
#pragma once

namespace compose {

inline constexpr const char* kVersion = COMPOSE_VERSION;

}  // namespace compose
