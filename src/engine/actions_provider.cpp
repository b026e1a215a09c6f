// What programs of the host give, and whether containers that are there still fit what they said.
#include "base/error.hpp"
#include "engine/action_context.hpp"
#include "engine/models.hpp"
#include "engine/providers.hpp"

namespace compose::engine {
namespace {

using Status = Event::Status;
constexpr const char* kUnknown = "Would be asked: its variables are unknown until then";

}  // namespace

void perform(const RunProvider& action, ActionContext& context, Session& /*session*/) {
    const std::string id = event_id(action);
    if (context.dry_run) return context.tell(Status::done, id, kUnknown);
    context.tell(Status::working, id, "Starting");
    try {
        context.provided.tell(action.service,
                              run_provider(*context.file, context.service(action.service), context.events()));
    } catch (const Error& error) {
        if (action.required) throw;
        context.provided.tell(action.service, {});
        return context.tell(Status::warning, id, error.what());
    }
    context.tell(Status::done, id, "Started");
}

void perform(const EndProvider& action, ActionContext& context, Session& /*session*/) {
    const std::string id = event_id(action);
    const bool down = action.verb == EndProvider::Verb::down;
    try {
        if (!context.dry_run) {
            context.tell(Status::working, id, down ? "Removing" : "Stopping");
            if (!end_provider(*context.file, context.file->services.at(action.service), action.verb, context.events()))
                return context.tell(Status::done, id, "Left as it is");
        }
        context.tell(Status::done, id, down ? "Removed" : "Stopped");
    } catch (const Error& error) {
        context.tell(Status::warning, id, error.what());
    }
}

void perform(const PrepareModel& action, ActionContext& context, Session& /*session*/) {
    const std::string id = event_id(action);
    if (context.dry_run) return context.tell(Status::done, id, kUnknown);
    context.provided.tell_model(action.key, prepare_model(context.file->models.at(action.key), context.events()));
    context.tell(Status::done, id, "Ready");
}

void perform(const CheckVariables& action, ActionContext& context, Session& session) {
    if (context.dry_run)
        return context.tell(Status::done, event_id(action), "Replaced if other variables come than it has");
    const auto row = session.store().container(context.id_of(action.container));
    if (!row || row->config_hash != context.service(action.service).config_hash)
        throw Outdated("other variables came for " + action.container.name);
}

}  // namespace compose::engine
