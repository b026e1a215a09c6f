// Rotated files that are compressed: read like any others, whoever dies in between.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "supervisor/log_compressor.hpp"
#include "supervisor/log_file.hpp"
#include "supervisor/log_reader.hpp"
#include "supervisor/output_log.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {
namespace {

std::string gzip(std::string_view text) {
    GzipWriter writer;
    std::string out;
    writer.add(text, out);
    writer.finish(out);
    return out;
}

std::string record(int second, std::string_view text, const char* tag = "F") {
    return fmt::format("2026-01-02T03:{:02}:{:02}.000000000Z stdout {} {}\n", second / 60, second % 60, tag, text);
}

std::string numbers(int from, int to) {
    std::string all;
    for (int i = from; i < to; ++i) all += std::to_string(i) + "\n";
    return all;
}

std::string records(int from, int to) {
    std::string all;
    for (int i = from; i < to; ++i) all += record(i, std::to_string(i));
    return all;
}

class CompressedLogs : public testing::Test {
protected:
    CompressedLogs() {
        char name[] = "/tmp/compose-log-XXXXXX";
        folder_ = ::mkdtemp(name);
        path_ = folder_ + "/container.log";
    }
    ~CompressedLogs() override { std::filesystem::remove_all(folder_); }

    void put(const std::string& suffix, const std::string& bytes) { sys::write_file(path_ + suffix, bytes); }
    static std::string rest_of(LogReader& reader) {
        std::string all;
        LogLine line;
        while (reader.next(line)) {
            all += line.bytes;
            if (line.newline) all += '\n';
        }
        return all;
    }
    std::string contents(LogQuery query = {}) {
        LogReader reader(path_, query);
        return rest_of(reader);
    }
    // Until the compressor has nothing left to do.
    void compress_all() {
        sys::EventLoop loop;
        LogCompressor compressor(loop);
        compressor.look_at(path_);
        sys::EventLoop::Watch watch;
        std::function<void()> look = [&] {
            if (compressor.idle()) return loop.stop();
            watch = loop.after(std::chrono::milliseconds(1), look);
        };
        look();
        loop.run();
    }

    std::string folder_, path_;
    LogBuffers buffers_;
};

TEST_F(CompressedLogs, AnyPlaceOfTheTextIsFound) {
    std::string text;
    std::mt19937 random(3);
    while (text.size() < 400000) text += std::to_string(random()) + "\n";
    put(".1.gz", gzip(text));
    GzipReader reader(sys::open_for_reading(path_ + ".1.gz"));
    for (int i = 0; i < 100; ++i) {
        const auto from = random() % text.size();
        std::string piece(random() % 100000, '\0');
        piece.resize(reader.read_at(piece, from));
        ASSERT_EQ(piece, text.substr(from, piece.size()));
        ASSERT_TRUE(piece.size() > 0 || from == text.size());
    }
    std::string behind(10, '\0');
    EXPECT_EQ(reader.read_at(behind, text.size()), 0U);
}

TEST_F(CompressedLogs, ABrokenFileEndsWhereItBreaks) {
    const auto whole = gzip(records(0, 2000));
    put(".1.gz", whole.substr(0, whole.size() / 2));
    put("", records(2000, 2001));
    const auto all = contents();
    EXPECT_TRUE(all.starts_with("0\n1\n"));
    EXPECT_TRUE(all.ends_with("\n2000\n"));
    put(".1.gz", "no gzip");
    EXPECT_EQ(contents(), "2000\n");
}

TEST_F(CompressedLogs, TheLastLinesAcrossPlainAndCompressedFiles) {
    put(".3.gz", gzip(records(0, 1000)));
    put(".2.gz", gzip(records(1000, 2000)));
    put(".1", records(2000, 2500));
    put("", records(2500, 3000));
    EXPECT_EQ(contents(), numbers(0, 3000));
    for (const int lines : {0, 1, 499, 500, 501, 999, 1000, 1001, 1500, 1999, 2000, 2001, 2999, 3000, 4000})
        EXPECT_EQ(contents({.tail = lines}), numbers(std::max(0, 3000 - lines), 3000)) << lines;
    EXPECT_EQ(contents({.since = parse_log_time("2026-01-02T03:33:19.000000000Z"),
                        .until = parse_log_time("2026-01-02T03:33:21.000000000Z")}),
              numbers(1999, 2002));
}

TEST_F(CompressedLogs, PiecesOfALineStayTogether) {
    put(".2.gz", gzip(record(1, "one") + record(2, "t", "P")));
    put(".1.gz", gzip(record(3, "w", "P")));
    put("", record(4, "o") + record(5, "three"));
    EXPECT_EQ(contents({.tail = 1}), "three\n");
    EXPECT_EQ(contents({.tail = 2}), "two\nthree\n");
    EXPECT_EQ(contents({.tail = 3}), "one\ntwo\nthree\n");
}

TEST_F(CompressedLogs, ThePlainOneCountsWhereBothAreThere) {
    put(".2", records(0, 10));
    put(".2.gz", gzip(records(0, 10)));
    put(".1", records(10, 20));
    put("", records(20, 30));
    put(".gz.part", "half of something");
    EXPECT_EQ(contents(), numbers(0, 30));
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 10, .files = 4});
    sys::write_all(out.write, "30\n");
    log.step(Stream::out, buffers_);
    EXPECT_TRUE(sys::exists(path_ + ".3"));
    EXPECT_FALSE(sys::exists(path_ + ".3.gz"));
    EXPECT_EQ(contents(), numbers(0, 31));
    compress_all();
    for (const char* gone : {".1", ".2", ".3", ".gz.part"}) EXPECT_FALSE(sys::exists(path_ + gone)) << gone;
    EXPECT_EQ(contents(), numbers(0, 31));
    // Compressed ones get older like the others.
    sys::write_all(out.write, "31\n");
    log.step(Stream::out, buffers_);
    EXPECT_EQ(contents(), numbers(10, 32));
    EXPECT_FALSE(log_file_exists(path_, 4));
}

TEST_F(CompressedLogs, AReaderGoesOnThoughItsFileIsCompressedMeanwhile) {
    put(".2", records(0, 100));
    put(".1", records(100, 200));
    put("", records(200, 300));
    for (int stop : {1, 99, 100, 101, 199, 200}) {
        put(".2", records(0, 100));
        put(".1", records(100, 200));
        sys::remove_file(path_ + ".2.gz");
        sys::remove_file(path_ + ".1.gz");
        LogReader reader(path_, {});
        LogLine line;
        for (int i = 0; i < stop; ++i) ASSERT_TRUE(reader.next(line));
        compress_all();
        ASSERT_EQ(rest_of(reader), numbers(stop, 300)) << stop;
    }
}

TEST_F(CompressedLogs, AFollowerSeesEveryLineOnce) {
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 3000, .files = 5});
    LogReader quick(path_, {}), slow(path_, {});
    LogLine line;
    for (int i = 0; i < 600; ++i) {
        sys::write_all(out.write, fmt::format("{}\n", i));
        log.step(Stream::out, buffers_);
        if (i % 50 == 0) compress_all();
        ASSERT_TRUE(quick.next(line)) << i;
        ASSERT_EQ(line.bytes, std::to_string(i));
        ASSERT_FALSE(quick.next(line));
        // This one is a file or two behind.
        if (i < 100) continue;
        ASSERT_TRUE(slow.next(line));
        ASSERT_EQ(line.bytes, std::to_string(i - 100));
    }
    EXPECT_EQ(rest_of(slow), numbers(500, 600));
}

TEST_F(CompressedLogs, EveryLineOnceThoughTheCompressorIsKilledAtARandomInstant) {
    std::mt19937 random(5);
    int killed = 0;
    for (int round = 0; round < 40; ++round) {
        for (int age = 1; age < 5; ++age) {
            remove_log_file(path_, age);
            put("." + std::to_string(age), records((4 - age) * 800, (5 - age) * 800));
        }
        put("", records(3200, 3300));
        const pid_t child = ::fork();
        if (child == 0) {
            compress_all();
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(random() % 9000));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status) ? 1 : 0;
        ASSERT_EQ(contents(), numbers(0, 3300));
        ASSERT_EQ(contents({.tail = 3000}), numbers(300, 3300));
        auto out = sys::make_pipe();
        OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 10, .files = 9});
        sys::write_all(out.write, "3300\n");
        log.step(Stream::out, buffers_);
        ASSERT_EQ(contents(), numbers(0, 3301));
        remove_log_file(path_, 5);
    }
    EXPECT_GT(killed, 5);
}

TEST_F(CompressedLogs, WhatIsPushedOutMeanwhileIsGivenUp) {
    put(".1", records(0, 60000));
    sys::EventLoop loop;
    LogCompressor compressor(loop);
    compressor.look_at(path_);
    const auto later = loop.after(std::chrono::milliseconds(5), [&] {
        EXPECT_FALSE(compressor.idle());
        sys::remove_file(path_ + ".1");
    });
    sys::EventLoop::Watch watch;
    std::function<void()> look = [&] {
        if (compressor.idle()) return loop.stop();
        watch = loop.after(std::chrono::milliseconds(1), look);
    };
    look();
    loop.run();
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
    // Nothing is made in a folder that is about to go.
    put(".1", records(0, 60000));
    compressor.look_at(path_);
    const auto forget = loop.after(std::chrono::milliseconds(5), [&] {
        compressor.forget(path_);
        EXPECT_TRUE(compressor.idle());
        EXPECT_FALSE(sys::exists(path_ + ".gz.part"));
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(sys::exists(path_ + ".1"));
}

}  // namespace
}  // namespace compose::supervisor
