// What all actions of one plan share, and what each worker thread has for itself.
#pragma once

#include <compose/events.hpp>
#include <compose/plan.hpp>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "engine/image_facts.hpp"
#include "engine/provided.hpp"
#include "engine/removed_rows.hpp"
#include "engine/trash.hpp"
#include "store/store.hpp"
#include "supervisor/client.hpp"

namespace compose::engine {

/// The database and the supervisor as one thread uses them; both are opened when first needed.
class Session {
public:
    /// `cancel`: what waits for a container is given up then (supervisor::Client::cancel_with).
    Session(store::Layout layout, std::string project, std::stop_token cancel = {})
        : layout_(std::move(layout)), project_(std::move(project)), cancel_(std::move(cancel)) {}
    /// With the database that the caller has open: reading its schema again costs what a short action costs.
    Session(store::Store& open, std::string project)
        : layout_(open.layout()), project_(std::move(project)), borrowed_(&open) {}

    [[nodiscard]] store::Store& store();
    /// Starts a supervisor when there is none. One that was about to leave (its last container was just removed) is
    /// replaced by a new one.
    template <class Request>
    void ask(const Request& request) {
        try {
            request(client());
        } catch (const Error&) {
            if (!client_ || !client_->closed() || cancel_.stop_requested()) throw;
            request(client());
        }
    }
    /// False when no supervisor runs.
    template <class Request>
    bool ask_running(const Request& request) {
        supervisor::Client* const client = running_client();
        if (client == nullptr) return false;
        try {
            request(*client);
            return true;
        } catch (const Error&) {
            if (!client->closed() || cancel_.stop_requested()) throw;
            return false;
        }
    }
    [[nodiscard]] const store::Layout& layout() const { return layout_; }
    [[nodiscard]] const std::string& project() const { return project_; }
    [[nodiscard]] const std::stop_token& cancel() const { return cancel_; }

private:
    [[nodiscard]] supervisor::Client& client();
    [[nodiscard]] supervisor::Client* running_client();

    store::Layout layout_;
    std::string project_;
    std::stop_token cancel_;
    store::Store* borrowed_ = nullptr;
    std::optional<store::Store> store_;
    std::optional<supervisor::Client> client_;
};

/// Facts of the host that go into containers' files.
struct HostFacts {
    std::string host_name;
    std::string resolv_conf;  // text of /etc/resolv.conf
    std::string hosts;        // text of /etc/hosts
    [[nodiscard]] static HostFacts read();
};

class ActionContext {
public:
    ActionContext(store::Layout where, std::string project_name, const Project* loaded, EventSink& sink)
        : layout(std::move(where)),
          project(std::move(project_name)),
          file(loaded),
          generation(layout),
          trash(layout),
          events_(sink) {}

    const store::Layout layout;
    const std::string project;
    const Project* const file;  // null: the plan has no CreateContainer, CreateNetwork, CreateVolume
    store::Generation generation;
    std::map<std::string, ImageFacts> images;  // of the services that get containers, by reference
    HostFacts host;
    Provided provided;  // what providers and models said
    bool dry_run = false;
    bool gathers_removals = false;  // who performs the actions flushes `removed` in time and empties `trash`
    RemovedRows removed;
    Trash trash;

    void tell(Event::Status status, const std::string& id, const std::string& text, const std::string& details = {});
    [[nodiscard]] EventSink& events() { return events_; }
    /// The id of a container of the plan, also of one that the plan has just made.
    [[nodiscard]] std::string id_of(const ContainerRef& container);
    void made(const std::string& name, const std::string& id);
    /// Of one that the plan has made; empty when it has not, yet.
    [[nodiscard]] std::string made_id(const std::string& name);
    /// A service of the file as its containers are made: with what was said for it.
    [[nodiscard]] Service service(const std::string& name) const { return provided.applied(file->services.at(name)); }
    void started(const std::string& id);
    /// All that were started through this context.
    [[nodiscard]] std::set<std::string> started_ids();
    /// Runs `body` for the first who comes with that key; the others wait for it, and fail as it failed.
    void once(const std::string& key, const std::function<void()>& body);

private:
    EventSink& events_;
    std::mutex mutex_;
    std::map<std::string, std::string> made_;  // name -> id
    std::set<std::string> started_;
    struct Once {
        std::once_flag flag;
        std::exception_ptr failure;
    };
    std::map<std::string, Once> once_;
};

// One function per action, each in the file of its kind (actions_*.cpp). They tell of themselves through the context,
// and do nothing but that in a dry run.
void perform(const CreateNetwork& action, ActionContext& context, Session& session);
void perform(const RemoveNetwork& action, ActionContext& context, Session& session);
void perform(const RecreateNetwork& action, ActionContext& context, Session& session);
void perform(const UpdateNetwork& action, ActionContext& context, Session& session);
void perform(const CreateVolume& action, ActionContext& context, Session& session);
void perform(const RemoveVolume& action, ActionContext& context, Session& session);
void perform(const CreateContainer& action, ActionContext& context, Session& session);
void perform(const RenameContainer& action, ActionContext& context, Session& session);
void perform(const StartContainer& action, ActionContext& context, Session& session);
void perform(const TakePorts& action, ActionContext& context, Session& session);
void perform(const StopContainer& action, ActionContext& context, Session& session);
void perform(const RestartContainer& action, ActionContext& context, Session& session);
void perform(const RemoveContainer& action, ActionContext& context, Session& session);
/// Its two halves: nothing of it runs afterwards, and nothing of it is left.
void end_first(const RemoveContainer& action, ActionContext& context, Session& session);
void remove_ended(const RemoveContainer& action, ActionContext& context, Session& session);
void perform(const RunProvider& action, ActionContext& context, Session& session);
void perform(const EndProvider& action, ActionContext& context, Session& session);
void perform(const PrepareModel& action, ActionContext& context, Session& session);
/// Throws Outdated.
void perform(const CheckVariables& action, ActionContext& context, Session& session);

/// A container that was to stay has to be made anew: what is left of the plan is void, and another is needed.
class Outdated : public Error {
public:
    using Error::Error;
};

/// "Container p-web-1": the id of an action's events.
[[nodiscard]] std::string event_id(const Action& action);

/// The host folder behind a volume: its own, or what a `driver_opts` bind names. Throws Error(invalid) for options
/// that are not supported.
[[nodiscard]] std::string volume_folder(const store::Layout& layout, const store::Volume& volume);
/// Deletes a volume's row and folder; nothing when it is gone. Throws Error(conflict) while it is used.
void remove_volume(store::Store& store, const std::string& name);

}  // namespace compose::engine
