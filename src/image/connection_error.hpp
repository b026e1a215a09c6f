// A failure of the way to a server, not of what it said: worth another try.
#pragma once

#include <compose/error.hpp>
#include <optional>

namespace compose::image {

class ConnectionError : public Error {
public:
    explicit ConnectionError(std::string message) : Error(std::move(message)) {}
};

}  // namespace compose::image
