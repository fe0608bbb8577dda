#include "mcp_session/client/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "mcp_session/client/mcp_client.h"
#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kAcknowledged[] = "notifications/subscriptions/acknowledged";

class Client : public ClientScript<McpClient> {
 public:
  using ClientScript::ClientScript;

  Lines Subscribe(Subscription wanted, CallOptions options = {}) {
    effects.clear();
    call = client().Subscribe(std::move(wanted), options, now, &effects).number;
    return lines();
  }
  Lines GiveUp(std::uint64_t what) {
    effects.clear();
    client().Cancel(CallId{what}, now, &effects);
    return lines();
  }
  Lines CloseIt() {
    effects.clear();
    client().Close(now, &effects);
    return lines();
  }
  // Waits as long as the client does, and wakes it.
  Lines Wait() { return Pass(Millis{Patience()}); }

  std::uint64_t call = 0;  // the last one
};

// Stateless; the next request has id 2, over HTTP in exchange 2.
class Stateless : public Client {
 public:
  explicit Stateless(ClientTransport transport = ClientTransport::kHttp)
      : Client(ProbeOptions(transport, Era::kStateless)) {
    Open();
    if (transport == ClientTransport::kHttp) {
      Respond(1, 200, ResultText(1, kDiscovered));
    } else {
      Arrive(ResultText(1, kDiscovered));
    }
  }
};

std::string About(int id, std::string_view method, std::string_view more = {}) {
  return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"(","params":{)" +
         std::string(more) + R"("_meta":{"io.modelcontextprotocol/subscriptionId":)" +
         std::to_string(id) + "}}}";
}

std::string Honoured(std::string_view what) {
  return R"("notifications":{)" + std::string(what) + "}";
}

std::string ListenText(int id, std::string_view what) {
  return RequestText(id, "subscriptions/listen", "{" + Honoured(what) + "," + kMeta + "}");
}

constexpr char kTools[] = R"("toolsListChanged":true)";

TEST(Subscription, AsksForWhatIsWanted) {  // U-01, U-02
  Stateless client;
  EXPECT_THAT(
      client.Subscribe(
          {.tools = true, .prompts = true, .resources = true, .uris = {"mem://a", "mem://b"}}),
      ElementsAre(Posted(2, ListenText(2, R"("toolsListChanged":true,"promptsListChanged":true,)"
                                          R"("resourcesListChanged":true,)"
                                          R"("resourceSubscriptions":["mem://a","mem://b"])"))));
  client.Stream(2);
  EXPECT_THAT(client.Event(2, About(2, kAcknowledged, Honoured(kTools) + ",")),
              ElementsAre(R"(answered 1 {"notifications":{"toolsListChanged":true}})"));
  EXPECT_THAT(client.Event(2, About(2, "notifications/tools/list_changed")),
              ElementsAre(StartsWith("notified notifications/tools/list_changed ")));
  EXPECT_EQ(client.Patience(), -1) << "it is for ever";
  EXPECT_THAT(client.Event(2, About(2, kAcknowledged, Honoured(kTools) + ",")), IsEmpty());
  EXPECT_THAT(client.Event(2, About(3, kAcknowledged, Honoured(kTools) + ",")),
              ElementsAre(StartsWith("notified notifications/subscriptions/acknowledged ")))
      << "of another subscription";
}

TEST(Subscription, ListensAgainWhenTheStreamBreaks) {  // U-05, U-07
  for (const bool graceful : {false, true}) {
    Stateless client;
    client.Subscribe({.tools = true});
    client.Stream(2);
    client.Event(2, About(2, kAcknowledged, Honoured(kTools) + ","));
    if (graceful) client.Event(2, ResultText(2, R"("resultType":"complete")"));
    EXPECT_THAT(graceful ? client.End(2) : client.Break(2), IsEmpty());
    EXPECT_GE(client.Patience(), 1'000);
    EXPECT_LE(client.Patience(), 1'100);
    EXPECT_THAT(client.Wait(), ElementsAre(Posted(3, ListenText(3, kTools))));
    client.Stream(3);
    EXPECT_THAT(client.Event(3, About(3, kAcknowledged, Honoured(kTools) + ",")),
                ElementsAre(R"(notified notifications/subscriptions/acknowledged )"
                            R"({"notifications":{"toolsListChanged":true}})"));
    EXPECT_EQ(client.Patience(), -1);
  }
}

// How long the client waits after the stream in `exchange` broke, in seconds.
std::int64_t WaitAfter(Client& client, std::uint64_t exchange) {
  client.Break(exchange);
  const std::int64_t wait = client.Patience();
  EXPECT_THAT(client.Wait(), ElementsAre(HasSubstr("subscriptions/listen")));
  return wait / 1'000;
}

TEST(Subscription, WaitsLongerWhenNothingIsHeard) {
  Stateless client;
  client.Subscribe({.tools = true});
  client.Stream(2);
  client.Event(2, About(2, kAcknowledged, Honoured(kTools) + ","));
  std::uint64_t exchange = 2;
  for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(WaitAfter(client, exchange), seconds);
    ++exchange;
  }
  // An acknowledgment alone is not enough: a server that ends each subscription gives one, too.
  const auto acknowledge = [&] {
    client.Stream(exchange);
    client.Event(exchange,
                 About(static_cast<int>(exchange), kAcknowledged, Honoured(kTools) + ","));
  };
  acknowledge();
  EXPECT_EQ(WaitAfter(client, exchange++), 60);
  acknowledge();
  client.Event(exchange, About(static_cast<int>(exchange), "notifications/tools/list_changed"));
  EXPECT_EQ(WaitAfter(client, exchange++), 1) << "it said something";
  EXPECT_EQ(WaitAfter(client, exchange++), 2);
  acknowledge();
  client.now = client.now + Seconds(60);
  EXPECT_EQ(WaitAfter(client, exchange++), 1) << "it lasted";
}

TEST(Subscription, ListensAgainWhereNobodyAcknowledges) {
  Stateless client;
  client.Subscribe({.tools = true});
  client.Stream(2);
  client.Event(2, About(2, kAcknowledged, Honoured(kTools) + ","));
  client.Break(2);
  client.Wait();
  client.Stream(3);
  EXPECT_EQ(client.Patience(), 60'000);
  EXPECT_THAT(client.Wait(), ElementsAre("#3 abort"));
  EXPECT_THAT(client.Wait(), ElementsAre(Posted(4, ListenText(4, kTools))));
}

TEST(Subscription, FailsBeforeTheFirstAcknowledgment) {
  const struct {
    int status;
    std::string body;
    const char* then;
  } kRows[] = {
      {404, RpcErrorText("\"id\":2,", -32601), R"(failed 1 METHOD_NOT_FOUND rpc -32601 "no")"},
      {503, "", "failed 1 UNAVAILABLE"},
      {200, ResultText(2, R"("resultType":"complete")"), "failed 1 PEER"},
  };
  for (const auto& row : kRows) {
    Stateless client;
    client.Subscribe({.tools = true});
    EXPECT_THAT(client.Respond(2, row.status, row.body), ElementsAre(row.then)) << row.status;
    EXPECT_EQ(client.Patience(), -1) << "nothing is listened for";
  }
  Stateless late;
  late.Subscribe({.tools = true}, {.timeout = Seconds(2)});
  late.Stream(2);
  EXPECT_EQ(late.Patience(), 2'000);
  EXPECT_THAT(late.Wait(), ElementsAre("#2 abort", "failed 1 TIMEOUT"));
  EXPECT_EQ(late.Patience(), -1);
  Stateless patient;
  patient.Subscribe({.tools = true}, {.timeout = Millis{INT64_MAX}});
  EXPECT_EQ(patient.Patience(), -1);
  Stateless greedy;
  EXPECT_THAT(greedy.Subscribe({.uris = std::vector<std::string>(Subscriber::kMaxUris + 1)}),
              ElementsAre("failed 1 INVALID_ARGUMENT"));
  EXPECT_THAT(greedy.Subscribe({.uris = std::vector<std::string>(Subscriber::kMaxUris)}),
              ElementsAre(StartsWith("#2 POST")));
}

TEST(Subscription, GivesItUp) {  // U-06
  Stateless client;
  client.Subscribe({.tools = true});
  EXPECT_THAT(client.GiveUp(1), ElementsAre("#2 abort", "failed 1 CANCELLED"));
  client.Subscribe({.tools = true});
  EXPECT_THAT(client.CloseIt(), ElementsAre("#3 abort", "failed 3 CANCELLED", "closed"));
  EXPECT_EQ(client.Patience(), -1);
}

TEST(Subscription, TakesThePlaceOfTheLastOne) {
  Stateless client(ClientTransport::kChannel);
  client.Subscribe({.tools = true});
  EXPECT_THAT(client.Subscribe({.prompts = true}),
              ElementsAre("send " + CancelText(2), "failed 1 CANCELLED",
                          "send " + ListenText(3, R"("promptsListChanged":true)")));
  EXPECT_THAT(client.Arrive(About(2, kAcknowledged, Honoured(kTools) + ",")),
              ElementsAre(StartsWith("notified")))
      << "too late";
  client.Arrive(About(3, kAcknowledged, Honoured("") + ","));
  EXPECT_THAT(client.Subscribe({}),
              ElementsAre("send " + CancelText(3), R"(answered 5 {"notifications":{}})"));
  EXPECT_THAT(client.Give(client_event::ChannelClosed{}), IsEmpty());
  EXPECT_EQ(client.Patience(), -1);
}

TEST(Subscription, WantsAChannelAgain) {  // U-05, U-08, T-05
  Stateless client(ClientTransport::kChannel);
  client.Subscribe({.tools = true});
  client.Arrive(About(2, kAcknowledged, Honoured(kTools) + ","));
  EXPECT_THAT(client.Give(client_event::ChannelClosed{}), IsEmpty());
  EXPECT_FALSE(client.client().wants_channel());
  client.Wait();
  EXPECT_TRUE(client.client().wants_channel());
  EXPECT_EQ(client.Patience(), 60'000) << "and again, if there is none";
  client.Give(client_event::ChannelClosed{});
  EXPECT_LE(client.Patience(), 2'100);
  client.Wait();
  EXPECT_TRUE(client.client().wants_channel());
  client.Open();
  EXPECT_THAT(client.Arrive(ResultText(3, kDiscovered)),
              ElementsAre(StartsWith("opened"), "send " + ListenText(4, kTools)));
  EXPECT_FALSE(client.client().wants_channel());
  EXPECT_THAT(client.Arrive(About(4, kAcknowledged, Honoured(kTools) + ",")),
              ElementsAre(StartsWith("notified notifications/subscriptions/acknowledged")));
  EXPECT_THAT(client.Arrive(R"({"jsonrpc":"2.0","method":"notifications/cancelled",)"
                            R"("params":{"requestId":4}})"),
              ElementsAre("send " + CancelText(4)));
  EXPECT_THAT(client.Wait(), ElementsAre("send " + ListenText(5, kTools)));
}

TEST(Subscription, OpensTheClient) {
  Client client(ProbeOptions(ClientTransport::kHttp));
  EXPECT_THAT(client.Subscribe({.tools = true}), ElementsAre(Posted(1, DiscoverText(1))));
  EXPECT_THAT(client.Respond(1, 503, ""),
              ElementsAre("open failed UNAVAILABLE", "failed 1 UNAVAILABLE"));
  EXPECT_EQ(client.Patience(), -1);
  client.Subscribe({.tools = true});
  EXPECT_THAT(client.Respond(2, 200, ResultText(2, kDiscovered)),
              ElementsAre(StartsWith("opened"), Posted(3, ListenText(3, kTools))));
}

// --- in a session ---

std::string Members(std::string_view capabilities) {
  return R"("protocolVersion":"2025-11-25","capabilities":)" + std::string(capabilities) +
         R"(,"serverInfo":{"name":"ledger","version":"1.2"})";
}

constexpr char kAll[] =
    R"({"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true}})";

// The next request has id 2, over HTTP in exchange 3.
class Session : public Client {
 public:
  explicit Session(ClientTransport transport = ClientTransport::kChannel,
                   std::string_view capabilities = kAll)
      : Client(ProbeOptions(transport, Era::kHandshake)) {
    Open();
    if (transport == ClientTransport::kHttp) {
      Respond(1, 200, ResultText(1, Members(capabilities)), "application/json", "s1");
      Respond(2, 202, "");
    } else {
      Arrive(ResultText(1, Members(capabilities)));
    }
  }
};

std::string UriText(int id, std::string_view what, std::string_view uri) {
  return RequestText(id, "resources/" + std::string(what),
                     R"({"uri":")" + std::string(uri) + "\"}");
}

TEST(Subscription, SubscribesOneByOneInASession) {  // F-07, F-10
  Session client;
  EXPECT_THAT(client.Subscribe({.tools = true, .prompts = true, .uris = {"a", "b", "a"}}),
              ElementsAre("send " + UriText(2, "subscribe", "a")));
  EXPECT_THAT(client.Arrive(ResultText(2, "")),
              ElementsAre("send " + UriText(3, "subscribe", "b")));
  EXPECT_THAT(client.Arrive(RpcErrorText("\"id\":3,", -32002)),
              ElementsAre(R"(answered 1 {"notifications":{"toolsListChanged":true,)"
                          R"("resourceSubscriptions":["a"]}})"))
      << "what the server has";
  EXPECT_THAT(client.Subscribe({.uris = {"c"}}),
              ElementsAre("send " + UriText(4, "unsubscribe", "a")));
  client.Arrive(ResultText(4, ""));
  EXPECT_THAT(client.Arrive(ResultText(5, "")),
              ElementsAre(HasSubstr(R"({"notifications":{"resourceSubscriptions":["c"]}})")));
  EXPECT_EQ(client.Patience(), -1);
  EXPECT_THAT(client.Subscribe({}), ElementsAre("send " + UriText(6, "unsubscribe", "c")));
  EXPECT_THAT(client.Arrive(ResultText(6, "")), ElementsAre(HasSubstr(R"({"notifications":{}})")));
}

TEST(Subscription, AsksForNothingThatTheServerHasNot) {
  Session client(ClientTransport::kChannel, "{}");
  EXPECT_THAT(client.Subscribe({.tools = true, .prompts = true, .resources = true, .uris = {"a"}}),
              ElementsAre(R"(answered 1 {"notifications":{}})"));
}

TEST(Subscription, SubscribesAnewInANewSession) {  // H-30
  Session client(ClientTransport::kHttp);
  client.Subscribe({.uris = {"a"}});
  client.Respond(3, 200, ResultText(2, ""));
  client.Ask(90, "tools/list");
  EXPECT_THAT(client.Head(4, 404, ""), ElementsAre("session lost"));
  EXPECT_LE(client.Patience(), 1'100) << "it comes back by itself";
  EXPECT_THAT(client.End(4), ElementsAre(Posted(5, InitializeText(4))));
  client.Respond(5, 200, ResultText(4, Members(kAll)), "application/json", "s2");
  EXPECT_THAT(client.Head(6, 202, ""), ElementsAre(StartsWith("opened"), HasSubstr("tools/list"),
                                                   Posted(8, UriText(6, "subscribe", "a"))));
  EXPECT_THAT(client.Respond(8, 200, ResultText(6, "")),
              ElementsAre(R"(notified notifications/subscriptions/acknowledged )"
                          R"({"notifications":{"resourceSubscriptions":["a"]}})"));
}

TEST(Subscription, OpensANewSessionByItself) {
  Session client(ClientTransport::kHttp);
  client.Subscribe({.uris = {"a"}});
  client.Respond(3, 200, ResultText(2, ""));
  client.Ask(90, "tools/list");
  client.Respond(4, 404, "");  // what was refused opens a session, which cannot be had
  client.Respond(5, 503, "");
  EXPECT_THAT(client.Wait(), ElementsAre(HasSubstr("\"initialize\"")));
}

TEST(Subscription, TriesAgainWhatBrokeInASession) {
  Session client(ClientTransport::kHttp);
  client.Subscribe({.uris = {"a", "b"}});
  client.Respond(3, 200, ResultText(2, ""));
  EXPECT_THAT(client.Break(4), ElementsAre("failed 1 TRANSPORT"));
  EXPECT_EQ(client.Patience(), -1);
}

}  // namespace
}  // namespace mcp_session
