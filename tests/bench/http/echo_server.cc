// echo_server STORE [THREADS]: the server that http_bench measures. Prints its port. Its tools:
// echo answers its argument `message`; remember does so too, and keeps it and how often it was
// called in the session.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

// What one loop has.
struct Node {
  Node(SessionStore& store, Entropy& entropy) : server({}, store, entropy) {}

  Result<void> AddTools() {
    Tool remember = MessageTool("remember");
    remember.state.kind = StateUse::Kind::kSession;
    Result<void> added = server.AddTool(MessageTool("echo"), Echo);
    if (!added) return added;
    return server.AddTool(std::move(remember), [](ToolCall& call) {
      Json& state = call.state();
      state["calls"] = state.value("calls", 0) + 1;
      state["last"] = call.StringArgument("message").value_or("");
      return Echo(call);
    });
  }

  McpServer server;
};

int Main(const std::string& url, std::size_t threads) {
  std::vector<std::unique_ptr<boost::asio::io_context>> loops;
  std::vector<boost::asio::io_context*> each;
  while (each.size() < threads) {
    each.push_back(loops.emplace_back(std::make_unique<boost::asio::io_context>(1)).get());
  }
  SystemEntropy entropy;
  StoreOptions options;
  options.url = url;
  options.on_unavailable = OnUnavailable::kFail;
  Result<CreatedStores> created = CreateSessionStores(options, each, entropy);
  if (!created) return Fail(created.error());
  std::vector<std::unique_ptr<Node>> nodes;
  for (const CreatedStore& one : created->stores) {
    nodes.push_back(std::make_unique<Node>(*one.store, entropy));
    if (const Result<void> added = nodes.back()->AddTools(); !added) return Fail(added.error());
  }
  HttpServerOptions http;
  http.port = 0;
  http.max_connections = 20'000;
  HttpServer host(*each[0], nodes[0]->server, http);
  for (std::size_t i = 1; i < threads; ++i) host.AddLoop(*each[i], nodes[i]->server);
  const Result<HttpAddress> address = host.Listen();
  if (!address) return Fail(address.error());
  std::printf("%d\n", address->port);
  std::fflush(stdout);
  boost::asio::signal_set signals(*each[0], SIGTERM);
  signals.async_wait([&](const auto&, int) { host.Stop(); });
  host.Run();
  return 0;
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  return mcp_session::Main(argc > 1 ? argv[1] : "memory",
                           static_cast<std::size_t>(std::max(threads, 1)));
}
