// The one exception type of the project: what failed, in which context, and what to do about it.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace compose {

enum class ErrorKind {
    generic,      // an operation failed
    usage,        // wrong command line; exit code 1 after a pointer to --help
    not_found,    // a named object does not exist
    conflict,     // name, address or port taken; a lock held by someone else
    invalid,      // input that a user wrote is wrong
    unavailable,  // the host lacks a feature or right
};

/// An operation cannot go on. `what()` is one line, outermost context first: "start container p-db-1: mount overlay on
/// /x: no such file or directory". Messages are lower case, without a full stop.
class Error : public std::exception {
public:
    explicit Error(std::string message, ErrorKind kind = ErrorKind::generic);

    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
    [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
    /// What the user can do, or empty.
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
    /// The status the process should exit with (1 unless set, for example 126 and 127 of a command).
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }
    /// The errno behind it, or 0.
    [[nodiscard]] int code() const noexcept { return code_; }

    Error& add_context(const std::string& frame);
    Error& with_hint(std::string hint);
    Error& with_exit_code(int code);
    Error& with_code(int errno_value);

private:
    std::string text_;
    std::string hint_;
    ErrorKind kind_;
    int exit_code_ = 1;
    int code_ = 0;
};

}  // namespace compose
