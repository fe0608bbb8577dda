#include "mcp_session/client/mcp_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// On a channel, where each message is a line of its own. Call ids and wire ids count up from 1.
class Client : public ClientScript<McpClient> {
 public:
  explicit Client(std::optional<Era> era = Era::kHandshake)
      : ClientScript(ProbeOptions(ClientTransport::kChannel, era)) {}

  // Does `step` with the client and shows what came of it.
  template <typename Step>
  Lines Do(Step step) {
    effects.clear();
    step(client(), now, &effects);
    return lines();
  }
  Lines ListTools(CallOptions options = {}) {
    return Do([&](McpClient& client, Instant now, ClientEffects* effects) {
      call = client.ListTools(options, now, effects).number;
    });
  }
  Lines Ping() {
    return Do([&](McpClient& client, Instant now, ClientEffects* effects) {
      call = client.Ping(now, effects).number;
    });
  }
  Lines CallTool(std::string_view name, Json arguments, CallOptions options = {}) {
    return Do([&](McpClient& client, Instant now, ClientEffects* effects) {
      call = client.CallTool(name, std::move(arguments), options, now, effects).number;
    });
  }
  Lines GiveUp(std::uint64_t what) {
    return Do([&](McpClient& client, Instant now, ClientEffects* effects) {
      client.Cancel(CallId{what}, now, effects);
    });
  }

  std::uint64_t call = 0;  // the last one
};

// A client in the middle of a session; its next request has id 2.
class SessionClient : public Client {
 public:
  SessionClient() {
    Open();
    Arrive(ResultText(1, HandshakeMembers()));
  }
};

std::string Page(int id, std::string_view tools, std::string_view more = {}) {
  return ResultText(id, R"("tools":[)" + std::string(tools) + "]" + std::string(more));
}

TEST(McpClient, Opens) {
  Client client;
  EXPECT_THAT(client.Do([](McpClient& mcp, Instant now, ClientEffects* effects) {
    mcp.Open(now, effects);
  }),
              ElementsAre("send " + InitializeText(1)));
  EXPECT_THAT(client.Arrive(ResultText(1, HandshakeMembers())),
              ElementsAre("send " + kInitialized, "opened handshake 2025-11-25 \"\" " + kServer));
  EXPECT_EQ(client.Patience(), -1);
}

TEST(McpClient, CallsToolsWithOrWithoutArguments) {  // F-03
  SessionClient client;
  EXPECT_THAT(
      client.CallTool("add", FromText(R"({"a":1})")),
      ElementsAre("send " + RequestText(2, "tools/call", R"({"name":"add","arguments":{"a":1}})")));
  EXPECT_EQ(client.call, 1u);
  EXPECT_THAT(client.CallTool("now", Json()),
              ElementsAre("send " + RequestText(3, "tools/call", R"({"name":"now"})")));
  EXPECT_EQ(client.call, 2u);
  EXPECT_THAT(client.Arrive(ResultText(3, R"("content":[],"isError":true)")),
              ElementsAre(R"(answered 2 {"content":[],"isError":true})"));
  EXPECT_THAT(client.Arrive(RpcErrorText("\"id\":2,", -32602)),
              ElementsAre(R"(failed 1 INVALID_PARAMS rpc -32602 "no")"));
}

TEST(McpClient, CallsWithProgressAndTimeout) {
  SessionClient client;
  client.CallTool("add", Json(), {.wants_progress = true, .timeout = Seconds(2)});
  EXPECT_EQ(client.Patience(), 2'000);
  EXPECT_THAT(client.Arrive(ProgressText("2", R"("progress":1)")),
              ElementsAre(R"(progressed 1 {"progress":1})"));
  EXPECT_THAT(client.Pass(Seconds(2)), ElementsAre("send " + CancelText(2), "failed 1 TIMEOUT"));
}

TEST(McpClient, AsksForAnythingElse) {
  SessionClient client;
  EXPECT_THAT(client.Do([](McpClient& mcp, Instant now, ClientEffects* effects) {
    mcp.Call("resources/read", FromText(R"({"uri":"mem://a"})"), {}, now, effects);
  }),
              ElementsAre("send " + RequestText(2, "resources/read", R"({"uri":"mem://a"})")));
}

TEST(McpClient, OpensByACall) {
  Client client;
  EXPECT_THAT(client.ListTools(), ElementsAre("send " + InitializeText(1)));
  EXPECT_THAT(client.Arrive(ResultText(1, HandshakeMembers())),
              ElementsAre("send " + kInitialized, StartsWith("opened handshake"),
                          "send " + RequestText(2, "tools/list")));
  EXPECT_THAT(client.Arrive(Page(2, "")), ElementsAre(R"(answered 1 {"tools":[]})"));
}

TEST(McpClient, ListsToolsOfAllPages) {  // P-08
  SessionClient client;
  EXPECT_THAT(client.ListTools(), ElementsAre("send " + RequestText(2, "tools/list")));
  EXPECT_THAT(client.Arrive(Page(2, R"({"name":"a"},{"name":"b"})", R"(,"nextCursor":"p2","x":1)")),
              ElementsAre("send " + RequestText(3, "tools/list", R"({"cursor":"p2"})")));
  // An empty cursor is one like any other.
  EXPECT_THAT(client.Arrive(Page(3, "", R"(,"nextCursor":"")")),
              ElementsAre("send " + RequestText(4, "tools/list", R"({"cursor":""})")));
  EXPECT_THAT(
      client.Arrive(Page(4, R"({"name":"c"})", R"(,"nextCursor":null)")),
      ElementsAre(R"(answered 1 {"tools":[{"name":"a"},{"name":"b"},{"name":"c"}],"x":1})"));
  EXPECT_EQ(client.Patience(), -1);
}

TEST(McpClient, KeepsListsApart) {
  SessionClient client;
  client.ListTools();
  EXPECT_EQ(client.call, 1u);
  client.ListTools();
  const std::uint64_t second = client.call;
  client.Arrive(Page(2, R"({"name":"a"})", R"(,"nextCursor":"p")"));  // asked for with id 4
  EXPECT_THAT(client.Arrive(Page(3, R"({"name":"b"})")),
              ElementsAre("answered " + std::to_string(second) + R"( {"tools":[{"name":"b"}]})"));
  EXPECT_THAT(client.Arrive(Page(4, R"({"name":"c"})")),
              ElementsAre(R"(answered 1 {"tools":[{"name":"a"},{"name":"c"}]})"));
}

TEST(McpClient, LimitsThePagesOfAList) {
  for (const int pages : {McpClient::kMaxPages, McpClient::kMaxPages + 1}) {
    SessionClient client;
    client.ListTools();
    for (int page = 1; page < McpClient::kMaxPages; ++page) {
      ASSERT_THAT(client.Arrive(Page(page + 1, "1", R"(,"nextCursor":"again")")),
                  ElementsAre(StartsWith("send ")));
    }
    const bool ends = pages == McpClient::kMaxPages;
    client.Arrive(Page(pages == 0 ? 0 : McpClient::kMaxPages + 1, "1",
                       ends ? "" : R"(,"nextCursor":"again")"));
    ASSERT_EQ(client.effects.size(), 1u);
    if (ends) {
      const auto* answered = std::get_if<client_effect::Answered>(&client.effects[0]);
      ASSERT_NE(answered, nullptr);
      EXPECT_EQ(answered->call.number, 1u);
      EXPECT_EQ(answered->result["tools"].size(), 100u);
    } else {
      EXPECT_THAT(client.lines(), ElementsAre("failed 1 TOO_LARGE"));
    }
    EXPECT_EQ(client.Patience(), -1);
  }
}

TEST(McpClient, FailsAListThatBreaks) {
  const struct {
    std::string page;
    const char* then;
  } kRows[] = {
      {ResultText(3, ""), "failed 1 PEER"},
      {ResultText(3, R"("tools":{})"), "failed 1 PEER"},
      {RpcErrorText("\"id\":3,", -32602), R"(failed 1 INVALID_PARAMS rpc -32602 "no")"},
  };
  for (const auto& row : kRows) {
    SessionClient client;
    client.ListTools();
    client.Arrive(Page(2, R"({"name":"a"})", R"(,"nextCursor":"p")"));
    EXPECT_THAT(client.Arrive(row.page), ElementsAre(row.then)) << row.page;
    EXPECT_THAT(client.Arrive(Page(3, "")), IsEmpty());
    EXPECT_THAT(client.GiveUp(1), IsEmpty());
  }
  SessionClient first;
  first.ListTools();
  EXPECT_THAT(first.Arrive(ResultText(2, R"("tools":7)")), ElementsAre("failed 1 PEER"));
}

TEST(McpClient, TimesAListOut) {
  SessionClient client;
  client.ListTools({.wants_progress = true, .timeout = Seconds(2)});
  client.Pass(Seconds(1));
  EXPECT_THAT(client.Arrive(ProgressText("2", R"("progress":1)")),
              ElementsAre(R"(progressed 1 {"progress":1})"));
  client.Arrive(Page(2, "", R"(,"nextCursor":"p")"));
  EXPECT_EQ(client.Patience(), 2'000) << "each page has its own time";
  EXPECT_THAT(client.Pass(Seconds(2)), ElementsAre("send " + CancelText(3), "failed 1 TIMEOUT"));
}

TEST(McpClient, CancelsCallsAndLists) {
  SessionClient client;
  client.CallTool("add", Json());
  EXPECT_THAT(client.GiveUp(1), ElementsAre("send " + CancelText(2), "failed 1 CANCELLED"));
  EXPECT_THAT(client.GiveUp(1), IsEmpty());
  client.ListTools();
  const std::uint64_t list = client.call;
  client.Arrive(Page(3, "", R"(,"nextCursor":"p")"));
  EXPECT_THAT(client.GiveUp(list), ElementsAre("send " + CancelText(4),
                                               "failed " + std::to_string(list) + " CANCELLED"));
  EXPECT_THAT(client.Arrive(Page(4, "")), IsEmpty());
  EXPECT_THAT(client.GiveUp(99), IsEmpty());
}

TEST(McpClient, FailsAListThatCannotStart) {
  ClientOptions options = ProbeOptions(ClientTransport::kChannel, Era::kHandshake);
  options.limits.max_calls_per_session = 1;
  McpClient client(options);
  ClientEffects effects;
  client.ListTools({}, Instant{}, &effects);
  effects.clear();
  const CallId refused = client.ListTools({}, Instant{}, &effects);
  EXPECT_THAT(ToLines(effects),
              ElementsAre("failed " + std::to_string(refused.number) + " TOO_MANY_REQUESTS"));
}

TEST(McpClient, PingsInTheHandshakeEraOnly) {  // P-04
  SessionClient session;
  EXPECT_THAT(session.Ping(), ElementsAre("send " + RequestText(2, "ping")));
  EXPECT_THAT(session.Arrive(ResultText(2, "")), ElementsAre("answered 1 {}"));

  Client stateless(Era::kStateless);
  stateless.Open();
  stateless.Arrive(ResultText(1, kDiscovered));
  EXPECT_THAT(stateless.Ping(), ElementsAre("failed 1 METHOD_NOT_FOUND"));
  EXPECT_EQ(stateless.call, 1u);
}

TEST(McpClient, ListsWhatThereIs) {
  const struct {
    CallId (McpClient::*list)(const CallOptions&, Instant, ClientEffects*);
    const char* method;
    const char* member;
  } kRows[] = {
      {&McpClient::ListTools, "tools/list", "tools"},
      {&McpClient::ListResources, "resources/list", "resources"},
      {&McpClient::ListResourceTemplates, "resources/templates/list", "resourceTemplates"},
      {&McpClient::ListPrompts, "prompts/list", "prompts"},
  };
  for (const auto& row : kRows) {
    SessionClient client;
    EXPECT_THAT(client.Do([&](McpClient& mcp, Instant now, ClientEffects* effects) {
      (mcp.*row.list)({}, now, effects);
    }),
                ElementsAre("send " + RequestText(2, row.method)));
    const std::string member = "\"" + std::string(row.member) + "\":";
    EXPECT_THAT(client.Arrive(ResultText(2, member + R"([1],"nextCursor":"p")")),
                ElementsAre("send " + RequestText(3, row.method, R"({"cursor":"p"})")));
    EXPECT_THAT(client.Arrive(ResultText(3, member + "[2]")),
                ElementsAre("answered 1 {" + member + "[1,2]}"));
  }
}

TEST(McpClient, ReadsGetsAndCompletes) {  // F-06, F-08, F-09
  SessionClient client;
  EXPECT_THAT(
      client.Do([](McpClient& mcp, Instant now, ClientEffects* effects) {
        mcp.ReadResource("mem://a", {}, now, effects);
        mcp.GetPrompt("p", FromText(R"({"a":"1"})"), {}, now, effects);
        mcp.GetPrompt("q", Json(), {}, now, effects);
        mcp.Complete(FromText(R"({"type":"ref/prompt","name":"p"})"), "a", "x", Json(), {}, now,
                     effects);
        mcp.Complete(FromText(R"({"type":"ref/resource","uri":"u"})"), "a", "",
                     FromText(R"({"b":"2"})"), {}, now, effects);
      }),
      ElementsAre("send " + RequestText(2, "resources/read", R"({"uri":"mem://a"})"),
                  "send " + RequestText(3, "prompts/get", R"({"name":"p","arguments":{"a":"1"}})"),
                  "send " + RequestText(4, "prompts/get", R"({"name":"q"})"),
                  "send " + RequestText(5, "completion/complete",
                                        R"({"ref":{"type":"ref/prompt","name":"p"},)"
                                        R"("argument":{"name":"a","value":"x"}})"),
                  "send " + RequestText(6, "completion/complete",
                                        R"({"ref":{"type":"ref/resource","uri":"u"},)"
                                        R"("argument":{"name":"a","value":""},)"
                                        R"("context":{"arguments":{"b":"2"}}})")));
}

// Over HTTP in a session; the next request has id 2 and exchange 3.
class HttpClient : public ClientScript<McpClient> {
 public:
  explicit HttpClient(ClientOptions options = ProbeOptions(ClientTransport::kHttp))
      : ClientScript(InSession(std::move(options))) {
    ClientScript::Open();
    Respond(1, 200, ResultText(1, HandshakeMembers()), "application/json", "s1");
    Respond(2, 202, "");
  }
  Lines Tool(std::string_view name, CallOptions options = {}) {
    effects.clear();
    client().CallTool(name, Json(), options, now, &effects);
    return lines();
  }

 private:
  static ClientOptions InSession(ClientOptions options) {
    options.era = Era::kHandshake;
    return options;
  }
};

TEST(McpClient, RepeatsToolsThatMayBeRepeated) {  // F-15
  HttpClient client;
  client.client().ListTools({}, client.now, &client.effects);
  client.Respond(
      3, 200,
      Page(2, R"({"name":"reads","annotations":{"readOnlyHint":true}},)"
              R"({"name":"sets","annotations":{"idempotentHint":true}},)"
              R"({"name":"adds","annotations":{"readOnlyHint":false}},{"name":"odd"},7)"));
  std::uint64_t exchange = 3;
  for (const char* name : {"reads", "sets"}) {
    client.Tool(name);
    EXPECT_THAT(client.Break(++exchange), ElementsAre(HasSubstr(name))) << name;
    client.Break(++exchange);
  }
  for (const char* name : {"adds", "odd", "new"}) {
    client.Tool(name);
    EXPECT_THAT(client.Break(++exchange), ElementsAre(HasSubstr("TRANSPORT"))) << name;
  }
  client.Tool("adds", {.repeatable = true});
  EXPECT_THAT(client.Break(++exchange), ElementsAre(HasSubstr("adds")));
}

// Stateless over HTTP; the next request has id 2 and exchange 2.
class StatelessClient : public ClientScript<McpClient> {
 public:
  StatelessClient() : ClientScript(ProbeOptions(ClientTransport::kHttp)) {
    ClientScript::Open();
    Respond(1, 200, ResultText(1, kDiscovered));
  }
  Lines List() {
    effects.clear();
    client().ListTools({}, now, &effects);
    return lines();
  }
  Lines Tool(std::string_view name, std::string_view arguments) {
    effects.clear();
    client().CallTool(name, FromText(arguments), {}, now, &effects);
    return lines();
  }
};

TEST(McpClient, RepeatsMarkedArgumentsInHeaders) {  // S-37
  StatelessClient client;
  client.List();
  client.Respond(2, 200, Page(2, R"({"name":"put","inputSchema":{"type":"object","properties":{
      "city":{"type":"string","x-mcp-header":"City"},
      "n":{"type":"integer","x-mcp-header":"N"},
      "b":{"type":"boolean","x-mcp-header":"B"},
      "in":{"type":"object","properties":{"x":{"type":"string","x-mcp-header":"X"}}},
      "free":{"type":"string"}}}})"));
  const auto headers = [&](std::string_view arguments) {
    client.Tool("put", arguments);
    Lines all;
    for (const std::string& line : HeadersOf(client.effects)) {
      if (line.starts_with("Mcp-Param-")) all.push_back(line.substr(10));
    }
    return all;
  };
  EXPECT_THAT(headers(R"({"city":"Köln","n":-7,"b":true,"in":{"x":""},"free":"y"})"),
              ElementsAre("City: =?base64?S8O2bG4=?=", "N: -7", "B: true", "X: "));
  EXPECT_THAT(headers(R"({"city":null,"b":false,"in":{}})"), ElementsAre("B: false"));
  EXPECT_THAT(headers(R"({"n":2.0,"city":7,"in":7})"), ElementsAre("City: 7", "N: 2"));
  EXPECT_THAT(headers("null"), IsEmpty());
  client.Tool("other", R"({"city":"x"})");
  EXPECT_THAT(HeadersOf(client.effects), Not(Contains(StartsWith("Mcp-Param-"))));
  // A session has no such headers.
  HttpClient session;
  session.client().ListTools({}, session.now, &session.effects);
  session.Respond(3, 200, Page(2, R"({"name":"put","inputSchema":{"properties":{
      "city":{"type":"string","x-mcp-header":"City"}}}})"));
  session.effects.clear();
  session.client().CallTool("put", FromText(R"({"city":"x"})"), {}, session.now, &session.effects);
  EXPECT_THAT(HeadersOf(session.effects), Not(Contains(StartsWith("Mcp-Param-"))));
}

TEST(McpClient, DropsToolsThatNoHeadersCanFollow) {  // S-38
  const char* kBad[] = {
      R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})",
      R"({"properties":{"a":{"type":"string","x-mcp-header":"a b"}}})",
      R"({"properties":{"a":{"type":"string","x-mcp-header":7}}})",
      R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})",
      R"({"properties":{"a":{"type":"object","x-mcp-header":"A"}}})",
      R"({"properties":{"a":{"x-mcp-header":"A"}}})",
      R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},)"
      R"("b":{"type":"string","x-mcp-header":"a"}}})",
      R"({"x-mcp-header":"A"})",
      R"({"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}})",
      R"({"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]})",
      R"({"$defs":{"d":{"type":"string","x-mcp-header":"A"}}})",
      R"({"properties":{"a":{"type":"object","additionalProperties":)"
      R"({"type":"string","x-mcp-header":"A"}}}})",
  };
  const char* kGood[] = {
      R"({})",
      R"({"properties":{"x-mcp-header":{"type":"string"}}})",
      R"({"$defs":{"x-mcp-header":{"type":"string"}}})",
      R"({"properties":{"a":{"const":{"x-mcp-header":"A"}}},"default":{"x-mcp-header":1}})",
      R"({"properties":{"a":{"properties":{"b":{"type":"string","x-mcp-header":"A"}}}}})",
  };
  const auto tool = [](const char* schema) {
    return R"({"name":"t","inputSchema":)" + std::string(schema) + "}";
  };
  for (const char* schema : kBad) {
    StatelessClient client;
    client.List();
    EXPECT_THAT(client.Respond(2, 200, Page(2, tool(schema))),
                ElementsAre(R"(answered 1 {"tools":[]})"))
        << schema;
    ASSERT_EQ(client.client().dropped_tools().size(), 1u) << schema;
    EXPECT_EQ(client.client().dropped_tools()[0].name, "t");
    HttpClient session;  // which has no such headers
    session.client().ListTools({}, session.now, &session.effects);
    EXPECT_THAT(session.Respond(3, 200, Page(2, tool(schema))),
                ElementsAre("answered 1 {\"tools\":[" + tool(schema) + "]}"));
  }
  for (const char* schema : kGood) {
    StatelessClient client;
    client.List();
    EXPECT_THAT(client.Respond(2, 200, Page(2, tool(schema))),
                ElementsAre("answered 1 {\"tools\":[" + tool(schema) + "]}"))
        << schema;
  }
}

// --- headers that a server refuses (S-40) ---

std::string Marked(std::string_view header) {
  return R"({"name":"put","inputSchema":{"type":"object","properties":{"city":)"
         R"({"type":"string","x-mcp-header":")" +
         std::string(header) + R"("}}}})";
}

std::string Mismatch(int id) { return RpcErrorText("\"id\":" + std::to_string(id) + ",", -32020); }

std::string PutText(int id) {
  return RequestText(id, "tools/call",
                     R"({"name":"put","arguments":{"city":"Bern"},)" + kMeta + "}");
}

std::string ListText(int id) { return RequestText(id, "tools/list", "{" + kMeta + "}"); }

constexpr char kBern[] = R"({"city":"Bern"})";
constexpr char kRefused[] = R"(failed 1 HEADER_MISMATCH rpc -32020 "no")";

TEST(McpClient, ListsTheToolsAnewWhenItsHeadersAreRefused) {  // S-40
  StatelessClient client;
  client.Tool("put", kBern);
  EXPECT_THAT(HeadersOf(client.effects), Not(Contains(StartsWith("Mcp-Param-"))));
  EXPECT_THAT(client.Respond(2, 400, Mismatch(2)), ElementsAre(Posted(3, ListText(3))));
  EXPECT_THAT(client.Respond(3, 200, Page(3, Marked("City"))), ElementsAre(Posted(4, PutText(4))));
  EXPECT_THAT(client.Respond(4, 200, ResultText(4, R"("content":[])")),
              ElementsAre(R"(answered 1 {"content":[]})"));
  client.Tool("put", kBern);
  EXPECT_THAT(HeadersOf(client.effects), Contains("Mcp-Param-City: Bern")) << "it is learned";
  // The list that is fresh was wrong, too.
  client.Respond(5, 400, Mismatch(5));
  client.Respond(6, 200, Page(6, Marked("Town"), R"(,"ttlMs":60000)"));
  EXPECT_THAT(HeadersOf(client.effects), Contains("Mcp-Param-Town: Bern"));
  client.Respond(7, 200, ResultText(7, ""));
  client.Tool("put", kBern);
  EXPECT_THAT(HeadersOf(client.effects), Contains("Mcp-Param-Town: Bern"));
  EXPECT_THAT(client.Respond(8, 400, Mismatch(8)), ElementsAre(Posted(9, ListText(9))));
}

TEST(McpClient, SendsACallWithOtherHeadersOnce) {
  StatelessClient client;
  client.Tool("put", kBern);
  client.Respond(2, 400, Mismatch(2));
  client.Respond(3, 200, Page(3, Marked("City")));
  EXPECT_THAT(client.Respond(4, 400, Mismatch(4)), ElementsAre(kRefused));
  EXPECT_EQ(client.Patience(), -1);
}

TEST(McpClient, DoesNotRepeatACallWithTheSameHeaders) {
  for (const std::string& tools : {std::string(), Marked("City")}) {
    StatelessClient client;
    client.List();
    client.Respond(2, 200, Page(2, tools));
    client.effects.clear();
    const CallId call =
        client.client().CallTool("put", FromText(kBern), {}, client.now, &client.effects);
    client.Respond(3, 400, Mismatch(3));
    EXPECT_THAT(client.Respond(4, 200, Page(4, tools)),
                ElementsAre("failed " + std::to_string(call.number) +
                            R"( HEADER_MISMATCH rpc -32020 "no")"));
  }
}

TEST(McpClient, CallsThatAreRefusedTogetherShareOneList) {
  StatelessClient client;
  client.Tool("put", kBern);
  client.Tool("put", kBern);
  client.Tool("other", kBern);
  EXPECT_THAT(client.Respond(2, 400, Mismatch(2)), ElementsAre(Posted(5, ListText(5))));
  EXPECT_THAT(client.Respond(3, 400, Mismatch(3)), IsEmpty());
  EXPECT_THAT(client.Respond(4, 400, Mismatch(4)), IsEmpty());
  EXPECT_THAT(client.Respond(5, 200, Page(5, Marked("City"))),
              ElementsAre(R"(failed 3 HEADER_MISMATCH rpc -32020 "no")", Posted(6, PutText(6)),
                          Posted(7, PutText(7))));
}

TEST(McpClient, TellsTheRefusalIfTheToolsCannotBeListed) {
  StatelessClient client;
  client.Tool("put", kBern);
  client.Respond(2, 400, Mismatch(2));
  EXPECT_THAT(client.Respond(3, 500, ""), ElementsAre(kRefused));
  client.Tool("put", kBern);
  client.Respond(4, 400, Mismatch(4));
  EXPECT_THAT(client.Respond(5, 200, ResultText(5, "")),
              ElementsAre(R"(failed 4 HEADER_MISMATCH rpc -32020 "no")"));
}

TEST(McpClient, ListsNothingOldWhileItListsAnew) {
  StatelessClient client;
  client.List();
  client.Respond(2, 200, Page(2, Marked("City"), R"(,"ttlMs":60000)"));
  client.Tool("put", kBern);
  client.Respond(3, 400, Mismatch(3));
  EXPECT_THAT(client.List(), ElementsAre(Posted(5, ListText(5))));
}

TEST(McpClient, GivesARefusedCallUp) {
  StatelessClient client;
  client.Tool("put", kBern);
  client.Respond(2, 400, Mismatch(2));
  client.effects.clear();
  client.client().Cancel(CallId{1}, client.now, &client.effects);
  EXPECT_THAT(client.lines(), ElementsAre("failed 1 CANCELLED"));
  EXPECT_THAT(client.Respond(3, 200, Page(3, Marked("City"))), IsEmpty());
  client.Tool("put", R"({"city":"x","more":1})");
  client.Respond(4, 400, Mismatch(4));
  EXPECT_THAT(client.Close(), ElementsAre("failed 4 CANCELLED", "#5 abort", "closed"));
}

TEST(McpClient, KeepsARefusalThatIsNotAboutHeadersOfTools) {
  StatelessClient client;
  client.effects.clear();
  client.client().ReadResource("mem://a", {}, client.now, &client.effects);
  EXPECT_THAT(client.Respond(2, 400, Mismatch(2)), ElementsAre(kRefused));
  HttpClient session;
  session.Tool("put");
  EXPECT_THAT(session.Respond(3, 200, Mismatch(2)), ElementsAre(kRefused));
  Client channel(Era::kStateless);
  channel.Open();
  channel.Arrive(ResultText(1, kDiscovered));
  channel.CallTool("put", FromText(kBern));
  EXPECT_THAT(channel.Arrive(Mismatch(2)), ElementsAre(kRefused));
}

TEST(McpClient, KeepsAListWhileItIsFresh) {  // F-12
  StatelessClient client;
  client.List();
  const std::string list = R"({"tools":[1],"ttlMs":5000,"cacheScope":"private"})";
  client.Respond(2, 200, ResultText(2, std::string_view(list).substr(1, list.size() - 2)));
  client.now = client.now + Millis{4999};
  EXPECT_THAT(client.List(), ElementsAre("answered 3 " + list));
  client.now = client.now + Millis{1};
  EXPECT_THAT(client.List(), ElementsAre(StartsWith("#3 POST"))) << "its time is over";
  client.Stream(3);
  client.Event(3, ResultText(3, R"("tools":[2],"ttlMs":5000)"));
  EXPECT_THAT(client.List(), ElementsAre(HasSubstr(R"({"tools":[2])")));
  client.Tool("x", "null");
  client.Stream(4);
  client.Event(4, R"({"jsonrpc":"2.0","method":"notifications/prompts/list_changed"})");
  EXPECT_THAT(client.List(), ElementsAre(HasSubstr(R"({"tools":[2])")));
  client.Event(4, R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  EXPECT_THAT(client.List(), ElementsAre(StartsWith("#5 POST"))) << "the server said so";
  for (const char* ttl : {R"(,"ttlMs":0)", R"(,"ttlMs":-1)", R"(,"ttlMs":"5")", ""}) {
    StatelessClient other;
    other.List();
    other.Respond(2, 200, Page(2, "", ttl));
    EXPECT_THAT(other.List(), ElementsAre(StartsWith("#3 POST"))) << ttl;
  }
}

Lines ReadA(ClientScript<McpClient>& client) {
  client.effects.clear();
  client.client().ReadResource("x://a", {}, client.now, &client.effects);
  return client.lines();
}

constexpr char kFresh[] = R"("resultType":"complete","contents":[],"ttlMs":5000)";

TEST(McpClient, KeepsAResourceWhileItIsFresh) {  // F-12
  StatelessClient client;
  ReadA(client);
  client.Respond(2, 200, ResultText(2, kFresh));
  EXPECT_THAT(ReadA(client), ElementsAre("answered 2 {" + std::string(kFresh) + "}"));
  client.effects.clear();
  client.client().ReadResource("x://b", {}, client.now, &client.effects);
  EXPECT_THAT(client.lines(), ElementsAre(StartsWith("#3 POST"))) << "another one";
  client.now = client.now + Millis{5000};
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#4 POST"))) << "its time is over";
  client.Respond(4, 200, ResultText(4, kFresh));
  client.Stream(3);
  client.Event(3, R"({"jsonrpc":"2.0","method":"notifications/resources/updated",)"
                  R"("params":{"uri":"x://a"}})");
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#5 POST"))) << "the server said so";
  client.Respond(5, 200, ResultText(5, R"("resultType":"input_required","ttlMs":5000)"));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#6 POST"))) << "that was none";
  client.Respond(6, 200, RpcErrorText("\"id\":6,", -32602));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#7 POST")));
  client.Respond(7, 200, ResultText(7, R"("contents":[])"));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#8 POST"))) << "no time was given";
  HttpClient session;
  ReadA(session);
  session.Respond(3, 200, ResultText(2, kFresh));
  EXPECT_THAT(ReadA(session), ElementsAre(StartsWith("#4 POST"))) << "sessions know no ttlMs";
}

TEST(McpClient, KeepsNoListOfASession) {
  HttpClient session;
  session.client().ListTools({}, session.now, &session.effects);
  session.Respond(3, 200, Page(2, "", R"(,"ttlMs":60000)"));
  session.effects.clear();
  session.client().ListTools({}, session.now, &session.effects);
  EXPECT_THAT(session.lines(), ElementsAre(StartsWith("#4 POST")));
}

TEST(McpClient, KeepsNothingOlderThanWhatItWasTold) {
  StatelessClient client;
  ReadA(client);
  client.List();
  client.Tool("x", "null");
  client.Stream(4);
  client.Event(4, R"({"jsonrpc":"2.0","method":"notifications/resources/list_changed"})");
  client.Event(4, R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  client.Respond(2, 200, ResultText(2, kFresh));
  client.Respond(3, 200, Page(3, "", R"(,"ttlMs":5000)"));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#5 POST")));
  EXPECT_THAT(client.List(), ElementsAre(StartsWith("#6 POST")));
}

TEST(McpClient, KeepsNothingThatCameOfQuestions) {  // M-11
  ClientOptions options = ProbeOptions(ClientTransport::kHttp, Era::kStateless);
  options.capabilities = FromText(R"({"roots":{}})");
  ClientScript<McpClient> client(options);
  client.client().AnswerQuestions();
  client.Open();
  client.Respond(1, 200, ResultText(1, kDiscovered));
  ReadA(client);
  EXPECT_THAT(client.Respond(2, 200,
                             ResultText(2, R"("resultType":"input_required",)"
                                           R"("inputRequests":{"r":{"method":"roots/list"}})")),
              ElementsAre(StartsWith("asked 1 for 1 roots/list")));
  client.effects.clear();
  client.client().Reply(QuestionId{1}, FromText(R"({"roots":[]})"), client.now, &client.effects);
  EXPECT_THAT(client.lines(), ElementsAre(StartsWith("#3 POST")));
  EXPECT_THAT(client.Respond(3, 200, ResultText(3, kFresh)), ElementsAre(StartsWith("answered 1")));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#4 POST")));
}

TEST(McpClient, KeepsNothingOverAnInterruptionOfWhatItListensFor) {
  StatelessClient client;
  const std::string acknowledged =
      R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":)"
      R"({"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":)";
  client.client().Subscribe({.tools = true}, {}, client.now, &client.effects);
  client.Stream(2);
  client.Event(2, acknowledged + "2}}}");
  ReadA(client);
  client.Respond(3, 200, ResultText(3, R"("contents":[],"ttlMs":60000)"));
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("answered")));
  client.Break(2);
  client.Pass(Seconds(2));
  client.Stream(4);
  client.Event(4, acknowledged + "4}}}");
  EXPECT_THAT(ReadA(client), ElementsAre(StartsWith("#5 POST")));
}

TEST(McpClient, PassesQuestionsAndReplies) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.capabilities = FromText(R"({"roots":{}})");
  HttpClient client(options);
  client.client().AnswerQuestions();
  client.client().ListTools({}, client.now, &client.effects);
  client.Stream(3);
  EXPECT_THAT(client.Event(3, R"({"jsonrpc":"2.0","id":5,"method":"roots/list"})"),
              ElementsAre("asked 1 for 1 roots/list null"))
      << "the list, not its page";
  client.effects.clear();
  client.client().Reply(QuestionId{1}, FromText(R"({"roots":[]})"), client.now, &client.effects);
  EXPECT_THAT(client.lines(),
              ElementsAre(R"(#4 POST {"jsonrpc":"2.0","id":5,"result":{"roots":[]}})"));
}

TEST(McpClient, KnowsItsSession) {
  HttpClient client;
  ASSERT_NE(client.client().session(), nullptr);
  EXPECT_EQ(client.client().session()->session_id, "s1");
  client.Tool("add");
  client.Head(3, 404, "");
  EXPECT_EQ(client.client().session(), nullptr);
  SessionClient channel;
  EXPECT_NE(channel.client().session(), nullptr);
  channel.Give(client_event::ChannelClosed{});
  EXPECT_EQ(channel.client().session(), nullptr);
}

TEST(McpClient, Closes) {
  SessionClient client;
  client.ListTools();
  EXPECT_THAT(client.Do([](McpClient& mcp, Instant now, ClientEffects* effects) {
    mcp.Close(now, effects);
  }),
              ElementsAre("send " + CancelText(2), "failed 1 CANCELLED", "closed"));
}

TEST(McpClient, PassesOtherEffectsThrough) {
  SessionClient client;
  EXPECT_THAT(client.Arrive(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})"),
              ElementsAre("notified notifications/tools/list_changed null"));
  EXPECT_THAT(client.Arrive(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"),
              ElementsAre(R"(send {"jsonrpc":"2.0","id":1,"result":{}})"));
  client.CallTool("add", Json());
  EXPECT_THAT(client.Give(client_event::ChannelClosed{}), ElementsAre("failed 1 TRANSPORT"));
  EXPECT_THAT(client.Open(), ElementsAre(HasSubstr("\"initialize\"")));
}

TEST(McpClient, KeepsWhatTheEffectsHeldBefore) {
  McpClient client(ProbeOptions(ClientTransport::kChannel, Era::kHandshake));
  ClientEffects effects;
  effects.push_back(client_effect::Answered{CallId{2}, Json()});  // of an earlier step
  client.ListTools({}, Instant{}, &effects);
  EXPECT_THAT(ToLines(effects), ElementsAre("answered 2 null", "send " + InitializeText(1)));
}

}  // namespace
}  // namespace mcp_session
