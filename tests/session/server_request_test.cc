// Requests to the client: who may answer them, how long, how many, and what is said of them when
// their call ends.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "tests/session/engine_peer.h"

namespace mcp_session {
namespace {

class ServerRequestTest : public testing::Test {
 protected:
  // Asks for `call`; the number, or 0 if it was refused.
  std::uint64_t Ask(CallId call, Millis time = Seconds(60)) {
    Effects effects;
    const auto number = peer_.engine().Ask(call, "elicitation/create", R"({"message":"?"})", time,
                                           peer_.clock().Now(), &effects);
    refusal_ = number ? ErrorCode::kInternal : number.error().code;
    peer_.Take(std::move(effects));
    return number.value_or(0);
  }

  void Answer(CallId call) {
    Effects effects;
    peer_.engine().Answer(call, "\"ok\":1", {}, &effects);
    peer_.Take(std::move(effects));
  }

  // The id of the last request that `text` holds.
  static std::string LastId(std::string_view text) {
    const std::size_t method = text.rfind(R"(","method":"elicitation/create")");
    if (method == std::string_view::npos) return {};
    const std::size_t start = text.rfind(R"("id":")", method) + 6;
    return std::string(text.substr(start, method - start));
  }
  std::string LastId(std::uint64_t exchange) { return LastId(peer_.Of(exchange).body); }

  static std::string ResultText(const std::string& id) {
    return R"({"jsonrpc":"2.0","id":")" + id + R"(","result":{"action":"accept"}})";
  }

  EnginePeer peer_;
  CallId call_;
  ErrorCode refusal_ = ErrorCode::kInternal;
};

TEST_F(ServerRequestTest, GoesOutOnTheStreamOfItsCallAndItsResultComesBack) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  const std::uint64_t number = Ask(call_);
  EXPECT_TRUE(peer_.Of(exchange).stream);
  EXPECT_NE(
      peer_.Of(exchange).body.find(R"(","method":"elicitation/create","params":{"message":"?"}})"),
      std::string::npos)
      << peer_.Of(exchange).body;
  EXPECT_EQ(peer_.StatusOfPost(session, ResultText(LastId(exchange))), 202);
  ASSERT_EQ(peer_.answered_.size(), 1u);
  EXPECT_EQ(peer_.answered_[0].call, call_);
  EXPECT_EQ(peer_.answered_[0].number, number);
  const auto* result = std::get_if<Json>(&peer_.answered_[0].outcome);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(*FindString(*result, "action"), "accept");
  Answer(call_);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.Of(exchange).body.find("notifications/cancelled"), std::string::npos);
}

TEST_F(ServerRequestTest, AnErrorOfTheClientComesBackToo) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  Ask(call_);
  peer_.Post(session, R"({"jsonrpc":"2.0","id":")" + LastId(exchange) +
                          R"(","error":{"code":-1,"message":"no"}})");
  ASSERT_EQ(peer_.answered_.size(), 1u);
  const auto* error = std::get_if<RpcError>(&peer_.answered_[0].outcome);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, -1);
  EXPECT_EQ(error->message, "no");
}

TEST_F(ServerRequestTest, ASecondAnswerIsIgnored) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  Ask(call_);
  const std::string text = ResultText(LastId(exchange));
  EXPECT_EQ(peer_.StatusOfPost(session, text), 202);
  EXPECT_EQ(peer_.StatusOfPost(session, text), 202);
  EXPECT_EQ(peer_.answered_.size(), 1u);
}

TEST_F(ServerRequestTest, OnlyItsOwnSessionAnswers) {
  const std::string session = peer_.OpenSession("ann");
  const std::string other = peer_.OpenSession("ann");
  const std::string foreign = peer_.OpenSession("bob");
  const std::uint64_t exchange = peer_.Call(session, "7", &call_, "ann");
  Ask(call_);
  const std::string text = ResultText(LastId(exchange));
  EXPECT_EQ(peer_.StatusOfPost(other, text, "ann"), 202);
  EXPECT_EQ(peer_.StatusOfPost(foreign, text, "bob"), 202);
  EXPECT_EQ(peer_.StatusOfPost(session, text, "bob"), 404);
  EXPECT_EQ(peer_.StatusOfPost(session, text), 404);
  EXPECT_TRUE(peer_.answered_.empty());
  EXPECT_EQ(peer_.StatusOfPost(session, text, "ann"), 202);
  EXPECT_EQ(peer_.answered_.size(), 1u);
}

TEST_F(ServerRequestTest, IdsOfNobodyAreIgnored) {
  const std::string session = peer_.OpenSession();
  peer_.Call(session, "7", &call_);
  Ask(call_);
  for (const char* text :
       {R"({"jsonrpc":"2.0","id":1,"result":{}})", R"({"jsonrpc":"2.0","id":"1","result":{}})",
        R"({"jsonrpc":"2.0","id":"","result":{}})",
        R"({"jsonrpc":"2.0","error":{"code":1,"message":"m"}})"}) {
    EXPECT_EQ(peer_.StatusOfPost(session, text), 202) << text;
  }
  EXPECT_TRUE(peer_.answered_.empty());
}

TEST_F(ServerRequestTest, IdsAreNotUsedTwiceInASession) {
  const std::string session = peer_.OpenSession();
  CallId first;
  CallId second;
  const std::uint64_t one = peer_.Call(session, "7", &first);
  Ask(first);
  const std::string before = LastId(one);
  Ask(first);
  EXPECT_NE(LastId(one), before);
  Answer(first);
  const std::uint64_t again = peer_.Call(session, "7", &second);  // against J-03, but it happens
  Ask(second);
  EXPECT_NE(LastId(again), before);
}

TEST_F(ServerRequestTest, TheyAreBounded) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  for (std::size_t i = 0; i < Limits().max_requests_per_call; ++i) EXPECT_NE(Ask(call_), 0u);
  EXPECT_EQ(Ask(call_), 0u);
  EXPECT_EQ(refusal_, ErrorCode::kTooManyRequests);
  peer_.Post(session, ResultText(LastId(exchange)));
  EXPECT_NE(Ask(call_), 0u);
}

TEST_F(ServerRequestTest, TimeIsUp) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  const Instant start = peer_.clock().Now();
  const std::uint64_t late = Ask(call_, Seconds(10));
  const std::string id = LastId(exchange);
  Ask(call_, Seconds(20));
  EXPECT_LE(peer_.engine().NextDeadline(), start + Seconds(10));
  peer_.Pass(Millis{9'999});
  EXPECT_TRUE(peer_.answered_.empty());
  peer_.Pass(Millis{1});
  ASSERT_EQ(peer_.answered_.size(), 1u);
  EXPECT_EQ(peer_.answered_[0].number, late);
  EXPECT_EQ(std::get<ErrorCode>(peer_.answered_[0].outcome), ErrorCode::kTimeout);
  EXPECT_NE(peer_.Of(exchange).body.find(
                R"("method":"notifications/cancelled","params":{"requestId":")" + id + R"("})"),
            std::string::npos)
      << peer_.Of(exchange).body;
  EXPECT_EQ(peer_.StatusOfPost(session, ResultText(id)), 202);  // too late
  EXPECT_EQ(peer_.answered_.size(), 1u);
  peer_.Pass(Seconds(10));
  EXPECT_EQ(peer_.answered_.size(), 2u);
}

TEST_F(ServerRequestTest, ACallThatEndsTakesItsRequestsWithIt) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  Ask(call_);
  const std::string id = LastId(exchange);
  Answer(call_);
  const std::string& body = peer_.Of(exchange).body;
  const std::size_t withdrawn = body.find(R"("params":{"requestId":")" + id + R"("})");
  ASSERT_NE(withdrawn, std::string::npos) << body;
  EXPECT_LT(withdrawn, body.find(R"("result":{"ok":1})"));
  EXPECT_EQ(peer_.StatusOfPost(session, ResultText(id)), 202);
  EXPECT_TRUE(peer_.answered_.empty());
  EXPECT_EQ(Ask(call_), 0u);
  EXPECT_EQ(refusal_, ErrorCode::kCancelled);
}

TEST_F(ServerRequestTest, ACancelledCallTakesItsRequestsWithIt) {
  const std::string session = peer_.OpenSession();
  const std::uint64_t exchange = peer_.Call(session, "7", &call_);
  Ask(call_);
  const std::string id = LastId(exchange);
  peer_.Post(session,
             R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
  EXPECT_EQ(peer_.cancelled_.size(), 1u);
  EXPECT_NE(peer_.Of(exchange).body.find(R"("params":{"requestId":")" + id + R"("})"),
            std::string::npos);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  peer_.Post(session, ResultText(id));
  EXPECT_TRUE(peer_.answered_.empty());
}

TEST_F(ServerRequestTest, OnAChannel) {
  peer_.Tell(event::ChannelOpened{ChannelId{1}, {}});
  peer_.Tell(event::ChannelOpened{ChannelId{2}, {}});
  peer_.Tell(event::MessageArrived{ChannelId{1}, EnginePeer::InitializeText("2025-06-18")});
  peer_.Tell(event::MessageArrived{ChannelId{2}, EnginePeer::InitializeText("2025-06-18")});
  peer_.Tell(event::MessageArrived{ChannelId{1}, R"({"jsonrpc":"2.0","id":7,"method":"go"})"});
  const CallId call = peer_.started_.back();
  const std::uint64_t number = Ask(call);
  const std::string id = LastId(peer_.sent_.back());
  ASSERT_FALSE(id.empty());
  peer_.Tell(event::MessageArrived{ChannelId{2}, ResultText(id)});
  EXPECT_TRUE(peer_.answered_.empty());
  peer_.Tell(event::MessageArrived{ChannelId{1}, ResultText(id)});
  ASSERT_EQ(peer_.answered_.size(), 1u);
  EXPECT_EQ(peer_.answered_[0].number, number);
  Ask(call);
  const std::size_t before = peer_.sent_.size();
  peer_.Tell(event::ChannelClosed{ChannelId{1}});
  EXPECT_EQ(peer_.sent_.size(), before);  // nobody is there to be told
}

TEST_F(ServerRequestTest, StatelessClientsAreNeverAsked) {
  peer_.Http("POST",
             R"({"jsonrpc":"2.0","id":7,"method":"go","params":{"_meta":{)"
             R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
             R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}})",
             {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "go"}});
  ASSERT_EQ(peer_.started_.size(), 1u);
  EXPECT_EQ(Ask(peer_.started_[0]), 0u);
  EXPECT_EQ(refusal_, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace mcp_session
