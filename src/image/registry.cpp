#include "image/registry.hpp"

#include <charconv>

#include "base/base64.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "image/challenge.hpp"
#include "image/connection_error.hpp"
#include "image/manifest.hpp"
#include "image/token.hpp"

namespace compose::image {

namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxErrorText = std::size_t{64} << 10U;
constexpr std::size_t kMaxTagPage = std::size_t{4} << 20U;
constexpr int kMaxTagPages = 200;

constexpr std::array kAcceptedManifests{media::kOciManifest, media::kOciIndex, media::kDockerManifest,
                                        media::kDockerIndex};

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_worth_another_try(unsigned status) {
    return status == 429 || status == 408 || (status >= 500 && status <= 504 && status != 501);
}

/// "UNAUTHORIZED: authentication required", of the JSON that registries send with errors.
std::string explanation(const std::string& body) {
    try {
        const auto value = parse_json(body);
        const auto* errors = value.is_object() ? value.get_object().if_contains("errors") : nullptr;
        if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) return {};
        const auto* first = errors->get_array()[0].if_object();
        if (first == nullptr) return {};
        auto text = string_or(*first, "message", string_or(*first, "code"));
        if (text.size() > 300) text.resize(300);
        return text.empty() ? text : quote(text);
    } catch (const Error&) {
        return {};
    }
}

std::string registry_host(const std::string& registry) {
    return registry == "docker.io" ? "registry-1.docker.io" : registry;
}

std::optional<std::string> next_page(const HttpHead& head) {
    for (const auto& link : head.all("Link")) {
        const auto open = link.find('<');
        const auto close = link.find('>', open);
        if (open == std::string::npos || close == std::string::npos) continue;
        if (link.find("rel=\"next\"", close) != std::string::npos || link.find("rel=next", close) != std::string::npos)
            return link.substr(open + 1, close - open - 1);
    }
    return std::nullopt;
}

}  // namespace

Registry::Registry(HttpClient& http, const Reference& reference, const CredentialFile& credentials, RetrySettings retry)
    : http_(http),
      reference_(reference),
      credentials_(credentials),
      retry_(retry),
      base_(parse_url("https://" + registry_host(reference.registry))) {}

Url Registry::url(const std::string& path) {
    const std::lock_guard guard(mutex_);
    auto out = base_;
    out.target = path.starts_with("/") ? path : "/v2/" + reference_.repository + "/" + path;
    return out;
}

std::chrono::milliseconds Registry::delay(int attempt, const HttpHead* head) const {
    auto out = retry_.first_delay * (1 << std::min(attempt, 10));
    if (head != nullptr) {
        const auto text = head->field("Retry-After");
        std::int64_t seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error == std::errc{} && end == text.data() + text.size() && seconds > 0)
            out = std::chrono::seconds(std::min<std::int64_t>(seconds, 3600));
    }
    return std::min(out, retry_.longest);
}

HttpClient::Reply Registry::call(Call wanted) {
    for (int attempt = 0;; ++attempt) {
        const bool last = attempt + 1 >= retry_.attempts;
        try {
            auto reply = call_once(wanted);
            const auto status = reply.head.status;
            if (std::find(wanted.accept.begin(), wanted.accept.end(), status) != wanted.accept.end()) return reply;
            if (last || !is_worth_another_try(status) || wanted.body_source) fail(reply, wanted);
            log::debug("{} {}: status {}, again", wanted.method, wanted.url.origin(), status);
            http_.interrupt().sleep(delay(attempt, &reply.head));
        } catch (const ConnectionError& error) {
            if (last || wanted.body_source) throw;
            log::debug("{} {}: {}, again", wanted.method, wanted.url.origin(), error.what());
            http_.interrupt().sleep(delay(attempt, nullptr));
        }
    }
}

HttpClient::Reply Registry::call_for_text(const Call& wanted, std::size_t limit, std::string& text) {
    for (int attempt = 0;; ++attempt) {
        auto reply = call(wanted);
        try {
            text = reply.body->read_all(limit);
            return reply;
        } catch (const ConnectionError&) {
            if (attempt + 1 >= retry_.attempts) throw;
            http_.interrupt().sleep(delay(attempt, nullptr));
        }
    }
}

HttpClient::Reply Registry::call_once(const Call& wanted) {
    std::string authorization;
    {
        const std::lock_guard guard(mutex_);
        authorization = authorizations_[wanted.push];
    }
    for (int round = 0;; ++round) {
        auto reply = follow(wanted, authorization);
        // Another origin's wish for a name is not ours to grant.
        const bool own = reply.url.same_origin(url("/"));
        if (reply.head.status != 401 || !own || round == 2) return reply;
        const auto granted = authorize(reply.head, wanted.push, nullptr);
        if (!granted || (*granted == authorization && round > 0)) return reply;
        authorization = *granted;
        (void)reply.body->read_all(kMaxErrorText);
        http_.done(reply);
    }
}

HttpClient::Reply Registry::follow(const Call& wanted, const std::string& authorization) {
    Url at = wanted.url;
    {
        // The address may have been written down before it was known that the registry speaks no TLS.
        const std::lock_guard guard(mutex_);
        if (settled_ && !base_.tls && at.tls && at.host == base_.host && (at.port == base_.port || at.port == 443)) {
            at.tls = false;
            at.port = base_.port;
        }
    }
    for (int hop = 0;; ++hop) {
        HttpRequest request;
        request.method = wanted.method;
        request.fields = wanted.fields;
        request.body = wanted.body;
        request.body_source = wanted.body_source;
        request.body_size = wanted.body_size;
        if (!authorization.empty() && at.same_origin(url("/")))
            request.fields.emplace_back("Authorization", authorization);
        auto reply = send_first(at, std::move(request));
        const bool may_move = wanted.method == "GET" || wanted.method == "HEAD";
        if (!is_redirect(reply.head.status) || !may_move) return reply;
        if (hop == kMaxRedirects)
            throw make_error(ErrorKind::invalid, "{} redirects more than {} times", wanted.url.origin(), kMaxRedirects);
        const auto next = resolve_url(at, reply.head.field("Location"));
        check_redirect(at, next);
        if (wanted.method != "HEAD") (void)reply.body->read_all(kMaxErrorText);
        http_.done(reply);
        at = next;
    }
}

/// The first request finds out whether the registry speaks TLS; plain HTTP is only for those who may.
HttpClient::Reply Registry::send_first(Url& at, HttpRequest request) {
    bool open = false;
    {
        const std::lock_guard guard(mutex_);
        open = !settled_ && at.same_origin(base_) && http_.may_be_plain(base_);
        if (settled_ && !at.tls) open = false;
    }
    if (!open) {
        try {
            return http_.send(at, std::move(request));
        } catch (const NotTls&) {
            throw make_error("{} does not speak TLS", at.authority())
                .with_hint("to go without it: COMPOSE_INSECURE_REGISTRIES=" + at.authority());
        }
    }
    const auto plain = [&] {
        Url out = at;
        out.tls = false;
        if (reference_.registry.find(':') == std::string::npos || at.port == 443) out.port = 80;
        return out;
    };
    try {
        auto reply = http_.send(at, request);
        const std::lock_guard guard(mutex_);
        settled_ = true;
        return reply;
    } catch (const NotTls&) {
        at = plain();
        at.port = base_.port;
    } catch (const ConnectionError&) {
        if (base_.port != 443) throw;
        at = plain();
    }
    auto reply = http_.send(at, std::move(request));
    const std::lock_guard guard(mutex_);
    settled_ = true;
    base_.tls = false;
    base_.port = at.port;
    return reply;
}

/// Only a registry of this machine may speak of others of this machine, and nobody of those of its link.
bool Registry::leads_inward(const Url& to) const {
    if (is_loopback(to.host)) return !is_loopback(base_.host);
    return is_forbidden_literal(to.host);
}

void Registry::check_redirect(const Url& from, const Url& to) const {
    const auto refuse = [&](const char* why) {
        throw make_error(ErrorKind::invalid, "{} redirects to {}, {}", from.origin(), to.origin(), why);
    };
    if (to.same_origin(from)) return;
    if (from.tls && !to.tls) refuse("which gives up TLS");
    if (!to.tls && !http_.may_be_plain(to) && !http_.may_be_plain(base_)) refuse("which is not protected by TLS");
    if (leads_inward(to)) refuse("an address of this machine or link");
}

void Registry::check_realm(const Url& realm) const {
    const auto refuse = [&](const char* why) {
        throw make_error(ErrorKind::invalid, "registry {} wants the user's name and password sent to {}, {}",
                         reference_.registry, realm.origin(), why);
    };
    if (realm.same_origin(base_)) return;
    if (base_.tls && !realm.tls) refuse("which is not protected by TLS");
    if (!realm.tls && !http_.may_be_plain(realm)) refuse("which is not protected by TLS");
    if (leads_inward(realm)) refuse("an address of this machine or link");
}

std::optional<std::string> Registry::authorize(const HttpHead& head, bool push, const Credentials* given) {
    std::optional<Credentials> who;
    if (given != nullptr)
        who = *given;
    else
        who = credentials_.find(reference_.registry);
    for (const auto& header : head.all("WWW-Authenticate"))
        for (const auto& challenge : parse_challenges(header)) {
            std::string value;
            if (challenge.scheme == "bearer") {
                value = "Bearer " + fetch_token(challenge.parameters, push, who);
            } else if (challenge.scheme == "basic") {
                if (!who || who->identity_token) continue;
                value = "Basic " + base64_encode(who->user + ":" + who->secret);
            } else {
                continue;
            }
            const std::lock_guard guard(mutex_);
            authorizations_[push] = value;
            return value;
        }
    return std::nullopt;
}

std::string Registry::put_manifest(const std::string& name, const std::string& text, const std::string& media_type) {
    return *send_manifest(name, text, media_type, {});
}

std::optional<std::string> Registry::offer_manifest(const std::string& name, const std::string& text,
                                                    const std::string& media_type) {
    return send_manifest(name, text, media_type, {400, 405, 406, 409, 415, 422});
}

std::optional<std::string> Registry::send_manifest(const std::string& name, const std::string& text,
                                                   const std::string& media_type,
                                                   const std::vector<unsigned>& declined) {
    Call wanted;
    wanted.method = "PUT";
    wanted.url = url("manifests/" + name);
    wanted.fields = {{"Content-Type", media_type}};
    wanted.body = text;
    wanted.push = true;
    wanted.accept = {200, 201, 202};
    wanted.accept.insert(wanted.accept.end(), declined.begin(), declined.end());
    auto reply = call(std::move(wanted));
    if (reply.head.status >= 400) return std::nullopt;
    const auto digest = "sha256:" + sha256_hex(text);
    const auto told = reply.head.field("Docker-Content-Digest");
    if (!told.empty() && told != digest)
        throw make_error(ErrorKind::invalid, "the registry has stored {} as {}", digest, quote(told.substr(0, 80)));
    (void)reply.body->read_all(kMaxErrorText);
    http_.done(reply);
    return digest;
}

Registry::ManifestReply Registry::manifest(const std::string& name) {
    Call wanted;
    wanted.url = url("manifests/" + name);
    for (const auto type : kAcceptedManifests) wanted.fields.emplace_back("Accept", std::string(type));
    wanted.accept = {200};
    ManifestReply out;
    auto reply = in_context([] { return "manifest"; }, [&] { return call_for_text(wanted, kMaxManifest, out.text); });
    out.media_type = reply.head.field("Content-Type");
    out.digest = "sha256:" + sha256_hex(out.text);
    const auto told = reply.head.field("Docker-Content-Digest");
    http_.done(reply);
    if (is_digest(name) && name != out.digest)
        throw make_error(ErrorKind::invalid, "{} was asked for, but the manifest that came is {}", name, out.digest);
    if (!told.empty() && told.starts_with("sha256:") && told != out.digest)
        throw make_error(ErrorKind::invalid, "the registry calls the manifest {}, but it is {}",
                         quote(told.substr(0, 80)), out.digest);
    return out;
}

std::vector<std::string> Registry::tags() {
    std::vector<std::string> out;
    auto page = url("tags/list?n=1000");
    for (int count = 0; count < kMaxTagPages; ++count) {
        Call wanted;
        wanted.url = page;
        wanted.accept = {200};
        std::string text;
        auto reply = call_for_text(wanted, kMaxTagPage, text);
        const auto value = parse_json(text);
        if (!value.is_object()) throw Error("the list of tags is no JSON object", ErrorKind::invalid);
        for (auto& tag : strings_or_empty(value.get_object(), "tags")) out.push_back(std::move(tag));
        const auto next = next_page(reply.head);
        const auto at = reply.url;
        http_.done(reply);
        if (!next) return out;
        const auto following = resolve_url(at, *next);
        if (!following.same_origin(url("/")))
            throw make_error(ErrorKind::invalid, "the list of tags goes on at {}, which is not the registry",
                             following.origin());
        if (following.target == page.target) break;
        page = following;
    }
    throw Error("the list of tags has no end", ErrorKind::invalid);
}

Registry::BlobReply Registry::open_blob(const std::string& digest, std::int64_t offset, const std::string& version) {
    Call wanted;
    wanted.url = url("blobs/" + digest);
    wanted.accept = {200, 206, 416};
    if (offset > 0) wanted.fields.emplace_back("Range", fmt::format("bytes={}-", offset));
    if (offset > 0 && !version.empty()) wanted.fields.emplace_back("If-Range", version);
    BlobReply out;
    out.reply = call_once(wanted);
    const auto status = out.reply.head.status;
    if (status == 416 || (status == 206 && offset == 0)) {
        // It doesn't do what it was asked for: take the whole.
        wanted.fields.clear();
        out.reply = call_once(wanted);
    } else if (status == 206) {
        const auto range = out.reply.head.field("Content-Range");
        if (range.starts_with(fmt::format("bytes {}-", offset))) {
            out.start = offset;
        } else {
            wanted.fields.clear();
            out.reply = call_once(wanted);
        }
    }
    const auto final_status = out.reply.head.status;
    if (is_worth_another_try(final_status)) {
        http_.interrupt().sleep(std::min(delay(0, &out.reply.head), retry_.longest));
        throw ConnectionError(fmt::format("the registry answers with status {}", final_status));
    }
    if (final_status != 200 && !(final_status == 206 && out.start == offset && offset > 0)) fail(out.reply, wanted);
    out.length = out.reply.head.content_length();
    // Weak ones promise no equal bytes; and a token is not to become a header of megabytes.
    const auto version_now = out.reply.head.field("ETag");
    if (version_now.starts_with('"') && version_now.size() <= 256) out.version = version_now;
    return out;
}

bool Registry::has_blob(const std::string& digest) {
    Call wanted;
    wanted.method = "HEAD";
    wanted.url = url("blobs/" + digest);
    wanted.push = true;
    wanted.accept = {200, 404};
    auto reply = call(std::move(wanted));
    const bool there = reply.head.status == 200;
    http_.done(reply);
    return there;
}

void Registry::fail(HttpClient::Reply& reply, const Call& wanted) {
    const auto status = reply.head.status;
    std::string why;
    if (wanted.method != "HEAD") {
        try {
            why = explanation(reply.body->read_all(kMaxErrorText));
        } catch (const Error&) {
            why.clear();  // the status says enough
        }
    }
    const auto suffix = why.empty() ? why : ": " + why;
    const auto& name = reference_.registry;
    if (status == 401 || status == 403)
        throw make_error("registry {} denies access to {}{}", name, reference_.repository, suffix)
            .with_hint(fmt::format("does it exist, and may you use it? compose login {}", name));
    if (status == 404)
        throw make_error(ErrorKind::not_found, "registry {} has no {}{}", name, reference_.familiar(), suffix);
    if (status == 429)
        throw make_error("registry {} has had enough requests for now{}", name, suffix).with_hint("try again later");
    if (status == 413) throw make_error("registry {} finds it too large{}", name, suffix);
    throw make_error("registry {} answers {} with status {}{}", name, wanted.method, status, suffix);
}

void Registry::check_access(const Credentials& credentials) {
    Call wanted;
    wanted.url = url("/v2/");
    wanted.accept = {200};
    auto reply = follow(wanted, "");
    for (int round = 0; reply.head.status == 401 && round < 2; ++round) {
        if (!reply.url.same_origin(url("/"))) break;
        const auto granted = authorize(reply.head, false, &credentials);
        if (!granted) break;
        wanted.url = url("/v2/");
        reply = follow(wanted, *granted);
    }
    if (reply.head.status == 401 || reply.head.status == 403)
        throw make_error("registry {} does not accept this name and password", reference_.registry);
    if (reply.head.status != 200) fail(reply, wanted);
}

std::string Registry::fetch_token(const std::map<std::string, std::string>& parameters, bool push,
                                  const std::optional<Credentials>& who) {
    const auto value = [&](const char* key) {
        const auto found = parameters.find(key);
        return found == parameters.end() ? std::string() : found->second;
    };
    const auto realm =
        in_context([&] { return "registry " + reference_.registry; }, [&] { return parse_url(value("realm")); });
    check_realm(realm);
    std::vector<std::string> scopes;
    if (!reference_.repository.empty())
        scopes.push_back(fmt::format("repository:{}:{}", reference_.repository, push ? "pull,push" : "pull"));
    {
        const std::lock_guard guard(mutex_);
        if (mount_from_) scopes.push_back(fmt::format("repository:{}:pull", *mount_from_));
    }
    return request_token(http_, realm, value("service"), scopes, who);
}

}  // namespace compose::image
