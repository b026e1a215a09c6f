// Names of images: [registry/][namespace/]name[:tag][@digest]. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace compose::image {

struct Reference {
    std::string registry;    // "docker.io", "localhost:5000"
    std::string repository;  // "library/debian"
    std::string tag;         // empty only with a digest
    std::string digest;      // "sha256:<64 hex>" or empty

    /// The normalised text: "docker.io/library/debian:latest". This is the key of the store.
    [[nodiscard]] std::string to_string() const;
    /// As people write it: "debian:latest".
    [[nodiscard]] std::string familiar() const;
    /// The familiar form without tag and digest: "debian", "localhost:5000/x".
    [[nodiscard]] std::string familiar_name() const;

    friend bool operator==(const Reference&, const Reference&) = default;
};

/// Fills in docker.io, library/ and :latest. Throws Error(invalid) that quotes the text and says what is wrong.
[[nodiscard]] Reference parse_reference(std::string_view text);
/// "sha256:" and 64 lower-case hex digits, nothing else: digests become paths.
[[nodiscard]] bool is_digest(std::string_view text);
/// The full or shortened id that `text` may be ("sha256:abc", "abc123": hex only), in lower case without "sha256:";
/// else nothing. A text may be both an id and a name: look for the name first.
[[nodiscard]] std::optional<std::string> id_prefix(std::string_view text);

}  // namespace compose::image
