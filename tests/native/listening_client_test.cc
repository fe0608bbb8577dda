// Clients that listen for changes: both eras, over HTTP and to a child, and what is interrupted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/stdio/child_link.h"
#include "tests/faults/fault_proxy.h"
#include "tests/native/old_server.h"
#include "tests/native/test_client.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

constexpr char kAcknowledged[] = "notifications/subscriptions/acknowledged";
constexpr char kUpdated[] = "notifications/resources/updated";
constexpr char kToolsChanged[] = "notifications/tools/list_changed";

// What a client was told.
class Ears {
 public:
  ClientHandlers handlers() {
    ClientHandlers all;
    all.on_notification = [this](std::string_view method, const Json& params) {
      const std::lock_guard guard(mutex_);
      heard_.emplace_back(std::string(method) + ' ' + params.dump());
      changed_.notify_all();
    };
    return all;
  }
  // Waits for the first that begins with `what`.
  std::string Hear(const std::string& what, Millis time = Seconds(20)) {
    std::unique_lock lock(mutex_);
    std::string first;
    changed_.wait_for(lock, std::chrono::milliseconds(time.count), [&] {
      for (const std::string& each : heard_) {
        if (each.starts_with(what)) first = each;
      }
      return !first.empty();
    });
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> heard_;
};

// Its tools `touch` and `change` say that x://a and the tools changed.
void AddChanges(McpServer& server) {
  server.ServeChanges();
  ASSERT_TRUE(server.AddResource({.uri = "x://a", .name = "a"},
                                 [](ResourceCall&) { return ResourceResult::Text("text"); }));
  ASSERT_TRUE(server.AddTool({.name = "touch"}, [&server](ToolCall&) {
    server.NotifyResourceUpdated("x://a");
    return ToolResult::Text("done");
  }));
  ASSERT_TRUE(server.AddTool({.name = "change"}, [&server](ToolCall&) {
    server.NotifyToolsChanged();
    return ToolResult::Text("done");
  }));
}

std::string UrlAt(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port) + "/mcp";
}

std::unique_ptr<BlockingClient> Connect(const std::string& url, Era era, Ears* ears) {
  ClientOptions options;
  options.name = "probe";
  options.era = era;
  auto client =
      BlockingClient::Make([&](asio::io_context& loop) { return MakeHttpLink(loop, {.url = url}); },
                           options, ears->handlers());
  return client ? std::move(*client) : nullptr;
}

// Has the server tell it until it is heard: the stream of a session opens at any time.
std::string HearOf(const char* tool, const char* what, BlockingClient& client, Ears& ears) {
  std::string heard;
  for (int i = 0; i < 200 && heard.empty(); ++i) {
    EXPECT_TRUE(client.CallTool(tool));
    heard = ears.Hear(what, Millis{100});
  }
  return heard;
}

const Subscription kWanted{.tools = true, .prompts = true, .uris = {"x://a"}};

// What it says in both eras: the server has no prompts.
std::string Told(const ClientResult<Json>& answer) {
  return answer ? answer->dump() : answer.error().error.message;
}
constexpr char kHonoured[] =
    R"({"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x://a"]}})";

TEST(ListeningClient, HearsOfChangesInBothEras) {
  TestServer server({}, AddChanges);
  for (const Era era : {Era::kHandshake, Era::kStateless}) {
    Ears ears;
    const auto client = Connect(UrlAt(server.port()), era, &ears);
    EXPECT_EQ(Told(client->Subscribe(kWanted)), kHonoured);
    EXPECT_THAT(HearOf("touch", kUpdated, *client, ears), HasSubstr("\"uri\":\"x://a\""));
    EXPECT_NE(HearOf("change", kToolsChanged, *client, ears), "");
    EXPECT_EQ(Told(client->Subscribe({})), R"({"notifications":{}})");
  }
}

TEST(ListeningClient, ListensAgainWhenItsStreamBreaks) {  // U-05
  TestServer server({}, AddChanges);
  FaultProxy proxy(server.port());
  Ears ears;
  const auto client = Connect(UrlAt(proxy.port()), Era::kStateless, &ears);
  EXPECT_EQ(Told(client->Subscribe(kWanted)), kHonoured);
  proxy.EndAll(true);
  EXPECT_EQ(ears.Hear(kAcknowledged), std::string(kAcknowledged) + ' ' + kHonoured);
  EXPECT_NE(HearOf("touch", kUpdated, *client, ears), "");
}

TEST(ListeningClient, SubscribesAnewInANewSession) {
  TestServer server({}, AddChanges);
  Ears ears;
  const auto client = Connect(UrlAt(server.port()), Era::kHandshake, &ears);
  EXPECT_EQ(Told(client->Subscribe(kWanted)), kHonoured);
  TestClient other(server.port());
  const TestResponse ended =
      other.Exchange("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: " +
                     client->session()->session_id + "\r\n\r\n");
  ASSERT_EQ(ended.status / 100, 2);
  // Nobody calls anything: its stream ends, and it is told that there is no such session.
  EXPECT_EQ(ears.Hear(kAcknowledged), std::string(kAcknowledged) + ' ' + kHonoured);
  EXPECT_NE(HearOf("touch", kUpdated, *client, ears), "");
}

TEST(ListeningClient, GoesOnWhateverTheServerTurnsOutToBe) {
  OldServer server({.capabilities = R"({"tools":{"listChanged":true}})"});
  FaultProxy proxy(server.port());
  Ears ears;
  ClientOptions options;
  options.name = "probe";
  const auto client = BlockingClient::Make(
      [&](asio::io_context& loop) { return MakeHttpLink(loop, {.url = UrlAt(proxy.port())}); },
      options, ears.handlers());
  ASSERT_TRUE(client);
  ASSERT_EQ(Told((*client)->Subscribe({.tools = true})),
            R"({"notifications":{"toolsListChanged":true}})");
  // The stream ends; and there is nobody, so that it is asked from the beginning what the server
  // is.
  proxy.Set({.kind = Fault::Kind::kRefuse});
  bool noticed = false;
  for (int i = 0; i < 2'000 && !noticed; ++i) {
    noticed = !(*client)->Open();
    std::this_thread::sleep_for(std::chrono::milliseconds(noticed ? 0 : 10));
  }
  EXPECT_TRUE(noticed);
  proxy.Heal();
  EXPECT_NE(ears.Hear(kAcknowledged), "");
  EXPECT_EQ((*client)->session()->revision, Revision::k2024_11_05);
}

// Answers what opens a stateless client, acknowledges a subscription, then ends; the second time it
// stays.
constexpr char kForgetful[] = R"(
while read -r line; do
  id=${line#*'"id":'}; id=${id%%[!0-9]*}
  case "$line" in
    *server/discover*)
      printf '{"jsonrpc":"2.0","id":%s,"result":{"supportedVersions":["2026-07-28"]}}\n' "$id";;
    *subscriptions/listen*)
      printf '{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}\n' "$id"
      if [ ! -e "$MARKER" ]; then touch "$MARKER"; exit 1; fi
      printf '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n';;
  esac
done
)";

TEST(ListeningClient, StartsAChildAgainToListen) {  // U-05, T-05
  signal(SIGPIPE, SIG_IGN);
  const std::string marker = testing::TempDir() + "listened_once";
  std::remove(marker.c_str());
  ChildLinkOptions link{.command = {"sh", "-c", kForgetful}, .environment = {{"MARKER", marker}}};
  Ears ears;
  ClientOptions options;
  options.probe_timeout = Seconds(20);
  const auto client = BlockingClient::Make(
      [&](asio::io_context& loop) { return MakeChildLink(loop, link); }, options, ears.handlers());
  ASSERT_TRUE(client);
  EXPECT_EQ(Told((*client)->Subscribe({.tools = true})),
            R"({"notifications":{"toolsListChanged":true}})");
  EXPECT_NE(ears.Hear(kAcknowledged), "") << "nobody called anything";
  EXPECT_NE(ears.Hear(kToolsChanged), "");
}

TEST(ListeningClient, StartsAChildAgainWhenThereIsOne) {
  signal(SIGPIPE, SIG_IGN);
  const std::string marker = testing::TempDir() + "listened_and_left";
  const std::string program = testing::TempDir() + "leaving_server";
  const std::string away = program + ".away";
  std::remove(marker.c_str());
  {
    std::ofstream file(program);
    file << "#!/bin/sh\nif [ ! -e \"$MARKER\" ]; then mv " << program << ' ' << away << "; fi\n"
         << kForgetful;
  }
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  Ears ears;
  ClientOptions options;
  options.probe_timeout = Seconds(20);
  const auto client = BlockingClient::Make(
      [&](asio::io_context& loop) {
        return MakeChildLink(loop, {.command = {program}, .environment = {{"MARKER", marker}}});
      },
      options, ears.handlers());
  ASSERT_TRUE(client);
  ASSERT_EQ(Told((*client)->Subscribe({.tools = true})),
            R"({"notifications":{"toolsListChanged":true}})");
  // Long enough for it to have been missed once.
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  std::filesystem::rename(away, program);
  EXPECT_NE(ears.Hear(kToolsChanged), "");
}

}  // namespace
}  // namespace mcp_session
