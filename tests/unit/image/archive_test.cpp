// Archives of images, sound ones and ones that mean harm: names are looked up in the archive only.
#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "fixture.hpp"
#include "image/archive_read.hpp"
#include "image/config.hpp"

namespace compose::image::test {
namespace {

using ::testing::HasSubstr;

class ArchiveTest : public LayerTest {
protected:
    struct Parts {
        std::string layer = TarBuilder().file("hello", "world").end();
        std::string config;
        std::string manifest;
    };

    static std::string digest(const std::string& text) { return "sha256:" + sha256_hex(text); }
    static std::string blob(const std::string& text) { return "blobs/sha256/" + sha256_hex(text); }

    static Parts parts() {
        Parts out;
        ImageConfig config;
        config.os = "linux";
        config.architecture = native_architecture();
        config.diff_ids = {digest(out.layer)};
        out.config = render_config(config);
        Manifest manifest;
        manifest.media_type = media::kOciManifest;
        manifest.config.media_type = media::kOciConfig;
        manifest.config.digest = digest(out.config);
        manifest.config.size = static_cast<std::int64_t>(out.config.size());
        Descriptor layer;
        layer.media_type = "application/vnd.oci.image.layer.v1.tar";
        layer.digest = digest(out.layer);
        layer.size = static_cast<std::int64_t>(out.layer.size());
        manifest.layers = {layer};
        out.manifest = render_manifest(manifest);
        return out;
    }

    static std::string index_of(const std::string& manifest, const std::string& name) {
        Index index;
        index.media_type = media::kOciIndex;
        Descriptor entry;
        entry.media_type = media::kOciManifest;
        entry.digest = digest(manifest);
        entry.size = static_cast<std::int64_t>(manifest.size());
        entry.full_name = name;
        index.manifests = {entry};
        return render_index(index);
    }

    std::vector<LoadedImage> load(const std::string& tar) {
        const auto path = root_ / "images.tar";
        sys::write_file(path, tar);
        const Interrupt interrupt{std::stop_token()};
        ContentStore blobs(root_ / "blobs");
        const auto file = sys::open_for_reading(path);
        const auto files = open_tar_archive(file, root_ / "blobs/partial", interrupt);
        return load_archive(*files, {blobs, layers()}, parse_platform(""), interrupt, {});
    }

    std::string refusal(const std::string& tar) {
        try {
            (void)load(tar);
        } catch (const Error& error) {
            EXPECT_TRUE(fs::is_empty(root_ / "blobs/sha256")) << "a blob is left";
            EXPECT_EQ(names().size(), 0U) << "a layer is left";
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return {};
    }
};

TEST_F(ArchiveTest, LoadsAnOciLayout) {
    const auto p = parts();
    const auto loaded = load(TarBuilder()
                                 .file(blob(p.layer), p.layer)
                                 .file(blob(p.config), p.config)
                                 .file("./index.json", index_of(p.manifest, "docker.io/library/x:1"))
                                 .file(blob(p.manifest), p.manifest)
                                 .end());
    ASSERT_EQ(loaded.size(), 1U);
    EXPECT_EQ(loaded[0].image.id, digest(p.config));
    ASSERT_EQ(loaded[0].names.size(), 1U);
    EXPECT_EQ(loaded[0].names[0].familiar(), "x:1");
    EXPECT_EQ(sys::read_file(layers() / loaded[0].image.layers[0].chain_id / "hello"), "world");
}

TEST_F(ArchiveTest, LoadsDockersOldArchiveWithItsLinks) {
    const auto p = parts();
    const std::string list = R"([{"Config":"c.json","RepoTags":["a/b:2"],"Layers":["one/layer.tar"]}])";
    const auto loaded = load(TarBuilder()
                                 .file("zero/layer.tar", p.layer)
                                 .link('2', "one/layer.tar", "../zero/layer.tar")
                                 .file("c.json", p.config)
                                 .file("manifest.json", list)
                                 .end());
    ASSERT_EQ(loaded.size(), 1U);
    EXPECT_EQ(loaded[0].names[0].familiar(), "a/b:2");
}

TEST_F(ArchiveTest, ReachesForNothingOutsideItself) {  // M18, K46
    const auto p = parts();
    for (const std::string config : {"../../../../etc/passwd", "/etc/passwd", "link"}) {
        const auto list = fmt::format(R"([{{"Config":"{}","RepoTags":[],"Layers":["l"]}}])", config);
        const auto tar =
            TarBuilder().link('2', "link", "/etc/passwd").file("l", p.layer).file("manifest.json", list).end();
        EXPECT_THAT(refusal(tar), HasSubstr("the archive has no")) << config;
    }
    const auto loop = TarBuilder()
                          .link('2', "a", "b")
                          .link('2', "b", "a")
                          .file("manifest.json", R"([{"Config":"a","Layers":[]}])")
                          .end();
    EXPECT_THAT(refusal(loop), HasSubstr("the archive has no"));
    EXPECT_THAT(refusal(TarBuilder()
                            .file("manifest.json", R"([{"Config":"c","RepoTags":["../../x"],"Layers":[]}])")
                            .file("c", p.config)
                            .end()),
                HasSubstr("layers"));
}

TEST_F(ArchiveTest, BelievesDigestsOnly) {  // M09, M18
    auto p = parts();
    const auto index = index_of(p.manifest, "");
    const auto with = [&](const std::string& layer, const std::string& config, const std::string& manifest) {
        return TarBuilder()
            .file("index.json", index)
            .file(blob(p.manifest), manifest)
            .file(blob(p.config), config)
            .file(blob(p.layer), layer)
            .end();
    };
    auto changed = p.layer;
    changed[600] = '!';
    EXPECT_THAT(refusal(with(changed, p.config, p.manifest)), HasSubstr("but the bytes that came are"));
    EXPECT_THAT(refusal(with(p.layer + "x", p.config, p.manifest)), HasSubstr("the manifest says"));
    EXPECT_THAT(refusal(with(p.layer, p.config + " ", p.manifest)), HasSubstr("does not have that digest"));
    EXPECT_THAT(refusal(with(p.layer, p.config, p.manifest + " ")), HasSubstr("does not have that digest"));
    EXPECT_THAT(refusal(TarBuilder().file("index.json", index).end()), HasSubstr("the archive has no"));
    EXPECT_THAT(refusal(TarBuilder().file("x", "y").end()), HasSubstr("no archive of images"));
}

}  // namespace
}  // namespace compose::image::test
