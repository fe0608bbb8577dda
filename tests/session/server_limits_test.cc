// What one peer, and all of them together, may have open on a server: at the cap and one past it
// (base/limits.h). Sizes and depths of messages are in tests/transcripts.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/session/server_engine.h"
#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

// An engine whose calls stay open until they are answered.
class ServerLimitsTest : public testing::Test {
 protected:
  static Limits MakeLimits(std::size_t per_session, std::size_t in_all) {
    Limits limits;
    limits.max_calls_per_session = per_session;
    limits.max_calls = in_all;
    return limits;
  }

  void Start(const Limits& limits) {
    ServerOptions options;
    options.limits = limits;
    engine_ = std::make_unique<ServerEngine>(options, store_, entropy_);
  }

  void Tell(const Event& event) {
    Effects effects;
    std::vector<EngineNews> news;
    std::vector<StoreReply> replies;
    engine_->Handle(event, Instant{}, &effects, &news);
    for (store_.Drain(&replies); !replies.empty(); store_.Drain(&replies)) {
      for (StoreReply& reply : replies) {
        engine_->HandleReply(std::move(reply), Instant{}, &effects, &news);
      }
      replies.clear();
    }
    for (const EngineNews& item : news) {
      if (const auto* started = std::get_if<CallStarted>(&item)) open_.push_back(started->call.id);
    }
    for (const Effect& effect : effects) {
      if (const auto* sent = std::get_if<effect::Send>(&effect)) sent_.push_back(sent->text);
      const auto* respond = std::get_if<effect::HttpRespond>(&effect);
      if (respond != nullptr) responses_.insert_or_assign(respond->exchange.number, *respond);
    }
  }

  // The status of the response; 0 if there is none yet.
  int Post(const std::string& body, const std::string& session, bool stateless = false) {
    HttpRequest request("POST", body);
    request.AddHeader("accept", "*/*");
    request.AddHeader("content-type", "application/json");
    if (!session.empty()) request.AddHeader("mcp-session-id", session);
    if (stateless) request.AddHeader("mcp-protocol-version", "2026-07-28");
    if (stateless) request.AddHeader("mcp-method", "go");
    Tell(event::HttpRequested{ExchangeId{++last_exchange_}, request, {}});
    const auto response = responses_.find(last_exchange_);
    return response == responses_.end() ? 0 : response->second.status;
  }

  std::string OpenSession() {
    Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
         R"("2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})",
         {});
    return responses_[last_exchange_].headers.back().second;
  }

  int Call(const std::string& session, int id) {
    return Post(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"go"})", session);
  }
  int CallStateless(int id) {
    return Post(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                    R"(,"method":"go","params":{"_meta":{)"
                    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                    R"("io.modelcontextprotocol/clientCapabilities":{}}}})",
                {}, true);
  }

  void AnswerOldest() {
    Effects effects;
    engine_->Answer(open_.front(), {}, {}, &effects);
    open_.erase(open_.begin());
  }

  CountingEntropy entropy_;
  MemorySessionStore store_{{}, entropy_};
  std::unique_ptr<ServerEngine> engine_;
  std::uint64_t last_exchange_ = 0;
  std::map<std::uint64_t, effect::HttpRespond> responses_;
  std::vector<std::string> sent_;
  std::vector<CallId> open_;
};

TEST_F(ServerLimitsTest, CallsOfOneSession) {
  Start(MakeLimits(2, 100));
  const std::string session = OpenSession();
  const std::string other = OpenSession();
  EXPECT_EQ(Call(session, 1), 0);
  EXPECT_EQ(Call(session, 2), 0);
  EXPECT_EQ(Call(session, 3), 429);
  EXPECT_EQ(responses_[last_exchange_].body,
            R"({"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"too many requests of )"
            R"(this client are open"}})");
  EXPECT_EQ(Call(other, 3), 0);  // is another's business
  AnswerOldest();
  EXPECT_EQ(Call(session, 3), 0);
  EXPECT_EQ(Call(session, 4), 429);
}

TEST_F(ServerLimitsTest, ACancelledCallMakesRoom) {
  Start(MakeLimits(1, 100));
  const std::string session = OpenSession();
  EXPECT_EQ(Call(session, 1), 0);
  EXPECT_EQ(Call(session, 2), 429);
  EXPECT_EQ(Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
                 session),
            202);
  EXPECT_EQ(Call(session, 2), 0);
}

TEST_F(ServerLimitsTest, PingNeedsNoRoom) {
  Start(MakeLimits(1, 1));
  const std::string session = OpenSession();
  EXPECT_EQ(Call(session, 1), 0);
  EXPECT_EQ(Post(R"({"jsonrpc":"2.0","id":2,"method":"ping"})", session), 200);
}

TEST_F(ServerLimitsTest, CallsOfOneChannel) {
  Start(MakeLimits(2, 100));
  Tell(event::ChannelOpened{ChannelId{1}, {}});
  Tell(event::MessageArrived{
      ChannelId{1},
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{},"clientInfo":{"name":"c","version":"1"}}})"});
  sent_.clear();
  for (const char* message :
       {R"({"jsonrpc":"2.0","id":1,"method":"go"})", R"({"jsonrpc":"2.0","id":2,"method":"go"})",
        R"({"jsonrpc":"2.0","id":3,"method":"go"})"}) {
    Tell(event::MessageArrived{ChannelId{1}, message});
  }
  EXPECT_EQ(sent_, (std::vector<std::string>{
                       R"({"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"too many )"
                       R"(requests of this client are open"}})"}));
  AnswerOldest();
  Tell(event::MessageArrived{ChannelId{1}, R"({"jsonrpc":"2.0","id":3,"method":"go"})"});
  EXPECT_EQ(sent_.size(), 1u);
}

// Stateless requests belong to nobody, so only all of them together are counted.
TEST_F(ServerLimitsTest, CallsOfAllPeers) {
  Start(MakeLimits(2, 3));
  const std::string session = OpenSession();
  EXPECT_EQ(CallStateless(1), 0);
  EXPECT_EQ(CallStateless(1), 0);
  EXPECT_EQ(CallStateless(1), 0);
  EXPECT_EQ(CallStateless(2), 429);
  EXPECT_EQ(responses_[last_exchange_].body,
            R"({"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"too many requests are )"
            R"(open"}})");
  EXPECT_EQ(Call(session, 1), 429);
  AnswerOldest();
  EXPECT_EQ(Call(session, 1), 0);
  EXPECT_EQ(CallStateless(2), 429);
  EXPECT_EQ(engine_->open_calls(), 3u);
}

}  // namespace
}  // namespace mcp_session
