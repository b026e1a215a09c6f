// The model of a project for a transformation: see compose/bridge.hpp.
#include <charconv>
#include <compose/bridge.hpp>
#include <set>

#include "model/canonical.hpp"
#include "model/names.hpp"
#include "model/node.hpp"

namespace compose {

namespace {

/// "80" before "443" before "53/udp".
struct ByNumber {
    static unsigned number(const std::string& text) {
        unsigned value = 0;
        (void)std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }
    bool operator()(const std::string& a, const std::string& b) const {
        return std::pair(number(a), a) < std::pair(number(b), b);
    }
};

/// Of the image and of published ports the number alone: that is what Docker gives to transformations.
void put_exposed(const Service& service, const std::vector<std::string>& of_image, Node& node, SourcePos pos) {
    std::set<std::string, ByNumber> all(service.expose.begin(), service.expose.end());
    for (const auto& port : of_image) all.insert(port.substr(0, port.find('/')));
    for (const auto& port : service.ports) all.insert(std::to_string(port.target));
    if (all.empty()) return;
    Node list = Node::make_sequence(pos);
    for (const auto& text : all) list.items.push_back(Node::make_string(text, pos));
    node.at_or_insert("expose", pos) = std::move(list);
}

void put_contents(Node& root, const char* section, const std::map<std::string, std::string>& contents) {
    Node* objects = root.find(section);
    if (objects == nullptr) return;
    for (auto& [key, pos, object] : objects->entries)
        if (const auto content = contents.find(key); content != contents.end() && object.is_mapping())
            object.at_or_insert("content", pos) = Node::make_string(content->second, pos);
}

}  // namespace

std::string bridge_model(const LoadedProject& loaded, const BridgeFacts& facts) {
    Node root = loaded.tree ? loaded.tree->root : Node::make_mapping({});
    const Project& project = loaded.project;
    static const std::vector<std::string> nothing;
    if (Node* services = root.find("services"))
        for (auto& [key, pos, node] : services->entries) {
            const auto service = project.services.find(key);
            if (service == project.services.end() || !node.is_mapping()) continue;
            if (node.find("image") == nullptr && service->second.build)
                node.at_or_insert("image", pos) = Node::make_string(built_image_name(project.name, key), pos);
            const auto exposed = facts.exposed.find(key);
            put_exposed(service->second, exposed == facts.exposed.end() ? nothing : exposed->second, node, pos);
        }
    put_contents(root, "configs", facts.configs);
    put_contents(root, "secrets", facts.secrets);
    return render_yaml(root,
                       {.double_dollars = false,
                        .top_first = {"name", "services", "networks", "volumes", "configs", "secrets", "models"}});
}

}  // namespace compose
