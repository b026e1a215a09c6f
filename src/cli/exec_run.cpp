#include "cli/exec_run.hpp"

#include <csignal>

#include "cli/exec_streams.hpp"
#include "sys/tty.hpp"

namespace compose::cli {

namespace {

int run_with_terminal(const OpenExec& open, ExecOptions& options, bool interactive, const std::string& detach_keys) {
    sys::SignalSet signals({SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT});
    if (const auto size = sys::window_size(sys::FdRef(1))) {
        options.rows = size->rows;
        options.columns = size->columns;
    }
    DetachKeys keys(detach_keys);
    std::shared_ptr<ExecSession> session = open(options, -1, -1, -1);
    const sys::FdRef pty(session->terminal());
    ExecEnds ends{interactive ? sys::duplicate(pty) : sys::Fd(), sys::duplicate(pty), {}};
    ends.detach_keys = &keys;
    const sys::RawMode raw{sys::FdRef(0)};
    return carry_streams(std::move(session), std::move(ends), true, signals);
}

int run_with_pipes(const OpenExec& open, const ExecOptions& options, bool interactive) {
    sys::SignalSet signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
    auto in = sys::make_pipe();
    auto out = sys::make_pipe();
    auto err = sys::make_pipe();
    std::shared_ptr<ExecSession> session = open(options, in.read.get(), out.write.get(), err.write.get());
    in.read.reset();
    out.write.reset();
    err.write.reset();
    ExecEnds ends{interactive ? std::move(in.write) : sys::Fd(), std::move(out.read), std::move(err.read)};
    in.write.reset();
    return carry_streams(std::move(session), std::move(ends), false, signals);
}

}  // namespace

int run_exec(const OpenExec& open, ExecOptions options, bool interactive, const std::string& detach_keys) {
    return options.terminal ? run_with_terminal(open, options, interactive, detach_keys)
                            : run_with_pipes(open, options, interactive);
}

}  // namespace compose::cli
