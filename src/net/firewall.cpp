#include "net/firewall.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/nft_rules.hpp"
#include "sys/error.hpp"
#include "sys/nftables.hpp"

namespace compose::net {

using sys::nft::Family;
using sys::nft::Transaction;

namespace {

constexpr Family kFamily = Family::inet;
constexpr int kAttempts = 50;
constexpr int kRestart = 85;  // ERESTART: someone changed the rules since we looked

bool is_passing(int code) {
    return code == EINTR || code == EAGAIN || code == kRestart;
}

Error refused(const std::string& table, const std::vector<sys::NetlinkFailure>& failures) {
    const auto& first = failures.front();
    Error error = sys::error_from(first.code, fmt::format("change firewall table {}", table));
    if (!first.text.empty()) error.add_context(first.text);
    if (first.code == EPERM) error.with_hint("run as root");
    return error;
}

// 0 when committed, else the error code that `expected` names; everything else is thrown or tried again.
template <class Build>
int commit(const std::string& table, const Build& build, std::initializer_list<int> expected) {
    auto socket = sys::nft::open_socket();
    for (int attempt = 0;; ++attempt) {
        Transaction transaction(kFamily);
        build(transaction);
        if (transaction.empty()) return 0;
        const auto failures = transaction.commit(socket);
        if (failures.empty()) return 0;
        const int code = failures.front().code;
        if (std::find(expected.begin(), expected.end(), code) != expected.end()) return code;
        if (!is_passing(code) || attempt == kAttempts) throw refused(table, failures);
    }
}

void add_skeleton(Transaction& transaction, const std::string& table) {
    transaction.add_table(table, kFirewallLayout);
    for (const auto& set : firewall_sets()) transaction.add_set(table, set);
    for (const auto& chain : firewall_chains()) transaction.add_chain(table, chain);
}

void add_elements(Transaction& transaction, const std::string& table, const FirewallElements& elements) {
    for (const auto& [set, list] : elements) transaction.add_elements(table, set, list);
}

void delete_elements(Transaction& transaction, const std::string& table, const FirewallElements& elements) {
    for (const auto& [set, list] : elements) transaction.delete_elements(table, set, list);
}

// Of each set: what stands in the way of `wanted` (the same key with other data), or what equals it.
enum class Present { clashing, equal };
FirewallElements present(sys::NetlinkSocket& socket, const std::string& table, const FirewallElements& wanted,
                         Present which) {
    FirewallElements found;
    for (const auto& [set, list] : wanted) {
        if (list.empty()) continue;
        auto have = sys::nft::list_elements(socket, kFamily, table, set);
        std::sort(have.begin(), have.end());
        auto& matches = found.emplace_back(set, std::vector<sys::nft::Element>{}).second;
        for (const auto& element : list) {
            const auto at = std::lower_bound(have.begin(), have.end(), sys::nft::Element{.key = element.key});
            if (at == have.end() || at->key != element.key) continue;
            if ((at->data == element.data) == (which == Present::equal)) matches.push_back(*at);
        }
    }
    return found;
}

// Whatever a bridge has in the sets of networks, in which every key begins with its name.
FirewallElements of_bridge(sys::NetlinkSocket& socket, const std::string& table, const std::string& bridge) {
    FirewallElements found;
    const FirewallNetwork network{.bridge = bridge, .subnet = Prefix{}, .internal = false, .masquerade = false};
    for (const auto& [set, list] : elements_of(std::span(&network, 1))) {
        auto& matches = found.emplace_back(set, std::vector<sys::nft::Element>{}).second;
        for (auto& element : sys::nft::list_elements(socket, kFamily, table, set)) {
            const std::string_view name(element.key.c_str());
            if (name == bridge) matches.push_back(std::move(element));
        }
    }
    return found;
}

// Looks, then changes what it saw, then starts over when someone else was faster.
template <class Build>
void look_and_change(const std::string& table, const Build& build) {
    auto socket = sys::nft::open_socket();
    for (int attempt = 0;; ++attempt) {
        Transaction transaction(kFamily, sys::nft::generation(socket));
        build(socket, transaction);
        if (transaction.empty()) return;
        const auto failures = transaction.commit(socket);
        if (failures.empty()) return;
        if (!is_passing(failures.front().code) || attempt == kAttempts) throw refused(table, failures);
    }
}

// Only what leads where we say: a key that meanwhile belongs to someone else stays.
void delete_all(const std::string& table, const FirewallElements& elements) {
    look_and_change(table, [&](sys::NetlinkSocket& socket, Transaction& t) {
        delete_elements(t, table, present(socket, table, elements, Present::equal));
    });
}

}  // namespace

Firewall::Firewall(std::string table) : table_(std::move(table)) {}

bool Firewall::ensure() {
    bool made = false;
    // Only if nothing changed since the look: of two that find it missing, both would append their rules.
    look_and_change(table_, [&](sys::NetlinkSocket& socket, Transaction& transaction) {
        const auto state = sys::nft::inspect_table(socket, kFamily, table_);
        made = !state || !is_intact(*state);
        if (!made) return;
        log::debug("firewall table {} is {}", table_, state ? "damaged" : "missing");
        // Damaged: the sets may still hold what is published, so only rules and chains are made anew.
        if (state && state->user_data == kFirewallLayout) {
            transaction.delete_rules(table_);
            for (const auto& chain : state->chains) transaction.delete_chain(table_, chain.name);
        } else if (state) {
            transaction.delete_table(table_);
        }
        add_skeleton(transaction, table_);
    });
    return made;
}

void Firewall::add_network(const FirewallNetwork& network) {
    const FirewallElements elements = elements_of(std::span(&network, 1));
    const auto build = [&](Transaction& t) { add_elements(t, table_, elements); };
    int code = commit(table_, build, {ENOENT, EEXIST, ENOTEMPTY});
    if (code == ENOENT) {
        ensure();
        code = commit(table_, build, {EEXIST, ENOTEMPTY});
    }
    if (code == 0) return;
    // The bridge's name is known with another subnet.
    look_and_change(table_, [&](sys::NetlinkSocket& socket, Transaction& t) {
        delete_elements(t, table_, of_bridge(socket, table_, network.bridge));
        add_elements(t, table_, elements);
    });
}

void Firewall::remove_network(const FirewallNetwork& network) {
    look_and_change(table_, [&](sys::NetlinkSocket& socket, Transaction& t) {
        delete_elements(t, table_, of_bridge(socket, table_, network.bridge));
    });
}

void Firewall::publish(std::span<const PublishedPort> ports) {
    const FirewallElements elements = elements_of(ports);
    const auto build = [&](Transaction& t) { add_elements(t, table_, elements); };
    int code = commit(table_, build, {ENOENT, EBUSY, EEXIST});
    if (code == ENOENT) {
        ensure();
        code = commit(table_, build, {EBUSY, EEXIST});
    }
    if (code == 0) return;
    // A port still leads to a container that is gone.
    look_and_change(table_, [&](sys::NetlinkSocket& socket, Transaction& t) {
        delete_elements(t, table_, present(socket, table_, elements, Present::clashing));
        add_elements(t, table_, elements);
    });
}

void Firewall::unpublish(std::span<const PublishedPort> ports) {
    delete_all(table_, elements_of(ports));
}

void Firewall::republish(std::span<const PublishedPort> gone, std::span<const PublishedPort> come) {
    const FirewallElements added = elements_of(come);
    FirewallElements removed = elements_of(gone);
    for (std::size_t i = 0; i < removed.size(); ++i)
        std::erase_if(removed[i].second, [&](const sys::nft::Element& old) {
            const auto& fresh = added[i].second;
            return std::any_of(fresh.begin(), fresh.end(), [&](const auto& one) { return one.key == old.key; });
        });
    look_and_change(table_, [&](sys::NetlinkSocket& socket, Transaction& t) {
        delete_elements(t, table_, present(socket, table_, removed, Present::equal));
        delete_elements(t, table_, present(socket, table_, added, Present::clashing));
        add_elements(t, table_, added);
    });
}

void Firewall::synchronize(std::span<const FirewallNetwork> networks, std::span<const PublishedPort> ports) {
    commit(table_,
           [&](Transaction& t) {
               // Added first, so that deleting never fails.
               t.add_table(table_, {});
               t.delete_table(table_);
               add_skeleton(t, table_);
               add_elements(t, table_, elements_of(networks));
               add_elements(t, table_, elements_of(ports));
           },
           {});
}

void Firewall::remove() {
    commit(table_, [&](Transaction& t) { t.delete_table(table_); }, {ENOENT});
}

}  // namespace compose::net
