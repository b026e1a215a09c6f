// The event log: order, following, files that were moved aside or cut off.
#include "store/event_log.hpp"

#include "fixture.hpp"
#include "sys/file.hpp"

namespace compose::store::test {
namespace {

class EventLog : public StoreTest {
protected:
    void tell(const std::string& action, std::int64_t time = 0) {
        append_event(layout_, {.time = time,
                               .type = "container",
                               .action = action,
                               .id = "1",
                               .name = "n",
                               .project = "p",
                               .service = "s",
                               .attributes = {{"image", "a\nb"}}});
    }
    static std::string rest(EventReader& reader) {
        std::string out;
        while (const auto event = reader.next()) out += event->action + " ";
        return out;
    }
};

TEST_F(EventLog, IsReadInOrderFromATime) {
    tell("create", 10);
    tell("start", 20);
    tell("die", 30);
    EventReader all(layout_, 0, false);
    const auto first = all.next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->attributes.at("image"), "a\nb");
    EXPECT_EQ(first->service, "s");
    EXPECT_EQ(rest(all), "start die ");
    EventReader later(layout_, 20, false);
    EXPECT_EQ(rest(later), "start die ");
}

TEST_F(EventLog, AFollowerHearsOnlyWhatComes) {
    tell("old");
    EventReader reader(layout_, 0, true);
    EXPECT_EQ(rest(reader), "");
    tell("new");
    EXPECT_EQ(rest(reader), "new ");
    EXPECT_EQ(rest(reader), "");
}

TEST_F(EventLog, GoesOnWhenTheFileIsMovedAside) {
    EventReader reader(layout_, 0, true);
    tell("one");
    EXPECT_EQ(rest(reader), "one ");
    tell("two");
    std::filesystem::rename(layout_.event_log(), layout_.event_log() + ".1");
    tell("three");
    EXPECT_EQ(rest(reader), "two three ");
    EventReader all(layout_, 1, false);
    EXPECT_EQ(rest(all), "one two three ");
}

TEST_F(EventLog, ALineThatWasCutOffCostsOnlyItself) {
    tell("one");
    const auto text = sys::read_file(layout_.event_log());
    sys::write_file(layout_.event_log(), text + text.substr(0, 20));
    tell("two");
    EventReader reader(layout_, 0, false);
    EXPECT_EQ(rest(reader), "one two ");
}

TEST_F(EventLog, TellingNeverFails) {
    Layout nowhere = layout_;
    nowhere.state = "/proc/nothing";
    append_event(
        nowhere,
        {.type = "container", .action = "x", .id = {}, .name = {}, .project = {}, .service = {}, .attributes = {}});
}

}  // namespace
}  // namespace compose::store::test
