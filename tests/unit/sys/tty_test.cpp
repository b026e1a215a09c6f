// Terminals, waiting and signals, on a pty of their own.
#include "sys/tty.hpp"

#include <pty.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include "sys/error.hpp"
#include "sys/poll.hpp"
#include "sys/signals.hpp"

namespace compose::sys {
namespace {

struct Pty {
    Pty() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
        master = Fd(ends[0]);
        slave = Fd(ends[1]);
    }
    [[nodiscard]] tcflag_t local_flags() const {
        termios now{};
        EXPECT_EQ(::tcgetattr(slave.get(), &now), 0);
        return now.c_lflag;
    }
    Fd master, slave;
};

TEST(Tty, KnowsTerminalsAndTheirSize) {
    const Pty pty;
    const auto pipe = make_pipe();
    EXPECT_TRUE(is_terminal(pty.slave));
    EXPECT_FALSE(is_terminal(pipe.read));
    EXPECT_EQ(window_size(pipe.read), std::nullopt);
    EXPECT_EQ(window_size(pty.slave), std::nullopt);
    ASSERT_TRUE(set_window_size(pty.master, {33, 111}));
    const auto size = window_size(pty.slave);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->rows, 33);
    EXPECT_EQ(size->columns, 111);
    EXPECT_FALSE(set_window_size(pipe.read, {1, 1}));
}

TEST(Tty, RawModeIsUndone) {
    const Pty pty;
    const auto before = pty.local_flags();
    ASSERT_NE(before & ICANON, 0U);
    try {
        const RawMode raw{pty.slave};
        EXPECT_EQ(pty.local_flags() & (ICANON | ECHO | ISIG), 0U);
        throw 1;
    } catch (int) {
    }
    EXPECT_EQ(pty.local_flags(), before);
    const auto pipe = make_pipe();
    EXPECT_THROW(RawMode{pipe.read}, Error);
}

TEST(Poll, TellsEndOfFileFromNothingYet) {
    auto pipe = make_pipe();
    set_nonblocking(pipe.read, true);
    std::array<char, 8> buffer;
    EXPECT_EQ(read_some(pipe.read, buffer), std::nullopt);
    std::array<PollItem, 2> items{PollItem{.fd = pipe.read}, PollItem{.fd = FdRef()}};
    EXPECT_FALSE(poll(items, std::chrono::milliseconds(0)));
    EXPECT_EQ(write_some(pipe.write, "abc"), 3U);
    EXPECT_TRUE(poll(items, std::nullopt));
    EXPECT_TRUE(items[0].readable);
    EXPECT_FALSE(items[1].readable);
    EXPECT_EQ(read_some(pipe.read, buffer), 3U);
    pipe.write.reset();
    EXPECT_TRUE(poll(items, std::nullopt));
    EXPECT_EQ(read_some(pipe.read, buffer), 0U);
}

TEST(Poll, NoticesThatNobodyReads) {
    ignore_sigpipe();
    auto pipe = make_pipe();
    pipe.read.reset();
    std::array<PollItem, 1> items{PollItem{.fd = pipe.write, .want_read = false, .want_write = true}};
    EXPECT_TRUE(poll(items, std::nullopt));
    EXPECT_TRUE(items[0].broken);
    try {
        (void)write_some(pipe.write, "x");
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EPIPE);
    }
}

TEST(Poll, APtyWithoutASlaveIsAtItsEnd) {
    Pty pty;
    EXPECT_EQ(write_some(pty.slave, "last"), 4U);
    pty.slave.reset();
    std::array<char, 8> buffer;
    EXPECT_EQ(read_some(pty.master, buffer), 4U);
    EXPECT_EQ(read_some(pty.master, buffer), 0U);
}

TEST(SignalSet, ReadsThemInsteadOfDying) {
    {
        SignalSet signals({SIGTERM, SIGUSR1});
        EXPECT_EQ(signals.next(), std::nullopt);
        ::kill(::getpid(), SIGTERM);
        std::array<PollItem, 1> items{PollItem{.fd = signals.fd()}};
        EXPECT_TRUE(poll(items, std::chrono::seconds(5)));
        EXPECT_EQ(signals.next(), SIGTERM);
        ::kill(::getpid(), SIGUSR1);  // not read: it must not act when the mask is lifted
    }
    sigset_t now;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
    EXPECT_EQ(::sigismember(&now, SIGTERM), 0);
}

}  // namespace
}  // namespace compose::sys
