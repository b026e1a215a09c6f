#include "supervisor/keeper_link.hpp"

#include <span>

#include "base/error.hpp"
#include "base/log.hpp"
#include "supervisor/keeper_table.hpp"
#include "sys/detach.hpp"
#include "sys/fixed_packet.hpp"
#include "sys/socket.hpp"

namespace compose::supervisor {
namespace {

sys::FixedResult receive(sys::FdRef socket, KeeperPacket& packet, std::vector<sys::Fd>& fds, bool wait) {
    int raw[sys::kMaxFixedFds];
    std::size_t count = 0;
    const auto result =
        sys::receive_fixed(socket, std::as_writable_bytes(std::span<KeeperPacket>(&packet, 1)), raw, count, wait);
    fds.clear();
    for (std::size_t i = 0; i < count; ++i) fds.emplace_back(raw[i]);
    return result;
}

ChildExit exit_in(const KeeperPacket& packet) {
    return {packet.pid, sys::decode_wait_status(packet.status), packet.time};
}

}  // namespace

KeeperLink::KeeperLink(sys::Fd socket, ResidentArguments arguments)
    : socket_(std::move(socket)), arguments_(std::move(arguments)) {}

KeeperLink::Handover KeeperLink::receive_handover() {
    Handover handover;
    for (;;) {
        KeeperPacket packet;
        std::vector<sys::Fd> fds;
        if (receive(socket_, packet, fds, true) != sys::FixedResult::done) throw make_error("the keeper is gone");
        if (packet.word == KeeperWord::complete) return handover;
        if (packet.word == KeeperWord::exited) handover.exits.push_back(exit_in(packet));
        if (packet.word != KeeperWord::stored) continue;
        const std::string name(packet.text());
        Entry entry{packet.value, {}};
        for (const auto& fd : fds) entry.fds.emplace_back(fd.get());
        entries_.insert_or_assign(name, std::move(entry));
        handover.held.insert_or_assign(name, Held{packet.value, std::move(fds)});
    }
}

void KeeperLink::watch(sys::EventLoop& loop, std::function<void(const ChildExit&)> on_exit,
                       std::function<void()> on_lost) {
    on_exit_ = std::move(on_exit);
    on_lost_ = std::move(on_lost);
    watch_ = loop.on_readable(socket_, [this] { read_exits(); });
}

void KeeperLink::read_exits() {
    for (;;) {
        KeeperPacket packet;
        std::vector<sys::Fd> fds;
        const auto result = receive(socket_, packet, fds, false);
        if (result == sys::FixedResult::again) return;
        if (result == sys::FixedResult::closed) {
            lost_ = true;
            watch_.cancel();
            on_lost_();
            return;
        }
        if (packet.word == KeeperWord::exited) on_exit_(exit_in(packet));
    }
}

void KeeperLink::send(const KeeperPacket& packet, const std::vector<sys::FdRef>& fds) {
    if (lost_) return;
    int raw[sys::kMaxFixedFds];
    std::size_t count = 0;
    for (const auto fd : fds) raw[count++] = fd.get();
    const auto bytes = std::as_bytes(std::span<const KeeperPacket>(&packet, 1));
    // The keeper always reads, so waiting for room is short. When it is dead its end of file says so soon.
    if (sys::send_fixed(socket_, bytes, {raw, count}, true) != sys::FixedResult::done)
        log::debug("the keeper does not take {}", packet.text());
}

void KeeperLink::store(const std::string& name, std::int64_t value, const std::vector<sys::FdRef>& fds) {
    KeeperPacket packet{.word = KeeperWord::store, .value = value};
    if (!packet.set_name(name) || fds.size() > sys::kMaxFixedFds) throw make_error("bad name for the keeper: {}", name);
    constexpr std::size_t kReserve = 16;
    if (!entries_.contains(name) && entries_.size() + kReserve > KeeperTable::kSlots)
        throw make_error(ErrorKind::unavailable, "too many containers in one project");
    entries_.insert_or_assign(name, Entry{value, fds});
    send(packet, fds);
}

void KeeperLink::drop(const std::string& name) {
    if (entries_.erase(name) == 0) return;
    KeeperPacket packet{.word = KeeperWord::drop};
    if (packet.set_name(name)) send(packet, {});
}

void KeeperLink::ack(pid_t pid) {
    send({.word = KeeperWord::ack, .pid = pid}, {});
}
void KeeperLink::say_ready() {
    send({.word = KeeperWord::ready}, {});
}
void KeeperLink::say_quit() {
    send({.word = KeeperWord::quit}, {});
}

void KeeperLink::hand_to_heir() {
    auto pair = sys::make_seqpacket_pair();
    spawn_heir(arguments_, sys::FdRef(sys::kOwnImageFd), pair.second);
    pair.second.reset();
    socket_ = std::move(pair.first);
    lost_ = false;
    for (const auto& [name, entry] : entries_) {
        KeeperPacket packet{.word = KeeperWord::store, .value = entry.value};
        if (packet.set_name(name)) send(packet, entry.fds);
    }
}

}  // namespace compose::supervisor
