// The pushing half of registry.hpp: uploads of blobs.
#include <algorithm>
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

std::string with_digest(const std::string& target, const std::string& digest) {
    return target + (target.find('?') == std::string::npos ? "?" : "&") + "digest=" + percent_encode(digest);
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

Url Registry::start_upload() {
    Call wanted;
    wanted.method = "POST";
    wanted.url = url("blobs/uploads/");
    wanted.push = true;
    wanted.accept = {202};
    auto reply = call(std::move(wanted));
    auto place = upload_place(reply);
    (void)reply.body->read_all(kMaxAnswer);
    http_.done(reply);
    return place;
}

void Registry::upload_blob(const std::string& digest, sys::FdRef file, std::int64_t size, const Progress& progress) {
    const auto send_from = [&](std::int64_t offset, std::int64_t count, Call& wanted) {
        wanted.body_size = static_cast<std::uint64_t>(count);
        wanted.body_source = [file, offset, count, &progress](const std::function<void(std::string_view)>& out) {
            std::vector<char> buffer(kPiece);
            for (std::int64_t sent = 0; sent < count;) {
                const auto room = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(count - sent));
                const auto got =
                    sys::read_at(file, std::span(buffer).first(room), static_cast<std::uint64_t>(offset + sent));
                if (got == 0) throw Error("the blob is shorter than it was");
                out({buffer.data(), got});
                sent += static_cast<std::int64_t>(got);
                if (progress) progress(offset + sent);
            }
        };
    };
    const auto one_go = [&] {
        Call wanted;
        wanted.method = "PUT";
        wanted.url = start_upload();
        wanted.url.target = with_digest(wanted.url.target, digest);
        wanted.fields = {{"Content-Type", "application/octet-stream"}};
        wanted.push = true;
        wanted.accept = {201, 204, 413};
        send_from(0, size, wanted);
        return call(std::move(wanted));
    };
    const auto in_chunks = [&] {
        auto place = start_upload();
        for (std::int64_t at = 0; at < size;) {
            Call wanted;
            const auto count = std::min(kChunk, size - at);
            wanted.method = "PATCH";
            wanted.url = place;
            wanted.fields = {{"Content-Type", "application/octet-stream"},
                             {"Content-Range", fmt::format("{}-{}", at, at + count - 1)}};
            wanted.push = true;
            wanted.accept = {202};
            send_from(at, count, wanted);
            auto reply = call(std::move(wanted));
            place = upload_place(reply);
            const auto have = received(reply.head).value_or(at + count);
            if (have <= at || have > at + count)
                throw make_error(ErrorKind::invalid, "the registry says that it has {} bytes of {} sent", have,
                                 at + count);
            at = have;
            (void)reply.body->read_all(kMaxAnswer);
            http_.done(reply);
        }
        Call wanted;
        wanted.method = "PUT";
        wanted.url = place;
        wanted.url.target = with_digest(place.target, digest);
        wanted.push = true;
        wanted.accept = {201, 204};
        return call(std::move(wanted));
    };
    for (int attempt = 0;; ++attempt) {
        try {
            auto reply = attempt == 0 ? one_go() : in_chunks();
            const bool too_large = reply.head.status == 413;
            (void)reply.body->read_all(kMaxAnswer);
            http_.done(reply);
            if (!too_large) return;
            if (attempt > 0) throw make_error("registry {} finds the blob {} too large", reference_.registry, digest);
        } catch (const ConnectionError&) {
            if (attempt + 1 >= retry_.attempts) throw;
            http_.interrupt().sleep(delay(attempt, nullptr));
        }
    }
}

}  // namespace compose::image
