#include "loader/dotenv.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tree_text.hpp"

namespace compose {
namespace {

const std::map<std::string, std::string> kShell{{"SHELL_VAR", "sh"}, {"SHARED", "shell"}};

std::string parsed(const std::string& text, bool raw = false) {
    Diagnostics findings;
    const auto file = findings.sources.add(".env", text);
    std::string out;
    for (const auto& entry :
         raw ? parse_raw_env(file, kShell, findings) : parse_dotenv(file, kShell, {{"BEFORE", "b"}}, findings))
        out += entry.value ? fmt::format("{}=[{}]\n", entry.key, *entry.value) : fmt::format("{}\n", entry.key);
    return out + text_of(findings);
}

TEST(Dotenv, KnowsTheGrammar) {
    const std::pair<const char*, const char*> cases[] = {
        {"# c\n  # d\n\nA=1\n", "A=[1]\n"},
        {"A = around \nexport B=yes\nexport\tC=1\n", "A=[around]\nB=[yes]\nC=[1]\n"},
        {"A=\nB=\"\"\nC=''\n", "A=[]\nB=[]\nC=[]\n"},
        {"A='single $X \\n'\nB=\"d\\n\\t\\\"q\\\" \\\\ \\q\"\n", "A=[single $X \\n]\nB=[d\n\t\"q\" \\ \\q]\n"},
        {"A=v # c\nB=v#n\nC=\"a # b\" # c\nD= # all\nE=#x\n", "A=[v]\nB=[v#n]\nC=[a # b]\nD=[]\nE=[#x]\n"},
        {"A: by colon\nURL=http://u:p@h/?a=b\n", "A=[by colon]\nURL=[http://u:p@h/?a=b]\n"},
        {"A=1\nB=${A}2\nC=\"$B$A\"\nD='$A'\nE=$BEFORE$SHELL_VAR\n", "A=[1]\nB=[12]\nC=[121]\nD=[$A]\nE=[bsh]\n"},
        {"SHARED=file\nB=$SHARED\n", "SHARED=[file]\nB=[shell]\n"},
        {"A=${LATE:-not yet}\nLATE=x\nB=$$A\nC=\"\\$A\"\n", "A=[not yet]\nLATE=[x]\nB=[$A]\nC=[$A]\n"},
        {"SHELL_VAR\nNOPE\nX=1", "SHELL_VAR=[sh]\nNOPE\nX=[1]\n"},
        {"A=\"one\ntwo\"\nB=2\n", "A=[one\ntwo]\nB=[2]\n"},
        {"A=1\r\nB=\"x\r\ny\"\r\n", "A=[1]\nB=[x\ny]\n"},
        {"com.example.a-b[0]=1\n", "com.example.a-b[0]=[1]\n"},
        {"exported=1\nexport_x=2\n", "exported=[1]\nexport_x=[2]\n"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(parsed(text), expected) << text;
}

TEST(Dotenv, NamesTheLineOfAMistakeAndGoesOn) {
    EXPECT_EQ(parsed("A=1\nbad line here!\nB=2\n"),
              "A=[1]\nB=[2]\n.env:2:5: unexpected character \"l\" after the variable name \"bad\"\n");
    EXPECT_EQ(parsed("=x\n"), ".env:1:1: unexpected character \"=\" after the variable name \"\"\n");
    EXPECT_EQ(parsed("A=\"x\nB=1\n"), ".env:1:3: the quoted value of A has no end\n");
    EXPECT_EQ(parsed("A='x' y\n"), ".env:1:7: text after the closing quote of A\n");
    EXPECT_EQ(parsed("A=${!}\n"), ".env:1:3: A: a variable name has to follow ${\n");
    EXPECT_EQ(parsed(std::string("A=1\nB=\0\n", 8)), ".env:2:1: a NUL byte is not allowed here\n");
}

TEST(RawEnv, TakesTheLineAsItIs) {
    EXPECT_EQ(parsed("# c\nA=\"q\" # no comment\nB=$A\n  C='x'\nSHELL_VAR\n", true),
              "A=[\"q\" # no comment]\nB=[$A]\nC=['x']\nSHELL_VAR=[sh]\n");
}

}  // namespace
}  // namespace compose
