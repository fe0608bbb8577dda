// What sessions are told of changes (spec F-07, F-10), and where their subscriptions are kept.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/session/session_record.h"
#include "mcp_session/store/store.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr char kDone[] = R"({"jsonrpc":"2.0","id":1,"result":{}})";

std::string Notification(const std::string& method, const std::string& params = {}) {
  return R"({"jsonrpc":"2.0","method":"notifications/)" + method + '"' +
         (params.empty() ? "" : ",\"params\":" + params) + '}';
}

class SubscriptionsTest : public testing::Test {
 protected:
  void SetUp() override { Serve({.max_uris = 2, .max_uri_bytes = 8}); }

  void Serve(ChangeOptions options) {
    peer_.server().ServeChanges(std::move(options));
    ASSERT_TRUE(peer_.server().AddTool({.name = "t"}, [](ToolCall&) { return ToolResult(); }));
    ASSERT_TRUE(peer_.server().AddResource({.uri = "x://a", .name = "a"},
                                           [](ResourceCall&) { return ResourceResult(); }));
  }

  std::string Change(const ServerPeer::Headers& session, const std::string& method,
                     const std::string& uri, std::string_view principal = {}) {
    return peer_.Ask(session, "resources/" + method, R"("uri":")" + uri + '"', principal);
  }
  std::vector<std::string> Kept(const ServerPeer::Headers& session, std::string_view owner = {}) {
    std::vector<StoreReply> replies;
    peer_.memory().Submit(StoreTicket{2},
                          store::Get{RecordKey{owner, kSessionKind, session[0].second}},
                          peer_.clock().Now());
    peer_.memory().Drain(&replies);
    return SubscriptionsOf(*replies.back().record.data);
  }

  // --- channels ---

  void Initialize(std::uint64_t channel) {
    peer_.Open(channel);
    peer_.Send(channel,
               R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
               R"("2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})");
  }
  void Send(std::uint64_t channel, const std::string& method, const std::string& params = "{}") {
    peer_.Send(channel,
               R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + '}');
  }
  const std::string& Last(std::uint64_t channel) { return peer_.Of(channel).messages.back(); }
  std::size_t Count(std::uint64_t channel) { return peer_.Of(channel).messages.size(); }

  ServerPeer peer_;
};

TEST_F(SubscriptionsTest, ASessionSubscribesAndUnsubscribes) {
  const auto session = peer_.OpenSession();
  EXPECT_EQ(Change(session, "subscribe", "x://a"), kDone);
  EXPECT_EQ(Change(session, "subscribe", "x://a"), kDone);
  EXPECT_EQ(Change(session, "subscribe", "x://b"), kDone);
  EXPECT_EQ(Kept(session), (std::vector<std::string>{"x://a", "x://b"}));
  EXPECT_EQ(Change(session, "unsubscribe", "x://a"), kDone);
  EXPECT_EQ(Change(session, "unsubscribe", "x://c"), kDone);
  EXPECT_EQ(Kept(session), std::vector<std::string>{"x://b"});
  EXPECT_TRUE(Kept(peer_.OpenSession()).empty());
}

TEST_F(SubscriptionsTest, TheyAreBounded) {
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  Change(session, "subscribe", "x://1234");
  EXPECT_EQ(Change(session, "subscribe", "x://c"), ErrorOf(-32602, "too many subscriptions"));
  EXPECT_EQ(Change(session, "subscribe", "x://12345"), ErrorOf(-32602, "the URI is too long"));
  EXPECT_EQ(peer_.Ask(session, "resources/subscribe", ""),
            ErrorOf(-32602, "params.uri is missing"));
  EXPECT_EQ(Kept(session).size(), 2u);
}

TEST_F(SubscriptionsTest, TheyArePartOfTheSessionOfItsOwner) {
  const auto session = peer_.OpenSession("ann");
  EXPECT_EQ(Change(session, "subscribe", "x://a", "ann"), kDone);
  EXPECT_NE(Change(session, "subscribe", "x://b", "bob").find("unknown session"),
            std::string::npos);
  EXPECT_EQ(Kept(session, "principal:ann"), std::vector<std::string>{"x://a"});
}

TEST_F(SubscriptionsTest, TheyAndTheLogLevelLeaveEachOtherAlone) {
  peer_.server().ServeLogging();
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  EXPECT_EQ(peer_.Ask(session, "logging/setLevel", R"("level":"error")"), kDone);
  EXPECT_EQ(Kept(session), std::vector<std::string>{"x://a"});
  Change(session, "subscribe", "x://b");
  EXPECT_EQ(Kept(session).size(), 2u);
}

TEST_F(SubscriptionsTest, AConflictIsSettled) {
  const auto session = peer_.OpenSession();
  peer_.store().Interfere(3);
  EXPECT_EQ(Change(session, "subscribe", "x://a"), kDone);
  EXPECT_EQ(Kept(session), std::vector<std::string>{"x://a"});
}

TEST_F(SubscriptionsTest, AnOutageIsTold) {
  const auto session = peer_.OpenSession();
  peer_.store().Hold();
  const auto exchange = peer_.Post(
      R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://a"}})",
      session);
  peer_.store().ReleaseAt(0);  // the session is found
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 503);
}

TEST(SubscriptionsWithoutChangesTest, ThereAreNone) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource({.uri = "x://a", .name = "a"},
                                        [](ResourceCall&) { return ResourceResult(); }));
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "resources/subscribe", R"("uri":"x://a")"),
            ErrorOf(-32601, "unknown method"));
}

// --- channels ---

TEST_F(SubscriptionsTest, AChannelIsToldOfLists) {
  Initialize(1);
  Send(1, "tools/list");
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(Last(1), Notification("tools/list_changed"));
  const std::size_t count = Count(1);
  peer_.clock().Advance(Seconds(1));
  peer_.server().NotifyPromptsChanged();  // there are none
  peer_.Wake();
  EXPECT_EQ(Count(1), count);
}

TEST_F(SubscriptionsTest, AChannelIsToldOfWhatItSubscribedTo) {
  Initialize(1);
  Initialize(2);
  Send(1, "resources/subscribe", R"({"uri":"x://a"})");
  EXPECT_EQ(Last(1), kDone);
  Send(2, "resources/subscribe", R"({"uri":"x://b"})");
  peer_.server().NotifyResourceUpdated("x://a");
  peer_.Wake();
  EXPECT_EQ(Last(1), Notification("resources/updated", R"({"uri":"x://a"})"));
  EXPECT_EQ(Last(2), kDone);
  Send(1, "resources/unsubscribe", R"({"uri":"x://a"})");
  peer_.server().NotifyResourceUpdated("x://a");
  peer_.clock().Advance(Seconds(1));
  peer_.Wake();
  EXPECT_EQ(Last(1), kDone);
}

TEST_F(SubscriptionsTest, AChannelThatAskedForNothingIsToldNothing) {
  Initialize(1);
  const std::size_t count = Count(1);
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(Count(1), count);
}

TEST_F(SubscriptionsTest, AChannelHasSoMany) {
  Initialize(1);
  for (const char* uri : {"x://a", "x://b", "x://c"}) {
    Send(1, "resources/subscribe", R"({"uri":")" + std::string(uri) + "\"}");
  }
  EXPECT_EQ(Last(1), ErrorOf(-32602, "too many subscriptions"));
}

TEST_F(SubscriptionsTest, AClosedChannelIsToldNothing) {
  Initialize(1);
  Initialize(2);
  Send(1, "tools/list");
  Send(2, "tools/list");
  peer_.Close(1);
  const std::size_t count = Count(1);
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(Count(1), count);
  EXPECT_EQ(Last(2), Notification("tools/list_changed"));
}

TEST_F(SubscriptionsTest, AChannelIsToldOfWhatOtherNodesSay) {
  Initialize(1);
  Send(1, "tools/list");
  peer_.store().Submit(StoreTicket{1 << 20},
                       store::Append{{"server", "changes", "mcp-session"}, "othernode00T"},
                       peer_.clock().Now());
  peer_.Wake();
  EXPECT_EQ(Last(1), Notification("tools/list_changed"));
}

// --- streams by GET ---

class StreamSubscriptionsTest : public SubscriptionsTest {
 protected:
  // The messages on a stream, without the events that have none.
  std::vector<std::string> Messages(std::uint64_t exchange) {
    std::vector<std::string> messages;
    const std::string& body = peer_.Of(exchange).body;
    for (std::size_t at = body.find("data: {"); at != std::string::npos;
         at = body.find("data: {", at + 1)) {
      messages.push_back(body.substr(at + 6, body.find('\n', at) - at - 6));
    }
    return messages;
  }
  void Notify(const std::string& uri) {
    peer_.clock().Advance(Seconds(1));
    peer_.server().NotifyResourceUpdated(uri);
    peer_.Wake();
  }
  // What another node says.
  void Elsewhere(std::string data) {
    peer_.store().Submit(StoreTicket{1 << 20},
                         store::Append{{"server", "changes", "mcp-session"}, std::move(data)},
                         peer_.clock().Now());
    peer_.Wake();
  }
  // Another node changes the record.
  void SubscribeElsewhere(const ServerPeer::Headers& session, const std::string& uri) {
    std::vector<StoreReply> replies;
    const RecordKey key{"", kSessionKind, session[0].second};
    peer_.memory().Submit(StoreTicket{2}, store::Get{key}, peer_.clock().Now());
    peer_.memory().Drain(&replies);
    const std::string data = WithSubscriptions(*replies.back().record.data, {uri});
    peer_.memory().Submit(StoreTicket{2}, store::Put{key, data, std::nullopt}, peer_.clock().Now());
    peer_.memory().Drain(&replies);
  }

  const std::string updated_ = Notification("resources/updated", R"({"uri":"x://a"})");
  const std::string changed_ = Notification("tools/list_changed");
};

TEST_F(StreamSubscriptionsTest, ASessionIsToldOnItsStream) {
  const auto session = peer_.OpenSession();
  const auto other = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  const auto stream = peer_.Get(session);
  const auto others = peer_.Get(other);
  Change(session, "subscribe", "x://b");
  Notify("x://a");
  Notify("x://b");
  Notify("x://c");
  peer_.clock().Advance(Seconds(1));
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(Messages(stream),
            (std::vector<std::string>{
                updated_, Notification("resources/updated", R"({"uri":"x://b"})"), changed_}));
  EXPECT_EQ(Messages(others), std::vector<std::string>{changed_});
}

TEST_F(StreamSubscriptionsTest, WhoUnsubscribedOrLeftIsToldNothing) {
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  const auto stream = peer_.Get(session);
  Change(session, "unsubscribe", "x://a");
  Notify("x://a");
  EXPECT_TRUE(Messages(stream).empty());
  Change(session, "subscribe", "x://a");
  peer_.Leave(stream);
  Notify("x://a");
  EXPECT_TRUE(Messages(stream).empty());
  const auto again = peer_.Get(session);
  Notify("x://a");
  EXPECT_EQ(Messages(again), std::vector<std::string>{updated_});
}

TEST_F(StreamSubscriptionsTest, OtherNodesAreHeardOnlyWhileThereIsAStream) {
  const auto session = peer_.OpenSession();
  const auto stream = peer_.Get(session);
  Elsewhere("othernode00T");
  EXPECT_EQ(Messages(stream), std::vector<std::string>{changed_});
  peer_.Leave(stream);
  for (int i = 0; i < 3; ++i) {
    peer_.clock().Advance(Seconds(60));
    peer_.Wake();
  }
  const std::size_t commands = peer_.store().commands();
  for (int i = 0; i < 3; ++i) {
    peer_.clock().Advance(Seconds(60));
    peer_.Wake();
  }
  EXPECT_EQ(peer_.store().commands(), commands);
}

TEST_F(StreamSubscriptionsTest, WhatIsSubscribedToOnAnotherNodeIsToldHere) {
  const auto session = peer_.OpenSession();
  const auto stream = peer_.Get(session);
  SubscribeElsewhere(session, "x://a");
  Elsewhere("othernode00S" + session[0].second.substr(0, 6));
  Elsewhere("othernode00Ux://a");
  EXPECT_EQ(Messages(stream), std::vector<std::string>{updated_});
}

TEST_F(StreamSubscriptionsTest, ASubscriptionIsSaidToOtherNodes) {
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  std::vector<StoreReply> replies;
  peer_.memory().Submit(StoreTicket{2}, store::ReadEvents{{"server", "changes", "mcp-session"}},
                        peer_.clock().Now());
  peer_.memory().Drain(&replies);
  ASSERT_EQ(replies.back().events.size(), 1u);
  EXPECT_EQ(replies.back().events[0].data->substr(11), "S" + session[0].second.substr(0, 6));
}

TEST_F(StreamSubscriptionsTest, WhatChangesUntilTheyAreReadIsHeld) {
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  const auto stream = peer_.Get(session);
  peer_.store().Fail(ErrorCode::kUnavailable);
  Elsewhere("");  // no more than a turn
  peer_.store().Heal();
  Elsewhere("othernode00S" + session[0].second.substr(0, 6));
  peer_.store().Hold();
  Elsewhere("othernode00S" + session[0].second.substr(0, 6));
  peer_.store().Release();
  Notify("x://a");
  peer_.Wake();
  EXPECT_EQ(Messages(stream), std::vector<std::string>{updated_});
}

TEST_F(StreamSubscriptionsTest, AnOutageWhileTheyAreReadLosesNothing) {
  const auto session = peer_.OpenSession();
  Change(session, "subscribe", "x://a");
  peer_.store().Hold();
  const auto stream = peer_.Get(session);
  while (peer_.Of(stream).status == 0) {  // the session is found, the stream is marked
    ASSERT_GT(peer_.store().held(), 0u);
    peer_.store().ReleaseAt(0);
    peer_.store().Fail(ErrorCode::kUnavailable, peer_.Of(stream).status == 0 ? 0 : 1);
    peer_.Wake();
  }
  peer_.store().Release();
  peer_.Wake();
  Notify("x://a");
  peer_.clock().Advance(Seconds(2));
  peer_.Wake();
  EXPECT_EQ(Messages(stream), std::vector<std::string>{updated_});
}

// --- the record ---

TEST(SubscriptionsInRecordsTest, StandBeforeTheClient) {
  const std::string client = R"({"clientInfo":{},"capabilities":{}})";
  const std::string plain = "S1di" + client;
  const std::vector<std::string> uris = {"x://a", "x://ü;+\""};
  const std::string with = WithSubscriptions(plain, uris);
  EXPECT_EQ(with, R"(S1di+22;["x://a","x://ü;+\""])" + client);
  EXPECT_EQ(SubscriptionsOf(with), uris);
  EXPECT_EQ(ClientOf(with), client);
  EXPECT_EQ(WithSubscriptions(with, {"y"}), R"(S1di+5;["y"])" + client);
  EXPECT_EQ(WithSubscriptions(with, {}), plain);
  EXPECT_EQ(WithLogLevel(with, LogLevel::kError), R"(S1di5+22;["x://a","x://ü;+\""])" + client);
  EXPECT_EQ(SubscriptionsOf(WithLogLevel(with, LogLevel::kError)), uris);
  EXPECT_EQ(ClientOf(WithLogLevel(with, LogLevel::kError)), client);
}

TEST(SubscriptionsInRecordsTest, DamagedOnesAreNone) {
  for (const char* data : {"S1di", "S1di+", "S1di+;", "S1di+5", "S1di+99;[]", "S1di+x;[]{}",
                           "S1di+2;{}{}", "S1di+2;[1{}", "S1di+99999999999999999999;[]"}) {
    EXPECT_TRUE(SubscriptionsOf(data).empty()) << data;
    (void)ClientOf(data);
  }
}

}  // namespace
}  // namespace mcp_session
