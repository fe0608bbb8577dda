#include "tests/transcripts/test_tools.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

// An input schema with these properties, all strings and required.
Json Strings(const std::vector<const char*>& names) {
  Json properties = Json::object();
  for (const char* name : names) properties[name] = Json{{"type", "string"}};
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!names.empty()) schema["required"] = names;
  return schema;
}

ToolResult Echo(ToolCall& call) {
  const Result<std::string> message = call.StringArgument("message");
  return message ? ToolResult::Text(*message) : ToolResult::Error(message.error().message);
}

ToolResult Count(ToolCall& call) {
  const std::int64_t count = FindInteger(call.state(), "count").value_or(0) + 1;
  call.state()["count"] = count;
  return ToolResult::Structured({{"count", count}});
}

ToolResult MakeBox(ToolCall& call) {
  call.state()["items"] = Json::array();
  return ToolResult::Structured({{"box", call.handle()}});
}

ToolResult FillBox(ToolCall& call) {
  const Result<std::string> item = call.StringArgument("item");
  if (!item) return ToolResult::Error(item.error().message);
  call.state()["items"].push_back(*item);
  return ToolResult::Structured(call.state());
}

ToolResult EndBox(ToolCall& call) {
  call.EndHandle();
  return ToolResult::Text("The box is gone.");
}

ToolResult ListBoxes(ToolCall& call) {
  Json boxes = Json::array();
  for (const HandleInfo& box : call.handles()) {
    boxes.push_back({{"box", box.handle}, {"expiresInMs", box.expires_in.count}});
  }
  return ToolResult::Structured({{"boxes", std::move(boxes)}});
}

// What stands before the first space, which goes as well.
std::string_view TakeWord(std::string_view* text) {
  const std::size_t space = text->find(' ');
  const std::string_view word = text->substr(0, space);
  text->remove_prefix(space == std::string_view::npos ? text->size() : space + 1);
  return word;
}

std::optional<double> TakeNumber(std::string_view* text) {
  const std::string_view word = TakeWord(text);
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || rest != word.data() + word.size()) return std::nullopt;
  return static_cast<double>(number);
}

bool Progress(ToolCall& call, std::string_view deed) {
  const std::optional<double> progress = TakeNumber(&deed);
  if (!progress) return false;
  std::optional<double> total;
  if (deed.substr(0, 3) == "of ") {
    TakeWord(&deed);
    total = TakeNumber(&deed);
    if (!total) return false;
  }
  call.Progress(*progress, total, deed);
  return true;
}

}  // namespace

void TestTools::AddTo(McpServer& server) {
  const auto add = [&](Tool tool, auto handler) {
    const Result<void> added = server.AddTool(std::move(tool), std::move(handler));
    MCPS_CHECK(added.has_value());
  };
  add({.name = "echo", .description = "Says it again.", .input_schema = Strings({"message"})},
      Echo);
  add({.name = "count", .description = "Counts in the session.", .state = UsesSession()}, Count);
  add({.name = "make_box", .description = "Makes a box.", .state = MakesHandle("box")}, MakeBox);
  add({.name = "fill_box",
       .description = "Puts an item into a box.",
       .input_schema = Strings({"box", "item"}),
       .state = TakesHandle("box")},
      FillBox);
  add({.name = "list_boxes", .description = "Lists the boxes.", .state = ListsHandles("box")},
      ListBoxes);
  add({.name = "end_box",
       .description = "Throws a box away.",
       .input_schema = Strings({"box"}),
       .state = TakesHandle("box")},
      EndBox);
  add({.name = "fail", .description = "Fails."},
      [](ToolCall&) { return ToolResult::Error("It went wrong."); });
  add({.name = "steps",
       .description = "Waits to be told what to do.",
       .input_schema = {{"type", "object"}, {"properties", {{"as", {{"type", "string"}}}}}}},
      [this](ToolCall call) {
        waiting_.emplace_back(call.StringArgument("as").value_or("steps"), call);
      });
}

bool TestTools::Drive(std::string_view name, std::string_view deed) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& waiting) { return waiting.first == name; });
  if (found == waiting_.end()) return false;
  const std::string_view what = TakeWord(&deed);
  if (what == "progress") return Progress(found->second, deed);
  if (what != "reply" && what != "fail") return false;
  ToolCall call = found->second;
  waiting_.erase(found);
  const std::string text(deed);
  call.Reply(what == "fail" ? ToolResult::Error(text) : ToolResult::Text(text));
  return true;
}

std::vector<std::string> TestTools::TakeCancelled() {
  std::vector<std::string> names;
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    if (!waiting->second.cancelled()) {
      ++waiting;
      continue;
    }
    names.push_back(std::move(waiting->first));
    waiting = waiting_.erase(waiting);
  }
  return names;
}

}  // namespace mcp_session
