#include "engine/boot.hpp"

#include <chrono>

#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/apparmor.hpp"
#include "engine/file_grants.hpp"
#include "engine/firewall_sync.hpp"
#include "engine/observe.hpp"
#include "supervisor/restart.hpp"

namespace compose::engine {
namespace {

constexpr std::chrono::minutes kLockTimeout{2};

bool wants_to_run(const store::Container& row) {
    const auto policy = supervisor::RestartPolicy::parse(row.config.restart);
    return policy && row.started_at != 0 && supervisor::revive(*policy, row.stopped_by_user);
}

class Boot {
public:
    Boot(store::Store& store, EventSink& events, const EngineOptions& options)
        : store_(store), events_(events), options_(options) {}

    std::size_t run() {
        for (const std::string& project : store_.projects()) {
            try {
                start_project(project);
            } catch (const Error& error) {
                ++failures_;
                tell(Event::Status::error, "Project " + project, "Error", error.what());
            }
        }
        return failures_;
    }

private:
    void tell(Event::Status status, const std::string& id, const char* text, const std::string& details = {}) {
        events_.on_event({status, id, text, details, 0, 0});
    }

    void start_project(const std::string& project) {
        std::optional<store::ProjectLock> held;
        if (!options_.dry_run) held.emplace(store_.layout(), project, options_.command, kLockTimeout);
        const Liveness liveness(store_.layout(), project);
        std::vector<store::Container> waiting;
        for (store::Container& row : store_.containers(project))
            if (wants_to_run(row) && !store::is_up(liveness.state_of(row))) waiting.push_back(std::move(row));
        if (!options_.dry_run) repair_liveness(store_, project);
        if (waiting.empty()) return;
        if (!options_.dry_run) repair_firewall(store_);
        Session session(store_, project);
        // Who needs a container that has not started yet fails, and has better luck in the next round.
        std::vector<std::string> errors;
        for (std::size_t before = waiting.size() + 1; !waiting.empty() && waiting.size() < before;) {
            before = waiting.size();
            errors.clear();
            std::erase_if(waiting, [&](const store::Container& row) { return start(row, session, errors); });
        }
        failures_ += waiting.size();
        for (std::size_t i = 0; i < waiting.size(); ++i)
            tell(Event::Status::error, "Container " + waiting[i].name, "Error", errors[i]);
    }

    bool start(const store::Container& row, Session& session, std::vector<std::string>& errors) {
        tell(Event::Status::working, "Container " + row.name, "Starting");
        try {
            if (!options_.dry_run) {
                const auto spec = runtime::spec_from_json(row.config.spec);
                restore_apparmor_profile(spec);
                restore_secrets(spec, nullptr, row.service, store_.layout());
                session.ask([&](supervisor::Client& client) { client.start(row.id); });
            }
        } catch (const Error& error) {
            errors.emplace_back(error.what());
            if (!error.hint().empty()) errors.back() += ": " + error.hint();
            return false;
        }
        tell(Event::Status::done, "Container " + row.name, "Started");
        return true;
    }

    store::Store& store_;
    EventSink& events_;
    const EngineOptions& options_;
    std::size_t failures_ = 0;
};

}  // namespace

std::size_t start_after_boot(store::Store& store, EventSink& events, const EngineOptions& options) {
    return Boot(store, events, options).run();
}

}  // namespace compose::engine
