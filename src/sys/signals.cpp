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

void ignore_sigpipe() {
    ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace compose::sys
