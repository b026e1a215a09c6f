// Lines of a Dockerfile: continuations, comments, directives, flags, heredocs, places; and texts that mean harm (D).
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "build/evaluator.hpp"
#include "text.hpp"

namespace compose::build::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> texts(const Dockerfile& file) {
    std::vector<std::string> out;
    for (const auto& one : file.instructions) out.push_back(one.text());
    return out;
}

TEST(DockerfileTest, LinesAreJoinedAndCommentsLeftOut) {
    const Parsed p("# a comment\n\n  from debian AS x\nRUN a \\\n  # in between\n\n   && b\\\n&& c\n#end\nCMD x # y\n");
    EXPECT_EQ(p.errors(), "");
    EXPECT_THAT(texts(p.file), ElementsAre("FROM debian AS x", "RUN a    && b&& c", "CMD x # y"));
    EXPECT_EQ(p.file.instructions[0].written, "from");
    EXPECT_EQ(p.file.instructions[1].empty_continuations.size(), 1U);
    EXPECT_EQ(p.file.instructions[1].pos.line, 4U);
}

TEST(DockerfileTest, APlaceIsFoundAcrossContinuations) {
    const Parsed p("FROM a\nRUN one \\\n    two\n");
    const auto& run = p.file.instructions[1];
    const auto at = run.place_of(run.args.find("two"));
    EXPECT_EQ(at.line, 3U);
    EXPECT_EQ(at.column, 5U);
}

TEST(DockerfileTest, DirectivesStandAtTheTopOnly) {
    const Parsed p(
        "# syntax=docker/dockerfile:1\n# Escape = `\n# check=skip=UndefinedVar,MaintainerDeprecated;error=true\nFROM "
        "a`\n b\n");
    EXPECT_EQ(p.errors(), "");
    EXPECT_EQ(p.file.syntax, "docker/dockerfile:1");
    EXPECT_EQ(p.file.escape, '`');
    EXPECT_EQ(p.file.skipped_checks.size(), 2U);
    EXPECT_TRUE(p.file.checks_are_errors);
    EXPECT_THAT(texts(p.file), ElementsAre("FROM a b"));
    EXPECT_EQ(Parsed("# x\n# escape=`\nFROM a\n").file.escape, '\\');
}

// D04, D05
TEST(DockerfileTest, OddDirectivesAreErrorsAndOtherFrontEndsAreNeverRun) {
    EXPECT_THAT(Parsed("# escape=x\nFROM a\n").errors(), HasSubstr("1:1: \"x\" can't be the escape character"));
    EXPECT_THAT(Parsed("# escape=`\n# escape=`\nFROM a\n").errors(),
                HasSubstr("2:1: the directive escape stands here twice"));
    EXPECT_THAT(Parsed("# syntax=evil/frontend\nFROM a\n").warnings(), HasSubstr("is read as docker/dockerfile:1"));
}

TEST(DockerfileTest, FlagsAreTakenOffTheFront) {
    const Parsed p("COPY --from=x  --chown=\"a b\" --link src --not-a-flag /dst\n");
    const auto& copy = p.file.instructions[0];
    ASSERT_EQ(copy.flags.size(), 3U);
    EXPECT_EQ(copy.flags[1].value, "\"a b\"");
    EXPECT_FALSE(copy.flags[2].has_value);
    EXPECT_EQ(copy.args, "src --not-a-flag /dst");
    EXPECT_EQ(copy.place_of(0).column, 37U);
}

TEST(DockerfileTest, HeredocsOfEveryKind) {
    const Parsed p(
        "RUN <<EOF\na $x\nEOF\nCOPY <<a.txt <<\"b\" /dst/\n1\na.txt\n2\nb\nRUN <<-END cat\n\tx\n\tEND\nRUN echo "
        "<<<no\n");
    EXPECT_EQ(p.errors(), "");
    ASSERT_EQ(p.file.instructions.size(), 4U);
    EXPECT_EQ(p.file.instructions[0].heredocs[0].body, "a $x\n");
    ASSERT_EQ(p.file.instructions[1].heredocs.size(), 2U);
    EXPECT_EQ(p.file.instructions[1].heredocs[0].name, "a.txt");
    EXPECT_TRUE(p.file.instructions[1].heredocs[0].expand);
    EXPECT_FALSE(p.file.instructions[1].heredocs[1].expand);
    EXPECT_EQ(p.file.instructions[1].heredocs[1].body, "2\n");
    EXPECT_EQ(p.file.instructions[2].heredocs[0].body, "x\n");
    EXPECT_TRUE(p.file.instructions[3].heredocs.empty());
}

TEST(DockerfileTest, JsonFormOrNot) {
    EXPECT_EQ(Parsed("CMD [\"a\", \"b c\"]\n").file.instructions[0].json->at(1), "b c");
    EXPECT_FALSE(Parsed("CMD ['a']\n").file.instructions[0].json.has_value());
    EXPECT_FALSE(Parsed("CMD [\"a\", 1]\n").file.instructions[0].json.has_value());
    EXPECT_FALSE(Parsed("CMD [\"a\"] b\n").file.instructions[0].json.has_value());
}

TEST(DockerfileTest, CrLfAndByteOrderMark) {
    const Parsed p(
        "\xef\xbb\xbf"
        "FROM a\r\nRUN b \\\r\n c\r\n");
    EXPECT_THAT(texts(p.file), ElementsAre("FROM a", "RUN b  c"));
}

// D01, D02
TEST(DockerfileHostileTest, LongLinesAndEndlessContinuationsEndInAnError) {
    EXPECT_THAT(Parsed("FROM a\nRUN " + std::string(2 << 20, 'x') + "\n").errors(),
                HasSubstr("2:1: a line of more than"));
    std::string many = "FROM a\nRUN x";
    for (int i = 0; i < 1'000'000; ++i) many += " \\\n y";
    const auto began = std::chrono::steady_clock::now();
    EXPECT_THAT(Parsed(many).errors(), HasSubstr("2:1: an instruction of more than"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_EQ(Parsed("FROM a\nRUN x \\").file.instructions.size(), 2U) << "a continuation at the end of the file";
}

// D03
TEST(DockerfileHostileTest, HeredocsThatDoNotEndAndTooMany) {
    EXPECT_THAT(Parsed("FROM a\nRUN <<EOF\nx\n").errors(), HasSubstr("2:5: the heredoc \"EOF\" is not ended"));
    std::string text = "FROM a\nRUN cat";
    for (int i = 0; i < 200; ++i) text += " <<E" + std::to_string(i);
    text += "\n";
    for (int i = 0; i < 200; ++i) text += "E" + std::to_string(i) + "\n";
    EXPECT_THAT(Parsed(text).errors(), HasSubstr("more than 100 heredocs"));
}

// D13
TEST(DockerfileHostileTest, NulBytesAndRandomBytesNeverCrash) {
    EXPECT_THAT(Parsed(std::string("FROM a\nRUN b\0c\n", 15)).errors(), HasSubstr("2:1: the file contains a NUL byte"));
    std::uint32_t seed = 1;
    const std::string alphabet =
        "FROM RUNCOPYARGENV<<EOF\"'\\$`{}[]=-/#: \n\t\r\xff"
        "abc,";
    for (int round = 0; round < 3000; ++round) {
        std::string text = round % 2 == 0 ? "FROM a\n" : "";
        for (int i = 0; i < 200; ++i) {
            seed = seed * 1664525U + 1013904223U;
            text += alphabet[(seed >> 16U) % alphabet.size()];
        }
        static_cast<void>(plan_errors(text));
    }
}

// K61: everything that fuzzing ever found, read to its end and evaluated.
TEST(DockerfileHostileTest, TheWholeCorpusIsReadAndEvaluated) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(PROJECT_ROOT "/tests/fuzz/corpus/dockerfile")) {
        std::ifstream in(entry.path(), std::ios::binary);
        Parsed parsed(std::string(std::istreambuf_iterator<char>(in), {}));
        const auto planned = plan_stages(parsed.file, {}, parsed.findings);
        ++files;
        if (parsed.findings.has_errors()) {
            EXPECT_NE(parsed.errors(), "");
            continue;
        }
        for (const auto& stage : planned.stages) {
            StageEvaluator evaluator(planned.file.escape, planned.globals, {}, {});
            try {
                for (const auto& one : stage.instructions) static_cast<void>(evaluator.evaluate(one, parsed.findings));
            } catch (const Error& error) {
                EXPECT_STRNE(error.what(), "");
            }
        }
    }
    EXPECT_GT(files, 100U);
}

TEST(StagesTest, NeedsOnlyWhatTheTargetNeeds) {
    Parsed p(
        "FROM a AS one\nFROM b AS two\nFROM two AS three\nCOPY --from=0 /x /y\nFROM c\nRUN "
        "--mount=type=bind,from=two,target=/m x\n");
    const auto file = plan_stages(p.file, {}, p.findings);
    EXPECT_EQ(p.errors(), "");
    EXPECT_THAT(needed_stages(file, 2), ElementsAre(0, 1, 2));
    EXPECT_THAT(needed_stages(file, 3), ElementsAre(1, 3));
    EXPECT_EQ(file.find("THREE"), 2U);
    EXPECT_EQ(file.find("3"), 3U);
    EXPECT_EQ(file.find("4"), std::nullopt);
}

TEST(StagesTest, FromTakesGlobalArgsAndBuildArgs) {
    Parsed p("ARG TAG=1 NAME=debian\nARG FULL=$NAME:$TAG\nFROM $FULL\nFROM ${OTHER:-x}\n");
    StageOptions options;
    options.build_args = {{"TAG", "2"}};
    const auto file = plan_stages(p.file, options, p.findings);
    EXPECT_EQ(p.errors(), "");
    EXPECT_EQ(file.stages[0].base, "debian:2");
    EXPECT_EQ(file.stages[1].base, "x");
}

// D06, D07
TEST(StagesTest, AStageNamesItselfOrALaterOne) {
    EXPECT_THAT(plan_errors("FROM x AS x\nCOPY --from=x a b\n"), HasSubstr("2:6: a stage can't copy from itself"));
    EXPECT_THAT(plan_errors("FROM a\nCOPY --from=y a b\nFROM b AS y\n"), HasSubstr("2:6: stage \"y\" comes later"));
    EXPECT_THAT(plan_errors("FROM a\nCOPY --from=99 a b\n"), HasSubstr("there is no stage 99"));
    Parsed p("FROM x AS x\nFROM x\n");
    const auto file = plan_stages(p.file, {}, p.findings);
    EXPECT_FALSE(file.stages[0].base_stage.has_value());
    EXPECT_EQ(file.stages[1].base_stage, 0U);
}

// Also D06, D11 and D12.
struct Wrong {
    const char* text;
    const char* error;
};
class WrongDockerfile : public ::testing::TestWithParam<Wrong> {};
TEST_P(WrongDockerfile, IsAnErrorAtItsPlace) {
    EXPECT_THAT(plan_errors(GetParam().text), HasSubstr(GetParam().error));
}
INSTANTIATE_TEST_SUITE_P(
    All, WrongDockerfile,
    ::testing::Values(Wrong{"", "1:1: the Dockerfile has no FROM"}, Wrong{"RUN x\n", "1:1: RUN before the first FROM"},
                      Wrong{"FROM a\nRUNN x\n", "2:1: unknown instruction \"RUNN\""},
                      Wrong{"FROM a b\n", "1:8: FROM takes an image"},
                      Wrong{"FROM a AS 1x\n", "1:11: \"1x\" can't be the name of a stage"},
                      Wrong{"FROM\n", "1:1: FROM needs an argument"},
                      Wrong{"FROM a\nCOPY x\n", "2:1: COPY needs at least two arguments"},
                      Wrong{"FROM a\nCOPY --form=x a b\n", "2:6: COPY has no flag --form"},
                      Wrong{"FROM a\nCOPY --from= a b\n", "2:6: --from needs a value"},
                      Wrong{"FROM a\nCOPY --chown=a --chown=b a b\n", "2:16: --chown stands here twice"},
                      Wrong{"FROM a\nCOPY --link=maybe a b\n", "--link is neither true nor false"},
                      Wrong{"FROM a\nSHELL bash\n", "2:1: SHELL needs a JSON list of strings"},
                      Wrong{"FROM a\nRUN --network=evil x\n", "unknown network \"evil\""},
                      Wrong{"FROM a\nRUN --security=none x\n", "unknown security mode \"none\""},
                      Wrong{"FROM a\nRUN --mount=type=evil,target=/x y\n", "unknown type \"evil\""},
                      Wrong{"FROM a\nRUN --mount=type=bind,propagation=shared,target=/x y\n",
                            "type bind has no option \"propagation\""},
                      Wrong{"FROM a\nRUN --mount=target=/ x\n", "nothing can be mounted on \"/\""},
                      Wrong{"FROM a\nRUN --mount=target=/proc/self x\n", "nothing can be mounted on \"/proc/self\""},
                      Wrong{"FROM a\nRUN --mount=target=/x/../.. x\n", "nothing can be mounted on"},
                      Wrong{"FROM a\nRUN --mount=type=cache x\n", "type cache needs a target"},
                      Wrong{"FROM a\nRUN --mount=type=cache,target=/x,sharing=some y\n", "unknown sharing \"some\""},
                      Wrong{"FROM a\nRUN --mount=type=cache,target=/x,mode=99 y\n", "\"99\" is not a mode"},
                      Wrong{"FROM a\nONBUILD ONBUILD RUN x\n", "2:9: ONBUILD ONBUILD is not allowed"},
                      Wrong{"FROM a\nONBUILD FROM x\n", "ONBUILD FROM is not allowed"},
                      Wrong{"FROM a\nUSER a b\n", "2:8: USER takes one argument"},
                      Wrong{"FROM a\nARG =x\n", "2:5: \"\" is not a name"}, Wrong{"FROM ${X\n", "is not a variable"},
                      Wrong{"FROM $X\n", "1:6: \"$X\" is empty"}));

}  // namespace
}  // namespace compose::build::test
