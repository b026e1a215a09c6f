// Where bytes go, one piece after the other.
#pragma once

#include <string_view>

namespace compose::image {

class ByteSink {
public:
    virtual ~ByteSink() = default;
    /// Takes all of it before it returns; throws Error when it can't.
    virtual void write(std::string_view bytes) = 0;
};

}  // namespace compose::image
