#include "supervisor/protocol.hpp"

#include <gtest/gtest.h>

#include "supervisor/host_ports.hpp"

namespace compose::supervisor {
namespace {

using namespace std::chrono_literals;

TEST(Protocol, RequestsSurvive) {
    Request before;
    before.seq = 42;
    before.operation = Operation::exec;
    before.id = "abc";
    before.timeout = -1ns;
    before.detach = true;
    before.process.args = {"sh", "-c", "printf '\xff\x01\"'"};
    before.process.env = {"A=1", "B=\n"};
    before.process.user = "1000:10";
    before.process.cwd = "/x";
    before.process.terminal = true;
    before.process.rows = 24;
    before.process.columns = 65535;
    const auto after = decode_request(encode(before));
    EXPECT_EQ(after.seq, 42U);
    EXPECT_EQ(after.operation, Operation::exec);
    EXPECT_EQ(after.id, "abc");
    EXPECT_EQ(after.timeout, before.timeout);
    EXPECT_TRUE(after.detach);
    EXPECT_EQ(after.process.args, before.process.args);
    EXPECT_EQ(after.process.env, before.process.env);
    EXPECT_EQ(after.process.user, before.process.user);
    EXPECT_EQ(after.process.columns, 65535);
    for (const auto operation :
         {Operation::hello, Operation::start, Operation::stop, Operation::kill, Operation::restart, Operation::forget,
          Operation::wait_exec, Operation::signal_exec, Operation::subscribe}) {
        Request request;
        request.operation = operation;
        EXPECT_EQ(decode_request(encode(request)).operation, operation);
    }
}

TEST(Protocol, FailuresKeepAllTheirParts) {
    auto error = make_error(ErrorKind::conflict, "port 80/tcp is taken");
    error.with_hint("use another").with_exit_code(127).with_code(98);
    Reply reply;
    reply.seq = 7;
    reply.failure = Failure::from(error);
    const auto message = decode_message(encode(reply));
    ASSERT_TRUE(message.reply && message.reply->failure);
    const auto after = message.reply->failure->to_error();
    EXPECT_STREQ(after.what(), "port 80/tcp is taken");
    EXPECT_EQ(after.kind(), ErrorKind::conflict);
    EXPECT_EQ(after.hint(), "use another");
    EXPECT_EQ(after.exit_code(), 127);
    EXPECT_EQ(after.code(), 98);
}

TEST(Protocol, ChangesSurvive) {
    const StateChange before{"abc", store::ContainerState::restarting, store::Health::unhealthy, 137, 4, true};
    const auto message = decode_message(encode(before));
    ASSERT_TRUE(message.change);
    EXPECT_EQ(message.change->id, "abc");
    EXPECT_EQ(message.change->state, before.state);
    EXPECT_EQ(message.change->health, before.health);
    EXPECT_EQ(message.change->exit_code, 137);
    EXPECT_EQ(message.change->restart_count, 4);
    EXPECT_TRUE(message.change->removed);
}

TEST(Protocol, RefusesWhatItDoesNotSpeak) {
    for (const auto* text : {"", "{", "[]", "null", "{}", R"({"v":1})", R"({"v":1,"op":"fly"})", R"({"v":1,"op":7})",
                             R"({"v":"1","op":"hello"})", R"({"v":1,"op":"exec","process":{}})",
                             R"({"v":1,"op":"exec","process":[]})", R"({"v":1,"op":"hello"}x)"})
        EXPECT_THROW((void)decode_request(text), Error) << text;
    EXPECT_THROW((void)decode_request(std::string(1000, '[')), Error);
    EXPECT_THROW((void)decode_message(R"({"v":1,"event":{"state":"flying"}})"), Error);
    try {
        (void)decode_request(R"({"v":2,"op":"hello"})");
        FAIL() << "another version was taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    }
}

TEST(PortWishes, SurviveJson) {
    const auto after = port_wishes_from_json(to_json({{"udp", "127.0.0.1", 53, 60, 53}, {"tcp", "", 0, 0, 80}}));
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].protocol, "udp");
    EXPECT_EQ(after[0].host_ip, "127.0.0.1");
    EXPECT_EQ(after[0].first, 53);
    EXPECT_EQ(after[0].last, 60);
    EXPECT_EQ(after[1].container_port, 80);
    EXPECT_TRUE(port_wishes_from_json("").empty());
    EXPECT_TRUE(port_wishes_from_json(R"([{"protocol":"tcp","container_port":80,"publish":false}])").empty());
    for (const auto* text : {"{}", "[1]", R"([{"protocol":"sctp","first":1,"last":1,"container_port":1}])",
                             R"([{"protocol":"tcp","first":2,"last":1,"container_port":1}])",
                             R"([{"protocol":"tcp","first":2,"last":99999,"container_port":1}])"})
        EXPECT_THROW((void)port_wishes_from_json(text), Error) << text;
}

}  // namespace
}  // namespace compose::supervisor
