// Streams that resume, as handlers have them: most of what is said is said outside of a turn.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "mcp_session/server/mcp_server.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

class StreamsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(peer_.server().AddTool({.name = "keep"},
                                       [this](ToolCall call) { call_ = std::move(call); }));
    session_ = peer_.OpenSession();
  }

  std::string LastId(std::uint64_t exchange) {
    const std::string& body = peer_.Of(exchange).body;
    const std::size_t start = body.rfind("id: ") + 4;
    return body.substr(start, body.find('\n', start) - start);
  }
  std::uint64_t Resume(std::uint64_t exchange) {
    ServerPeer::Headers headers = session_;
    headers.emplace_back("last-event-id", LastId(exchange));
    return peer_.Get(headers);
  }
  bool Has(std::uint64_t exchange, const std::string& text) {
    return peer_.Of(exchange).body.find(text) != std::string::npos;
  }

  std::optional<ToolCall> call_;
  ServerPeer peer_{ServerOptions{}};
  ServerPeer::Headers session_;
};

TEST_F(StreamsTest, WhatIsSaidOutsideOfATurnWakesTheHost) {
  const std::uint64_t exchange = peer_.Call(session_, 1, "keep");
  call_->Progress(1);
  EXPECT_EQ(peer_.wakes(), 1);
  peer_.Wake();
  EXPECT_TRUE(Has(exchange, "\"progress\":1"));
  EXPECT_TRUE(Has(exchange, "\nid: "));
  call_->Progress(1);  // is no more than it was: dropped
  EXPECT_EQ(peer_.wakes(), 1);
  call_->Progress(2);
  EXPECT_EQ(peer_.wakes(), 2);
  peer_.Wake();
  call_->Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_TRUE(Has(exchange, "done"));
  EXPECT_TRUE(peer_.Of(exchange).ended);
}

TEST_F(StreamsTest, AClientComesBackForTheAnswer) {
  const std::uint64_t exchange = peer_.Call(session_, 1, "keep");
  call_->CloseStream();
  EXPECT_EQ(peer_.wakes(), 1);
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(exchange).ended);
  const std::uint64_t resumed = Resume(exchange);
  EXPECT_TRUE(peer_.Of(resumed).stream);
  EXPECT_FALSE(call_->cancelled());
  call_->Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_TRUE(Has(resumed, "done"));
  EXPECT_TRUE(peer_.Of(resumed).ended);
}

TEST_F(StreamsTest, CloseStreamDoesNothingToOthers) {
  const std::uint64_t exchange = peer_.CallStateless(1, "keep");
  call_->CloseStream();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  call_->Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_TRUE(Has(exchange, "done"));
  call_->CloseStream();  // it is over
}

TEST_F(StreamsTest, NothingIsLeftOfASessionThatEnds) {
  const std::size_t before = peer_.memory().size();
  const std::uint64_t own = peer_.Get(session_);
  const std::uint64_t exchange = peer_.Call(session_, 1, "keep");
  call_->Progress(1);
  peer_.Wake();
  EXPECT_EQ(peer_.memory().size(), before + 3);
  peer_.Delete(session_);
  EXPECT_TRUE(peer_.Of(own).ended);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.memory().size(), before - 1);
}

}  // namespace
}  // namespace mcp_session
