#include "engine/build_fetch.hpp"

#include <ctime>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "build/paths.hpp"
#include "build/remote.hpp"
#include "image/http_client.hpp"
#include "sys/env.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

constexpr int kMaxRedirects = 10;

std::string name_of(const image::Url& url) {
    auto path = url.target.substr(0, url.target.find_first_of("?#"));
    auto name = std::string(build::base_name(build::clean_relative(path)));
    return name.empty() || name.size() > 255 ? "download" : name;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> http_time(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    const auto seconds = ::timegm(&parts);
    if (seconds < 0) return std::nullopt;
    return seconds;
}

}  // namespace

void check_fetch_host(const std::string& host, bool allow_local) {
    if (allow_local || (!image::is_loopback(host) && !image::is_forbidden_literal(host))) return;
    throw make_error(ErrorKind::invalid, "{} is an address of this machine or its local link", quote(host))
        .with_hint("allow it with --allow network.host, or build.entitlements");
}

FetchedFile fetch_file(const std::string& text, const std::string& folder, bool allow_local,
                       const std::stop_token& cancel) {
    return in_context([&] { return "fetch " + quote(build::redacted(text)); },
                      [&] {
                          const image::Interrupt interrupt(cancel);
                          image::HttpSettings settings;
                          settings.environment = sys::environment_snapshot();
                          settings.only_elsewhere = !allow_local;
                          image::HttpClient client(settings, interrupt);
                          auto url = image::parse_url(text);
                          const auto name = name_of(url);
                          for (int hops = 0;; ++hops) {
                              check_fetch_host(url.host, allow_local);
                              image::HttpRequest request;
                              request.fields.emplace_back("Accept-Encoding", "identity");
                              auto reply = client.send(url, std::move(request));
                              const auto status = reply.head.status;
                              if (status >= 300 && status < 400 && !reply.head.field("Location").empty()) {
                                  if (hops == kMaxRedirects) throw Error("it redirects for ever");
                                  const auto next = image::resolve_url(url, reply.head.field("Location"));
                                  if (url.tls && !next.tls) throw Error("it redirects to a place without TLS");
                                  url = next;
                                  continue;
                              }
                              if (status != 200) throw make_error("the server answered {}", status);
                              FetchedFile out;
                              out.path = folder + "/" + name;
                              const auto file = sys::create_file(out.path, 0600);
                              Sha256 hash;
                              std::string buffer(std::size_t{256} << 10U, '\0');
                              std::uint64_t total = 0;
                              while (const auto got = reply.body->read(buffer)) {
                                  hash.update(buffer.data(), got);
                                  sys::write_all(file, {buffer.data(), got});
                                  total += got;
                              }
                              if (const auto length = reply.head.content_length(); length && *length != total)
                                  throw make_error("only {} of {} bytes came", total, *length);
                              out.digest = hash.hex();
                              out.modified = http_time(reply.head.field("Last-Modified"));
                              return out;
                          }
                      });
}

}  // namespace compose::engine
