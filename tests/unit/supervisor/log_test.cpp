// The road from a pipe to container.log, with the process dying at every step of it, and the way back out.
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "supervisor/log_reader.hpp"
#include "supervisor/output_log.hpp"
#include "sys/file.hpp"

namespace compose::supervisor {
namespace {

const sys::WallTime kNow = *parse_log_time("2026-01-02T03:04:05.123456789Z");

std::string formatted(std::string_view raw, bool ended = false, std::size_t* used = nullptr) {
    std::string out;
    const auto n = format_log(raw, Stream::out, kNow, ended, out);
    if (used != nullptr) *used = n;
    return out;
}

TEST(LogFormat, WholeLinesOnly) {
    std::size_t used = 0;
    EXPECT_EQ(formatted("one\n\ntwo\nrest", false, &used),
              "2026-01-02T03:04:05.123456789Z stdout F one\n"
              "2026-01-02T03:04:05.123456789Z stdout F \n"
              "2026-01-02T03:04:05.123456789Z stdout F two\n");
    EXPECT_EQ(used, 9U);
    EXPECT_EQ(formatted("rest", true), "2026-01-02T03:04:05.123456789Z stdout F:n rest\n");
    EXPECT_EQ(formatted("", true), "");
}

TEST(LogFormat, LongLinesInPieces) {
    const std::string piece(kLogPiece, 'x');
    std::size_t used = 0;
    EXPECT_EQ(formatted(piece, false, &used), "");
    EXPECT_EQ(formatted(piece + "\n", false, &used), "2026-01-02T03:04:05.123456789Z stdout F " + piece + "\n");
    EXPECT_EQ(formatted(piece + "y", false, &used), "2026-01-02T03:04:05.123456789Z stdout P " + piece + "\n");
    EXPECT_EQ(used, kLogPiece);
}

TEST(LogFormat, LinesComeBack) {
    auto line = parse_log_line("2026-01-02T03:04:05.123456789Z stderr F a b");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->stream, Stream::err);
    EXPECT_EQ(line->bytes, "a b");
    EXPECT_TRUE(line->newline);
    EXPECT_EQ(parse_log_time(line->time), kNow);
    EXPECT_TRUE(parse_log_line("2026-01-02T03:04:05.123456789Z stdout P a")->continued);
    EXPECT_FALSE(parse_log_line("2026-01-02T03:04:05.123456789Z stdout F:n a")->newline);
    for (const auto* wrong : {"", "hello", "2026-01-02T03:04:05.123456789Z stdxxx F a",
                              "2026-01-02T03:04:05.123456789Z stdout Q a", "2026-01-02T03:04:05.123456789Z stdout F"})
        EXPECT_FALSE(parse_log_line(wrong)) << wrong;
}

class LogFiles : public testing::Test {
protected:
    LogFiles() {
        char name[] = "/tmp/compose-log-XXXXXX";
        folder_ = ::mkdtemp(name);
        path_ = folder_ + "/container.log";
    }
    ~LogFiles() override { std::filesystem::remove_all(folder_); }

    // All bytes of both streams that the files hold, read through the reader.
    std::string contents(LogQuery query = {}) {
        LogReader reader(path_, query);
        std::string all;
        LogLine line;
        while (reader.next(line)) {
            all += line.bytes;
            if (line.newline) all += '\n';
        }
        return all;
    }
    static OutputLog::Source copy_of(const OutputLog::Source& source) {
        OutputLog::Source copy;
        for (const auto at : {0, 1}) {
            if (source.pipe[at]) copy.pipe[at] = source.pipe[at].duplicate();
            copy.spool[at] = source.spool[at].duplicate();
        }
        copy.page = source.page.duplicate();
        return copy;
    }

    std::string folder_, path_;
    LogBuffers buffers_;
};

void pump_all(OutputLog& log, Stream stream, LogBuffers& buffers) {
    while (log.step(stream, buffers) == OutputLog::Step::moved) {
    }
}

TEST_F(LogFiles, BytesRoundTripExactly) {
    auto out = sys::make_pipe();
    auto err = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), std::move(err.read)), {});
    std::string sent;
    std::mt19937 random(7);
    for (int i = 0; i < 300; ++i) {
        std::string block(random() % 50000, '\0');
        for (auto& c : block) c = static_cast<char>(random() % 97 == 0 ? '\n' : random());
        if (i % 3 == 0) block.assign(block.size(), 'x');
        for (std::size_t at = 0; at < block.size(); at += 30000) {
            sys::write_all(out.write, std::string_view(block).substr(at, 30000));
            log.step(Stream::out, buffers_);
        }
        sent += block;
    }
    out.write.reset();
    pump_all(log, Stream::out, buffers_);
    EXPECT_TRUE(log.ended(Stream::out));
    EXPECT_EQ(contents(), sent);
}

TEST_F(LogFiles, ASmallFileTakesOneLineTooMuchAtMost) {
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 1000, .files = 3});
    std::string sent;
    for (int i = 0; i < 3000; ++i) sent += fmt::format("{}\n", i);
    sys::write_all(out.write, sent);
    while (log.step(Stream::out, buffers_) == OutputLog::Step::moved) {
    }
    for (const char* age : {"", ".1", ".2"}) {
        const auto size = sys::read_file(path_ + age).size();
        EXPECT_LT(size, 1000U + 50U) << age;
        EXPECT_GT(size, age == std::string_view() ? 0U : 999U) << age;
    }
    EXPECT_TRUE(sent.ends_with(contents()));
    EXPECT_EQ(contents({.tail = 1}), "2999\n");
}

TEST_F(LogFiles, RotatesAndKeepsTheLastFiles) {
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 10000, .files = 3});
    std::string sent;
    for (int i = 0; i < 1000; ++i) {
        const auto line = fmt::format("line {}\n", i);
        sent += line;
        sys::write_all(out.write, line);
        log.step(Stream::out, buffers_);
    }
    EXPECT_TRUE(sys::exists(path_ + ".2"));
    EXPECT_FALSE(sys::exists(path_ + ".3"));
    const auto kept = contents();
    EXPECT_TRUE(sent.ends_with(kept));
    EXPECT_GT(kept.size(), 3000U);
    EXPECT_EQ(contents({.tail = 300}), sent.substr(sent.find("line 700\n")));
    EXPECT_EQ(contents({.tail = 1}), "line 999\n");
    EXPECT_EQ(contents({.tail = 0}), "");
    EXPECT_EQ(contents({.tail = 100000}), kept);
}

TEST_F(LogFiles, ARotationCutShortLosesNothing) {
    // A writer that died between two renames leaves a name missing: it is read across, and closed by the next rotation.
    const auto in_file = [&](const std::string& suffix, const std::string& line) {
        std::ofstream(path_ + suffix) << formatted(line + "\n");
    };
    in_file(".3", "one");
    in_file(".2", "two");
    in_file("", "three");
    EXPECT_EQ(contents(), "one\ntwo\nthree\n");
    EXPECT_EQ(contents({.tail = 2}), "two\nthree\n");
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 10, .files = 4});
    sys::write_all(out.write, "four\n");
    log.step(Stream::out, buffers_);
    EXPECT_EQ(contents(), "one\ntwo\nthree\nfour\n");
    sys::write_all(out.write, "five\n");
    log.step(Stream::out, buffers_);
    EXPECT_EQ(contents(), "two\nthree\nfour\nfive\n");
}

TEST_F(LogFiles, ASuccessorFinishesAnInterruptedWrite) {
    // The state as it is at each point where the process may have died, made by hand.
    enum class Died { before_write, half_written, after_write };
    for (const auto died : {Died::before_write, Died::half_written, Died::after_write}) {
        std::filesystem::remove(path_);
        auto out = sys::make_pipe();
        const auto source = OutputLog::make_source(std::move(out.read), {});
        {
            OutputLog log(path_, copy_of(source), {});
            sys::write_all(out.write, "first\n");
            log.step(Stream::out, buffers_);
        }
        sys::write_all(out.write, "second\n");
        ASSERT_EQ(sys::spool_from_pipe(source.pipe[0], source.spool[0], 1000), sys::Spooled::some);
        std::string text;
        format_log("second\n", Stream::out, kNow, false, text);
        const sys::SharedPage page(source.page);
        auto& state = *static_cast<LogState*>(page.get());
        const auto file = sys::open_to_append(path_);
        const auto facts = sys::facts_of(file);
        state.stream = 0;
        state.inode = facts.inode;
        state.size_before = facts.size;
        state.length = text.size();
        state.consumed_after = state.consumed[0] + 7;
        state.active = 1;
        if (died == Died::half_written) text.resize(text.size() / 2);
        if (died != Died::before_write) sys::write_all(file, text);

        OutputLog successor(path_, copy_of(source), {});
        successor.flush(Stream::out, buffers_);
        sys::write_all(out.write, "third\n");
        successor.step(Stream::out, buffers_);
        EXPECT_EQ(contents(), "first\nsecond\nthird\n") << static_cast<int>(died);
    }
}

TEST_F(LogFiles, ATornTailIsCutOff) {
    std::ofstream(path_) << "2026-01-02T03:04:05.123456789Z stdout F whole\n2026-01-02T03:04:05.1";
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {});
    sys::write_all(out.write, "next\n");
    log.step(Stream::out, buffers_);
    EXPECT_EQ(contents(), "whole\nnext\n");
}

TEST_F(LogFiles, EveryLineOnceThoughEachWriterIsKilledAtARandomInstant) {
    constexpr int kLines = 200000;
    auto out = sys::make_pipe();
    const auto source = OutputLog::make_source(std::move(out.read), {});
    const pid_t writer = ::fork();
    if (writer == 0) {
        std::string block;
        for (int i = 0; i < kLines; ++i) {
            block += std::to_string(i);
            block += '\n';
            if (block.size() < 4000 && i + 1 < kLines) continue;
            sys::write_all(out.write, block);
            block.clear();
        }
        ::_exit(0);
    }
    out.write.reset();
    std::mt19937 random(11);
    int killed = 0;
    for (bool done = false; !done;) {
        const pid_t pump = ::fork();
        if (pump == 0) {
            OutputLog log(path_, copy_of(source), {.file_size = 1 << 20, .files = 14});
            log.flush(Stream::out, buffers_);
            pump_all(log, Stream::out, buffers_);
            while (!log.ended(Stream::out)) log.step(Stream::out, buffers_);
            ::_exit(0);
        }
        // Longer and longer, so that it comes to an end on a slow machine too.
        ::usleep(static_cast<useconds_t>(random() % static_cast<unsigned>(1500 + 100 * killed)));
        ::kill(pump, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(pump, &status, 0), pump);
        done = WIFEXITED(status);
        if (!done) ++killed;
    }
    ::waitpid(writer, nullptr, 0);
    EXPECT_GE(killed, 2) << "too fast to have been killed in the middle";
    LogReader reader(path_, {});
    LogLine line;
    int expected = 0;
    while (reader.next(line)) {
        ASSERT_EQ(line.bytes, std::to_string(expected));
        ++expected;
    }
    EXPECT_EQ(expected, kLines);
}

TEST_F(LogFiles, OutputWithoutRoomIsDroppedAndMentioned) {
    if (::mount("none", folder_.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "needs a file system of its own";
    auto out = sys::make_pipe();
    auto log = std::make_unique<OutputLog>(path_, OutputLog::make_source(std::move(out.read), {}),
                                           LogLimits{.backlog = 100000});
    sys::write_all(out.write, "before\n");
    log->step(Stream::out, buffers_);
    const std::string line(999, 'x');
    for (int i = 0; i < 300; ++i) {
        sys::write_all(out.write, line);
        sys::write_all(out.write, "\n");
        log->step(Stream::out, buffers_);
    }
    EXPECT_TRUE(log->blocked(Stream::out));
    ASSERT_EQ(::mount("none", folder_.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
    log->flush(Stream::out, buffers_);
    sys::write_all(out.write, "after\n");
    log->step(Stream::out, buffers_);
    const auto all = contents();
    EXPECT_TRUE(all.starts_with("before\n"));
    EXPECT_TRUE(all.ends_with("after\n"));
    EXPECT_NE(all.find("bytes of output are missing here"), std::string::npos);
    EXPECT_LT(all.size(), 300000U);
    log.reset();
    ::umount2(folder_.c_str(), MNT_DETACH);
}

TEST_F(LogFiles, AFollowerSeesEverythingAcrossRotation) {
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {.file_size = 3000, .files = 3});
    LogReader reader(path_, {});
    (void)reader.watch();
    LogLine line;
    for (int i = 0; i < 500; ++i) {
        sys::write_all(out.write, fmt::format("{}\n", i));
        log.step(Stream::out, buffers_);
        ASSERT_TRUE(reader.wait(std::chrono::seconds(5)));
        ASSERT_TRUE(reader.next(line)) << i;
        ASSERT_EQ(line.bytes, std::to_string(i));
        ASSERT_FALSE(reader.next(line));
    }
    EXPECT_FALSE(reader.wait(std::chrono::milliseconds(1)));
}

TEST_F(LogFiles, ASpanOfTime) {
    std::ofstream file(path_);
    for (int i = 0; i < 60; ++i) file << fmt::format("2026-01-02T03:04:{:02}.000000000Z stdout F {}\n", i, i);
    file.close();
    const auto at = [](int second) { return parse_log_time(fmt::format("2026-01-02T03:04:{:02}.000000000Z", second)); };
    EXPECT_EQ(contents({.since = at(58)}), "58\n59\n");
    EXPECT_EQ(contents({.until = at(1)}), "0\n1\n");
    EXPECT_EQ(contents({.since = at(10), .until = at(11)}), "10\n11\n");
    EXPECT_EQ(contents({.tail = 1, .since = at(59)}), "59\n");
}

TEST_F(LogFiles, FormatsFastEnough) {
    auto out = sys::make_pipe();
    OutputLog log(path_, OutputLog::make_source(std::move(out.read), {}), {});
    const std::string block(64 * 1024, 'x');
    std::string lines;
    while (lines.size() + 100 <= block.size()) lines.append(99, 'y').push_back('\n');
    constexpr int kBlocks = 2000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kBlocks; ++i) {
        sys::write_all(out.write, lines);
        log.step(Stream::out, buffers_);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    RecordProperty("megabytes_per_second", static_cast<int>(kBlocks * 0.0655 / took.count()));
    // Far below what it reaches, so that a busy machine does not fail it.
    EXPECT_GT(kBlocks * 0.0655 / took.count(), 20);
}

}  // namespace
}  // namespace compose::supervisor
