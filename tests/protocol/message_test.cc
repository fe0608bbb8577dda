#include "mcp_session/protocol/message.h"

#include <gtest/gtest.h>

#include <string>

#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

std::string ToText(const Json& value) {
  std::string text;
  EXPECT_TRUE(AppendJson(value, &text));
  return text;
}

std::string IdText(const RequestId& id) {
  std::string text;
  AppendRequestId(id, &text);
  return text;
}

// What a message is, in one line; or why it is none.
std::string Describe(const char* text) {
  Result<Json> json = ParseJson(text);
  EXPECT_TRUE(json) << text;
  const Result<Message> message = DecodeMessage(std::move(*json));
  if (!message) {
    EXPECT_EQ(message.error().code, ErrorCode::kInvalidRequest);
    return "error: " + message.error().message;
  }
  if (const auto* request = std::get_if<Request>(&*message)) {
    return "request " + IdText(request->id) + " " + request->method + " " +
           ToText(request->params);
  }
  if (const auto* notification = std::get_if<Notification>(&*message)) {
    return "notification " + notification->method + " " + ToText(notification->params);
  }
  const auto& response = std::get<Response>(*message);
  const std::string id = response.id ? IdText(*response.id) : "-";
  if (const auto* result = std::get_if<Json>(&response.outcome)) {
    return "result " + id + " " + ToText(*result);
  }
  const auto& error = std::get<RpcError>(response.outcome);
  return "error " + id + " " + std::to_string(error.code) + " " + error.message +
         (error.data ? " " + ToText(*error.data) : "");
}

struct Row {
  const char* text;
  const char* is;
};

TEST(DecodeMessage, TellsTheKindsApart) {
  const Row rows[] = {
      {R"({"jsonrpc":"2.0","id":1,"method":"ping"})", "request 1 ping null"},
      {R"({"jsonrpc":"2.0","id":"1","method":"m","params":{"a":[1]}})",
       R"(request "1" m {"a":[1]})"},
      {R"({"jsonrpc":"2.0","id":-7,"method":"m","params":{}})", "request -7 m {}"},
      {R"({"jsonrpc":"2.0","id":"","method":"m"})", R"(request "" m null)"},
      {R"({"jsonrpc":"2.0","method":"n","params":{"x":null}})", R"(notification n {"x":null})"},
      {R"({"jsonrpc":"2.0","id":1,"result":{"ok":true}})", R"(result 1 {"ok":true})"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}})", "error 1 -32601 no"},
      {R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"?","data":[1]}})",
       "error - -32700 ? [1]"},
      {R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}})",
       "error - -32700 ?"},
      {R"({"extra":1,"jsonrpc":"2.0","id":1,"method":"m","more":2})", "request 1 m null"},
  };
  for (const Row& row : rows) EXPECT_EQ(Describe(row.text), row.is) << row.text;
}

TEST(DecodeMessage, SaysWhatIsWrong) {
  const Row rows[] = {
      {"[]", "error: a batch is not accepted"},  // J-11
      {R"([{"jsonrpc":"2.0","id":1,"method":"m"}])", "error: a batch is not accepted"},
      {"1", "error: a message is an object"},
      {"null", "error: a message is an object"},
      {"{}", "error: jsonrpc is not \"2.0\""},
      {R"({"jsonrpc":"1.0","id":1,"method":"m"})", "error: jsonrpc is not \"2.0\""},
      {R"({"jsonrpc":2.0,"id":1,"method":"m"})", "error: jsonrpc is not \"2.0\""},
      // J-02
      {R"({"jsonrpc":"2.0","id":null,"method":"m"})",
       "error: the id is neither a string nor an integer"},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"m"})",
       "error: the id is neither a string nor an integer"},
      {R"({"jsonrpc":"2.0","id":1.0,"method":"m"})",
       "error: the id is neither a string nor an integer"},
      {R"({"jsonrpc":"2.0","id":{},"method":"m"})",
       "error: the id is neither a string nor an integer"},
      {R"({"jsonrpc":"2.0","id":9223372036854775808,"method":"m"})",
       "error: the id is neither a string nor an integer"},
      {R"({"jsonrpc":"2.0","id":1,"method":5})", "error: the method is no string"},
      {R"({"jsonrpc":"2.0","id":1,"method":"m","params":[]})", "error: params is no object"},
      {R"({"jsonrpc":"2.0","id":1,"method":"m","params":null})", "error: params is no object"},
      {R"({"jsonrpc":"2.0","id":1})", "error: neither a result nor an error"},
      {R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}})",
       "error: neither a result nor an error"},
      {R"({"jsonrpc":"2.0","result":{}})", "error: the response has no usable id"},
      {R"({"jsonrpc":"2.0","id":1,"result":[]})", "error: the result is no object"},
      {R"({"jsonrpc":"2.0","id":[],"result":{}})", "error: the id is unusable"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"message":"x"}})",
       "error: the error has no code or message"},
      {R"({"jsonrpc":"2.0","id":1,"error":"x"})", "error: the error has no code or message"},
  };
  for (const Row& row : rows) EXPECT_EQ(Describe(row.text), row.is) << row.text;
}

TEST(DecodeMessage, TellsTheIdOfABrokenMessage) {
  std::optional<RequestId> id;
  EXPECT_FALSE(DecodeMessage(*ParseJson(R"({"jsonrpc":"2.0","id":"x","method":5})"), &id));
  EXPECT_EQ(id, RequestId("x"));
  EXPECT_FALSE(DecodeMessage(*ParseJson(R"({"jsonrpc":"2.0","id":{},"method":"m"})"), &id));
  EXPECT_EQ(id, std::nullopt);
}

// J-06 of the errors
TEST(AppendMessage, WritesEachKind) {
  std::string text;
  AppendRequest(RequestId(7), "tools/call", R"({"name":"x"})", &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}})");
  text.clear();
  AppendRequest(RequestId("a\"b"), "ping", {}, &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":"a\"b","method":"ping"})");
  text.clear();
  AppendNotification("n", "{}", &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","method":"n","params":{}})");
  text.clear();
  AppendResult(RequestId(1), "", &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":1,"result":{}})");
  text.clear();
  AppendError(RequestId(1), RpcError{-32602, "no", Json{{"a", 1}}}, &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no","data":{"a":1}}})");
}

// Ruling R-6: no "id":null.
TEST(AppendMessage, LeavesAnUnknownIdOut) {
  std::string text;
  AppendError(std::nullopt, RpcError{-32700, "not JSON", std::nullopt}, &text);
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"not JSON"}})");
}

}  // namespace
}  // namespace mcp_session
