// Streams that resume: what they cost, their bounds, trouble of the store in every wait, and nodes
// that are gone. What clients see otherwise is in tests/transcripts/stream_*.txt.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/session/engine_peer.h"

namespace mcp_session {
namespace {

class ServerStreamTest : public testing::Test {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    options.limits.max_streams_per_session = 3;
    options.limits.max_kept_streams = 2;
    options.limits.max_events_per_stream = 4;
    return options;
  }

  void SetUp() override { session_ = peer_.OpenSession(); }

  void Progress(CallId call, double progress) {
    Effects effects;
    peer_.engine().Progress(call, progress, std::nullopt, {}, &effects);
    peer_.Take(std::move(effects));
  }
  void Answer(CallId call) {
    Effects effects;
    peer_.engine().Answer(call, "\"ok\":1", {}, &effects);
    peer_.Take(std::move(effects));
  }
  std::uint64_t Get(const std::string& last_event = {}) {
    EnginePeer::Headers headers = {{"mcp-session-id", session_}};
    if (!last_event.empty()) headers.emplace_back("last-event-id", last_event);
    return peer_.Http("GET", {}, headers);
  }
  // The id of the last event in a body.
  std::string LastId(std::uint64_t exchange) {
    const std::string& body = peer_.Of(exchange).body;
    const std::size_t start = body.rfind("id: ") + 4;
    return body.substr(start, body.find('\n', start) - start);
  }
  bool Has(std::uint64_t exchange, std::string_view text) {
    return peer_.Of(exchange).body.find(text) != std::string::npos;
  }

  EnginePeer peer_{Options()};
  std::string session_;
  CallId call_;
};

TEST_F(ServerStreamTest, AnAnswerWithoutAStreamAsksNothingMoreOfTheStore) {
  const std::size_t before = peer_.store().commands();
  peer_.Call(session_, "7", &call_);
  Answer(call_);
  EXPECT_EQ(peer_.store().commands() - before, 1u);  // the session
}

TEST_F(ServerStreamTest, NothingIsSentBeforeTheStoreHasIt) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  peer_.store().Hold();
  Progress(call_, 1);
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  Answer(call_);
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_TRUE(Has(exchange, "id: "));
  EXPECT_LT(peer_.Of(exchange).body.find("progress"), peer_.Of(exchange).body.find("ok"));
}

// The call goes on without being kept: no ids, nothing lost, nothing out of order.
TEST_F(ServerStreamTest, AStoreThatFailsAtTheStart) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  peer_.store().Fail(ErrorCode::kUnavailable);
  Progress(call_, 1);
  EXPECT_EQ(peer_.Of(exchange).status, 200);
  Answer(call_);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.Of(exchange).body.find("id: "), std::string::npos) << peer_.Of(exchange).body;
  EXPECT_TRUE(Has(exchange, "\"progress\":1"));
  EXPECT_TRUE(Has(exchange, "\"ok\":1"));
}

TEST_F(ServerStreamTest, AStoreThatFailsInTheMiddleLeavesNoStreamWithAHole) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::string id = LastId(exchange);
  peer_.store().Fail(ErrorCode::kUnavailable, 1);
  Progress(call_, 2);
  Progress(call_, 3);
  EXPECT_EQ(LastId(exchange), id);
  EXPECT_TRUE(Has(exchange, "\"progress\":2"));
  EXPECT_TRUE(Has(exchange, "\"progress\":3"));
  EXPECT_TRUE(Has(Get(id), R"("id":7,"error":)"));
  Answer(call_);
  EXPECT_TRUE(Has(exchange, "\"ok\":1"));
}

// Of what a GET asks of the store, all that comes after `works` answers fails.
TEST_F(ServerStreamTest, AnOutageIsNeverTellingThatTheSessionIsGone) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::string of_call = LastId(exchange);
  const std::string of_session = LastId(Get());
  for (const std::string& last_event : {std::string(), of_call, of_session}) {
    for (int works = 0; works < (last_event.empty() ? 2 : 3); ++works) {
      peer_.store().Hold();
      if (works == 0) peer_.store().Fail(ErrorCode::kUnavailable);
      const std::uint64_t get = Get(last_event);
      for (int i = 1; i < works; ++i) {
        for (std::size_t held = peer_.store().held(); held > 0; --held) {
          peer_.store().ReleaseAt(0);
        }
        peer_.Wake();
      }
      peer_.store().Fail(ErrorCode::kUnavailable);
      peer_.store().Release();
      peer_.Wake();
      EXPECT_EQ(peer_.Of(get).status, 503) << last_event << " " << works;
      peer_.store().Heal();
    }
  }
}

// The session's own stream cannot be made; that it is not found is not that the session is.
TEST_F(ServerStreamTest, AStoreWithoutRoom) {
  peer_.store().Hold();
  const std::uint64_t get = Get();
  peer_.store().Fail(ErrorCode::kCapacity, 1);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(get).status, 503);
}

TEST_F(ServerStreamTest, AnOutageWhileListeningEndsTheStreamWithoutAnAnswer) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::uint64_t resumed = Get(LastId(exchange));
  const std::uint64_t own = Get();
  EXPECT_FALSE(peer_.Of(resumed).ended);
  EXPECT_FALSE(peer_.Of(own).ended);
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.Pass(Seconds(10));
  peer_.Pass(Seconds(50));
  peer_.Pass(Seconds(10));
  EXPECT_TRUE(peer_.Of(resumed).ended);
  EXPECT_EQ(peer_.Of(resumed).body.find("error"), std::string::npos);
  EXPECT_TRUE(peer_.Of(own).ended);
}

TEST_F(ServerStreamTest, ANodeThatIsGoneIsTold) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  EnginePeer other(peer_, Options());
  const std::uint64_t get =
      other.Http("GET", {}, {{"mcp-session-id", session_}, {"last-event-id", LastId(exchange)}});
  EXPECT_TRUE(other.Of(get).stream);
  for (int i = 0; i < 8; ++i) {  // the first one works
    peer_.Pass(Seconds(10));
    other.Pass(Seconds(0));
    EXPECT_FALSE(other.Of(get).ended) << i;
  }
  for (int i = 0; i < 5; ++i) other.Pass(Seconds(10));
  EXPECT_TRUE(other.Of(get).ended);
  EXPECT_NE(other.Of(get).body.find(R"("id":7,"error":{"code":-32603,"message":"the server that)"),
            std::string::npos)
      << other.Of(get).body;
}

TEST_F(ServerStreamTest, OnAnotherNode) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::string id = LastId(exchange);
  peer_.Tell(event::ExchangeClosed{{exchange}});
  EnginePeer other(peer_, Options());
  const std::uint64_t get =
      other.Http("GET", {}, {{"mcp-session-id", session_}, {"last-event-id", id}});
  Progress(call_, 2);
  other.Wake();
  EXPECT_NE(other.Of(get).body.find("\"progress\":2"), std::string::npos);
  Answer(call_);
  other.Wake();
  EXPECT_NE(other.Of(get).body.find("\"ok\":1"), std::string::npos);
  EXPECT_TRUE(other.Of(get).ended);
}

TEST_F(ServerStreamTest, EventsBeyondTheLimitAreAGap) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::string first = LastId(exchange);
  Progress(call_, 2);
  const std::string second = LastId(exchange);
  for (int i = 3; i < 7; ++i) Progress(call_, i);
  const std::uint64_t lost = Get(first);
  EXPECT_TRUE(Has(lost, R"("id":7,"error":{"code":-32603,"message":"some events)"));
  EXPECT_TRUE(peer_.Of(lost).ended);
  const std::uint64_t whole = Get(second);  // exactly what followed is kept
  EXPECT_TRUE(Has(whole, "\"progress\":3"));
  EXPECT_TRUE(Has(whole, "\"progress\":6"));
  EXPECT_FALSE(peer_.Of(whole).ended);
}

TEST_F(ServerStreamTest, TheOldestStreamsOfEndedCallsMakeRoom) {
  std::string ids[3];
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t exchange = peer_.Call(session_, std::to_string(i), &call_);
    Progress(call_, 1);
    ids[i] = LastId(exchange);
    Answer(call_);
  }
  EXPECT_TRUE(Has(Get(ids[0]), "not kept any more"));
  EXPECT_TRUE(Has(Get(ids[1]), "\"ok\":1"));
  EXPECT_TRUE(Has(Get(ids[2]), "\"ok\":1"));
}

TEST_F(ServerStreamTest, GetsOfOneSession) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Progress(call_, 1);
  const std::string id = LastId(exchange);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(peer_.Of(Get(id)).status, 200);
  EXPECT_EQ(peer_.Of(Get(id)).status, 429);
  EXPECT_EQ(peer_.Of(Get()).status, 429);
  session_ = peer_.OpenSession();
  EXPECT_EQ(peer_.Of(Get()).status, 200);
}

// H-47
TEST_F(ServerStreamTest, AClosedStreamGoesOnByGet) {
  const std::uint64_t exchange = peer_.Call(session_, "7", &call_);
  Effects effects;
  EXPECT_TRUE(peer_.engine().CloseStream(call_, &effects));
  peer_.Take(std::move(effects));
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_TRUE(Has(exchange, "retry: 1000\ndata:\n"));
  Answer(call_);
  EXPECT_FALSE(Has(exchange, "ok"));
  const std::uint64_t get = Get(LastId(exchange));
  EXPECT_TRUE(Has(get, "\"ok\":1"));
  EXPECT_TRUE(peer_.Of(get).ended);
}

TEST_F(ServerStreamTest, WhatCannotBeResumedIsNotClosed) {
  const std::string old = peer_.OpenSession({}, "2025-06-18");
  const std::uint64_t exchange = peer_.Call(old, "7", &call_);
  Effects effects;
  EXPECT_FALSE(peer_.engine().CloseStream(call_, &effects));
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  const std::uint64_t kept = peer_.Call(session_, "8", &call_);
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.engine().CloseStream(call_, &effects);
  peer_.Take(std::move(effects));
  EXPECT_FALSE(peer_.Of(kept).ended);
  Answer(call_);
  EXPECT_TRUE(Has(kept, "\"ok\":1"));
}

TEST_F(ServerStreamTest, PushesReachTheStreamOfTheSessionOnAnyNode) {
  EnginePeer other(peer_, Options());
  const std::uint64_t get = Get();
  const std::string other_session = peer_.OpenSession();
  const std::uint64_t foreign = peer_.Http("GET", {}, {{"mcp-session-id", other_session}});
  Effects effects;
  other.engine().Push(session_, "notifications/tools/list_changed", {}, &effects);
  other.Take(std::move(effects));
  peer_.Wake();
  EXPECT_TRUE(Has(get, R"(data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"})"));
  EXPECT_FALSE(Has(foreign, "list_changed"));
  const std::string id = LastId(get);
  peer_.Tell(event::ExchangeClosed{{get}});
  other.engine().Push(session_, "notifications/prompts/list_changed", {}, &effects);
  const std::uint64_t resumed =
      other.Http("GET", {}, {{"mcp-session-id", session_}, {"last-event-id", id}});
  EXPECT_NE(other.Of(resumed).body.find("prompts/list_changed"), std::string::npos);
  EXPECT_EQ(other.Of(resumed).body.find("tools/list_changed"), std::string::npos);
}

TEST_F(ServerStreamTest, AGetOnAnotherNodeTakesOver) {
  const std::uint64_t get = Get();
  EnginePeer other(peer_, Options());
  const std::uint64_t newer = other.Http("GET", {}, {{"mcp-session-id", session_}});
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(get).ended);
  EXPECT_FALSE(other.Of(newer).ended);
}

TEST_F(ServerStreamTest, PushesOnAChannel) {
  peer_.Tell(event::ChannelOpened{ChannelId{1}, {}});
  peer_.Tell(event::MessageArrived{ChannelId{1}, EnginePeer::InitializeText("2025-06-18")});
  peer_.Tell(event::MessageArrived{ChannelId{1}, R"({"jsonrpc":"2.0","id":7,"method":"go"})"});
  Effects effects;
  peer_.engine().Push(peer_.last_session_, "notifications/tools/list_changed", {}, &effects);
  peer_.Take(std::move(effects));
  EXPECT_EQ(peer_.sent_.back(), R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
}

}  // namespace
}  // namespace mcp_session
