#include "image/manifest.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace compose::image {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string manifest_text(const std::string& more = "") {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
           R"("application/vnd.oci.image.config.v1+json","digest":")" +
           kDigest + R"(","size":7},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
           kDigest + R"(","size":9}])" + more + "}";
}

TEST(Manifest, ReadsWhatItWrites) {
    const auto parsed = std::get<Manifest>(parse_manifest(manifest_text(), {}));
    EXPECT_EQ(parsed.config.size, 7);
    ASSERT_EQ(parsed.layers.size(), 1U);
    EXPECT_EQ(parsed.layers[0].digest, kDigest);
    const auto again = std::get<Manifest>(parse_manifest(render_manifest(parsed), media::kOciManifest));
    EXPECT_EQ(render_manifest(again), render_manifest(parsed));
}

TEST(Manifest, TypesMustAgree) {  // M05 to M07, K45
    EXPECT_NO_THROW((void)parse_manifest(manifest_text(), "application/vnd.oci.image.manifest.v1+json; charset=utf-8"));
    EXPECT_NO_THROW((void)parse_manifest(manifest_text(), "application/json"));
    EXPECT_THROW((void)parse_manifest(manifest_text(), media::kDockerManifest), Error);
    EXPECT_THROW((void)parse_manifest(manifest_text(), media::kOciIndex), Error);
    EXPECT_THROW((void)parse_manifest(manifest_text(R"(,"manifests":[])"), {}), Error);
    EXPECT_THROW((void)parse_manifest(R"({"schemaVersion":2})", {}), Error);
    EXPECT_THROW((void)parse_manifest(R"({"schemaVersion":1,"fsLayers":[]})", {}), Error);
    EXPECT_THROW((void)parse_manifest("[]", {}), Error);
    EXPECT_THROW((void)parse_manifest(std::string(kMaxManifest + 1, ' '), {}), Error);
}

Index index_of(std::vector<Platform> platforms) {
    Index index;
    index.media_type = media::kOciIndex;
    for (auto& platform : platforms) {
        Descriptor entry;
        entry.digest = kDigest;
        entry.media_type = media::kOciManifest;
        entry.platform = std::move(platform);
        index.manifests.push_back(entry);
    }
    return index;
}

TEST(Manifest, ChoosesTheBestPlatform) {  // M13
    const auto index = index_of({{"linux", "arm", "v5"},
                                 {"linux", "arm", "v7"},
                                 {"linux", "arm64", "v8"},
                                 {"linux", "amd64", ""},
                                 {"windows", "amd64", ""}});
    EXPECT_EQ(choose(index, parse_platform("linux/arm/v7")).platform->variant, "v7");
    EXPECT_EQ(choose(index, parse_platform("linux/arm/v6")).platform->variant, "v5");
    EXPECT_EQ(choose(index, parse_platform("arm64")).platform->architecture, "arm64");
    EXPECT_EQ(choose(index, parse_platform("linux/x86_64")).platform->os, "linux");
    EXPECT_THROW((void)choose(index, parse_platform("linux/riscv64")), Error);
    EXPECT_THROW((void)choose(index_of({}), parse_platform("amd64")), Error);
}

TEST(Manifest, AttestationsAreNoImages) {
    auto index = index_of({{"unknown", "unknown", ""}});
    index.manifests[0].attestation = true;
    EXPECT_THROW((void)choose(index, parse_platform("linux/amd64")), Error);
}

TEST(Platform, Names) {
    EXPECT_EQ(parse_platform("linux/arm64/v8").to_string(), "linux/arm64");
    EXPECT_EQ(parse_platform("AMD64").to_string(), "linux/amd64");
    EXPECT_EQ(parse_platform("linux/arm/v6").to_string(), "linux/arm/v6");
    for (const char* bad : {"linux/", "/amd64", "a/b/c/d", "linux/../x", "li nux"})
        EXPECT_THROW((void)parse_platform(bad), Error) << bad;
}

}  // namespace
}  // namespace compose::image
