#include "sys/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sys/error.hpp"

namespace compose::sys {

struct SignalSet::Mask {
    sigset_t set{};
};

SignalSet::SignalSet(const std::vector<int>& signals) : before_(std::make_unique<Mask>()) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals) ::sigaddset(&set, signal);
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, &before_->set); error != 0)
        throw error_from(error, "block signals");
    fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (fd_) return;
    const auto failure = errno_error("make a signal descriptor");
    ::pthread_sigmask(SIG_SETMASK, &before_->set, nullptr);
    throw failure;
}

SignalSet::~SignalSet() {
    // What arrived but was not read would act the moment the mask is lifted.
    while (next()) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_->set, nullptr);
}

std::optional<int> SignalSet::next() {
    signalfd_siginfo info{};
    for (;;) {
        const auto n = ::read(fd_.get(), &info, sizeof info);
        if (n == sizeof info) return static_cast<int>(info.ssi_signo);
        if (n < 0 && errno == EINTR) continue;
        return std::nullopt;
    }
}

namespace {

volatile sig_atomic_t exit_status = 0;

void exit_now(int) {
    ::_exit(exit_status);
}

}  // namespace

void exit_on(const std::vector<int>& signals, int status) {
    exit_status = status;
    struct sigaction action {};
    action.sa_handler = exit_now;
    for (const int signal : signals) {
        struct sigaction before {};
        // Whoever started us in the background of a script may have had them ignored.
        if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
            ::sigaction(signal, &action, nullptr);
    }
}

void ignore_sigpipe() {
    ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace compose::sys
