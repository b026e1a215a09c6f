// The cases of tests/golden/loader: files, and the canonical model or the findings that they give. UPDATE_GOLDEN=1
// writes the results anew.
#include <algorithm>
#include <compose/config.hpp>
#include <compose/load.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "loader/schema.hpp"
#include "loader/yaml_reader.hpp"
#include "memory_files.hpp"
#include "model/node.hpp"

namespace compose {
namespace {

struct Section {
    std::string name;
    std::string text;
};
struct Case {
    std::string title;
    std::vector<Section> sections;  // files, then "result"
};

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<Case> parse_cases(const std::string& text) {
    std::vector<Case> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("==== ")) {
            out.push_back({line.substr(5), {}});
        } else if (line.starts_with("---- ")) {
            out.back().sections.push_back({line.substr(5), {}});
        } else if (!out.empty() && !out.back().sections.empty()) {
            out.back().sections.back().text += line + "\n";
        }
    }
    // The blank line before the next title belongs to the layout.
    for (auto& one : out)
        while (one.sections.back().text.ends_with("\n\n")) one.sections.back().text.pop_back();
    return out;
}

std::string load_text(MemoryFiles files) {
    LoadRequest request;
    request.working_directory = "/p";
    request.environment = {{"HOME", "/home/me"}};
    Diagnostics findings;
    const auto loaded = load_project(request, files, findings);
    std::string out;
    for (const auto& finding : findings.sorted()) out += render(finding, findings.sources, false) + "\n";
    return findings.has_errors() ? out : out + render_config(loaded, ConfigFormat::yaml);
}

std::string model_of(const std::string& text, ConfigFormat format) {
    MemoryFiles files({{"/p/compose.yaml", text}});
    LoadRequest request;
    request.working_directory = "/p";
    Diagnostics findings;
    const auto loaded = load_project(request, files, findings);
    EXPECT_FALSE(findings.has_errors());
    return render_config(loaded, format);
}

class GoldenFile : public testing::TestWithParam<const char*> {};

TEST_P(GoldenFile, GivesTheSameModelOrTheSameFindings) {
    const auto path = std::filesystem::path(PROJECT_ROOT) / "tests/golden/loader" / (std::string(GetParam()) + ".txt");
    auto cases = parse_cases(slurp(path));
    ASSERT_FALSE(cases.empty()) << path;
    std::string updated;
    for (auto& one : cases) {
        std::map<std::string, std::string> files;
        for (const auto& section : one.sections)
            if (section.name != "result") files["/p/" + section.name] = section.text;
        MemoryFiles source;
        for (const auto& [name, text] : files) source.add(name, text);
        const auto result = load_text(source);
        if (std::getenv("UPDATE_GOLDEN") == nullptr) {
            EXPECT_EQ(one.sections.back().text, result) << path << ": " << one.title;
        }
        updated += (updated.empty() ? "==== " : "\n==== ") + one.title + "\n";
        for (const auto& section : one.sections)
            updated += "---- " + section.name + "\n" + (section.name == "result" ? result : section.text);
    }
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << updated;
}

TEST_P(GoldenFile, ReadsItsOwnOutputBack) {
    const auto path = std::filesystem::path(PROJECT_ROOT) / "tests/golden/loader" / (std::string(GetParam()) + ".txt");
    for (const auto& one : parse_cases(slurp(path))) {
        const auto& result = one.sections.back().text;
        const auto model = result.starts_with("name: ") ? 0 : result.find("\nname: ");
        if (model == std::string::npos) continue;  // findings only
        const auto text = result.substr(model == 0 ? 0 : model + 1);
        EXPECT_EQ(model_of(text, ConfigFormat::yaml), text) << path << ": " << one.title;
        EXPECT_EQ(model_of(model_of(text, ConfigFormat::json), ConfigFormat::yaml), text)
            << path << ": " << one.title << " as JSON";
    }
}

INSTANTIATE_TEST_SUITE_P(Loader, GoldenFile,
                         testing::Values("process", "network", "storage", "resources", "build", "file", "consistency",
                                         "every"),
                         [](const auto& parameter) { return std::string(parameter.param); });

using Patterns = std::set<std::string>;

/// The attributes that a tree uses: "services.*.ports.[].target".
void collect(const Node& node, const Schema& schema, const std::string& at, Patterns& out) {
    const auto* branch = schema.branch_for(node.kind);
    if (branch == nullptr) return;
    for (const auto& entry : node.entries) {
        const bool known = branch->property(entry.key) != nullptr;
        const auto* child = branch->child(entry.key);
        const auto pattern = (at.empty() ? "" : at + ".") + (known ? entry.key : "*");
        if (known) out.insert(pattern);
        if (child != nullptr) collect(entry.value, *child, pattern, out);
    }
    for (const auto& item : node.items)
        if (branch->items != nullptr) collect(item, *branch->items, at + ".[]", out);
}

/// All that there are.
void collect_all(const Schema& schema, const std::string& at, Patterns& out) {
    for (const auto* branch : schema.branches) collect_all(*branch, at, out);
    for (const auto& [name, child] : schema.properties) {
        const auto pattern = (at.empty() ? "" : at + ".") + std::string(name);
        out.insert(pattern);
        collect_all(*child, pattern, out);
    }
    if (schema.items != nullptr) collect_all(*schema.items, at + ".[]", out);
    for (const auto* any : {schema.named, schema.additional})
        if (any != nullptr) collect_all(*any, at + ".*", out);
}

/// Of a finding's path, "services.a.ports[0]": the attributes on its way.
void collect_path(const std::string& path, Patterns& out) {
    const Schema* schema = &compiled_schema();
    std::string at;
    std::string rest = path;
    while (!rest.empty() && schema != nullptr) {
        const bool item = rest[0] == '[';
        const auto end = std::min(rest.find_first_of(".[", 1), rest.size());
        const auto word = rest.substr(0, end);
        rest.erase(0, end);
        if (rest.starts_with('.')) rest.erase(0, 1);
        const auto* branch = schema->branch_for(item ? Node::Kind::sequence : Node::Kind::mapping);
        if (branch == nullptr) return;
        const bool known = !item && branch->property(word) != nullptr;
        at += (at.empty() ? "" : ".") + (item ? "[]" : known ? word : "*");
        schema = item ? branch->items : branch->child(word);
    }
    out.insert(at);
}

TEST(Golden, HasCasesOfEveryAttributeAloneMergedAndWrong) {
    Patterns alone;
    Patterns merged;
    Patterns wrong;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(PROJECT_ROOT) / "tests/golden/loader")) {
        for (const auto& one : parse_cases(slurp(entry.path()))) {
            Diagnostics findings;
            MemoryFiles source;
            for (const auto& section : one.sections)
                if (section.name != "result") source.add("/p/" + section.name, section.text);
            LoadRequest request;
            request.working_directory = "/p";
            (void)load_project(request, source, findings);
            for (const auto& finding : findings.sorted()) collect_path(finding.path, wrong);
            if (findings.has_errors()) continue;
            for (const auto& section : one.sections) {
                if (section.name == "result" || !section.name.ends_with("yaml")) continue;
                Diagnostics none;
                const auto file = none.sources.add(section.name, section.text);
                for (const auto& document : read_yaml(file, none))
                    collect(document, compiled_schema(), "",
                            section.name.find("override") == std::string::npos ? alone : merged);
            }
        }
    }
    // Files that include are merged as a whole, and `version` says nothing.
    const Patterns never_merged{"include", "include.[].path", "include.[].env_file", "include.[].project_directory",
                                "version"};
    Patterns all;
    collect_all(compiled_schema(), "", all);
    EXPECT_GT(all.size(), 300U);
    for (const auto& attribute : all) {
        EXPECT_TRUE(alone.contains(attribute) || merged.contains(attribute)) << attribute << " is used nowhere";
        EXPECT_TRUE(merged.contains(attribute) || never_merged.contains(attribute)) << attribute << " is never merged";
        EXPECT_TRUE(wrong.contains(attribute)) << attribute << " is never wrong";
    }
}

}  // namespace
}  // namespace compose
