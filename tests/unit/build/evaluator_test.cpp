// Instructions with their variables replaced, and what they do to the config.
#include "build/evaluator.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "build/checks.hpp"
#include "text.hpp"

namespace compose::build::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Evaluated {
public:
    explicit Evaluated(const std::string& text, Values given = {}, RunConfig base = {}) : parsed_(text) {
        StageOptions options;
        options.build_args = given;
        auto file = plan_stages(parsed_.file, options, parsed_.findings);
        EXPECT_EQ(parsed_.errors(), "");
        StageEvaluator evaluator(file.file.escape, file.globals, given, std::move(base));
        for (const auto& one : file.stages.at(0).instructions)
            steps.push_back(evaluator.evaluate(one, parsed_.findings));
        config = evaluator.config();
    }
    template <class Kind>
    const Kind& last() const {
        return std::get<Kind>(steps.back().what);
    }
    [[nodiscard]] std::string warnings() const { return parsed_.warnings(); }

    std::vector<Step> steps;
    RunConfig config;

private:
    Parsed parsed_;
};

TEST(EvaluatorTest, EnvBeatsArgAndSeesTheLineBefore) {
    const Evaluated e("FROM a\nARG v=arg\nENV v=env w=$v\nENV x=$v y=\"a b\" z=a\\ b\nENV old form here\nRUN x\n");
    EXPECT_THAT(e.config.env, ElementsAre("v=env", "w=arg", "x=env", "y=a b", "z=a b", "old=form here"));
    EXPECT_EQ(e.last<RunStep>().env, e.config.env) << "the ARG is hidden by the ENV";
}

TEST(EvaluatorTest, ArgsComeFromTheCommandTheGlobalsOrTheirDefault) {
    const Evaluated e("ARG g=global\nARG h=hidden\nFROM a\nARG g\nARG d=default\nARG given=x\nARG none\nRUN x\n",
                      {{"given", "yes"}, {"HTTP_PROXY", "p"}});
    EXPECT_THAT(e.last<RunStep>().env, ElementsAre("d=default", "g=global", "given=yes"));
    EXPECT_THAT(e.last<RunStep>().hidden, ElementsAre("HTTP_PROXY=p"));
}

TEST(EvaluatorTest, ShellFormsUseTheShell) {
    const Evaluated e("FROM a\nRUN x y\nSHELL [\"/bin/bash\", \"-ec\"]\nCMD a $b\nRUN z\n");
    EXPECT_THAT(std::get<RunStep>(e.steps[0].what).argv, ElementsAre("/bin/sh", "-c", "x y"));
    EXPECT_THAT(e.last<RunStep>().argv, ElementsAre("/bin/bash", "-ec", "z"));
    EXPECT_THAT(e.config.cmd, ElementsAre("/bin/bash", "-ec", "a $b"));
}

TEST(EvaluatorTest, AnEntrypointForgetsTheBasesCommandOnly) {
    RunConfig base;
    base.cmd = {"base"};
    EXPECT_TRUE(Evaluated("FROM a\nENTRYPOINT [\"x\"]\n", {}, base).config.cmd.empty());
    EXPECT_THAT(Evaluated("FROM a\nCMD [\"y\"]\nENTRYPOINT [\"x\"]\n", {}, base).config.cmd, ElementsAre("y"));
}

TEST(EvaluatorTest, WorkdirsAreRelativeToTheLastOne) {
    const Evaluated e("FROM a\nENV d=deep\nWORKDIR /a\nWORKDIR b/$d\nCOPY x y/\nVOLUME v\nWORKDIR ../../..\n");
    EXPECT_EQ(std::get<WorkdirStep>(e.steps[2].what).path, "/a/b/deep");
    EXPECT_EQ(std::get<CopyStep>(e.steps[3].what).target, "/a/b/deep/y/");
    EXPECT_THAT(e.config.volumes, ElementsAre("/a/b/deep/v"));
    EXPECT_EQ(e.config.working_dir, "/");
}

TEST(EvaluatorTest, CopyTargetsStayInside) {
    const Evaluated e("FROM a\nCOPY x /../../tmp\n");
    EXPECT_EQ(e.last<CopyStep>().target, "/tmp");
    EXPECT_EQ(std::get<CopyStep>(Evaluated("FROM a\nCOPY x ..\n").steps[0].what).target, "/");
    EXPECT_THROW(Evaluated("FROM a\nCOPY x y z\n"), Error) << "two sources need a slash";
}

TEST(EvaluatorTest, HeredocsBecomeScriptsAndFiles) {
    const Evaluated e(
        "FROM a\nARG v=1\nRUN <<EOF\necho $v\nEOF\nRUN <<EOF\n#!/bin/x\ny\nEOF\nRUN cat <<A\n1\nA\nCOPY <<f.txt <<'q' "
        "/d/\n$v\nf.txt\n$v\nq\n");
    EXPECT_EQ(std::get<RunStep>(e.steps[1].what).argv.back(), "echo $v\n");
    EXPECT_EQ(std::get<RunStep>(e.steps[2].what).script, "#!/bin/x\ny\n");
    EXPECT_EQ(std::get<RunStep>(e.steps[2].what).argv.front(), "/dev/pipes/EOF");
    EXPECT_EQ(std::get<RunStep>(e.steps[3].what).argv.back(), "cat <<A\n1\nA\n");
    const auto& files = e.last<CopyStep>().inline_files;
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].name, "f.txt");
    EXPECT_EQ(files[0].content, "1\n");
    EXPECT_EQ(files[1].content, "$v\n");
}

TEST(EvaluatorTest, MountsAreSortedAndTakeVariables) {
    const Evaluated e(
        "FROM a\nARG d=/z\nRUN --mount=type=cache,target=$d --mount=target=/b,source=s --mount=type=secret,id=k x\n");
    const auto& mounts = e.last<RunStep>().mounts;
    ASSERT_EQ(mounts.size(), 3U);
    EXPECT_EQ(mounts[0].target, "/b");
    EXPECT_TRUE(mounts[0].read_only);
    EXPECT_EQ(mounts[1].target, "/run/secrets/k");
    EXPECT_EQ(mounts[2].id, "/z");
    EXPECT_FALSE(mounts[2].read_only);
}

TEST(EvaluatorTest, DevicesHaveNames) {
    const Evaluated e("FROM a\nRUN --device=example.org/gpu=0 --device=name=example.org/gpu=1,required x\n");
    const auto& devices = e.last<RunStep>().devices;
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[0].name, "example.org/gpu=0");
    EXPECT_FALSE(devices[0].required);
    EXPECT_EQ(devices[1].name, "example.org/gpu=1");
    EXPECT_TRUE(devices[1].required);
    EXPECT_THAT(plan_errors("FROM a\nRUN --device=/dev/sda x\n"), HasSubstr("\"/dev/sda\" is no name of a device"));
    EXPECT_THAT(plan_errors("FROM a\nRUN --device=x/y=z,ro x\n"), HasSubstr("--device has no option \"ro\""));
}

TEST(EvaluatorTest, TheRestOfTheConfig) {
    const Evaluated e(
        "FROM a\nLABEL a=1 b=\"x y\"\nEXPOSE 80 53/udp\nUSER app\nSTOPSIGNAL SIGINT\nHEALTHCHECK --interval=5s "
        "--retries=2 CMD curl x\n"
        "ONBUILD RUN x\nMAINTAINER me\n");
    EXPECT_EQ(e.config.labels.at("b"), "x y");
    EXPECT_THAT(e.config.exposed_ports, ElementsAre("53/udp", "80/tcp"));
    EXPECT_EQ(e.config.user, "app");
    EXPECT_EQ(e.config.stop_signal, "SIGINT");
    EXPECT_THAT(e.config.health_check->test, ElementsAre("CMD-SHELL", "curl x"));
    EXPECT_EQ(e.config.health_check->interval_ns, 5'000'000'000);
    EXPECT_THAT(e.config.on_build, ElementsAre("RUN x"));
    EXPECT_EQ(e.config.author, "me");
    for (const char* bad : {"EXPOSE x", "STOPSIGNAL NOPE", "HEALTHCHECK --interval=1 CMD x", "HEALTHCHECK x",
                            "ENV a=1 b", "USER 'a b'", "WORKDIR ''"})
        EXPECT_THROW(Evaluated("FROM a\n" + std::string(bad) + "\n"), Error) << bad;
}

std::string lint_of(const std::string& text, const std::string& ignore = "") {
    Parsed parsed(text);
    const auto instructions = parsed.file.instructions;
    const auto file = plan_stages(parsed.file, {}, parsed.findings);
    lint(file, instructions, DockerIgnore(ignore), parsed.findings);
    std::string out;
    for (const auto& finding : parsed.findings.sorted()) out += finding.path + " ";
    return out;
}

struct Lint {
    const char* text;
    const char* rule;
};
class LintTest : public ::testing::TestWithParam<Lint> {};
TEST_P(LintTest, Finds) {
    EXPECT_THAT(lint_of(GetParam().text, "hidden\n"), HasSubstr(GetParam().rule));
}
INSTANTIATE_TEST_SUITE_P(
    All, LintTest,
    ::testing::Values(
        Lint{"# check=experimental=InvalidDefinitionDescription\n\n# something\nFROM a AS b\n",
             "InvalidDefinitionDescription"},
        Lint{"# check=experimental=all\n\n# x is it\n# or not\nARG y=1\nFROM a\n", "InvalidDefinitionDescription"},
        Lint{"FROM a AS Big\n", "StageNameCasing"}, Lint{"FROM a as b\n", "FromAsCasing"},
        Lint{"FROM a\nRUN x \\\n\n y\n", "NoEmptyContinuation"},
        Lint{"FROM a\nRUN x\nrun y\n", "ConsistentInstructionCasing"},
        Lint{"FROM a AS x\nFROM b AS x\n", "DuplicateStageName"}, Lint{"FROM a AS scratch\n", "ReservedStageName"},
        Lint{"FROM a\nCMD x\n", "JSONArgsRecommended"}, Lint{"FROM a\nMAINTAINER x\n", "MaintainerDeprecated"},
        Lint{"FROM a:$T\n", "UndefinedArgInFrom"}, Lint{"FROM a\nWORKDIR x\n", "WorkdirRelativePath"},
        Lint{"FROM scratch\nCOPY $x /\n", "UndefinedVar"},
        Lint{"FROM a\nCMD [\"x\"]\nCMD [\"y\"]\n", "MultipleInstructionsDisallowed"},
        Lint{"FROM a\nENV k v\n", "LegacyKeyValueFormat"},
        Lint{"FROM --platform=$TARGETPLATFORM a\n", "RedundantTargetPlatform"},
        Lint{"FROM a\nARG DB_PASSWORD\n", "SecretsUsedInArgOrEnv"}, Lint{"ARG V\nFROM $V\n", "InvalidDefaultArgInFrom"},
        Lint{"FROM --platform=linux/amd64 a\n", "FromPlatformFlagConstDisallowed"},
        Lint{"FROM a\nCOPY hidden /\n", "CopyIgnoredFile"}, Lint{"FROM a\nEXPOSE 80/TCP\n", "ExposeProtoCasing"},
        Lint{"FROM a\nEXPOSE 1.2.3.4:80\n", "ExposeInvalidFormat"}));

TEST(LintTest, DescriptionsBeginWithTheNameAndAreOnlyCheckedWhenAskedFor) {
    EXPECT_EQ(lint_of("# something\nFROM a AS b\n"), "");
    EXPECT_EQ(lint_of("# check=experimental=all\n\n# more\n# b is the base\nFROM a AS b\n# other\n\nARG x=1\n"), "");
}

TEST(LintTest, ACleanFileHasNoFindingsAndRulesMayBeSkipped) {
    EXPECT_EQ(lint_of("ARG T=1\nFROM a:$T AS b\nWORKDIR /x\nCOPY . .\nCMD [\"x\"]\n"), "");
    EXPECT_EQ(lint_of("# check=skip=JSONArgsRecommended\nFROM a\nCMD x\n"), "");
    EXPECT_EQ(lint_of("# check=skip=all\nFROM a\nCMD x\nCMD y\n"), "");
}

}  // namespace
}  // namespace compose::build::test
