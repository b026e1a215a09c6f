// A pull and a load that are killed, and ones that find the disk full, at many places: the store is sound afterwards,
// the next try goes on from what is there.
#include <signal.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "support/background.hpp"

namespace compose::test {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Milliseconds = std::chrono::milliseconds;

constexpr int kLayers = 5;  // of hostile_images.py: layer I has one file of so many bytes
constexpr std::uintmax_t size_of_layer(int index) {
    return 40000U + static_cast<unsigned>(index) * 40000U;
}

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (!entry.path().filename().string().starts_with(".")) out.push_back(entry.path().filename());
    return out;
}

std::int64_t bytes_in(const std::string& folder) {
    std::int64_t sum = 0;
    std::error_code error;
    for (const auto& name : names_in(folder)) {
        const auto size = fs::file_size(folder + "/" + name, error);
        if (!error) sum += static_cast<std::int64_t>(size);
    }
    return sum;
}

class PullFaults : public testing::Test {
protected:
    void SetUp() override {
        REQUIRE_ROOT();
        box.emplace();
        box->environment["COMPOSE_HTTP_TIMEOUT"] = "20";
        registry.emplace(*box);
        for (const auto& name : names_in(layers())) before.insert(name);
    }
    void TearDown() override {
        registry.reset();
        box.reset();
    }
    [[nodiscard]] std::string layers() const { return state() + "/layers"; }
    [[nodiscard]] std::string blobs() const { return state() + "/blobs/sha256"; }
    [[nodiscard]] std::string partial() const { return state() + "/blobs/partial"; }
    [[nodiscard]] std::string state() const { return box->environment.at("COMPOSE_STATE_DIR"); }

    /// `compose ARGS` that can be killed.
    [[nodiscard]] std::unique_ptr<Background> start(const std::vector<std::string>& arguments) const {
        std::vector<std::string> argv{"env", "COMPOSE_STATE_DIR=" + state(), "COMPOSE_RUN_DIR=" + box->run_dir(),
                                      COMPOSE_BINARY};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return std::make_unique<Background>(*box, argv, box->path("output"));
    }

    /// An image's name; its archives of both kinds are new.tar and old.tar, and it is no longer in the store.
    [[nodiscard]] std::string save_both_kinds() const {
        std::ofstream(registry->folder() + "/go-several-0") << "";
        auto name = registry->name("several-0");
        box->ok({"image", "pull", "-q", name});
        box->ok({"image", "save", "-o", box->path("new.tar"), name});
        box->ok({"image", "rm", name});
        const auto copied = box->host({"skopeo", "copy", "oci-archive:" + box->path("new.tar"),
                                       "docker-archive:" + box->path("old.tar") + ":" + name});
        EXPECT_TRUE(copied.ok()) << copied.err;
        return name;
    }

    /// Whatever has a final name is whole.
    void expect_sound(const std::string& where) const {
        for (const auto& name : names_in(blobs())) EXPECT_EQ(sha256_hex(slurp(blobs() + "/" + name)), name) << where;
        for (const auto& layer : names_in(layers())) {
            if (layer.starts_with("tmp-") || before.contains(layer)) continue;
            const auto files = names_in(layers() + "/" + layer);
            ASSERT_EQ(files.size(), 1U) << where;
            const int index = files[0].back() - '0';
            EXPECT_EQ(fs::file_size(layers() + "/" + layer + "/" + files[0]), size_of_layer(index)) << where;
        }
    }
    /// And nothing else is there.
    void expect_whole(const std::string& where) const {
        expect_sound(where);
        EXPECT_EQ(names_in(layers()).size(), before.size() + kLayers) << where;
        EXPECT_EQ(names_in(blobs()).size(), static_cast<std::size_t>(kLayers)) << where;
        EXPECT_THAT(names_in(partial()), IsEmpty()) << where;
    }
    void expect_gone(const std::string& where) const {
        EXPECT_EQ(names_in(layers()).size(), before.size()) << where;
        EXPECT_THAT(names_in(blobs()), IsEmpty()) << where;
    }

    /// Bytes of layers that the registry has been asked for in this repository.
    [[nodiscard]] std::int64_t served(const std::string& scenario) const {
        std::int64_t sum = 0;
        for (const auto& line : split(slurp(registry->folder() + "/served"), '\n')) {
            if (line.empty()) continue;
            const auto value = parse_json(line);
            const auto& object = value.get_object();
            if (string_or(object, "name") == scenario)
                sum += object.at("size").as_int64() - object.at("start").as_int64();
        }
        return sum;
    }

    std::optional<Sandbox> box;
    std::optional<HostileRegistry> registry;
    std::set<std::string> before;
};

TEST_F(PullFaults, KilledAfterSoManyBytesItGoesOnFromThere) {
    std::vector<int> points{0, 1, 200, 700, 1500, 2500, 4000};
    for (int at = 10'000; at < 600'000; at += 37'000) points.push_back(at);
    for (const int point : points) {
        const auto scenario = fmt::format("several-{}", point);
        const auto name = registry->name(scenario);
        const auto stopped = registry->folder() + "/stopped-" + scenario;
        const auto pull = start({"image", "pull", name});
        // The server has sent so much and waits; what it has sent has arrived.
        std::int64_t sent = -1;
        ASSERT_TRUE(eventually(
            [&] {
                const auto text = slurp(stopped);
                if (text.empty()) return false;
                sent = std::stol(text);
                return bytes_in(blobs()) + bytes_in(partial()) >= sent;
            },
            Milliseconds(20'000)))
            << point << slurp(box->path("output"));
        pull->kill(SIGKILL);
        expect_sound(scenario);
        EXPECT_THAT(box->ok({"image", "ls"}), Not(HasSubstr(scenario)));
        // Else the server might still find a request of the dead one.
        ASSERT_TRUE(eventually([&] { return slurp(registry->folder() + "/connections") == "0"; })) << scenario;

        std::ofstream(registry->folder() + "/go-" + scenario) << "";
        const auto asked = served(scenario);
        box->ok({"image", "pull", "-q", name});
        expect_whole(scenario);
        const auto total = bytes_in(blobs());
        EXPECT_EQ(served(scenario) - asked, total - sent) << scenario << ": what was here came again";
        box->ok({"image", "rm", name});
        expect_gone(scenario);
    }
}

TEST_F(PullFaults, KilledWhileItFinishes) {
    std::ofstream(registry->folder() + "/go-several-0") << "";
    const auto name = registry->name("several-0");
    const auto all_here = [&] { return bytes_in(blobs()) + bytes_in(partial()) >= 600'000; };
    for (const int delay : {0, 1, 2, 3, 5, 8, 12, 18, 25, 40}) {
        const auto where = fmt::format("{} ms", delay);
        const auto pull = start({"image", "pull", name});
        ASSERT_TRUE(eventually(all_here, Milliseconds(20'000))) << slurp(box->path("output"));
        std::this_thread::sleep_for(Milliseconds(delay));
        pull->kill(SIGKILL);
        expect_sound(where);
        if (box->ok({"image", "ls"}).find("several-0") != std::string::npos) expect_whole(where);
        const auto asked = served("several-0");
        box->ok({"image", "pull", "-q", name});
        expect_whole(where);
        EXPECT_EQ(served("several-0"), asked) << where << ": what was here came again";
        box->ok({"image", "rm", name});
        expect_gone(where);
    }
}

TEST_F(PullFaults, AKilledLoadLeavesNothingBehind) {
    const auto name = save_both_kinds();
    for (const char* file : {"new.tar", "old.tar"}) {
        const auto begin = std::chrono::steady_clock::now();
        box->ok({"image", "load", "-i", box->path(file)});
        const auto whole = std::chrono::steady_clock::now() - begin;
        box->ok({"image", "rm", name});
        constexpr int kPoints = 12;
        for (int i = 0; i < kPoints; ++i) {
            const auto where = fmt::format("{} at {} of {}", file, i, kPoints);
            const auto load = start({"image", "load", "-i", box->path(file)});
            std::this_thread::sleep_for(whole * i / kPoints);
            load->kill(SIGKILL);
            expect_sound(where);
            if (box->ok({"image", "ls"}).find("several-0") != std::string::npos) expect_whole(where);
            box->ok({"image", "load", "-i", box->path(file)});
            expect_whole(where);
            box->ok({"image", "rm", name});
            expect_gone(where);
        }
    }
    // One that reads a pipe keeps what has come in a file without a name.
    box->write("feed", "#!/bin/sh\nhead -c 300000 \"$1\"; exec sleep 60\n", 0755);
    const auto reads = [&] {
        const auto pipe = box->path("pipe");
        return box->host({"mkfifo", pipe}).ok() ? pipe : std::string();
    }();
    Background feed(*box, {"sh", "-c", "exec \"$0\" \"$1\" > \"$2\"", box->path("feed"), box->path("new.tar"), reads},
                    box->path("feed.log"));
    const auto load = start({"image", "load", "-i", reads});
    EXPECT_TRUE(eventually([&] {
        std::istringstream io(slurp("/proc/" + std::to_string(load->pid()) + "/io"));
        std::string rchar;
        long bytes = 0;
        return io >> rchar >> bytes && bytes >= 300'000;
    })) << "it has read what there is";
    load->kill(SIGKILL);
    EXPECT_THAT(names_in(partial()), IsEmpty());
    expect_gone("pipe");
}

/// A state folder on a small file system of its own.
class FullDisk : public PullFaults {
protected:
    void SetUp() override {
        PullFaults::SetUp();
        if (!box) return;
        small = box->path("small");
        fs::create_directories(small);
        ASSERT_TRUE(box->host({"mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", small}).ok());
        box->environment["COMPOSE_STATE_DIR"] = small + "/state";
        box->ok({"image", "ls"});
        before.clear();
    }
    void TearDown() override {
        if (!box) return;
        box->environment["COMPOSE_STATE_DIR"] = box->state();
        EXPECT_TRUE(box->host({"umount", small}).ok());
        PullFaults::TearDown();
    }
    [[nodiscard]] std::int64_t room() const {
        struct statvfs info {};
        EXPECT_EQ(::statvfs(small.c_str(), &info), 0);
        return static_cast<std::int64_t>(info.f_bavail * info.f_bsize);
    }
    void leave(std::int64_t bytes) const {
        fs::remove(small + "/filler");
        std::ofstream(small + "/filler") << std::string(static_cast<std::size_t>(room() - bytes), 'f');
    }
    /// Runs `command` with so little room that it fails, then with enough.
    void try_with_little_room(const std::vector<std::string>& command, const std::string& name) {
        for (std::int64_t left = 60'000; left <= 1'060'000; left += 125'000) {
            const auto where = fmt::format("{} bytes left", left);
            leave(left);
            const auto result = box->compose(command);
            EXPECT_EQ(result.exit_code, 1) << where << result.err;
            EXPECT_THAT(result.err, AnyOf(HasSubstr("no space left on device"), HasSubstr("is full"))) << where;
            EXPECT_THAT(result.err, HasSubstr("make room on the file system")) << where;
            expect_sound(where);
            expect_gone(where);
            EXPECT_THAT(names_in(partial()), IsEmpty()) << where;
            EXPECT_GT(room(), left - 50'000) << where << ": the database alone may have grown";
            fs::remove(small + "/filler");
            EXPECT_THAT(box->ok({"image", "ls"}), Not(HasSubstr("several"))) << where;
        }
        box->ok(command);
        expect_whole("with room");
        box->ok({"image", "rm", name});
    }

    std::string small;
};

TEST_F(FullDisk, APullGivesTheRoomBack) {
    std::ofstream(registry->folder() + "/go-several-0") << "";
    const auto name = registry->name("several-0");
    try_with_little_room({"image", "pull", name}, name);
    // T27: a bomb is stopped by what there is room for, and is gone then.
    const auto error = box->fails({"image", "pull", registry->name("zeros")});
    EXPECT_THAT(error, HasSubstr("no space left on device"));
    expect_gone("zeros");
    EXPECT_GT(room(), 7'000'000);
}

TEST_F(FullDisk, ALoadGivesTheRoomBack) {
    const auto name = save_both_kinds();
    try_with_little_room({"image", "load", "-i", box->path("new.tar")}, name);
    try_with_little_room({"image", "load", "-i", box->path("old.tar")}, name);
}

}  // namespace
}  // namespace compose::test
