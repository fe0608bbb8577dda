// What the program's demonstration offers beside answers at once: a tool that runs as a task, and a
// resource that clients hear change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kMilk = R"("uri":"demo://shelf/milk")";

// A request of a stateless client that knows tasks; `name` is what it names in a header.
std::string Stateless(const std::string& method, const std::string& params,
                      const std::string& name = {}) {
  std::string headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + method + "\r\n";
  if (!name.empty()) headers += "Mcp-Name: " + name + "\r\n";
  return Post(R"({"jsonrpc":"2.0","id":5,"method":")" + method + R"(","params":{)" + params +
                  R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                  R"("io.modelcontextprotocol/clientCapabilities":)"
                  R"({"extensions":{"io.modelcontextprotocol/tasks":{}}}}}})",
              headers);
}

// Begins a count; the id of its task.
std::string BeginCount(TestClient& client, const std::string& arguments) {
  const std::string begun =
      client
          .Exchange(Stateless("tools/call", R"("name":"slow_count","arguments":)" + arguments,
                              "slow_count"))
          .body;
  EXPECT_THAT(begun, HasSubstr(R"("resultType":"task")"));
  const std::size_t at = begun.find(R"("taskId":")");
  if (at == std::string::npos) return {};
  return begun.substr(at + 10, begun.find('"', at + 10) - at - 10);
}

std::string OfTask(TestClient& client, const std::string& method, const std::string& task) {
  return client.Exchange(Stateless(method, R"("taskId":")" + task + '"', task)).body;
}

TEST(CliDemo, CountsInATask) {
  TestProgram program;
  TestClient client(program.port());
  const std::string task = BeginCount(client, R"({"to":3,"delay_ms":1})");
  TestClient other(program.port());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string found;
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << found;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    found = OfTask(other, "tasks/get", task);
  } while (found.find(R"("status":"working")") != std::string::npos);
  EXPECT_THAT(found, AllOf(HasSubstr(R"("status":"completed")"),
                           HasSubstr(R"("structuredContent":{"counted_to":3})")));
}

TEST(CliDemo, StopsATaskThatIsCancelled) {
  TestProgram program;
  TestClient client(program.port());
  const std::string task = BeginCount(client, R"({"to":100,"delay_ms":2000})");
  EXPECT_THAT(OfTask(client, "tasks/get", task), HasSubstr(R"("status":"working")"));
  OfTask(client, "tasks/cancel", task);
  EXPECT_THAT(OfTask(client, "tasks/get", task), HasSubstr(R"("status":"cancelled")"));
  client.Close();
  program.Signal(SIGTERM);  // and nothing is left to wait for
  EXPECT_EQ(program.Wait(), 0);
}

TEST(CliDemo, TellsWhoListensOfAPriceOnWhicheverLoop) {
  TestProgram program({"--threads", "2"});
  TestClient listening(program.port());
  ASSERT_TRUE(listening.Send(
      Stateless("subscriptions/listen",
                R"("notifications":{"resourceSubscriptions":["demo://shelf/milk"]})")));
  ASSERT_EQ(listening.ReceiveHead().status, 200);
  ASSERT_THAT(listening.ReceiveUntil("\n\n"),
              HasSubstr(R"("resourceSubscriptions":["demo://shelf/milk"])"));
  TestClient caller(program.port());  // on the other loop
  EXPECT_THAT(caller.Exchange(StatelessCall("set_price", R"({"item":"milk","cents":125})")).body,
              HasSubstr(R"("structuredContent":{"item":"milk","cents":125})"));
  EXPECT_THAT(listening.ReceiveUntil("\n\n"),
              AllOf(HasSubstr("notifications/resources/updated"), HasSubstr(std::string(kMilk))));
  for (int i = 0; i < 2; ++i) {  // on both
    TestClient reader(program.port());
    EXPECT_THAT(
        reader.Exchange(Stateless("resources/read", std::string(kMilk), "demo://shelf/milk")).body,
        HasSubstr(R"(\"cents\":125)"));
  }
}

TEST(CliDemo, TellsASessionThatSubscribed) {
  TestProgram program;
  TestClient client(program.port());
  const std::string session = Initialize(client);
  const std::string header = "Mcp-Session-Id: " + session + "\r\n";
  TestClient stream(program.port());
  ASSERT_TRUE(stream.Send("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" +
                          header + "\r\n"));
  ASSERT_EQ(stream.ReceiveHead().status, 200);
  stream.ReceiveUntil("\n\n");  // an event without a message
  EXPECT_EQ(client
                .Exchange(Post(R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe",)"
                               R"("params":{"uri":"demo://shelf"}})",
                               header))
                .body,
            R"({"jsonrpc":"2.0","id":1,"result":{}})");
  client.Exchange(SessionCall(session, "set_price", R"({"item":"apple","cents":1})"));
  EXPECT_THAT(stream.ReceiveUntil("\n\n"),
              HasSubstr(R"("method":"notifications/resources/updated",)"
                        R"("params":{"uri":"demo://shelf"})"));
}

TEST(CliDemo, RefusesPricesThatAreNone) {
  TestProgram program;
  TestClient client(program.port());
  for (const char* arguments : {R"({"item":"gold","cents":1})", R"({"item":"milk","cents":0})",
                                R"({"item":"milk","cents":100001})",
                                R"({"item":"milk","cents":1.5})", R"({"item":"milk"})"}) {
    EXPECT_THAT(client.Exchange(StatelessCall("set_price", arguments)).body,
                HasSubstr(R"("isError":true)"))
        << arguments;
  }
  EXPECT_THAT(
      client.Exchange(Stateless("resources/read", std::string(kMilk), "demo://shelf/milk")).body,
      HasSubstr(R"(\"cents\":110)"));
}

}  // namespace
}  // namespace mcp_session
