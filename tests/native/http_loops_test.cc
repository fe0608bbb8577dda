// HttpServer with several loops on one SharedMemory: clients whose every connection may be on
// another loop. Also run under ThreadSanitizer (tools/test).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/auth/static_token_authenticator.h"
#include "mcp_session/http/server.h"
#include "mcp_session/json/access.h"
#include "mcp_session/memory/shared_memory.h"
#include "mcp_session/system/entropy.h"
#include "tests/native/test_client.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHealthCheck = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

// What one loop has. Its tool `where` answers its number; `count` counts in the session; `work`
// reports progress and goes on until the test says so; `wait` says nothing meanwhile; `change`
// tells that the tools changed.
class Node {
 public:
  Node(std::size_t number, SharedMemory& memory, Entropy& entropy)
      : store_(memory, loop_.get_executor()), server_({}, store_, entropy) {
    server_.ServeChanges();
    bool added = server_
                     .AddTool({.name = "where"},
                              [number](ToolCall&) {
                                return ToolResult::Text("loop " + std::to_string(number));
                              })
                     .has_value();
    Tool count{.name = "count"};
    count.state.kind = StateUse::Kind::kSession;
    added = added && server_.AddTool(std::move(count), [](ToolCall& call) {
      const auto before = FindInteger(call.state(), "count").value_or(0);
      call.state()["count"] = before + 1;
      return ToolResult::Text("counted " + std::to_string(before + 1));
    });
    added = added && server_.AddTool({.name = "work"}, [this](ToolCall call) {
      call.Progress(1);
      calls_.push_back(std::move(call));
    });
    added = added && server_.AddTool({.name = "wait"},
                                     [this](ToolCall call) { calls_.push_back(std::move(call)); });
    added = added && server_.AddTool({.name = "change"}, [this](ToolCall&) {
      server_.NotifyToolsChanged();
      return ToolResult::Text("done");
    });
    if (!added) std::abort();
  }

  boost::asio::io_context& loop() { return loop_; }
  McpServer& server() { return server_; }

  // On its loop, with its first call, once there is one.
  void WithCall(const std::function<void(ToolCall&)>& action) {
    ASSERT_TRUE(Eventually([this] { return !calls_.empty(); }));
    Eventually([&] {
      action(calls_.front());
      return true;
    });
  }

  // Whether `condition`, asked on the loop, is true within ten seconds.
  bool Eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      std::promise<bool> met;
      boost::asio::post(loop_, [&] { met.set_value(condition()); });
      if (met.get_future().get()) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
  }

 private:
  boost::asio::io_context loop_{1};
  SharedMemoryStore store_;
  std::vector<ToolCall> calls_;
  McpServer server_;
};

class Loops {
 public:
  explicit Loops(HttpServerOptions options = {}, std::size_t count = 2) {
    for (std::size_t i = 0; i < count; ++i) {
      nodes_.push_back(std::make_unique<Node>(i, memory_, entropy_));
    }
    options.port = 0;
    host_ = std::make_unique<HttpServer>(nodes_[0]->loop(), nodes_[0]->server(), options);
    for (std::size_t i = 1; i < count; ++i) host_->AddLoop(nodes_[i]->loop(), nodes_[i]->server());
    const auto address = host_->Listen();
    if (!address) std::abort();
    port_ = address->port;
    thread_ = std::thread([this] {
      host_->Run();
      ended_ = true;
    });
  }
  ~Loops() {
    if (!thread_.joinable()) return;
    Stop();
    Stop();
    Join();
  }

  void Stop() { host_->Stop(); }
  void Join() { thread_.join(); }
  bool ended() const { return ended_; }
  std::uint16_t port() const { return port_; }
  Node& node(std::size_t i) { return *nodes_[i]; }

 private:
  SystemEntropy entropy_;
  SharedMemory memory_{{}, entropy_};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<HttpServer> host_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

std::size_t LoopOf(TestClient& client) {
  const std::string body = client.Exchange(StatelessCall("where")).body;
  const std::size_t at = body.find("loop ");
  return at == std::string::npos ? 99 : static_cast<std::size_t>(body[at + 5] - '0');
}

// A client whose connection is on that loop. Each goes to the one with the fewest.
std::unique_ptr<TestClient> ClientOn(std::size_t loop, const Loops& loops) {
  std::vector<std::unique_ptr<TestClient>> clients;
  while (clients.size() < 10) {
    clients.push_back(std::make_unique<TestClient>(loops.port()));
    if (LoopOf(*clients.back()) == loop) return std::move(clients.back());
  }
  ADD_FAILURE() << "all connections are on other loops";
  return std::move(clients.back());
}

std::string Get(std::string_view session) {
  return "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: " +
         std::string(session) + "\r\n\r\n";
}
std::string Delete(std::string_view session) {
  return "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: " + std::string(session) +
         "\r\n\r\n";
}
std::string Announced(std::size_t bytes) {
  return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Accept: application/json, text/event-stream\r\nContent-Length: " +
         std::to_string(bytes) + "\r\n\r\n";
}

TEST(HttpLoops, HaveAsManyConnectionsEach) {
  Loops loops({}, 3);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 15; ++i) clients.push_back(std::make_unique<TestClient>(loops.port()));
  std::vector<std::vector<std::size_t>> on(3);
  for (std::size_t i = 0; i < clients.size(); ++i) on[LoopOf(*clients[i])].push_back(i);
  for (const auto& each : on) ASSERT_EQ(each.size(), 5u);
  // Whoever goes makes room on its loop, once that has seen it: the next ones come there.
  for (const std::size_t i : on[1]) clients[i].reset();
  int in_a_row = 0;
  for (int i = 0; i < 1000 && in_a_row < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(loops.port()));
    if (LoopOf(*clients.back()) == 1) {
      ++in_a_row;
    } else {
      in_a_row = 0;
      clients.pop_back();
    }
  }
  EXPECT_EQ(in_a_row, 4);
}

TEST(HttpLoops, ServeEachOthersSessions) {
  Loops loops({}, 3);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 9; ++i) clients.push_back(std::make_unique<TestClient>(loops.port()));
  const std::string session = Initialize(*clients[0]);
  int counted = 0;
  for (const auto& client : clients) {
    EXPECT_THAT(client->Exchange(SessionCall(session, "count")).body,
                HasSubstr("counted " + std::to_string(++counted) + "\""));
  }
  EXPECT_EQ(clients[1]->Exchange(Delete(session)).status, 204);
  for (const auto& client : clients) {
    EXPECT_EQ(client->Exchange(SessionCall(session, "count")).status, 404);
  }
}

TEST(HttpLoops, TellChangesToEachOthersStreams) {
  Loops loops;
  const auto here = ClientOn(0, loops);
  const auto there = ClientOn(1, loops);
  const std::string session = Initialize(*here);
  ASSERT_TRUE(there->Send(Get(session)));
  ASSERT_EQ(there->ReceiveHead().status, 200);
  there->ReceiveUntil("\n\n");  // an event without a message
  ASSERT_EQ(here->Exchange(SessionCall(session, "change")).status, 200);
  EXPECT_THAT(there->ReceiveUntil("\n\n"), HasSubstr("notifications/tools/list_changed"));
}

TEST(HttpLoops, GoOnWithEachOthersStreams) {
  Loops loops;
  auto first = ClientOn(0, loops);
  const auto second = ClientOn(1, loops);
  const std::string session = Initialize(*second);
  ASSERT_TRUE(first->Send(SessionCall(session, "work", "{}", R"("progressToken":"t")")));
  ASSERT_EQ(first->ReceiveHead().status, 200);
  const std::string events = first->ReceiveUntil("\"progress\":1");
  const std::size_t start = events.rfind("id: ") + 4;
  const std::string id = events.substr(start, events.find('\n', start) - start);
  first.reset();
  std::string request = Get(session);
  request.insert(request.size() - 2, "Last-Event-ID: " + id + "\r\n");
  ASSERT_TRUE(second->Send(request));
  ASSERT_EQ(second->ReceiveHead().status, 200);
  loops.node(0).WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("done")); });
  EXPECT_THAT(second->ReceiveUntil("0\r\n\r\n"), HasSubstr(R"("text":"done")"));
}

TEST(HttpLoops, CancelEachOthersCalls) {
  Loops loops;
  const auto here = ClientOn(0, loops);
  const auto there = ClientOn(1, loops);
  const std::string session = Initialize(*here);
  ASSERT_TRUE(here->Send(SessionCall(session, "work", "{}", R"("progressToken":"t")")));
  ASSERT_EQ(here->ReceiveHead().status, 200);
  here->ReceiveUntil("\"progress\":1");
  EXPECT_EQ(
      there
          ->Exchange(Post(
              R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
              "Mcp-Session-Id: " + session + "\r\n"))
          .status,
      202);
  bool cancelled = false;
  for (int i = 0; i < 1000 && !cancelled; ++i) {
    loops.node(0).WithCall([&](ToolCall& call) { cancelled = call.cancelled(); });
    if (!cancelled) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(cancelled);
}

// Sessions that some use while others end them: each answer is one that such a session may have.
TEST(HttpLoops, StandABurst) {
  constexpr int kClients = 6, kRounds = 60;
  Loops loops({}, 3);
  TestClient opener(loops.port());
  std::vector<std::string> shared;
  for (int i = 0; i < kRounds; ++i) shared.push_back(Initialize(opener));
  std::atomic<int> wrong = 0, gone = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < kClients; ++number) {
    threads.emplace_back([&, number] {
      TestClient client(loops.port());
      for (int round = 0; round < kRounds; ++round) {
        const std::string& common = shared[static_cast<std::size_t>(round)];
        if (number == 0) {
          const int status = client.Exchange(Delete(common)).status;
          if (status != 204) ++wrong;
        } else {
          const int status = client.Exchange(SessionCall(common, "count")).status;
          if (status != 200 && status != 404) ++wrong;
          if (status == 404) ++gone;
        }
        const std::string own = Initialize(client);
        const TestResponse counted = client.Exchange(SessionCall(own, "count"));
        if (counted.body.find("counted 1\"") == std::string::npos) ++wrong;
        if (client.Exchange(Delete(own)).status != 204) ++wrong;
        if (client.Exchange(SessionCall(own, "count")).status != 404) ++wrong;
        TestClient brief(loops.port());
        if (brief.Exchange(kHealthCheck).status != 200) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  for (const std::string& session : shared) {
    EXPECT_EQ(opener.Exchange(SessionCall(session, "count")).status, 404);
  }
}

TEST(HttpLoops, FinishTheirCallsWhenStopped) {
  Loops loops;
  const auto here = ClientOn(0, loops);
  const auto there = ClientOn(1, loops);
  ASSERT_TRUE(here->Send(StatelessCall("wait")));
  ASSERT_TRUE(there->Send(StatelessCall("wait")));
  TestClient idle(loops.port());
  ASSERT_EQ(idle.Exchange(kHealthCheck).status, 200);
  loops.node(0).WithCall([](ToolCall&) {});
  loops.node(1).WithCall([](ToolCall&) {});
  loops.Stop();
  EXPECT_TRUE(idle.Ended());
  // The first loop has nothing left, and the other one still finishes.
  loops.node(0).WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("finished")); });
  EXPECT_THAT(here->Receive().body, HasSubstr("finished"));
  EXPECT_TRUE(here->Ended());
  here->Close();
  EXPECT_FALSE(loops.ended());
  loops.node(1).WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("finished")); });
  EXPECT_THAT(there->Receive().body, HasSubstr("finished"));
  there->Close();
  loops.Join();
}

TEST(HttpLoops, EndAtTheSecondStop) {
  HttpServerOptions options;
  options.grace = Minutes(10);
  Loops loops(options);
  const auto here = ClientOn(0, loops);
  const auto there = ClientOn(1, loops);
  ASSERT_TRUE(here->Send(StatelessCall("wait")));
  ASSERT_TRUE(there->Send(StatelessCall("wait")));
  loops.node(0).WithCall([](ToolCall&) {});
  loops.node(1).WithCall([](ToolCall&) {});
  loops.Stop();
  loops.Stop();
  EXPECT_TRUE(here->Ended());
  EXPECT_TRUE(there->Ended());
  loops.Join();
}

// The first loop has nothing left, and still hears it for the others.
TEST(HttpLoops, EndAtTheSecondStopThoughTheFirstHasNothingLeft) {
  HttpServerOptions options;
  options.grace = Minutes(10);
  Loops loops(options);
  const auto there = ClientOn(1, loops);
  ASSERT_TRUE(there->Send(StatelessCall("wait")));
  loops.node(1).WithCall([](ToolCall&) {});
  const auto idle = ClientOn(0, loops);
  loops.Stop();
  EXPECT_TRUE(idle->Ended());
  for (int i = 0; i < 100; ++i) loops.node(1).WithCall([](ToolCall&) {});
  loops.Stop();
  EXPECT_TRUE(there->Ended());
  loops.Join();
}

TEST(HttpLoops, EndWhenTheFirstIsStoppedFromOutside) {
  Loops loops({}, 3);
  TestClient client(loops.port());
  ASSERT_EQ(client.Exchange(kHealthCheck).status, 200);
  loops.node(0).loop().stop();
  loops.Join();
}

// --- limits, which are for all loops together ---

// Nothing happens by itself: what a loop does not tell another is not seen by chance.
HttpServerOptions WithoutTimers() {
  HttpServerOptions options;
  options.head_time = options.body_time = options.idle_time = Minutes(10);
  options.write_time = options.keep_alive_interval = Minutes(10);
  return options;
}

TEST(HttpLoopLimits, OfConnectionsCloseIdleOnesOfWhateverLoop) {
  HttpServerOptions options = WithoutTimers();
  options.max_connections = 4;
  Loops loops(options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<TestClient>(loops.port()));
  std::vector<TestClient*> busy, idle;
  for (const auto& client : clients) (LoopOf(*client) == 0 ? busy : idle).push_back(client.get());
  ASSERT_EQ(busy.size(), 2u);  // the loop that accepts has nothing to close
  for (TestClient* client : busy) {
    ASSERT_TRUE(client->Send(StatelessCall("work", "{}", R"(,"progressToken":"t")")));
    ASSERT_EQ(client->ReceiveHead().status, 200);
  }
  TestClient fifth(loops.port());
  EXPECT_EQ(fifth.Exchange(kHealthCheck).status, 200);
  EXPECT_TRUE(idle[0]->Ended());
  // And nobody whose turn it was not.
  EXPECT_EQ(idle[1]->Exchange(kHealthCheck).status, 200);
}

TEST(HttpLoopLimits, OfConnectionsMakeOthersWait) {
  HttpServerOptions options = WithoutTimers();
  options.max_connections = 2;
  Loops loops(options);
  const auto here = ClientOn(0, loops);
  ASSERT_TRUE(here->Send(StatelessCall("work", "{}", R"(,"progressToken":"t")")));
  ASSERT_EQ(here->ReceiveHead().status, 200);
  auto there = std::make_unique<TestClient>(loops.port());
  ASSERT_EQ(LoopOf(*there), 1u);
  ASSERT_TRUE(there->Send(StatelessCall("wait")));
  loops.node(1).WithCall([](ToolCall&) {});
  TestClient third(loops.port());
  ASSERT_TRUE(third.Send(kHealthCheck));
  EXPECT_FALSE(third.Readable(50));
  there.reset();
  EXPECT_EQ(third.Receive().status, 200);
}

TEST(HttpLoopLimits, OfWhatIsReceivedAreForAllTogether) {
  HttpServerOptions options;
  options.max_buffered_bytes = 250u << 10;  // one request has room, two have not
  Loops loops(options);
  const auto here = ClientOn(0, loops);
  const auto there = ClientOn(1, loops);
  const auto another = ClientOn(0, loops);
  const std::string unfinished = Announced(100'000) + std::string(99'999, ' ');
  ASSERT_TRUE(here->Send(unfinished));
  ASSERT_EQ(another->Exchange(kHealthCheck).status, 200);
  EXPECT_FALSE(here->Readable(20));
  ASSERT_TRUE(there->Send(unfinished));
  EXPECT_EQ(there->Receive().status, 503);
  ASSERT_TRUE(here->Send(" "));
  EXPECT_EQ(here->Receive().status, 400);  // no JSON
}

TEST(HttpLoopLimits, OfACallerAreExact) {
  HttpServerOptions options;
  options.caller_limits = {.requests_per_second = 0.001, .burst = 20};
  Loops loops(options, 3);
  std::atomic<int> admitted = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 6; ++number) {
    threads.emplace_back([&] {
      TestClient client(loops.port());
      for (int i = 0; i < 10; ++i) {
        const int status = client.Exchange(StatelessCall("where")).status;
        if (status == 200) ++admitted;
        if (status == 429) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 20);
  EXPECT_EQ(refused, 40);
}

TEST(HttpLoopLimits, OfWhatACallerHasOpenAreForAllTogether) {
  HttpServerOptions options;
  options.caller_limits.max_open = 2;
  Loops loops(options);
  auto here = ClientOn(0, loops);
  auto there = ClientOn(1, loops);
  TestClient third(loops.port());
  ASSERT_TRUE(here->Send(StatelessCall("wait")));
  ASSERT_TRUE(there->Send(StatelessCall("wait")));
  loops.node(0).WithCall([](ToolCall&) {});
  loops.node(1).WithCall([](ToolCall&) {});
  EXPECT_EQ(third.Exchange(StatelessCall("where")).status, 429);
  loops.node(1).WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("done")); });
  EXPECT_EQ(there->Receive().status, 200);
  EXPECT_EQ(third.Exchange(StatelessCall("where")).status, 200);
}

TEST(HttpLoopAuth, IsForAllOrForNone) {
  SystemEntropy entropy;
  SharedMemory memory({}, entropy);
  Node first(0, memory, entropy);
  Node second(1, memory, entropy);
  const std::vector<StaticToken> known = {{"alice", "alice-0123456789", {}}};
  StaticTokenAuthenticator tokens(known);
  HttpServerOptions options;
  options.port = 0;
  HttpServer host(first.loop(), first.server(), options);
  host.AddLoop(second.loop(), second.server(), &tokens);
  const auto address = host.Listen();
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
}

// A page that is answered when others have been asked.
TEST(HttpPages, MayBeAnsweredLater) {
  std::promise<HttpDynamicPage::Done> asked;
  HttpServerOptions options;
  options.dynamic_pages = {{"/late", nullptr, false,
                            [&](HttpDynamicPage::Done done) { asked.set_value(std::move(done)); }}};
  Loops loops(options);
  TestClient client(loops.port());
  ASSERT_TRUE(client.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kHealthCheck)));
  const HttpDynamicPage::Done done = asked.get_future().get();
  EXPECT_FALSE(client.Readable(20));  // answers come in order
  done({203, "text/plain", "late"});
  const TestResponse late = client.Receive();
  EXPECT_EQ(late.status, 203);
  EXPECT_EQ(late.body, "late");
  EXPECT_EQ(client.Receive().body, "ok\n");
  done({200, "text/plain", "again"});  // for nobody
  EXPECT_EQ(client.Exchange(kHealthCheck).body, "ok\n");
}

TEST(HttpPages, MayBeAnsweredWhenTheClientHasGone) {
  std::promise<HttpDynamicPage::Done> asked;
  HttpServerOptions options;
  options.dynamic_pages = {{"/late", nullptr, false,
                            [&](HttpDynamicPage::Done done) { asked.set_value(std::move(done)); }}};
  std::optional<Loops> loops(options);
  {
    TestClient client(loops->port());
    ASSERT_TRUE(client.Send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  const HttpDynamicPage::Done done = asked.get_future().get();
  done({200, "text/plain", "late"});
  TestClient other(loops->port());
  EXPECT_EQ(other.Exchange(kHealthCheck).status, 200);
}

}  // namespace
}  // namespace mcp_session
