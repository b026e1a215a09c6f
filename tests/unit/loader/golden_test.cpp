// The cases of tests/golden/loader: files, and the canonical model or the findings that they give. UPDATE_GOLDEN=1
// writes the results anew.
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
                         testing::Values("process", "network", "storage", "resources", "build", "file", "consistency"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(Golden, HasACaseForEveryAttributeOfTheSchema) {
    std::string all;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(PROJECT_ROOT) / "tests/golden/loader"))
        all += slurp(entry.path());
    std::set<const Schema*> seen;
    const auto visit = [&](const auto& self, const Schema& schema) -> void {
        if (!seen.insert(&schema).second) return;
        for (const auto& [name, child] : schema.properties) {
            EXPECT_NE(all.find(std::string(name) + ":"), std::string::npos) << "no case uses " << name;
            self(self, *child);
        }
        for (const auto* child : {schema.items, schema.additional, schema.named})
            if (child != nullptr) self(self, *child);
        for (const auto* branch : schema.branches) self(self, *branch);
    };
    visit(visit, compiled_schema());
}

}  // namespace
}  // namespace compose
