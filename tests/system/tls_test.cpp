// Registries that speak TLS, from another address than this machine's loopback: who is believed, and the way to them
// through proxies. Rows R13, K50 and K53 of the reference's bad input, and the parts of R02 that need TLS.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "support/background.hpp"
#include "support/terminal.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAddress = "10.99.0.1";

std::string slurp(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class TlsTest : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        box.emplace();
        box->environment["COMPOSE_HTTP_TIMEOUT"] = "3";
        registry.emplace(*box, HostileRegistry::Options{.address = kAddress, .tls = true});
        // A user's own folder of authorities, as podman has it.
        authorities = box->environment["HOME"] + "/.config/containers/certs.d/";
    }
    void TearDown() override {
        if (!box) return;
        EXPECT_THAT(registry->leaks(), IsEmpty());
        registry.reset();
        box.reset();
    }
    void trust(const std::string& server) const {
        fs::create_directories(authorities + registry->host(server));
        fs::copy_file(registry->certificate("ca.crt"), authorities + registry->host(server) + "/ca.crt");
    }
    void pulls(const std::string& name) const {
        box->ok({"image", "pull", name});
        box->ok({"image", "rm", name});
    }
    std::string refused(const std::string& scenario, const std::string& server) const {
        return box->fails({"image", "pull", registry->name(scenario, server)});
    }

    std::optional<Sandbox> box;
    std::optional<HostileRegistry> registry;
    std::string authorities;
};

TEST_F(TlsTest, OnlyTheRightCertificateWillDo) {  // R13, K53
    EXPECT_THAT(refused("fine", "good"),
                AllOf(HasSubstr("is not trusted"), HasSubstr("certs.d/" + registry->host("good"))));
    for (const char* server : {"good", "expired", "elsewhere", "selfsigned"}) trust(server);
    EXPECT_THAT(refused("fine", "expired"), HasSubstr("expired"));
    EXPECT_THAT(refused("fine", "elsewhere"), HasSubstr("is not trusted"));
    EXPECT_THAT(refused("fine", "selfsigned"), HasSubstr("is not trusted"));
    // No TLS at all, and not on this machine.
    EXPECT_THAT(refused("fine", "a"), HasSubstr("does not speak TLS"));
    EXPECT_THAT(registry->requests(), IsEmpty()) << "nobody was told anything";
    pulls(registry->name("fine", "good"));
    box->environment["COMPOSE_INSECURE_REGISTRIES"] =
        registry->host("selfsigned") + "," + registry->host("expired") + "," + registry->host("a");
    for (const char* server : {"selfsigned", "expired", "a"}) pulls(registry->name("fine", server));
    EXPECT_THAT(refused("fine", "elsewhere"), HasSubstr("is not trusted"));
}

TEST_F(TlsTest, AuthoritiesCountForTheirRegistryAlone) {
    trust("good");
    EXPECT_THAT(refused("fine", "mutual"), HasSubstr("is not trusted"));
    trust("mutual");
    EXPECT_THAT(refused("fine", "mutual"), HasSubstr("TLS with")) << "it wants a certificate from us";
    const auto folder = authorities + registry->host("mutual");
    fs::copy_file(registry->certificate("good.crt"), folder + "/client.cert");
    EXPECT_THAT(refused("fine", "mutual"), HasSubstr("client.key")) << "the key is missing";
    fs::copy_file(registry->certificate("tls.key"), folder + "/client.key");
    pulls(registry->name("fine", "mutual"));
    std::ofstream(folder + "/ca.crt") << "no certificate\n";
    EXPECT_THAT(refused("fine", "mutual"), HasSubstr("ca.crt has no certificate"));
}

TEST_F(TlsTest, NobodyLeadsAwayFromTls) {  // K50, R02, K49
    trust("good");
    box->write(".docker/config.json",
               "{\"auths\": {\"" + registry->host("good") + "\": {\"auth\": \"YW5uOnNlY3JldA==\"}}}\n");
    box->environment["DOCKER_CONFIG"] = box->path(".docker");
    EXPECT_THAT(refused("realm-http", "good"), HasSubstr("not protected by TLS"));
    EXPECT_THAT(refused("realm-loopback", "good"), HasSubstr("an address of this machine or link"));
    EXPECT_THAT(refused("realm-link-local", "good"), HasSubstr("an address of this machine or link"));
    EXPECT_THAT(refused("realm-number", "good"), HasSubstr("an address of this machine or link"));
    EXPECT_THAT(refused("redirect-plain", "good"), HasSubstr("gives up TLS"));
    EXPECT_THAT(refused("redirect-metadata", "good"), HasSubstr("gives up TLS"));
    // Not even one that is listed as insecure: the realm came over TLS, the password would not.
    box->environment["COMPOSE_INSECURE_REGISTRIES"] = registry->host("a");
    EXPECT_THAT(refused("realm-http", "good"), HasSubstr("not protected by TLS"));
    for (const auto& line : registry->requests()) EXPECT_THAT(line, HasSubstr("\"authorization\": \"\"")) << line;
}

class Proxy {
public:
    Proxy(const Sandbox& box, const std::string& password = {}) : folder_(box.path("proxy" + password)) {
        fs::create_directories(folder_);
        std::vector<std::string> argv{"python3", "-B", PROJECT_ROOT "/tests/support/proxy.py", folder_, kAddress};
        if (!password.empty()) argv.push_back(password);
        process_ = std::make_unique<Background>(box, argv, folder_ + "/output");
        EXPECT_TRUE(eventually([&] { return fs::exists(folder_ + "/port"); }, std::chrono::seconds(20)));
    }
    [[nodiscard]] std::string address() const { return std::string(kAddress) + ":" + slurp(folder_ + "/port"); }
    [[nodiscard]] std::string log() const { return slurp(folder_ + "/log"); }

private:
    std::string folder_;
    std::unique_ptr<Background> process_;
};

TEST_F(TlsTest, ThroughAProxy) {
    trust("good");
    const Proxy proxy(*box);
    box->environment["HTTPS_PROXY"] = "http://" + proxy.address();
    pulls(registry->name("fine", "good"));
    EXPECT_THAT(proxy.log(), HasSubstr("CONNECT " + registry->host("good")));
    EXPECT_THAT(proxy.log(), Not(HasSubstr("GET"))) << "what is asked for is between the registry and us";
    // Without TLS the proxy sees it all, and has a variable of its own.
    box->environment["COMPOSE_INSECURE_REGISTRIES"] = registry->host();
    box->environment["http_proxy"] = proxy.address();
    pulls(registry->name("fine"));
    EXPECT_THAT(proxy.log(), HasSubstr("GET http://" + registry->host() + "/v2/x/fine/manifests/1"));
    const auto before = proxy.log();
    box->environment["NO_PROXY"] = "example.com," + std::string(kAddress);
    pulls(registry->name("fine"));
    pulls(registry->name("fine", "good"));
    EXPECT_EQ(proxy.log(), before);
}

TEST_F(TlsTest, AProxyThatWantsAPassword) {
    trust("good");
    const Proxy proxy(*box, "ann:pa%40ss");
    box->environment["https_proxy"] = "http://" + proxy.address();
    EXPECT_THAT(refused("fine", "good"), HasSubstr("the proxy refuses: \"HTTP/1.1 407"));
    box->environment["https_proxy"] = "http://ann:pa%2540ss@" + proxy.address();
    pulls(registry->name("fine", "good"));
    for (const auto& line : registry->requests()) EXPECT_THAT(line, HasSubstr("\"authorization\": \"\"")) << line;
}

}  // namespace
}  // namespace compose::test
