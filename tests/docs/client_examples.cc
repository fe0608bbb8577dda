// The examples of docs/client.md, against a server of their own.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "mcp_session/client/form.h"
#include "mcp_session/client_host/awaitable_client.h"
#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/client_host/kept_session.h"
#include "mcp_session/http/server.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/stdio/child_link.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

using namespace mcp_session;

namespace {

// A server with one tool, on a thread of its own.
class Server {
 public:
  Server() : mcp_(About(), store_, entropy_), http_(loop_, mcp_, AnyPort()) {
    mcp_.ServeChanges();
    EXPECT_TRUE(mcp_.AddTool({.name = "greet", .description = "Greets."}, [](ToolCall& call) {
      return ToolResult::Text("hello, " + call.StringArgument("name").value_or("you"));
    }));
    url_ = http_.Listen()->Origin() + "/mcp";
    thread_ = std::thread([this] { http_.Run(); });
  }
  ~Server() {
    http_.Stop();
    http_.Stop();
    thread_.join();
  }
  const std::string& url() const { return url_; }

 private:
  static ServerOptions About() {
    ServerOptions options;
    options.hosts = LoopbackHosts();
    return options;
  }
  static HttpServerOptions AnyPort() {
    HttpServerOptions options;
    options.port = 0;
    return options;
  }

  boost::asio::io_context loop_{1};
  SystemEntropy entropy_;
  MemorySessionStore store_{{}, entropy_};
  McpServer mcp_;
  HttpServer http_;
  std::string url_;
  std::thread thread_;
};

std::string Greeting(const ClientResult<Json>& result) { return result ? result->dump() : ""; }

TEST(ClientExamples, Blocks) {
  const Server server;
  const std::string& url = server.url();

  auto client = BlockingClient::Make([&](auto& loop) { return MakeHttpLink(loop, {.url = url}); },
                                     {.name = "shop"});
  if (!client) return;  // client.error() says why
  Json arguments = EmptyObject();
  arguments["name"] = "Ann";
  ClientResult<Json> greeting = (*client)->CallTool("greet", arguments);
  if (!greeting) std::printf("%s\n", greeting.error().error.message.c_str());

  EXPECT_NE(Greeting(greeting).find("hello, Ann"), std::string::npos);
}

boost::asio::awaitable<std::string> Greet(AwaitableClient& client) {
  ClientResult<Json> tools = co_await client.ListTools();
  ClientResult<Json> greeting = co_await client.CallTool("greet");
  co_await client.Close();
  co_return Greeting(greeting);
}

TEST(ClientExamples, Awaits) {
  const Server server;
  boost::asio::io_context loop;
  auto link = MakeHttpLink(loop, {.url = server.url()});
  AwaitableClient client(loop, std::move(*link), {.name = "shop"});
  std::string greeting;
  boost::asio::co_spawn(loop, Greet(client),
                        [&](const std::exception_ptr&, std::string said) { greeting = said; });
  loop.run();
  EXPECT_NE(greeting.find("hello, you"), std::string::npos);
}

TEST(ClientExamples, Answers) {
  const Server server;
  const std::string& url = server.url();

  ClientHandlers handlers;
  handlers.elicitation = AnswerAtOnce([](const Json& params) {
    Json content = EmptyObject();
    content["name"] = "Ann";
    return AcceptForm(params, std::move(content));  // the form's defaults for the rest
  });
  handlers.roots = AnswerAtOnce([](const Json&) -> std::variant<Json, RpcError> {
    return RpcError{-32603, "no roots today", {}};
  });
  auto client = BlockingClient::Make([&](auto& loop) { return MakeHttpLink(loop, {.url = url}); },
                                     {.name = "shop"}, handlers);

  EXPECT_TRUE((*client)->Open());
}

TEST(ClientExamples, Remembers) {
  const Server server;
  const std::string& url = server.url();

  auto eras = std::make_shared<EraMemory>();
  auto first = BlockingClient::Make(
      [&](auto& loop) { return MakeHttpLink(loop, {.url = url, .eras = eras}); }, {.name = "shop"});

  EXPECT_TRUE((*first)->Open());
  EXPECT_EQ(eras->Find(url.substr(0, url.rfind('/'))), kNewestStateless);
}

TEST(ClientExamples, Listens) {
  const Server server;
  const std::string& url = server.url();

  ClientHandlers handlers;
  handlers.on_notification = [](std::string_view method, const Json& params) {
    std::printf("%s %s\n", std::string(method).c_str(), params.dump().c_str());
  };
  auto client = BlockingClient::Make([&](auto& loop) { return MakeHttpLink(loop, {.url = url}); },
                                     {.name = "shop"}, handlers);
  auto honoured = (*client)->Subscribe({.tools = true, .uris = {"demo://shelf"}});
  if (honoured) std::printf("%s\n", honoured->dump().c_str());  // {"notifications":{...}}

  EXPECT_EQ(honoured->dump(), R"({"notifications":{"toolsListChanged":true}})");
}

TEST(ClientExamples, RunsAServer) {
  const char* program = "/no/such/program";

  auto client = BlockingClient::Make(
      [&](auto& loop) {
        return MakeChildLink(loop, {.command = {program, "--stdio"}});
      },
      {.name = "shop"});

  EXPECT_EQ((*client)->Open().error().error.code, ErrorCode::kMisconfigured);
}

TEST(ClientExamples, GoesOn) {
  const Server server;
  const std::string& url = server.url();
  SystemEntropy entropy;
  auto store = BlockingStore::Open(
      [&](auto&) -> Result<std::unique_ptr<SessionStore>> {
        return std::make_unique<MemorySessionStore>(MemoryStoreOptions{}, entropy);
      },
      entropy);
  std::string first;
  for (int visit = 0; visit < 2; ++visit) {
    const RecordName name{.owner = "shop", .kind = "client", .id = "greeter"};
    ClientOptions options{.name = "shop", .era = Era::kHandshake};
    if (auto kept = FindSession(**store, name)) options.resume = *kept;
    auto client =
        BlockingClient::Make([&](auto& loop) { return MakeHttpLink(loop, {.url = url}); }, options);
    (void)(*client)->CallTool("greet");
    if (auto session = (*client)->session()) {
      (void)KeepSession(**store, name, *session, {.idle_ttl = Hours(1)});
    }

    const std::string id = (*client)->session()->session_id;
    EXPECT_FALSE(id.empty());
    if (visit == 0) first = id;
    EXPECT_EQ(id, first);
  }
}

}  // namespace
