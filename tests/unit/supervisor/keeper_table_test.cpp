#include "supervisor/keeper_table.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include <gtest/gtest.h>

namespace compose::supervisor {
namespace {

int some_fd() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

class Table : public testing::Test {
protected:
    std::unique_ptr<KeeperTable> table_ = std::make_unique_for_overwrite<KeeperTable>();
    std::size_t used() {
        std::size_t count = 0;
        for (const auto& slot : table_->slots()) count += slot.used ? 1 : 0;
        return count;
    }
};

TEST_F(Table, ReplacingAndDroppingCloses) {
    const int first = some_fd(), second = some_fd();
    ASSERT_TRUE(table_->store("a", 1, std::vector{first}));
    ASSERT_TRUE(table_->store("a", 2, std::vector{second}));
    EXPECT_FALSE(is_open(first));
    EXPECT_TRUE(is_open(second));
    EXPECT_EQ(used(), 1U);
    EXPECT_EQ(table_->slots()[0].value, 2);
    table_->drop("b");
    EXPECT_TRUE(is_open(second));
    table_->drop("a");
    EXPECT_FALSE(is_open(second));
    EXPECT_TRUE(table_->slots().empty());
}

TEST_F(Table, IsNeverLargerThanItIs) {
    for (std::size_t i = 0; i < KeeperTable::kSlots; ++i) ASSERT_TRUE(table_->store("n" + std::to_string(i), 0, {}));
    const int fd = some_fd();
    EXPECT_FALSE(table_->store("one more", 0, std::vector{fd}));
    EXPECT_FALSE(is_open(fd)) << "what has no place must not leak";
    table_->drop("n5");
    EXPECT_TRUE(table_->store("one more", 0, {}));
    EXPECT_FALSE(table_->store(std::string(kKeeperNameSize, 'x'), 0, {}));
}

TEST_F(Table, ExitsStayUntilTheyAreAcknowledged) {
    ASSERT_TRUE(table_->add_exit(10, 256, 5));
    ASSERT_TRUE(table_->add_exit(11, 9, 6));
    table_->ack(10);
    EXPECT_TRUE(table_->exits()[0].used) << "it was not told yet: that was about an earlier process of the same number";
    for (auto& exit : table_->exits()) exit.sent = true;
    table_->ack(10);
    EXPECT_FALSE(table_->exits()[0].used);
    table_->forget_sent();
    EXPECT_FALSE(table_->exits()[1].sent);
    EXPECT_EQ(table_->exits()[1].pid, 11);
}

}  // namespace
}  // namespace compose::supervisor
