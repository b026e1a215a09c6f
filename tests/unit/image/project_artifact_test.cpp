// The documents of a published project, to the letter: other programs read them.
#include "image/project_artifact.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace compose::image {
namespace {

using testing::HasSubstr;

const std::vector<ProjectPart> kParts{{PartKind::compose, "compose.yaml", "services: {}\n"},
                                      {PartKind::extended, "abc.yaml", "services: {x: {}}\n"},
                                      {PartKind::variables, "def.env", "A=1\n"}};
constexpr const char* kEmpty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

TEST(ProjectArtifact, HasTheFormOfOci11) {
    const auto packed = pack_project(kParts, OciVersion::v1_1, "2026-01-02T03:04:05Z", "1.2");
    const auto value = parse_json(packed.manifest_json).as_object();
    const auto shape = parse_json(
                           R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "artifactType":"application/vnd.docker.compose.project",
            "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
                           std::string(kEmpty) + R"(","size":2},
            "annotations":{"org.opencontainers.image.created":"2026-01-02T03:04:05Z"}})")
                           .as_object();
    for (const auto& [key, member] : shape) EXPECT_EQ(value.at(key), member) << key;
    const auto& layers = value.at("layers").as_array();
    ASSERT_EQ(layers.size(), 3U);
    EXPECT_EQ(json::serialize(layers[0].at("annotations")),
              R"({"com.docker.compose.file":"compose.yaml","com.docker.compose.version":"1.2"})");
    EXPECT_EQ(json::serialize(layers[1].at("annotations")),
              R"({"com.docker.compose.extends":"true","com.docker.compose.file":"abc.yaml",)"
              R"("com.docker.compose.version":"1.2"})");
    EXPECT_EQ(json::serialize(layers[2].at("annotations")),
              R"({"com.docker.compose.envfile":"def.env","com.docker.compose.version":"1.2"})");
    EXPECT_EQ(layers[0].at("mediaType"), "application/vnd.docker.compose.file+yaml");
    EXPECT_EQ(layers[2].at("mediaType"), "application/vnd.docker.compose.envfile");
    EXPECT_EQ(layers[0].at("size"), 13);
    EXPECT_EQ(packed.blobs.size(), 4U) << "the config's too";
    EXPECT_EQ(packed.blobs[0].second, "{}");
}

TEST(ProjectArtifact, HasTheFormOfOci10) {
    const auto packed = pack_project(kParts, OciVersion::v1_0, "2026-01-02T03:04:05Z", "1.2");
    const auto value = parse_json(packed.manifest_json).as_object();
    EXPECT_FALSE(value.contains("artifactType"));
    EXPECT_EQ(value.at("config").at("mediaType"), "application/vnd.docker.compose.config.empty.v1+json");
    EXPECT_EQ(value.at("config").at("digest"), kEmpty);
}

TEST(ProjectArtifact, ComesBackAsItWas) {
    for (const auto version : {OciVersion::v1_0, OciVersion::v1_1}) {
        const auto packed = pack_project(kParts, version, "x", "1.2");
        const auto manifest = std::get<Manifest>(parse_artifact(packed.manifest_json, packed.manifest.media_type));
        const auto parts = parts_of(manifest);
        ASSERT_EQ(parts.size(), 3U);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            EXPECT_EQ(parts[i].kind, kParts[i].kind);
            EXPECT_EQ(parts[i].blob.digest, packed.blobs[i + 1].first.digest);
        }
        EXPECT_EQ(parts[0].name, "compose.yaml");
        EXPECT_EQ(parts[1].name, "abc.yaml");
        EXPECT_EQ(parts[2].name, "def.env");
        EXPECT_THROW((void)parse_manifest(packed.manifest_json, {}), Error) << "it is no image";
    }
}

TEST(ProjectArtifact, ImagesBelongToTheProject) {
    const auto packed = pack_project(kParts, OciVersion::v1_1, "x", "1.2");
    Descriptor image;
    image.media_type = media::kOciManifest;
    image.digest = kEmpty;
    image.size = 2;
    const auto text = render_index(index_of_images({image}, packed.manifest, "1.2"));
    const auto value = parse_json(text).as_object();
    EXPECT_EQ(value.at("mediaType"), "application/vnd.oci.image.index.v1+json");
    EXPECT_EQ(value.at("artifactType"), "application/vnd.docker.compose.project");
    EXPECT_EQ(value.at("subject").at("digest"), json::string(packed.manifest.digest));
    EXPECT_EQ(value.at("subject").at("size"), static_cast<std::int64_t>(packed.manifest_json.size()));
    EXPECT_EQ(value.at("manifests").as_array().size(), 1U);
    EXPECT_EQ(json::serialize(value.at("annotations")), R"({"com.docker.compose.version":"1.2"})");
    EXPECT_THROW((void)project_in(std::get<Index>(parse_artifact(text, {}))), Error);
    auto bundle = index_of_images({image, packed.manifest}, packed.manifest, "1.2");
    EXPECT_EQ(project_in(std::get<Index>(parse_artifact(render_index(bundle), {}))).digest, packed.manifest.digest);
}

// K54
TEST(ProjectArtifact, NamesBecomeFilesOnlyWhenTheyAreSound) {
    const auto complaint = [](const std::string& name, PartKind kind) {
        auto parts = kParts;
        parts[1] = {kind, "ok.yaml", "x"};
        auto manifest =
            std::get<Manifest>(parse_artifact(pack_project(parts, OciVersion::v1_1, "x", "1").manifest_json, {}));
        manifest.layers[1]
            .annotations[kind == PartKind::variables ? "com.docker.compose.envfile" : "com.docker.compose.file"] = name;
        try {
            (void)parts_of(manifest);
            return std::string("none");
        } catch (const Error& error) {
            return std::string(error.what());
        }
    };
    for (const auto kind : {PartKind::extended, PartKind::variables}) {
        EXPECT_EQ(complaint("fine.x", kind), "none");
        for (const std::string& name : {std::string("../x"), std::string("/x"), std::string("a/../../x"),
                                        std::string(".."), std::string("."), std::string(), std::string("a\\b"),
                                        std::string("a\0b", 3), std::string("a\x1b[2J"), std::string(256, 'x')})
            EXPECT_THAT(complaint(name, kind), HasSubstr("can't be called")) << name;
        EXPECT_THAT(complaint("compose.yaml", kind), HasSubstr("two of its files"));
        EXPECT_THAT(complaint("def.env", kind), HasSubstr("two of its files"));
    }
    EXPECT_THROW((void)pack_project({{PartKind::compose, "a/b", ""}}, OciVersion::v1_1, "x", "1"), Error);
}

TEST(ProjectArtifact, WhatIsNoneIsRefused) {
    Manifest manifest;
    manifest.config.media_type = media::kOciConfig;
    EXPECT_THROW((void)parts_of(manifest), Error);
    manifest.artifact_type = media::kComposeProject;
    EXPECT_THROW((void)parts_of(manifest), Error) << "no file";
    Descriptor layer;
    layer.media_type = "application/other";
    manifest.layers = {layer};
    EXPECT_THROW((void)parts_of(manifest), Error) << "others are left out";
    layer.media_type = media::kComposeFile;
    layer.size = std::int64_t{16} << 20U;
    manifest.layers = {layer};
    EXPECT_EQ(parts_of(manifest).size(), 1U);
    manifest.layers = {layer, layer, layer, layer, layer};
    EXPECT_THROW((void)parts_of(manifest), Error) << "too much in all";
    const std::string bad = R"({"schemaVersion":2,"config":{"digest":")" + std::string(kEmpty) +
                            R"(","size":2},"layers":[],"annotations":)";
    EXPECT_THROW((void)parse_artifact(bad + "[]}", {}), Error);
    EXPECT_THROW((void)parse_artifact(bad + R"({"a":1}})", {}), Error);
}

}  // namespace
}  // namespace compose::image
