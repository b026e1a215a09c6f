// A folder for layers, with a canary beside it that nothing may touch.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "image/layer.hpp"
#include "sys/clock.hpp"
#include "sys/file.hpp"
#include "tar_builder.hpp"

namespace compose::image::test {

namespace fs = std::filesystem;

class LayerTest : public ::testing::Test {
protected:
    LayerTest() : root_(fs::temp_directory_path() / ("compose-image-" + sys::random_id().substr(0, 12))) {
        fs::create_directories(root_ / "layers");
        fs::create_directories(root_ / "canary");
        std::ofstream(root_ / "canary/file") << "canary";
    }
    ~LayerTest() override {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    UnpackedLayer unpack(const std::string& bytes, const std::string& parent = {}) {
        const auto path = root_ / "archive";
        sys::write_file(path, bytes);
        const auto fd = sys::open_file(path, O_RDONLY);
        return unpack_layer(fd, layers(), parent);
    }
    /// The folder of the unpacked archive.
    fs::path tree(const std::string& bytes, const std::string& parent = {}) {
        last_ = unpack(bytes, parent);
        return layers() / last_.chain_id;
    }
    std::string error(const std::string& bytes) {
        const auto before = names();
        try {
            unpack(bytes);
        } catch (const Error& error) {
            EXPECT_EQ(names(), before) << "something is left of the failed layer";
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return "no error";
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(layers()))
            if (!entry.path().filename().string().starts_with(".")) out.push_back(entry.path().filename());
        std::sort(out.begin(), out.end());
        return out;
    }
    void expect_canary() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(root_ / "canary")) {
            static_cast<void>(entry);
            ++count;
        }
        EXPECT_EQ(count, 1U);
        EXPECT_EQ(sys::read_file(root_ / "canary/file"), "canary");
    }
    static struct stat stat_of(const fs::path& path) {
        struct stat info {};
        EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
        return info;
    }
    fs::path layers() const { return root_ / "layers"; }

    fs::path root_;
    UnpackedLayer last_;
};

template <class Body>
std::string message_of(Body body) {
    try {
        body();
    } catch (const Error& error) {
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return "no error";
}

}  // namespace compose::image::test
