// What one client found out about a server, and the next one need not.
#include "mcp_session/client_host/era_memory.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "tests/native/scripted_server.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

TEST(EraMemory, ForgetsWhatIsOldest) {
  EraMemory memory(2);
  EXPECT_EQ(memory.Find("a"), std::nullopt);
  memory.Remember("a", Revision::k2025_11_25);
  memory.Remember("b", Revision::k2026_07_28);
  memory.Remember("a", Revision::k2025_06_18);
  memory.Remember("c", Revision::k2026_07_28);
  EXPECT_EQ(memory.Find("a"), Revision::k2025_06_18);
  EXPECT_EQ(memory.Find("b"), std::nullopt);
  memory.Forget("a");
  memory.Forget("z");
  EXPECT_EQ(memory.Find("a"), std::nullopt);
  EXPECT_EQ(memory.Find("c"), Revision::k2026_07_28);
}

// Speaks whichever era it is in, and writes down what it was asked.
class TurncoatServer {
 public:
  TurncoatServer() : server_([this](const std::string& request) { return Answer(request); }) {}
  const ScriptedServer& server() const { return server_; }
  // Only while nobody asks.
  void Speak(Era era) { era_ = era; }
  std::vector<std::string> TakeAsked() { return std::exchange(asked_, {}); }

 private:
  std::string Answer(const std::string& request) {
    const std::size_t at = request.find("\"method\":\"") + 10;
    const std::string method = request.substr(at, request.find('"', at) - at);
    if (request.starts_with("POST")) asked_.push_back(method);
    if (!request.starts_with("POST")) return Reply("", 405);
    const bool stateless = request.find("Mcp-Method:") != std::string::npos;
    const std::size_t id = request.find("\"id\":");
    if (id == std::string::npos) return Reply("", 202);
    const std::string begin =
        "{\"jsonrpc\":\"2.0\"," + request.substr(id, request.find_first_of(",}", id) - id);
    if (era_ == Era::kHandshake && stateless) {
      return Reply(begin + R"(,"error":{"code":-32000,"message":"no session"}})", 400);
    }
    if (era_ == Era::kStateless && !stateless) {
      return Reply(begin + R"(,"error":{"code":-32601,"message":"no such method"}})", 404);
    }
    return Reply(begin + R"(,"result":{"resultType":"complete","supportedVersions":)"
                         R"(["2026-07-28"],"protocolVersion":"2025-11-25"}})");
  }

  // Several clients are there at once, and the server has one connection at a time.
  static std::string Reply(const std::string& body, int status = 200) {
    return JsonResponse(body, status, "Connection: close\r\n");
  }

  Era era_ = Era::kStateless;
  std::vector<std::string> asked_;
  ScriptedServer server_;
};

using Asked = std::vector<std::string>;

class Clients : public ::testing::Test {
 protected:
  std::unique_ptr<BlockingClient> Connect(ClientOptions options = {}) {
    auto client = BlockingClient::Make(
        [this](asio::io_context& loop) {
          return MakeHttpLink(loop, {.url = server_.server().url(), .eras = eras_});
        },
        std::move(options));
    return std::move(*client);
  }
  static std::string Call(BlockingClient& client) {
    const auto result = client.CallTool("x");
    return result ? "" : std::string(CodeName(result.error().error.code));
  }

  TurncoatServer server_;
  std::shared_ptr<EraMemory> eras_ = std::make_shared<EraMemory>();
};

TEST_F(Clients, TheSecondOneSendsNoProbe) {  // C-01
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(), (Asked{"server/discover", "tools/call"}));
  const auto second = Connect();
  EXPECT_EQ(Call(*second), "");
  EXPECT_EQ(second->session()->era, Era::kStateless);
  EXPECT_EQ(server_.TakeAsked(), Asked{"tools/call"});

  server_.Speak(Era::kHandshake);
  eras_ = std::make_shared<EraMemory>();
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(),
            (Asked{"server/discover", "initialize", "notifications/initialized", "tools/call"}));
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(), (Asked{"initialize", "notifications/initialized", "tools/call"}));
  ClientOptions options;
  options.era = Era::kHandshake;
  EXPECT_EQ(Call(*Connect(options)), "");
  server_.TakeAsked();
  eras_ = nullptr;
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(),
            (Asked{"server/discover", "initialize", "notifications/initialized", "tools/call"}));
}

TEST_F(Clients, WhoWantsAnEraGetsIt) {
  EXPECT_EQ(Call(*Connect()), "");
  server_.Speak(Era::kHandshake);
  server_.TakeAsked();
  ClientOptions options;
  options.era = Era::kHandshake;
  EXPECT_EQ(Call(*Connect(options)), "");
  EXPECT_EQ(server_.TakeAsked(), (Asked{"initialize", "notifications/initialized", "tools/call"}));
}

TEST_F(Clients, AServerThatBecameStatelessIsAskedAgain) {
  server_.Speak(Era::kHandshake);
  const auto first = Connect();
  EXPECT_EQ(Call(*first), "");
  server_.Speak(Era::kStateless);
  server_.TakeAsked();
  const auto second = Connect();
  EXPECT_EQ(Call(*second), "") << "nothing was done yet, so the call waits";
  EXPECT_EQ(server_.TakeAsked(), (Asked{"initialize", "server/discover", "tools/call"}));
  EXPECT_EQ(second->session()->era, Era::kStateless);
  EXPECT_EQ(Call(*second), "");
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(), (Asked{"tools/call", "tools/call"})) << "it is remembered";
}

TEST_F(Clients, AServerThatIsStatelessNoMoreIsAskedAgain) {
  EXPECT_EQ(Call(*Connect()), "");
  server_.Speak(Era::kHandshake);
  server_.TakeAsked();
  const auto second = Connect();
  EXPECT_EQ(Call(*second), "PEER") << "what may have been done is not asked for again";
  EXPECT_EQ(Call(*second), "");
  EXPECT_EQ(second->session()->era, Era::kHandshake);
  EXPECT_EQ(server_.TakeAsked(), (Asked{"tools/call", "server/discover", "initialize",
                                        "notifications/initialized", "tools/call"}));
  EXPECT_EQ(Call(*Connect()), "");
  EXPECT_EQ(server_.TakeAsked(), (Asked{"initialize", "notifications/initialized", "tools/call"}))
      << "it is remembered";
}

TEST_F(Clients, AnOutageSaysNothingOfTheEra) {
  server_.Speak(Era::kHandshake);
  EXPECT_EQ(Call(*Connect()), "");
  const std::string origin = server_.server().url().substr(0, server_.server().url().rfind('/'));
  EXPECT_EQ(eras_->Find(origin), Revision::k2025_11_25);
  ScriptedServer broken([](const std::string&) { return JsonResponse("", 503); });
  const std::string there = broken.url().substr(0, broken.url().rfind('/'));
  for (const Revision revision : {Revision::k2025_11_25, Revision::k2026_07_28}) {
    eras_->Remember(there, revision);
    auto client = BlockingClient::Make(
        [&](asio::io_context& loop) {
          return MakeHttpLink(loop, {.url = broken.url(), .eras = eras_});
        },
        {});
    EXPECT_EQ(Call(**client), "UNAVAILABLE");
    EXPECT_EQ(eras_->Find(there), revision);
  }
}

}  // namespace
}  // namespace mcp_session
