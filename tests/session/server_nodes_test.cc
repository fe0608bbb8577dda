// Several nodes on one store: a response or a cancellation that comes to one of them reaches the
// call that another works on.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "mcp_session/json/access.h"
#include "tests/session/engine_peer.h"

namespace mcp_session {
namespace {

class ServerNodesTest : public testing::Test {
 protected:
  void SetUp() override { session_ = one_.OpenSession("ann"); }

  // Asks for the call on the first node.
  void Ask() {
    Effects effects;
    const auto number = one_.engine().Ask(call_, "elicitation/create", R"({"message":"?"})",
                                          Seconds(60), one_.clock().Now(), &effects);
    one_.Take(std::move(effects));
    ASSERT_TRUE(number);
    number_ = *number;
  }
  std::string AskedId(std::uint64_t exchange) {
    const std::string& body = one_.Of(exchange).body;
    const std::size_t method = body.rfind(R"(","method":"elicitation/create")");
    if (method == std::string::npos) return {};
    const std::size_t start = body.rfind(R"("id":")", method) + 6;
    return body.substr(start, method - start);
  }
  static std::string ResultText(const std::string& id) {
    return R"({"jsonrpc":"2.0","id":")" + id + R"(","result":{"action":"accept"}})";
  }
  static std::string CancelText(std::string_view id) {
    return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
           std::string(id) + "}}";
  }

  EnginePeer one_;
  EnginePeer two_{one_, {}};
  std::string session_;
  CallId call_;
  std::uint64_t number_ = 0;
};

TEST_F(ServerNodesTest, AResultReachesTheNodeThatAsked) {
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  Ask();
  EXPECT_EQ(two_.StatusOfPost(session_, ResultText(AskedId(exchange)), "ann"), 202);
  EXPECT_TRUE(two_.answered_.empty());
  one_.Wake();
  ASSERT_EQ(one_.answered_.size(), 1u);
  EXPECT_EQ(one_.answered_[0].number, number_);
  const auto* result = std::get_if<Json>(&one_.answered_[0].outcome);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(*FindString(*result, "action"), "accept");
}

TEST_F(ServerNodesTest, AnErrorReachesTheNodeThatAsked) {
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  Ask();
  two_.Post(session_,
            R"({"jsonrpc":"2.0","id":")" + AskedId(exchange) +
                R"(","error":{"code":-1,"message":"no","data":{"a":1}}})",
            "ann");
  one_.Wake();
  ASSERT_EQ(one_.answered_.size(), 1u);
  const auto* error = std::get_if<RpcError>(&one_.answered_[0].outcome);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, -1);
  EXPECT_EQ(error->message, "no");
  EXPECT_TRUE(error->data.has_value());
}

TEST_F(ServerNodesTest, NobodyElseReachesIt) {
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  Ask();
  const std::string text = ResultText(AskedId(exchange));
  const std::string other = two_.OpenSession("ann");
  const std::string foreign = two_.OpenSession("bob");
  EXPECT_EQ(two_.StatusOfPost(other, text, "ann"), 202);
  EXPECT_EQ(two_.StatusOfPost(foreign, text, "bob"), 202);
  EXPECT_EQ(two_.StatusOfPost(session_, text, "bob"), 404);
  EXPECT_EQ(two_.StatusOfPost(other, CancelText("7"), "ann"), 202);
  EXPECT_EQ(two_.StatusOfPost(session_, CancelText("7"), "bob"), 404);
  EXPECT_EQ(two_.StatusOfPost(session_, CancelText("\"7\""), "ann"), 202);  // another id
  one_.Wake();
  EXPECT_TRUE(one_.answered_.empty());
  EXPECT_TRUE(one_.cancelled_.empty());
}

TEST_F(ServerNodesTest, WhatNobodyWaitsForIsIgnored) {
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  Ask();
  const std::string id = AskedId(exchange);
  for (const std::string& other :
       {id + "1", id.substr(0, id.find('.')) + ".x", std::string("."), std::string("a.b")}) {
    EXPECT_EQ(two_.StatusOfPost(session_, ResultText(other), "ann"), 202) << other;
  }
  one_.Wake();
  EXPECT_TRUE(one_.answered_.empty());
  two_.Post(session_, ResultText(id), "ann");
  two_.Post(session_, ResultText(id), "ann");
  one_.Wake();
  EXPECT_EQ(one_.answered_.size(), 1u);
}

TEST_F(ServerNodesTest, ACancellationReachesTheCall) {
  const std::uint64_t exchange = one_.Call(session_, "\"x y\"", &call_, "ann");
  one_.Pass(Seconds(1));
  EXPECT_EQ(two_.StatusOfPost(session_, CancelText("\"x y\""), "ann"), 202);
  one_.Wake();
  ASSERT_EQ(one_.cancelled_.size(), 1u);
  EXPECT_EQ(one_.cancelled_[0], call_);
  EXPECT_TRUE(one_.Of(exchange).ended);
}

TEST_F(ServerNodesTest, ACallHasARecordOnlyOnceItIsASecondOld) {
  one_.Call(session_, "7", &call_, "ann");
  const std::size_t before = one_.store().commands();
  one_.Pass(Millis{999});
  EXPECT_EQ(one_.store().commands(), before);
  EXPECT_EQ(one_.engine().NextDeadline(), one_.clock().Now() + Millis{1});
  one_.Pass(Millis{1});
  EXPECT_EQ(one_.store().commands(), before + 2);
}

TEST_F(ServerNodesTest, ItStaysReachableAsLongAsItRuns) {
  one_.Call(session_, "7", &call_, "ann");
  for (int i = 0; i < 20; ++i) one_.Pass(Seconds(9));
  two_.Post(session_, CancelText("7"), "ann");
  one_.Wake();
  EXPECT_EQ(one_.cancelled_.size(), 1u);
}

TEST_F(ServerNodesTest, ItIsReachableAgainAfterAnOutage) {
  one_.Call(session_, "7", &call_, "ann");
  one_.Pass(Seconds(1));
  one_.store().Fail(ErrorCode::kUnavailable);
  for (int i = 0; i < 20; ++i) one_.Pass(Seconds(5));
  one_.store().Heal();
  one_.Pass(Seconds(10));
  two_.Post(session_, CancelText("7"), "ann");
  one_.Wake();
  EXPECT_EQ(one_.cancelled_.size(), 1u);
}

TEST_F(ServerNodesTest, AnOutageIsNotTakenForAccepted) {
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  Ask();
  for (const std::string& text : {ResultText(AskedId(exchange)), CancelText("7")}) {
    two_.store().Hold();
    const std::uint64_t post = two_.Post(session_, text, "ann");
    two_.store().Fail(ErrorCode::kUnavailable);
    two_.store().Release();
    two_.Wake();
    EXPECT_EQ(two_.Of(post).status, 503) << text;
    two_.store().Heal();
  }
}

// Older revisions' streams are not kept, so the question waits for the record itself.
TEST_F(ServerNodesTest, AQuestionGoesOutWhenItsAnswerCanBeHeard) {
  session_ = one_.OpenSession("ann", "2025-06-18");
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  one_.store().Hold();
  Ask();
  EXPECT_EQ(one_.Of(exchange).status, 0);
  one_.store().Release();
  one_.Wake();
  two_.Post(session_, ResultText(AskedId(exchange)), "ann");
  one_.Wake();
  EXPECT_EQ(one_.answered_.size(), 1u);
}

TEST_F(ServerNodesTest, AQuestionThatNeverWentOutIsNotWithdrawn) {
  session_ = one_.OpenSession("ann", "2025-06-18");
  const std::uint64_t exchange = one_.Call(session_, "7", &call_, "ann");
  one_.store().Hold();
  Ask();
  Effects effects;
  one_.engine().Answer(call_, "\"ok\":1", {}, &effects);
  one_.Take(std::move(effects));
  one_.store().Release();
  one_.Wake();
  EXPECT_EQ(one_.Of(exchange).body, R"({"jsonrpc":"2.0","id":7,"result":{"ok":1}})");
}

}  // namespace
}  // namespace mcp_session
