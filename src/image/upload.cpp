// The pushing half of registry.hpp: uploads of blobs.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "image/connection_error.hpp"
#include "image/registry.hpp"
#include "sys/spool.hpp"

namespace compose::image {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;
constexpr std::size_t kMaxAnswer = std::size_t{64} << 10U;
constexpr std::int64_t kChunk = std::int64_t{16} << 20U;
// What a registry answers that takes no blob in one go, or none of that size.
constexpr std::array<unsigned, 5> kNotAtOnce{405, 411, 413, 416, 501};
constexpr int kMaxMistakes = 5;  // of one upload: chunks refused, connections lost

std::string with_digest(const std::string& target, const std::string& digest) {
    return target + (target.find('?') == std::string::npos ? "?" : "&") + "digest=" + percent_encode(digest);
}

std::optional<std::int64_t> number_field(const HttpHead& head, std::string_view name) {
    const auto text = head.field(name);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// "0-1023": how far the registry has come; nothing when it doesn't say.
std::optional<std::int64_t> received(const HttpHead& head) {
    const auto range = head.field("Range");
    const auto dash = range.find('-');
    std::int64_t last = 0;
    if (dash == std::string::npos) return std::nullopt;
    const auto [end, error] = std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
    if (error != std::errc{} || end != range.data() + range.size() || last < 0) return std::nullopt;
    return last + 1;
}

}  // namespace

bool Registry::mount_blob(const std::string& digest, const std::string& from_repository) {
    {
        const std::lock_guard guard(mutex_);
        if (mount_from_ != from_repository) {
            mount_from_ = from_repository;
            authorizations_.erase(true);  // the next token must name both
        }
    }
    Call wanted;
    wanted.method = "POST";
    wanted.url = url("blobs/uploads/?mount=" + percent_encode(digest) + "&from=" + percent_encode(from_repository));
    wanted.push = true;
    wanted.accept = {201, 202};
    auto reply = call(std::move(wanted));
    const bool mounted = reply.head.status == 201;
    (void)reply.body->read_all(kMaxAnswer);
    // Not mounted: an upload was begun that nobody will go on with. It ends by itself.
    http_.done(reply);
    return mounted;
}

Url Registry::upload_place(const HttpClient::Reply& reply) const {
    const auto location = reply.head.field("Location");
    if (location.empty()) throw Error("the registry does not say where the upload goes", ErrorKind::invalid);
    const auto place = resolve_url(reply.url, location);
    check_redirect(reply.url, place);
    return place;
}

/// One blob on its way up: in one go, or in chunks where the registry doesn't take that.
class BlobUpload {
public:
    BlobUpload(Registry& registry, const std::string& digest, sys::FdRef file, std::int64_t size,
               const Registry::Progress& progress)
        : registry_(registry), digest_(digest), file_(file), size_(size), progress_(progress) {}

    void run() {
        for (int attempt = 0;; ++attempt) {
            try {
                if (attempt == 0 && at_once()) return;
                return in_chunks();
            } catch (const ConnectionError&) {
                if (attempt + 1 >= registry_.retry_.attempts) throw;
                registry_.http_.interrupt().sleep(registry_.delay(attempt, nullptr));
            }
        }
    }

private:
    using Call = Registry::Call;

    void begin() {
        Call wanted;
        wanted.method = "POST";
        wanted.url = registry_.url("blobs/uploads/");
        wanted.push = true;
        wanted.accept = {202};
        auto reply = registry_.call(std::move(wanted));
        place_ = registry_.upload_place(reply);
        chunk_ = std::max(kChunk, number_field(reply.head, "OCI-Chunk-Min-Length").value_or(0));
        finish(reply);
    }

    /// False: it is not taken that way.
    bool at_once() {
        begin();
        Call wanted = closing();
        wanted.fields = {{"Content-Type", "application/octet-stream"}};
        wanted.accept.insert(wanted.accept.end(), kNotAtOnce.begin(), kNotAtOnce.end());
        send_from(0, size_, wanted);
        auto reply = registry_.call(std::move(wanted));
        const bool taken = reply.head.status == 201 || reply.head.status == 204;
        finish(reply);
        return taken;
    }

    void in_chunks() {
        begin();
        int mistakes = 0;
        for (std::int64_t at = 0; at < size_;) {
            try {
                if (const auto have = send_chunk(at)) {
                    at = *have;
                    continue;
                }
                if (++mistakes > kMaxMistakes)
                    throw make_error("registry {} does not take the blob {}", registry_.reference_.registry, digest_);
            } catch (const ConnectionError&) {
                if (++mistakes > kMaxMistakes) throw;
                registry_.http_.interrupt().sleep(registry_.delay(mistakes - 1, nullptr));
            }
            at = ask_how_far(at);
        }
        auto reply = registry_.call(closing());
        finish(reply);
    }

    /// How far the registry has come then; nothing when it wants other bytes than these.
    std::optional<std::int64_t> send_chunk(std::int64_t at) {
        Call wanted;
        const auto count = std::min(chunk_, size_ - at);
        wanted.method = "PATCH";
        wanted.url = place_;
        wanted.fields = {{"Content-Type", "application/octet-stream"},
                         {"Content-Range", fmt::format("{}-{}", at, at + count - 1)}};
        wanted.push = true;
        wanted.accept = {202, 416};
        send_from(at, count, wanted);
        auto reply = registry_.call(std::move(wanted));
        if (reply.head.status == 416) {
            finish(reply);
            return std::nullopt;
        }
        place_ = registry_.upload_place(reply);
        const auto have = received(reply.head).value_or(at + count);
        if (have <= at || have > at + count)
            throw make_error(ErrorKind::invalid, "the registry says that it has {} bytes of {} sent", have, at + count);
        finish(reply);
        return have;
    }

    std::int64_t ask_how_far(std::int64_t at) {
        Call wanted;
        wanted.url = place_;
        wanted.push = true;
        wanted.accept = {200, 204};
        auto reply = registry_.call(std::move(wanted));
        if (!reply.head.field("Location").empty()) place_ = registry_.upload_place(reply);
        auto have = received(reply.head).value_or(0);
        if (have == 1 && at == 0) have = 0;  // "0-0" is how registries write that there is nothing
        finish(reply);
        if (have > size_)
            throw make_error(ErrorKind::invalid, "the registry says that it has {} bytes of {}", have, size_);
        return have;
    }

    [[nodiscard]] Call closing() const {
        Call wanted;
        wanted.method = "PUT";
        wanted.url = place_;
        wanted.url.target = with_digest(place_.target, digest_);
        wanted.push = true;
        wanted.accept = {201, 204};
        return wanted;
    }

    void send_from(std::int64_t offset, std::int64_t count, Call& wanted) const {
        wanted.body_size = static_cast<std::uint64_t>(count);
        wanted.body_source = [this, offset, count](const std::function<void(std::string_view)>& out) {
            std::vector<char> buffer(kPiece);
            for (std::int64_t sent = 0; sent < count;) {
                const auto room = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(count - sent));
                const auto got =
                    sys::read_at(file_, std::span(buffer).first(room), static_cast<std::uint64_t>(offset + sent));
                if (got == 0) throw Error("the blob is shorter than it was");
                out({buffer.data(), got});
                sent += static_cast<std::int64_t>(got);
                if (progress_) progress_(offset + sent);
            }
        };
    }

    void finish(HttpClient::Reply& reply) const {
        (void)reply.body->read_all(kMaxAnswer);
        registry_.http_.done(reply);
    }

    Registry& registry_;
    const std::string& digest_;
    sys::FdRef file_;
    std::int64_t size_;
    const Registry::Progress& progress_;
    Url place_;
    std::int64_t chunk_ = kChunk;
};

void Registry::upload_blob(const std::string& digest, sys::FdRef file, std::int64_t size, const Progress& progress) {
    BlobUpload(*this, digest, file, size, progress).run();
}

}  // namespace compose::image
