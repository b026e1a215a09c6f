#include "engine/action_context.hpp"

#include "base/error.hpp"
#include "base/strings.hpp"
#include "sys/file.hpp"

namespace compose::engine {

store::Store& Session::store() {
    if (borrowed_ != nullptr) return *borrowed_;
    if (!store_) store_.emplace(layout_);
    return *store_;
}

supervisor::Client& Session::client() {
    if (!client_ || client_->closed()) {
        client_ = supervisor::Client::connect_or_spawn(layout_, project_);
        client_->cancel_with(cancel_);
    }
    return *client_;
}

supervisor::Client* Session::running_client() {
    if (client_ && client_->closed()) client_.reset();
    if (!client_) client_ = supervisor::Client::connect(layout_, project_);
    if (client_) client_->cancel_with(cancel_);
    return client_ ? &*client_ : nullptr;
}

HostFacts HostFacts::read() {
    HostFacts facts;
    facts.host_name = trim(sys::read_file("/proc/sys/kernel/hostname"));
    facts.resolv_conf = sys::read_file_if_exists("/etc/resolv.conf").value_or("");
    facts.hosts = sys::read_file_if_exists("/etc/hosts").value_or("");
    return facts;
}

void ActionContext::tell(Event::Status status, const std::string& id, const std::string& text,
                         const std::string& details) {
    events_.on_event({status, id, text, details, 0, 0});
}

std::string ActionContext::id_of(const ContainerRef& container) {
    if (!container.id.empty()) return container.id;
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(container.name);
    if (found == made_.end()) throw make_error("container {} was not made", container.name);
    return found->second;
}

std::string ActionContext::made_id(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(name);
    return found == made_.end() ? std::string{} : found->second;
}

void ActionContext::made(const std::string& name, const std::string& id) {
    const std::lock_guard lock(mutex_);
    made_[name] = id;
}

void ActionContext::started(const std::string& id) {
    const std::lock_guard lock(mutex_);
    started_.insert(id);
}

std::set<std::string> ActionContext::started_ids() {
    const std::lock_guard lock(mutex_);
    return started_;
}

void ActionContext::once(const std::string& key, const std::function<void()>& body) {
    Once* one = nullptr;
    {
        const std::lock_guard lock(mutex_);
        one = &once_[key];
    }
    std::call_once(one->flag, [&] {
        try {
            body();
        } catch (...) {
            one->failure = std::current_exception();
        }
    });
    if (one->failure) std::rethrow_exception(one->failure);
}

std::string event_id(const Action& action) {
    struct Id {
        std::string operator()(const CreateNetwork& a) const { return "Network " + a.name; }
        std::string operator()(const RemoveNetwork& a) const { return "Network " + a.name; }
        std::string operator()(const RecreateNetwork& a) const { return "Network " + a.name; }
        std::string operator()(const UpdateNetwork& a) const { return "Network " + a.name; }
        std::string operator()(const CreateVolume& a) const { return "Volume " + a.name; }
        std::string operator()(const RemoveVolume& a) const { return "Volume " + a.name; }
        std::string operator()(const CreateContainer& a) const { return "Container " + a.name; }
        std::string operator()(const RenameContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const StartContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const TakePorts& a) const { return "Container " + a.container.name; }
        std::string operator()(const StopContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const RestartContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const RemoveContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const WaitContainer& a) const { return "Container " + a.container.name; }
        std::string operator()(const RunProvider& a) const { return "Provider " + a.service; }
        std::string operator()(const EndProvider& a) const { return "Provider " + a.service; }
        std::string operator()(const PrepareModel& a) const { return "Model " + a.key; }
        std::string operator()(const CheckVariables& a) const { return "Container " + a.container.name; }
        std::string operator()(const Delay& a) const { return "Service " + a.service; }
    };
    return std::visit(Id{}, action);
}

}  // namespace compose::engine
