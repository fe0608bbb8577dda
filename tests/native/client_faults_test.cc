// Clients over a network that fails, and does not say how: every call ends, with its answer or with
// an error, and when the network is back the same client goes on.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/json/access.h"
#include "tests/faults/fault_proxy.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

class ClientFaults : public testing::TestWithParam<Era> {
 protected:
  std::unique_ptr<BlockingClient> Connect(Millis patience = Seconds(20)) {
    ClientOptions options;
    options.name = "probe";
    options.era = GetParam();
    options.request_timeout = patience;
    auto client = BlockingClient::Make(
        [this](boost::asio::io_context& loop) {
          return MakeHttpLink(
              loop, {.url = "http://localhost:" + std::to_string(proxy_.port()) + "/mcp"});
        },
        options, {});
    EXPECT_TRUE(client);
    return std::move(*client);
  }

  static std::string Echo(BlockingClient& client) {
    Json arguments = EmptyObject();
    arguments["text"] = "hello";
    const ClientResult<Json> result = client.CallTool("echo", std::move(arguments));
    if (!result) return std::string(CodeName(result.error().error.code));
    const Json* content = FindArray(*result, "content");
    return content ? StringOrEmpty((*content)[0], "text") : "no content";
  }

  TestServer server_;
  FaultProxy proxy_{server_.port()};
};

// Wherever it is cut, in the request or in the answer.
TEST_P(ClientFaults, AConnectionThatIsCutCostsOneCallAtMost) {
  const auto client = Connect();
  ASSERT_EQ(Echo(*client), "hello");
  std::size_t lost = 0;
  for (const Fault::Way way : {Fault::Way::kUp, Fault::Way::kDown}) {
    for (std::size_t bytes = 0; bytes < 700; bytes += 23) {
      proxy_.Set({.kind = Fault::Kind::kCut, .way = way, .bytes = bytes, .reset = bytes % 2 == 1});
      const std::string said = Echo(*client);
      EXPECT_TRUE(said == "hello" || said == "TRANSPORT") << bytes << ' ' << said;
      if (said != "hello") ++lost;
      proxy_.Heal();
      EXPECT_EQ(Echo(*client), "hello") << bytes;
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_GT(proxy_.strikes(), 10u);
}

TEST_P(ClientFaults, BytesOneByOneAreTheSameBytes) {
  const auto client = Connect();
  proxy_.Set({.kind = Fault::Kind::kSlice});
  EXPECT_EQ(Echo(*client), "hello");
  EXPECT_EQ(Echo(*client), "hello");
}

TEST_P(ClientFaults, ASilentNetworkIsATimeout) {
  const auto client = Connect(Millis{300});
  ASSERT_EQ(Echo(*client), "hello");
  for (const Fault::Kind kind : {Fault::Kind::kStall, Fault::Kind::kSilence}) {
    proxy_.Set({.kind = kind});
    EXPECT_EQ(Echo(*client), "TIMEOUT");
    proxy_.EndAll(true);
    proxy_.Heal();
    // Others may still be on their way out of it.
    std::string said;
    for (int i = 0; i < 50 && said != "hello"; ++i) said = Echo(*client);
    EXPECT_EQ(said, "hello");
  }
}

TEST_P(ClientFaults, NobodyThereIsSaid) {
  const auto client = Connect();
  ASSERT_EQ(Echo(*client), "hello");
  proxy_.Set({.kind = Fault::Kind::kRefuse});
  EXPECT_EQ(Echo(*client), "TRANSPORT");
  proxy_.Heal();
  EXPECT_EQ(Echo(*client), "hello");
}

INSTANTIATE_TEST_SUITE_P(Eras, ClientFaults, testing::Values(Era::kHandshake, Era::kStateless),
                         [](const auto& info) {
                           return info.param == Era::kHandshake ? "Handshake" : "Stateless";
                         });

}  // namespace
}  // namespace mcp_session
