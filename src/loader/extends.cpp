#include "loader/extends.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "loader/stages.hpp"

namespace compose {

namespace {

/// Chains longer than this are no one's intention; the limit also bounds recursion.
constexpr std::size_t kMaxChain = 64;

/// A service on its way: `node` is the service of the file itself, or our prepared copy of one in another file.
struct Candidate {
    enum class State { untouched, open, done, failed };
    State state = State::untouched;
    Node* node = nullptr;
    Node own;
    std::vector<NodePath> resets;  // below the service
};

/// A file whose services extend or are extended.
struct Unit {
    std::string path;
    std::string folder;
    bool foreign = false;
    std::vector<Node> documents;  // of a foreign file: nothing expanded yet
    std::unordered_map<std::string, std::unique_ptr<Candidate>> services;
};

struct Reference {
    std::string service;
    SourcePos service_pos;
    std::string file;  // empty: the same file
    SourcePos file_pos;
};

class Extender {
public:
    Extender(LoadSession& session, const Environment& environment) : session_(session), environment_(environment) {}

    void run(ComposeFile& file, const std::string& folder) {
        auto* services = file.root.find("services");
        if (services == nullptr || !services->is_mapping()) return;
        const auto extends = [](const Node::Entry& entry) {
            return entry.value.is_mapping() && entry.value.find("extends") != nullptr;
        };
        if (std::none_of(services->entries.begin(), services->entries.end(), extends)) return;
        auto& unit = units_[file.path];
        unit.path = file.path;
        unit.folder = folder;
        for (auto& entry : services->entries) {
            auto candidate = std::make_unique<Candidate>();
            candidate->node = &entry.value;
            unit.services.emplace(entry.key, std::move(candidate));
        }
        for (const auto& path : file.resets)
            if (path.size() > 2 && path[0] == "services")
                if (const auto at = unit.services.find(path[1]); at != unit.services.end())
                    at->second->resets.emplace_back(path.begin() + 2, path.end());
        for (auto& entry : services->entries) (void)resolve(unit, entry.key);
    }

private:
    /// The service with everything that it extends merged in; null when it does not exist or failed (reported, but for
    /// one that does not exist).
    const Node* resolve(Unit& unit, const std::string& name) {
        auto* candidate = find(unit, name);
        if (candidate == nullptr || candidate->state == Candidate::State::failed) return nullptr;
        if (candidate->state == Candidate::State::done) return candidate->node;
        candidate->state = Candidate::State::open;
        chain_.push_back({&unit, name});
        const bool good = extend(unit, name, *candidate);
        chain_.pop_back();
        if (unit.foreign && good) make_paths_absolute(unit, name, *candidate->node);
        candidate->state = good ? Candidate::State::done : Candidate::State::failed;
        return good ? candidate->node : nullptr;
    }

    bool extend(Unit& unit, const std::string& name, Candidate& candidate) {
        Node& service = *candidate.node;
        if (!service.is_mapping()) return true;
        const auto* extends = service.find("extends");
        if (extends == nullptr) return true;
        const auto reference = read_reference(*extends);
        service.erase("extends");
        if (reference.service.empty()) return true;  // the schema has said why
        Unit* target = reference.file.empty() ? &unit : open(unit, reference, name);
        if (target == nullptr) return false;
        const auto* base = resolve_base(*target, unit, reference, name);
        if (base == nullptr) return false;
        if (!session_.afford_values(count_values(*base), reference.service_pos, "services." + name)) return false;
        Node merged = *base;
        if (merged.is_null()) merged = Node::make_mapping(service.pos);
        drop_paths(merged, candidate.resets);
        if (session_.trace != nullptr) note_inherited(merged, name, {reference.service, reference.service_pos});
        const auto pos = service.pos;
        merge_service(merged, std::move(service));
        service = std::move(merged);
        service.pos = pos;
        return true;
    }

    void note_inherited(const Node& node, const std::string& name, const Trace::Extends& extends) {
        if (node.is_scalar()) session_.trace->inherited.emplace(std::pair(name, node.pos), extends);
        for (const auto& entry : node.entries) note_inherited(entry.value, name, extends);
        for (const auto& item : node.items) note_inherited(item, name, extends);
    }

    static Reference read_reference(const Node& extends) {
        Reference out;
        const auto* service = extends.is_mapping() ? extends.find("service") : &extends;
        if (service != nullptr && service->is_scalar()) {
            out.service = service->text;
            out.service_pos = service->pos;
        }
        const auto* file = extends.is_mapping() ? extends.find("file") : nullptr;
        if (file != nullptr && file->is_string()) {
            out.file = file->text;
            out.file_pos = file->pos;
        }
        return out;
    }

    const Node* resolve_base(Unit& target, const Unit& unit, const Reference& reference, const std::string& name) {
        auto* candidate = find(target, reference.service);
        const auto place = fmt::format("services.{}.extends", name);
        if (candidate == nullptr) {
            std::vector<std::string_view> names;
            for (const auto& [key, value] : target.services)
                if (key != name) names.push_back(key);
            std::sort(names.begin(), names.end());
            const auto near = nearest(reference.service, names);
            session_.findings.error(
                reference.service_pos, place,
                fmt::format("service {} not found in {}", quote(reference.service), session_.files.shown(target.path)),
                near.empty() ? "" : fmt::format("did you mean {}?", near));
            return nullptr;
        }
        if (candidate->state == Candidate::State::open || chain_.size() >= kMaxChain) {
            session_.findings.error(reference.service_pos, place,
                                    "circular reference: " + describe_chain(target, unit, reference.service),
                                    "one of these has to stand without the others");
            return nullptr;
        }
        return resolve(target, reference.service);
    }

    [[nodiscard]] std::string describe_chain(const Unit& target, const Unit& unit, const std::string& name) const {
        std::string out;
        const bool several =
            std::any_of(chain_.begin(), chain_.end(), [&](const auto& link) { return link.first != &unit; });
        const auto shown = [&](const Unit& at, const std::string& service) {
            return several ? fmt::format("{} ({})", service, session_.files.shown(at.path)) : service;
        };
        for (const auto& [at, service] : chain_) out += shown(*at, service) + " extends ";
        return out + shown(target, name);
    }

    Candidate* find(Unit& unit, const std::string& name) {
        if (const auto at = unit.services.find(name); at != unit.services.end()) return at->second.get();
        return unit.foreign ? prepare_foreign(unit, name) : nullptr;
    }

    /// A foreign file is never checked as a whole: only the services that are used take part in this project.
    Candidate* prepare_foreign(Unit& unit, const std::string& name) {
        std::unique_ptr<Candidate> candidate;
        for (auto& document : unit.documents) {
            auto* services = document.find("services");
            auto* service = services == nullptr ? nullptr : services->find(name);
            if (service == nullptr) continue;
            const auto entry_pos = services->find_entry(name)->key_pos;
            Node wrapper = wrap(name, entry_pos, std::move(*service), services->pos);
            auto resets = prepare_document(session_, wrapper, environment_);
            if (!candidate) candidate = std::make_unique<Candidate>();
            for (auto& path : resets)
                if (path.size() > 2) candidate->resets.emplace_back(path.begin() + 2, path.end());
            drop_paths(candidate->own, candidate->resets);
            if (auto* prepared = wrapper.find("services"); prepared != nullptr && prepared->find(name) != nullptr)
                merge_service(candidate->own, std::move(*prepared->find(name)));
        }
        if (!candidate) return nullptr;
        candidate->node = &candidate->own;
        return (unit.services[name] = std::move(candidate)).get();
    }

    static Node wrap(const std::string& name, SourcePos key_pos, Node service, SourcePos services_pos) {
        Node root = Node::make_mapping(services_pos);
        Node services = Node::make_mapping(services_pos);
        services.entries.push_back({name, key_pos, std::move(service)});
        root.entries.push_back({"services", services_pos, std::move(services)});
        return root;
    }

    void make_paths_absolute(const Unit& unit, const std::string& name, Node& service) const {
        Node wrapper = wrap(name, service.pos, std::move(service), service.pos);
        resolve_paths(wrapper, unit.folder, session_.home);
        service = std::move(wrapper.entries.front().value.entries.front().value);
    }

    Unit* open(const Unit& from, const Reference& reference, const std::string& name) {
        const auto place = fmt::format("services.{}.extends.file", name);
        const auto path = session_.files.locate(from.folder, reference.file, {reference.file_pos, place});
        if (!path) return nullptr;
        if (const auto known = units_.find(*path); known != units_.end()) return &known->second;
        auto raw = read_compose_file(session_, *path, {reference.file_pos, place});
        if (!raw) return nullptr;
        auto& unit = units_[*path];
        unit.path = *path;
        unit.folder = parent_folder(*path);
        unit.foreign = true;
        unit.documents = std::move(raw->documents);
        return &unit;
    }

    LoadSession& session_;
    const Environment& environment_;
    std::unordered_map<std::string, Unit> units_;
    std::vector<std::pair<const Unit*, std::string>> chain_;
};

}  // namespace

void apply_extends(LoadSession& session, ComposeFile& file, const std::string& folder, const Environment& environment) {
    Extender(session, environment).run(file, folder);
}

}  // namespace compose
