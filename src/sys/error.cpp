#include "sys/error.hpp"

#include <cstring>

namespace compose::sys {

std::string errno_text(int code) {
    char buffer[128];
    std::string text = strerror_r(code, buffer, sizeof buffer);
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && (text[1] < 'A' || text[1] > 'Z'))
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
}

Error error_from(int code, const std::string& what) {
    Error error(what + ": " + errno_text(code), code == ENOENT  ? ErrorKind::not_found
                                                : code == EPERM ? ErrorKind::unavailable
                                                                : ErrorKind::generic);
    error.with_code(code);
    return error;
}

}  // namespace compose::sys
