// The keeper: reaper of all containers, holder of every descriptor that must outlive the supervisor, starter of
// supervisors. It knows no policy, and once it runs it allocates nothing.
#include <array>
#include <memory>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/keeper_table.hpp"
#include "supervisor/resident.hpp"
#include "sys/clock.hpp"
#include "sys/detach.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"
#include "sys/reaper.hpp"
#include "sys/socket.hpp"

namespace compose::supervisor {
namespace {

using std::chrono::milliseconds;

// A supervisor that dies sooner than this after its start has not done any good.
constexpr milliseconds kGoodLife{1000};
constexpr int kFreeTries = 8;
constexpr int kHopelessTries = 20;
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5000};

std::span<const std::byte> bytes_of(const KeeperPacket& packet) {
    return std::as_bytes(std::span<const KeeperPacket>(&packet, 1));
}

class Keeper {
public:
    Keeper(const ResidentArguments& arguments, std::unique_ptr<KeeperTable> table)
        : start_(arguments.render("__supervise")),
          table_(std::move(table)),
          image_(sys::kOwnImageFd),
          signals_(sys::child_signals()) {}

    void take_ready(sys::Fd ready) { ready_ = std::move(ready); }
    void take_over(sys::Fd supervisor) {
        pair_ = std::move(supervisor);
        handed_over_ = true;  // it has everything: it is the one that hands over
    }

    int run() {
        if (!pair_) start_supervisor();
        for (;;) {
            std::array<sys::WaitItem, 2> items{{{.fd = signals_}, {.fd = pair_, .write = pair_ && wants_to_send()}}};
            sys::wait_for_any({items.data(), pair_ ? 2U : 1U}, pair_ ? -1 : pause_left());
            // Messages before deaths: what a supervisor said before it died counts.
            if (items[1].readable) read_messages();
            if (items[0].readable) {
                sys::drain_signals(signals_);
                reap();
            }
            if (quitting_ && supervisor_ == 0 && !pair_) return 0;
            if (first_failed_ || hopeless()) return 1;
            if (!pair_ && pause_left() == 0) start_supervisor();
            if (pair_) send_news();
        }
    }

private:
    void start_supervisor() {
        int ends[2] = {-1, -1};
        try {
            auto pair = sys::make_seqpacket_pair();
            ends[0] = pair.first.release();
            ends[1] = pair.second.release();
        } catch (const Error&) {
            plan_next_try();
            return;
        }
        const std::array<int, 2> passed{ready_.get(), ends[1]};
        const pid_t pid = start_.spawn(image_, passed);
        sys::close_descriptor(ends[1]);
        if (pid < 0) {
            sys::close_descriptor(ends[0]);
            plan_next_try();
            return;
        }
        pair_ = sys::Fd(ends[0]);
        supervisor_ = pid;
        born_ = sys::monotonic_now();
        next_slot_ = 0;
        handed_over_ = false;
        table_->forget_sent();
    }

    [[nodiscard]] bool wants_to_send() const {
        if (!handed_over_) return true;
        for (const auto& exit : table_->exits())
            if (exit.used && !exit.sent) return true;
        return false;
    }

    /// False when there is no room now, or nobody there.
    bool send(const KeeperPacket& packet, std::span<const int> fds) {
        return sys::send_fixed(pair_, bytes_of(packet), fds, false) == sys::FixedResult::done;
    }

    void send_news() {
        if (!handed_over_) {
            for (const auto slots = table_->slots(); next_slot_ < slots.size(); ++next_slot_) {
                const auto& slot = slots[next_slot_];
                if (!slot.used) continue;
                KeeperPacket packet{.word = KeeperWord::stored, .value = slot.value};
                std::memcpy(packet.name, slot.name, sizeof packet.name);
                if (!send(packet, {slot.fds, slot.count})) return;
            }
        }
        for (auto& exit : table_->exits()) {
            if (!exit.used || exit.sent) continue;
            if (!send({.word = KeeperWord::exited, .pid = exit.pid, .status = exit.status, .time = exit.time}, {}))
                return;
            exit.sent = true;
        }
        if (!handed_over_) handed_over_ = send({.word = KeeperWord::complete}, {});
    }

    void read_messages() {
        for (;;) {
            KeeperPacket packet;
            int fds[sys::kMaxFixedFds];
            std::size_t count = 0;
            const auto result = sys::receive_fixed(pair_, std::as_writable_bytes(std::span<KeeperPacket>(&packet, 1)),
                                                   fds, count, false);
            if (result == sys::FixedResult::again) return;
            if (result == sys::FixedResult::closed) {
                pair_.reset();
                plan_next_try();
                return;
            }
            if (packet.word == KeeperWord::store)
                table_->store(packet.text(), packet.value, {fds, count});
            else
                for (std::size_t i = 0; i < count; ++i) sys::close_descriptor(fds[i]);
            if (packet.word == KeeperWord::drop) table_->drop(packet.text());
            if (packet.word == KeeperWord::ack) table_->ack(packet.pid);
            if (packet.word == KeeperWord::quit) quitting_ = true;
            if (packet.word == KeeperWord::ready) ready_.reset();
        }
    }

    void reap() {
        for (;;) {
            const auto dead = sys::reap_any();
            if (dead.pid == 0) return;
            if (dead.pid != supervisor_) {
                table_->add_exit(dead.pid, dead.wait_status, sys::wall_now().time_since_epoch().count());
                continue;
            }
            supervisor_ = 0;
            if (pair_) read_messages();
            // It left by itself before it was ready: whoever started us got the reason through the pipe.
            if (ready_ && sys::decode_wait_status(dead.wait_status).signal == 0) first_failed_ = true;
        }
    }

    void plan_next_try() {
        const auto now = sys::monotonic_now();
        if (now - born_ >= kGoodLife) failures_ = 0;
        ++failures_;
        milliseconds pause{0};
        for (int i = kFreeTries; i < failures_; ++i) pause = std::min(std::max(pause * 2, kFirstPause), kLongestPause);
        next_try_ = now + pause;
    }

    /// No supervisor stays alive (its state is gone, say) and nobody is left who needs one.
    [[nodiscard]] bool hopeless() const {
        return failures_ >= kHopelessTries && supervisor_ == 0 && !pair_ && !sys::has_children();
    }

    [[nodiscard]] int pause_left() const {
        // The old one must be reaped first: two supervisors would do everything twice.
        if (supervisor_ != 0) return -1;
        const auto left = next_try_ - sys::monotonic_now();
        return left <= left.zero() ? 0 : static_cast<int>(std::chrono::ceil<milliseconds>(left).count());
    }

    sys::PreparedStart start_;
    std::unique_ptr<KeeperTable> table_;
    sys::Fd image_;
    sys::Fd signals_;
    sys::Fd ready_;
    sys::Fd pair_;
    pid_t supervisor_ = 0;
    bool handed_over_ = false;
    bool quitting_ = false;
    bool first_failed_ = false;
    std::size_t next_slot_ = 0;
    int failures_ = 0;
    sys::MonotonicTime born_{};
    sys::MonotonicTime next_try_{};
};

sys::FileLock take_keeper_lock(const ResidentArguments& arguments) {
    // A keeper that is about to leave holds it a moment longer than its socket.
    auto lock = sys::FileLock::acquire(arguments.layout.keeper_lock(arguments.project), std::chrono::seconds(5));
    if (!lock) throw make_error(ErrorKind::conflict, "another keeper of project {} runs", arguments.project);
    return std::move(*lock);
}

}  // namespace

int run_keeper(const ResidentArguments& arguments) {
    sys::block_all_signals();
    sys::settle_down();
    sys::Fd ready(arguments.ready ? kReadyFd : -1);
    try {
        const auto lock = take_keeper_lock(arguments);
        sys::become_subreaper();
        sys::hide_from_others();
        sys::raise_descriptor_limit();
        Keeper keeper(arguments, std::make_unique_for_overwrite<KeeperTable>());
        if (arguments.inherit)
            keeper.take_over(sys::Fd(kSupervisorFd));
        else
            keeper.take_ready(std::move(ready));
        return keeper.run();
    } catch (const Error& error) {
        if (ready) sys::write_all(ready, error.what());
        return 1;
    }
}

}  // namespace compose::supervisor
