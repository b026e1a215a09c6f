#include "container.hpp"

namespace compose::runtime::test {
namespace {

class Launcher : public ContainerTest {};

TEST_F(Launcher, RunsACommandInItsOwnRoot) {
    const Outcome outcome = run(make_spec({"sh", "-c", "echo hello; ls /; exit 7"}));
    EXPECT_TRUE(outcome.started) << outcome.failure.message;
    EXPECT_EQ(outcome.status, 7);
    EXPECT_EQ(outcome.output, "hello\nbin\ndev\netc\nhome\nproc\nroot\nsys\ntmp\n");
}

TEST_F(Launcher, ExecJoinsARunningContainer) {
    const auto spec = make_spec({"sleep", "1000"});
    Launch& container = start(spec);
    ProcessSpec process;
    process.args = {"sh", "-c", "echo inside $$; hostname; readlink /proc/1/exe; exit 3"};
    const Outcome outcome = exec(spec, container, process);
    EXPECT_TRUE(outcome.started) << outcome.failure.message;
    EXPECT_EQ(outcome.status, 3);
    EXPECT_EQ(outcome.output, "inside 2\nbox\n/bin/busybox\n");
}

}  // namespace
}  // namespace compose::runtime::test
