// Key sets from a real HTTP server, without and with TLS.
#include "mcp_session/auth/jwks_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "tests/auth/jwks_server.h"
#include "tests/auth/token_maker.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<std::string> Fetch(const JwksFetchOptions& options) {
  boost::asio::io_context loop;
  const Result<JwksSource> source = JwksFromUrl(loop, options);
  if (!source) return tl::unexpected<Error>(source.error());
  std::optional<Result<std::string>> got;
  (*source)([&](Result<std::string> text) {
    EXPECT_FALSE(got.has_value());
    got = std::move(text);
  });
  loop.run();
  EXPECT_TRUE(got.has_value());
  return *got;
}

TEST(JwksFetch, GetsTheKeys) {
  JwksServer server;
  server.Say(200, R"({"keys":[]})");
  const auto keys = Fetch({.url = server.url() + "?x=1"});
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  EXPECT_EQ(*keys, R"({"keys":[]})");
  EXPECT_EQ(server.last_target(), "/keys?x=1");
}

TEST(JwksFetch, GetsTheKeysByTls) {
  const TestCertificate certificate = MakeTestCertificate();
  JwksServer server(certificate);
  server.Say(200, "here");
  const std::string ca = WriteFile("ca.pem", certificate.certificate);
  const auto keys = Fetch({.url = server.url(), .ca_file = ca});
  ASSERT_TRUE(keys.has_value()) << keys.error().message;
  EXPECT_EQ(*keys, "here");
}

TEST(JwksFetch, TrustsNobodyElse) {
  const TestCertificate certificate = MakeTestCertificate();
  JwksServer server(certificate);
  server.Say(200, "here");
  const std::string other = WriteFile("other.pem", MakeTestCertificate().certificate);
  EXPECT_THAT(Fetch({.url = server.url(), .ca_file = other}).error().message, StartsWith("TLS: "));
  EXPECT_THAT(Fetch({.url = server.url()}).error().message, StartsWith("TLS: "));
  // Signed by whom we trust, but for another host.
  const TestCertificate elsewhere = MakeTestCertificate("elsewhere.example");
  JwksServer impostor(elsewhere);
  const std::string ca = WriteFile("elsewhere.pem", elsewhere.certificate);
  EXPECT_THAT(Fetch({.url = impostor.url(), .ca_file = ca}).error().message, StartsWith("TLS: "));
}

TEST(JwksFetch, SaysWhatWentWrong) {
  JwksServer server;
  const auto failure = [&](int status, const std::string& body) {
    server.Say(status, body);
    const auto keys = Fetch({.url = server.url()});
    EXPECT_FALSE(keys.has_value());
    EXPECT_EQ(keys.error().code, ErrorCode::kUnavailable);
    return keys.error().message;
  };
  EXPECT_EQ(failure(500, "x"), "status 500");
  EXPECT_EQ(failure(302, ""), "status 302");
  EXPECT_EQ(failure(200, std::string(kMaxJwksBytes + 1, 'x')), "the answer is too large");
  server.Say(200, std::string(kMaxJwksBytes, 'x'));
  EXPECT_EQ(Fetch({.url = server.url()})->size(), kMaxJwksBytes);
  server.Mute();
  EXPECT_EQ(Fetch({.url = server.url(), .timeout = Millis{50}}).error().message,
            "no answer in time");
  server.Stop();
  EXPECT_EQ(Fetch({.url = server.url()}).error().message,
            "cannot connect: connection refused");
}

TEST(JwksFetch, WantsAUrlThatItCanTrust) {
  boost::asio::io_context loop;
  for (const char* url :
       {"", "keys.json", "ftp://localhost/x", "https://", "https:///x", "https://host:0/",
        "https://host:x/", "https://host:65536/", "https://user@host/", "https://[::1/x",
        "https://ho st/", "http://issuer.example/keys", "http://10.0.0.1/keys"}) {
    const auto source = JwksFromUrl(loop, {.url = url});
    ASSERT_FALSE(source.has_value()) << url;
    EXPECT_EQ(source.error().code, ErrorCode::kInvalidArgument) << url;
  }
  for (const char* url : {"https://issuer.example/keys", "http://localhost:1/", "http://[::1]:1/x",
                          "http://127.0.0.1?x", "https://issuer.example"}) {
    EXPECT_TRUE(JwksFromUrl(loop, {.url = url}).has_value()) << url;
  }
  EXPECT_EQ(
      JwksFromUrl(loop, {.url = "https://issuer.example", .ca_file = "/no/such/file"}).error().code,
      ErrorCode::kMisconfigured);
}

}  // namespace
}  // namespace mcp_session
