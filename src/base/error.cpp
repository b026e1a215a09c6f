#include "base/error.hpp"

namespace compose {

Error::Error(std::string message, ErrorKind kind) : text_(std::move(message)), kind_(kind) {}

Error& Error::add_context(const std::string& frame) {
    text_ = frame + ": " + text_;
    return *this;
}

Error& Error::with_hint(std::string hint) {
    hint_ = std::move(hint);
    return *this;
}

Error& Error::with_exit_code(int code) {
    exit_code_ = code;
    return *this;
}

Error& Error::with_code(int errno_value) {
    code_ = errno_value;
    return *this;
}

}  // namespace compose
