// A server that is sent anything, over HTTP and on a channel: each request has one answer, which is
// JSON or a stream of it, and the next client is served as ever.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/json/parse.h"
#include "tests/server/server_peer.h"

using namespace mcp_session;

namespace {

ToolResult Echo(ToolCall& call) {
  call.state()["seen"] = call.arguments();
  call.Log(LogLevel::kError, "echo", call.arguments());
  return ToolResult::Structured({{"arguments", call.arguments()}});
}

ToolResult Ask(ToolCall& call) {
  call.kept() = call.arguments();
  const Json* answer = call.Ask("q", Form("?").Add(TextField{{.name = "a"}}));
  return answer != nullptr ? ToolResult::Structured(*answer) : ToolResult();
}

void AddFeatures(McpServer& server) {
  server.ServeChanges();
  server.ServeTasks({.unix_millis = [] { return std::int64_t{0}; }});
  MCPS_CHECK(server.AddTool({.name = "task"}, Ask, {.task = {TaskUse::Support::kOptional}}));
  MCPS_CHECK(server.AddTool({.name = "echo", .state = MakesHandle("seen")}, Echo));
  const auto say = [](ResourceCall& call) {
    return ResourceResult::Text(call.Variable("a") + call.Variable("b"));
  };
  MCPS_CHECK(server.AddResource({.uri = "mem:x", .name = "x"}, say));
  MCPS_CHECK(server.AddResourceTemplate({.uri_template = "mem:{a}.{b}/y", .name = "y"}, say));
  MCPS_CHECK(server.AddResourceTemplate({.uri_template = "mem:z/{a}/{+b}", .name = "z"}, say));
  MCPS_CHECK(
      server.AddPrompt({.name = "p", .arguments = {{.name = "a", .required = true}, {.name = "b"}}},
                       [](PromptCall& call) {
                         return PromptResult::Text(call.Argument("a") + call.Argument("b"));
                       }));
  MCPS_CHECK(server.AddCompletion({.prompt = "p", .argument = "a"}, [](CompletionCall& call) {
    return CompletionResult{.values = {call.typed(), call.Argument("b")}};
  }));
  server.ServeLogging();
  server.PageLists(1);
}

void CheckAnswer(const Received& received) {
  MCPS_CHECK(received.status >= 200 && received.status < 600);
  MCPS_CHECK(received.ended);
  if (!received.stream && !received.body.empty()) MCPS_CHECK(ParseJson(received.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ServerPeer peer;
  AddFeatures(peer.server());
  const ServerPeer::Headers session = peer.OpenSession();
  CheckAnswer(peer.Of(peer.Post(text)));
  CheckAnswer(peer.Of(peer.Post(text, session)));
  CheckAnswer(peer.Of(peer.Post(text, {{"mcp-protocol-version", "2026-07-28"}})));
  // As values of headers, of which the host lets no line break through.
  if (text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) {
    CheckAnswer(peer.Of(peer.Post("{}", {{"mcp-session-id", std::string(text)}})));
    CheckAnswer(peer.Of(peer.Post("{}", {{"mcp-name", std::string(text)},
                                         {"mcp-method", std::string(text)},
                                         {"mcp-protocol-version", std::string(text)}})));
  }
  peer.Open(1);
  peer.Send(1, text);
  for (const std::string& message : peer.Of(1).messages) MCPS_CHECK(ParseJson(message));
  // It may be that the text ended the session; a new one works.
  CheckAnswer(peer.Of(peer.Call(peer.OpenSession(), 7, "echo")));
  return 0;
}
