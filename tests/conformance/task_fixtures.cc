#include "tests/conformance/task_fixtures.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr TaskUse kOptional{TaskUse::Support::kOptional};
constexpr TaskUse kRequired{TaskUse::Support::kRequired};
constexpr TaskUse kRequiredWhenKept{TaskUse::Support::kRequired, TaskUse::Start::kWhenKept};

void AnswerAfter(asio::io_context& loop, std::chrono::milliseconds time, ToolCall call,
                 ToolResult result) {
  const auto timer = std::make_shared<asio::steady_timer>(loop, time);
  timer->async_wait(
      [call = std::move(call), result = std::move(result), timer](const auto& error) mutable {
        if (!error && !call.cancelled()) call.Reply(std::move(result));
      });
}

Form Confirming(const std::string& message) {
  return Form(message).Add(BooleanField{{.name = "confirm"}});
}

bool Confirmed(const Json& answer) {
  const Json* content = AcceptedContent(answer);
  return content != nullptr && FindBool(*content, "confirm").value_or(false);
}

ToolResult ConfirmDelete(ToolCall& call) {
  const std::string file = StringOrEmpty(call.arguments(), "filename");
  const Json* answer = call.Ask("confirm", Confirming("Delete " + file + "?"));
  if (answer == nullptr) return {};
  return ToolResult::Text(Confirmed(*answer) ? "Deleted " + file + "." : "Kept " + file + ".");
}

ToolResult AskTwice(ToolCall& call) {
  const Json* first = call.Ask("first", Confirming("The first?"));
  const Json* second = call.Ask("second", Confirming("The second?"));
  if (first == nullptr || second == nullptr) return {};
  return ToolResult::Text(Confirmed(*first) && Confirmed(*second) ? "Both." : "Not both.");
}

}  // namespace

Result<void> AddTaskFixtures(McpServer& server, asio::io_context& loop) {
  Result<void> added;
  const auto add = [&](const char* name, const char* description, TaskUse task, Json schema,
                       auto handler) {
    const auto one = server.AddTool(
        {.name = name, .description = description, .input_schema = std::move(schema)},
        std::move(handler), {.task = task});
    if (added && !one) added = one;
  };
  const Json text = {{"type", "string"}};
  add("slow_compute", "Takes some seconds.", kOptional,
      {{"type", "object"},
       {"properties", {{"seconds", {{"type", "number"}, {"minimum", 0}}}, {"label", text}}}},
      [&loop](ToolCall call) {
        const double seconds = FindNumber(call.arguments(), "seconds").value_or(0);
        const std::string label = StringOrEmpty(call.arguments(), "label");
        AnswerAfter(loop, std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)),
                    std::move(call), ToolResult::Text("Computed " + label + "."));
      });
  add("failing_job", "Always fails, after a while.", kRequired, {}, [&loop](ToolCall call) {
    AnswerAfter(loop, std::chrono::seconds(1), std::move(call), ToolResult::Error("It failed."));
  });
  add("protocol_error_job", "Never answers.", kOptional, {}, [](ToolCall) {});
  add("confirm_delete", "Asks before it deletes.", kOptional,
      {{"type", "object"}, {"properties", {{"filename", text}}}}, ConfirmDelete);
  add("multi_input", "Asks for two things at once.", kOptional, {}, AskTwice);
  add("test_tool_with_task", "Asks who the user is, and then takes a while.", kRequiredWhenKept, {},
      [&loop](ToolCall call) {
        const Json* answer =
            call.Ask("user_name", Form("What is your name?").Add(TextField{{.name = "name"}}));
        if (answer == nullptr) return call.Reply({});
        const Json* content = AcceptedContent(*answer);
        const std::string name = content != nullptr ? StringOrEmpty(*content, "name") : "nobody";
        AnswerAfter(loop, std::chrono::milliseconds(50), std::move(call),
                    ToolResult::Text("Hello, " + name + "!"));
      });
  return added;
}

}  // namespace mcp_session
