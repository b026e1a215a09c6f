#include "supervisor/protocol.hpp"

#include <array>

#include "base/json.hpp"

namespace compose::supervisor {
namespace {

constexpr std::array<std::string_view, 15> kOperations{"hello",  "start",   "stop",      "kill",        "restart",
                                                       "forget", "exec",    "wait_exec", "signal_exec", "subscribe",
                                                       "pause",  "unpause", "attach",    "refresh",     "take_ports"};
constexpr std::array<std::string_view, 6> kStates{"created", "running", "restarting", "exited", "dead", "paused"};
constexpr std::array<std::string_view, 4> kHealths{"none", "starting", "healthy", "unhealthy"};
constexpr int kLastKind = static_cast<int>(ErrorKind::unavailable);

template <class Enum, std::size_t N>
std::string_view name_of(Enum value, const std::array<std::string_view, N>& names) {
    return names[static_cast<std::size_t>(value)];
}

template <class Enum, std::size_t N>
Enum value_of(std::string_view name, const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name) return static_cast<Enum>(i);
    throw make_error(ErrorKind::invalid, "unknown word in a message");
}

json::object parse_object(std::string_view text) {
    // Arguments, names and messages are bytes; only the frame is text.
    json::parse_options options;
    options.max_depth = 8;
    options.allow_invalid_utf8 = true;
    json::error_code code;
    auto value = json::parse(text, code, {}, options);
    if (code) throw make_error(ErrorKind::invalid, "a message that is not valid JSON: {}", code.message());
    if (!value.is_object()) throw make_error(ErrorKind::invalid, "a message that is no object");
    auto object = std::move(value.as_object());
    const auto version = int_or(object, "v", 0);
    if (version != kProtocolVersion)
        throw make_error(ErrorKind::unavailable,
                         "the other side speaks version {} of the protocol, this one version {}", version,
                         kProtocolVersion);
    return object;
}

const json::object& object_in(const json::object& parent, std::string_view key) {
    const auto* const member = parent.if_contains(key);
    if (member == nullptr || !member->is_object()) throw make_error(ErrorKind::invalid, "a message without {}", key);
    return member->as_object();
}

std::uint64_t unsigned_or_zero(const json::object& object, std::string_view key) {
    return static_cast<std::uint64_t>(int_or(object, key, 0));
}

int small_int(const json::object& object, std::string_view key, int fallback) {
    return static_cast<int>(int_or(object, key, fallback));
}

json::array list(const std::vector<std::string>& values) {
    json::array result;
    for (const auto& value : values) result.emplace_back(value);
    return result;
}

json::object to_object(const runtime::ProcessSpec& process) {
    return {{"args", list(process.args)},
            {"env", list(process.env)},
            {"cwd", process.cwd},
            {"user", process.user},
            {"groups", list(process.additional_groups)},
            {"terminal", process.terminal},
            {"rows", process.rows},
            {"columns", process.columns},
            {"privileged", process.privileged}};
}

runtime::ProcessSpec process_from(const json::object& object) {
    runtime::ProcessSpec process;
    process.args = strings_or_empty(object, "args");
    process.env = strings_or_empty(object, "env");
    process.cwd = string_or(object, "cwd");
    process.user = string_or(object, "user");
    process.additional_groups = strings_or_empty(object, "groups");
    process.terminal = bool_or(object, "terminal", false);
    process.rows = static_cast<std::uint16_t>(int_or(object, "rows", 0));
    process.columns = static_cast<std::uint16_t>(int_or(object, "columns", 0));
    process.privileged = bool_or(object, "privileged", false);
    return process;
}

Reply reply_from(const json::object& object) {
    Reply reply;
    reply.seq = unsigned_or_zero(object, "seq");
    reply.exec_id = unsigned_or_zero(object, "exec");
    reply.result = small_int(object, "result", 0);
    reply.version = string_or(object, "version");
    if (!object.contains("error")) return reply;
    const auto& error = object_in(object, "error");
    const auto kind = small_int(error, "kind", 0);
    reply.failure = Failure{string_or(error, "message"), string_or(error, "hint"),
                            kind >= 0 && kind <= kLastKind ? static_cast<ErrorKind>(kind) : ErrorKind::generic,
                            small_int(error, "exit", 1), small_int(error, "code", 0)};
    return reply;
}

StateChange change_from(const json::object& object) {
    StateChange change;
    change.id = string_or(object, "id");
    change.state = value_of<store::ContainerState>(string_or(object, "state"), kStates);
    change.health = value_of<store::Health>(string_or(object, "health"), kHealths);
    change.exit_code = small_int(object, "exit", 0);
    change.restart_count = small_int(object, "restarts", 0);
    change.removed = bool_or(object, "removed", false);
    return change;
}

}  // namespace

Failure Failure::from(const Error& error) {
    return {error.what(), error.hint(), error.kind(), error.exit_code(), error.code()};
}

Error Failure::to_error() const {
    Error error(message, kind);
    error.with_hint(hint).with_exit_code(exit_code).with_code(code);
    return error;
}

std::string encode(const Request& request) {
    json::object object{
        {"v", kProtocolVersion}, {"seq", request.seq}, {"op", std::string(name_of(request.operation, kOperations))}};
    if (!request.id.empty()) object["id"] = request.id;
    if (request.timeout) object["timeout"] = request.timeout->count();
    if (request.signal != 0) object["signal"] = request.signal;
    if (request.exec_id != 0) object["exec"] = request.exec_id;
    if (request.begin) object["begin"] = true;
    if (request.input) object["input"] = true;
    if (!request.from.empty()) object["from"] = request.from;
    if (request.operation == Operation::exec) {
        object["process"] = to_object(request.process);
        object["detach"] = request.detach;
    }
    return json::serialize(object);
}

std::string encode(const Reply& reply) {
    json::object object{{"v", kProtocolVersion}, {"seq", reply.seq}};
    if (reply.exec_id != 0) object["exec"] = reply.exec_id;
    if (reply.result != 0) object["result"] = reply.result;
    if (!reply.version.empty()) object["version"] = reply.version;
    if (reply.failure)
        object["error"] = json::object{{"message", reply.failure->message},
                                       {"hint", reply.failure->hint},
                                       {"kind", static_cast<int>(reply.failure->kind)},
                                       {"exit", reply.failure->exit_code},
                                       {"code", reply.failure->code}};
    return json::serialize(object);
}

std::string encode(const StateChange& change) {
    return json::serialize(
        json::object{{"v", kProtocolVersion},
                     {"event", json::object{{"id", change.id},
                                            {"state", std::string(name_of(change.state, kStates))},
                                            {"health", std::string(name_of(change.health, kHealths))},
                                            {"exit", change.exit_code},
                                            {"restarts", change.restart_count},
                                            {"removed", change.removed}}}});
}

Request decode_request(std::string_view text) {
    const auto object = parse_object(text);
    Request request;
    request.seq = unsigned_or_zero(object, "seq");
    request.operation = value_of<Operation>(string_or(object, "op"), kOperations);
    request.id = string_or(object, "id");
    if (object.contains("timeout")) request.timeout = std::chrono::nanoseconds(int_or(object, "timeout", 0));
    request.signal = small_int(object, "signal", 0);
    request.exec_id = unsigned_or_zero(object, "exec");
    request.begin = bool_or(object, "begin", false);
    request.input = bool_or(object, "input", false);
    request.from = string_or(object, "from");
    if (request.operation == Operation::exec) {
        request.process = process_from(object_in(object, "process"));
        request.detach = bool_or(object, "detach", false);
        if (request.process.args.empty()) throw make_error(ErrorKind::invalid, "exec without a command");
    }
    return request;
}

Message decode_message(std::string_view text) {
    const auto object = parse_object(text);
    Message message;
    if (object.contains("event"))
        message.change = change_from(object_in(object, "event"));
    else
        message.reply = reply_from(object);
    return message;
}

}  // namespace compose::supervisor
