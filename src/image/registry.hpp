// The registry protocol (OCI distribution 1.1, Docker v2) for one repository: manifests and blobs, both ways. Answers
// challenges, follows redirects, tries again. Credentials go to the registry's own origin and to the token server it
// names, never anywhere else. Threads may share it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "image/credentials.hpp"
#include "image/http_client.hpp"
#include "image/reference.hpp"

namespace compose::image {

struct RetrySettings {
    int attempts = 5;
    std::chrono::milliseconds first_delay{500};  // doubles
    std::chrono::milliseconds longest{60'000};   // also of what a server asks for
};

class Registry {
public:
    Registry(HttpClient& http, const Reference& reference, const CredentialFile& credentials, RetrySettings retry = {});
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    struct ManifestReply {
        std::string text;
        std::string media_type;
        std::string digest;  // of the text, computed here
    };
    /// `name` is a tag or a digest; the text of a digest is verified.
    [[nodiscard]] ManifestReply manifest(const std::string& name);
    [[nodiscard]] std::vector<std::string> tags();

    /// A blob's bytes from `offset` on (or from 0 when the server can't do that: see `start`). `version` is that of the
    /// bytes before `offset` when the server has named one: then it sends the whole when it has others by now.
    struct BlobReply {
        HttpClient::Reply reply;
        std::int64_t start = 0;
        std::optional<std::uint64_t> length;
        std::string version;  // its entity tag, or empty
    };
    [[nodiscard]] BlobReply open_blob(const std::string& digest, std::int64_t offset, const std::string& version = {});
    void done(BlobReply& blob) { http_.done(blob.reply); }

    [[nodiscard]] bool has_blob(const std::string& digest);
    /// True: the registry has taken it over from its other repository.
    [[nodiscard]] bool mount_blob(const std::string& digest, const std::string& from_repository);
    using Progress = std::function<void(std::int64_t bytes)>;
    /// Uploads the file: at once, or in chunks where the registry wants that; goes on where a connection was lost.
    void upload_blob(const std::string& digest, sys::FdRef file, std::int64_t size, const Progress& progress);
    /// The digest that it got.
    std::string put_manifest(const std::string& name, const std::string& text, const std::string& media_type);
    /// The same; nothing when the registry doesn't know such documents.
    [[nodiscard]] std::optional<std::string> offer_manifest(const std::string& name, const std::string& text,
                                                            const std::string& media_type);
    /// Asks for nothing but to be let in (for login). Throws Error when refused.
    void check_access(const Credentials& credentials);

    [[nodiscard]] const Reference& reference() const { return reference_; }
    [[nodiscard]] const RetrySettings& retry() const { return retry_; }
    [[nodiscard]] std::chrono::milliseconds stall() const { return http_.settings().stall; }
    [[nodiscard]] const Interrupt& interrupt() const { return http_.interrupt(); }

private:
    friend class BlobUpload;
    struct Call {
        std::string method = "GET";
        Url url;
        HttpFields fields;
        std::string body;
        std::function<void(const std::function<void(std::string_view)>&)> body_source;
        std::uint64_t body_size = 0;
        bool push = false;
        std::vector<unsigned> accept;  // statuses that are answers; others are errors
    };
    [[nodiscard]] std::optional<std::string> send_manifest(const std::string& name, const std::string& text,
                                                           const std::string& media_type,
                                                           const std::vector<unsigned>& declined);
    [[nodiscard]] HttpClient::Reply call(Call call);
    /// The same for an answer that is a text: again, too, when its body is cut off.
    [[nodiscard]] HttpClient::Reply call_for_text(const Call& wanted, std::size_t limit, std::string& text);
    [[nodiscard]] HttpClient::Reply call_once(const Call& call);
    [[nodiscard]] HttpClient::Reply follow(const Call& call, const std::string& authorization);
    [[nodiscard]] HttpClient::Reply send_first(Url& url, HttpRequest request);
    [[nodiscard]] std::optional<std::string> authorize(const HttpHead& head, bool push, const Credentials* given);
    [[nodiscard]] std::string fetch_token(const std::map<std::string, std::string>& parameters, bool push,
                                          const std::optional<Credentials>& who);
    [[nodiscard]] bool leads_inward(const Url& to) const;
    void check_realm(const Url& realm) const;
    void check_redirect(const Url& from, const Url& to) const;
    [[noreturn]] void fail(HttpClient::Reply& reply, const Call& call);
    [[nodiscard]] Url url(const std::string& path);
    [[nodiscard]] std::chrono::milliseconds delay(int attempt, const HttpHead* head) const;
    [[nodiscard]] Url upload_place(const HttpClient::Reply& reply) const;

    HttpClient& http_;
    Reference reference_;
    const CredentialFile& credentials_;
    RetrySettings retry_;
    std::mutex mutex_;
    Url base_;
    bool settled_ = false;                        // the scheme is known
    std::map<bool, std::string> authorizations_;  // by "for pushing"
    std::optional<std::string> mount_from_;       // a repository that the next token must let us read
};

}  // namespace compose::image
