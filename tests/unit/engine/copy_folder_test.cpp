// Folders of copies: made once, whole or not at all.
#include "engine/copy_folder.hpp"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sys/file.hpp"

namespace compose::engine {
namespace {

namespace fs = std::filesystem;

class CopyFolderTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "copies-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        top_ = name;
    }
    void TearDown() override { fs::remove_all(top_); }
    [[nodiscard]] std::string parent() const { return top_ + "/kind"; }

    std::string top_;
};

TEST_F(CopyFolderTest, OfManyOneMakesIt) {
    std::atomic<int> made{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                const auto folder = keep_copy(parent(), "key", [&](const std::string& empty) {
                    ++made;
                    sys::write_file(empty + "/one", "1");
                    sys::write_file(empty + "/two", "2");
                });
                EXPECT_EQ(sys::read_file(folder + "/two"), "2");
            });
    }
    EXPECT_EQ(made, 1);
    EXPECT_FALSE(fs::exists(parent() + "/key.part"));
}

TEST_F(CopyFolderTest, WhatFailedIsBegunAnew) {
    const auto fail = [](const std::string& empty) {
        sys::write_file(empty + "/half", "x");
        throw Error("cut off");
    };
    EXPECT_THROW((void)keep_copy(parent(), "key", fail), Error);
    EXPECT_EQ(find_copy(parent(), "key"), "");
    const auto folder = keep_copy(parent(), "key", [](const std::string& empty) {
        EXPECT_TRUE(fs::is_empty(empty));
        sys::write_file(empty + "/whole", "x");
    });
    EXPECT_FALSE(fs::exists(folder + "/half"));
    EXPECT_EQ(find_copy(parent(), "key"), folder);
}

TEST_F(CopyFolderTest, OnlyOldOnesGo) {
    const auto folder = keep_copy(parent(), "key", [](const std::string&) {});
    EXPECT_FALSE(remove_copy(parent(), "key", std::chrono::hours(1)));
    fs::last_write_time(folder, fs::file_time_type::clock::now() - std::chrono::hours(2));
    EXPECT_EQ(find_copy(parent(), "key"), folder) << "and it is of use again";
    EXPECT_FALSE(remove_copy(parent(), "key", std::chrono::hours(1)));
    fs::last_write_time(folder, fs::file_time_type::clock::now() - std::chrono::hours(2));
    EXPECT_TRUE(remove_copy(parent(), "key", std::chrono::hours(1)));
    EXPECT_TRUE(fs::is_empty(parent()));
    EXPECT_FALSE(remove_copy(parent(), "key", std::chrono::hours(1)));
}

}  // namespace
}  // namespace compose::engine
