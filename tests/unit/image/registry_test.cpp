// Pulling from a server in this process that cuts connections wherever it is told to.
#include "image/registry.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "fixture.hpp"
#include "image/config.hpp"
#include "image/pull.hpp"

namespace compose::image::test {
namespace {

using ::testing::IsEmpty;

/// Serves texts by path, with ranges. After so many bytes, heads and all, one connection is reset; then it behaves.
class CuttingServer {
public:
    CuttingServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_, 64), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { accept(); });
    }
    ~CuttingServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    CuttingServer(const CuttingServer&) = delete;
    CuttingServer& operator=(const CuttingServer&) = delete;

    void cut_after(std::int64_t bytes) {
        sent_ = 0;
        cut_ = bytes;
    }
    [[nodiscard]] std::int64_t sent() const { return sent_; }
    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
    std::map<std::string, std::string> texts;

private:
    void accept() {
        std::vector<std::jthread> connections;
        for (int fd = 0; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;)
            connections.emplace_back([this, fd] {
                while (serve_one(fd)) {
                }
                ::close(fd);
            });
    }

    bool serve_one(int fd) {
        std::string head;
        while (!head.ends_with("\r\n\r\n")) {
            char byte = 0;
            if (::recv(fd, &byte, 1, 0) != 1 || byte == '\x16') return false;  // gone, or it speaks TLS
            head += byte;
        }
        const auto path = head.substr(4, head.find(' ', 4) - 4);
        const auto found = texts.find(path);
        if (found == texts.end()) return send(fd, "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n");
        std::size_t start = 0;
        if (const auto range = head.find("Range: bytes="); range != std::string::npos)
            start = std::stoul(head.substr(range + 13));
        const auto& text = found->second;
        const auto part =
            start > 0 ? fmt::format("206 X\r\nContent-Range: bytes {}-{}/{}", start, text.size() - 1, text.size())
                      : std::string("200 X");
        return send(fd, fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", part, text.size() - start,
                                    text.substr(start)));
    }

    bool send(int fd, const std::string& bytes) {
        const auto before = sent_.fetch_add(static_cast<std::int64_t>(bytes.size()));
        const auto room = cut_ - before;
        if (room < 0 || room >= static_cast<std::int64_t>(bytes.size()))
            return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
        EXPECT_EQ(::send(fd, bytes.data(), static_cast<std::size_t>(room), MSG_NOSIGNAL), room);
        const linger reset{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return false;
    }

    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<std::int64_t> sent_{0}, cut_{-1};
    std::thread thread_;
};

class CutTest : public LayerTest {
protected:
    CutTest() {
        // In memory where that goes: a thousand pulls are a thousand waits for a disk.
        if (fs::is_directory("/dev/shm")) {
            fs::remove_all(root_);
            root_ = "/dev/shm" / root_.filename();
            fs::create_directories(root_ / "layers");
        }
        HttpSettings settings;
        settings.stall = std::chrono::seconds(10);
        http.emplace(settings, interrupt);
        const auto layer = TarBuilder().file("hello", std::string(3000, 'h')).end();
        ImageConfig config;
        config.os = "linux";
        config.architecture = native_architecture();
        config.diff_ids = {digest(layer)};
        const auto config_text = render_config(config);
        Manifest manifest;
        manifest.media_type = media::kOciManifest;
        manifest.config.media_type = media::kOciConfig;
        manifest.config.digest = digest(config_text);
        manifest.config.size = static_cast<std::int64_t>(config_text.size());
        manifest.layers.resize(1);
        manifest.layers[0].media_type = "application/vnd.oci.image.layer.v1.tar";
        manifest.layers[0].digest = digest(layer);
        manifest.layers[0].size = static_cast<std::int64_t>(layer.size());
        server.texts["/v2/x/manifests/1"] = render_manifest(manifest);
        server.texts["/v2/x/blobs/" + digest(layer)] = layer;
        server.texts["/v2/x/blobs/" + digest(config_text)] = config_text;
    }
    static std::string digest(const std::string& text) { return "sha256:" + sha256_hex(text); }

    StoredImage pull() {
        const CredentialFile credentials({{"DOCKER_CONFIG", root_}, {"PATH", ""}});
        Reference reference;
        reference.registry = server.host();
        reference.repository = "x";
        reference.tag = "1";
        using std::chrono::milliseconds;
        Registry registry(*http, reference, credentials,
                          {.attempts = 5, .first_delay = milliseconds(1), .longest = milliseconds(2)});
        ContentStore blobs(root_ / "blobs");
        PullOptions options;
        options.platform = parse_platform("");
        return pull_image(registry, {blobs, layers()}, options);
    }
    void expect_whole(const StoredImage& image, std::int64_t cut) {
        const auto file = layers() / image.layers.at(0).chain_id / "hello";
        ASSERT_EQ(sys::read_file(file), std::string(3000, 'h')) << cut;
        EXPECT_EQ(names().size(), 1U) << cut;
        EXPECT_TRUE(fs::is_empty(root_ / "blobs/partial")) << cut;
        fs::remove_all(layers() / image.layers.at(0).chain_id);
        fs::remove_all(root_ / "blobs");
    }
    CuttingServer server;
    const Interrupt interrupt{std::stop_token()};
    std::optional<HttpClient> http;  // one for all: the machine's authorities are read once
};

// R16: whatever byte is the last one, the pull asks again and gets the same image.
TEST_F(CutTest, AResetAfterAnyByteIsGoneOnFrom) {
    server.cut_after(-1);
    expect_whole(pull(), -1);
    const auto total = server.sent();
    ASSERT_GT(total, 4000);
    // Every byte of the first head and the manifest, and a dense sample of the rest.
    for (std::int64_t cut = 0; cut < total; cut += cut < 500 ? 1 : 13) {
        server.cut_after(cut);
        expect_whole(pull(), cut);
        // Not all of it again: at most the head and what the kernel threw away with the reset.
        EXPECT_LE(server.sent(), 2 * total) << cut;
        if (HasFailure()) return;
    }
}

TEST_F(CutTest, APullThatIsGivenUpLeavesItsBytesForTheNext) {
    // A server that is gone for good in the middle of the layer, as far as this pull can tell.
    auto layer = server.texts.begin();
    for (auto it = server.texts.begin(); it != server.texts.end(); ++it)
        if (it->second.size() > layer->second.size()) layer = it;
    const auto whole = layer->second;
    layer->second = whole.substr(0, 2000);
    EXPECT_THROW(static_cast<void>(pull()), Error);
    EXPECT_THAT(names(), IsEmpty());
    layer->second = whole;
    expect_whole(pull(), 2000);
}

}  // namespace
}  // namespace compose::image::test
