// echo_server STORE: the server that http_bench measures. Prints its port. Its tools: echo answers
// its argument `message`; remember does so too, and keeps it and how often it was called in the
// session.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/http/server.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

int Fail(const Error& error) {
  std::fprintf(stderr, "echo_server: %s\n", error.message.c_str());
  return 1;
}

Tool MessageTool(std::string name) {
  Tool tool;
  tool.name = std::move(name);
  tool.description = "Echo the message";
  tool.input_schema = *ParseJson(
      R"({"type":"object","properties":{"message":{"type":"string"}},"required":["message"]})");
  return tool;
}

ToolResult Echo(ToolCall& call) {
  Result<std::string> message = call.StringArgument("message");
  if (!message) return ToolResult::Error(message.error().message);
  return ToolResult::Text(std::move(*message));
}

int Main(const std::string& url) {
  boost::asio::io_context loop(1);
  SystemEntropy entropy;
  StoreOptions options;
  options.url = url;
  options.on_unavailable = OnUnavailable::kFail;
  Result<CreatedStore> store = CreateSessionStore(options, loop, entropy);
  if (!store) return Fail(store.error());
  McpServer server({}, *store->store, entropy);
  Tool remember = MessageTool("remember");
  remember.state.kind = StateUse::Kind::kSession;
  Result<void> added = server.AddTool(MessageTool("echo"), Echo);
  if (added) {
    added = server.AddTool(std::move(remember), [](ToolCall& call) {
      Json& state = call.state();
      state["calls"] = state.value("calls", 0) + 1;
      state["last"] = call.StringArgument("message").value_or("");
      return Echo(call);
    });
  }
  if (!added) return Fail(added.error());
  HttpServerOptions http;
  http.port = 0;
  http.max_connections = 20'000;
  HttpServer host(loop, server, http);
  const Result<HttpAddress> address = host.Listen();
  if (!address) return Fail(address.error());
  std::printf("%d\n", address->port);
  std::fflush(stdout);
  boost::asio::signal_set signals(loop, SIGTERM);
  signals.async_wait([&](const auto&, int) { host.Stop(); });
  host.Run();
  return 0;
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) { return mcp_session::Main(argc > 1 ? argv[1] : "memory"); }
