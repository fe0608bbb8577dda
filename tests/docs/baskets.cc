// The quick start of README.md for server authors: a basket that is kept under a state handle.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "mcp_session/http/server.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

using namespace mcp_session;

ToolResult CreateBasket(ToolCall& call) {
  call.state()["items"] = Json::array();
  return ToolResult::Structured({{"basket", call.handle()}});
}

ToolResult AddItem(ToolCall& call) {
  const auto item = call.StringArgument("item");
  if (!item) return ToolResult::Error(item.error().message);
  call.state()["items"].push_back(*item);
  return ToolResult::Structured(call.state());
}

int main() {
  boost::asio::io_context loop;
  SystemEntropy entropy;
  MemorySessionStore store({}, entropy);
  McpServer server({.name = "baskets", .version = "1.0", .hosts = LoopbackHosts()}, store, entropy);

  const Json text = {{"type", "string"}};
  const Json item_schema = {{"type", "object"},
                            {"properties", {{"basket", text}, {"item", text}}},
                            {"required", {"basket", "item"}}};
  auto ready =
      server.AddTool({.name = "create_basket", .state = MakesHandle("basket")}, CreateBasket);
  if (ready) {
    ready = server.AddTool(
        {.name = "add_item", .input_schema = item_schema, .state = TakesHandle("basket")}, AddItem);
  }
  HttpServer http(loop, server, {.port = 0});  // 0: any free port
  const auto address = http.Listen();
  if (!ready || !address) return 1;
  std::cout << "listening on " << address->Origin() << "/mcp" << std::endl;

  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](auto, auto) { http.Stop(); });
  http.Run();
}
