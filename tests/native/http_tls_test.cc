// HttpServer and the program with TLS: real certificates, a real client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "tests/auth/token_maker.h"
#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/native/test_server.h"
#include "tests/native/tls_client.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHealthCheck = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

// A certificate in files.
struct Files {
  explicit Files(const std::string& name, std::string_view host = "localhost") {
    const TestCertificate made = MakeTestCertificate(host);
    certificate = WriteFile(name + ".pem", made.certificate);
    key = WriteFile(name + ".key", made.key);
  }
  std::string certificate;
  std::string key;
};

HttpServerOptions WithTls(const Files& files) {
  HttpServerOptions options;
  options.tls.certificate_file = files.certificate;
  options.tls.key_file = files.key;
  return options;
}

std::string Echo(std::string_view text) {
  return StatelessCall("echo", R"({"text":")" + std::string(text) + "\"}");
}

TEST(HttpTls, AnswersWhoTrustsItsCertificate) {
  const Files files("server");
  TestServer server(WithTls(files));
  TlsClient client(server.port(), {.ca_file = files.certificate, .protocol = "http/1.1"});
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.version(), "TLSv1.3");
  EXPECT_EQ(client.protocol(), "http/1.1");
  for (const char* text : {"one", "two"}) {
    ASSERT_TRUE(client.Send(Echo(text)));
    EXPECT_THAT(client.ReceiveUntil(text), HasSubstr("HTTP/1.1 200 OK"));
  }
}

TEST(HttpTls, SpeaksTls12AndNothingOlder) {
  const Files files("server");
  TestServer server(WithTls(files));
  TlsClient good(server.port(), {.max_version = TLS1_2_VERSION});
  ASSERT_TRUE(good.connected());
  EXPECT_EQ(good.version(), "TLSv1.2");
  EXPECT_FALSE(TlsClient(server.port(), {.max_version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsClient(server.port(), {.protocol = "h2"}).connected());
}

TEST(HttpTls, CarriesLargeBodiesBothWays) {
  const Files files("server");
  TestServer server(WithTls(files));
  TlsClient client(server.port(), {.ca_file = files.certificate});
  const std::string text(1'000'000, 'x');
  ASSERT_TRUE(client.Send(Echo(text + "end") + Echo("after")));
  EXPECT_THAT(client.ReceiveUntil("xend"), HasSubstr(text));
  EXPECT_THAT(client.ReceiveUntil("after"), HasSubstr("HTTP/1.1 200 OK"));
}

TEST(HttpTls, StreamsAndEndsProperly) {
  const Files files("server");
  TestServer server(WithTls(files));
  TlsClient client(server.port(), {.ca_file = files.certificate});
  std::string request = StatelessCall("hold", "{}", R"(,"progressToken":"p")");
  request.insert(request.find("\r\n") + 2, "Connection: close\r\n");
  ASSERT_TRUE(client.Send(request));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.OnLoop([&] { server.held()[0].Progress(1, 2, "half"); });
  EXPECT_THAT(client.ReceiveUntil("half"), HasSubstr("text/event-stream"));
  ASSERT_TRUE(server.Release(0));
  EXPECT_THAT(client.ReceiveUntil("\r\n0\r\n\r\n"), HasSubstr("released"));
  EXPECT_TRUE(client.EndsProperly());
}

TEST(HttpTls, NoticesThatAClientGoes) {
  const Files files("server");
  TestServer server(WithTls(files));
  {
    TlsClient client(server.port(), {.ca_file = files.certificate});
    ASSERT_TRUE(client.Send(StatelessCall("hold")));
    ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  }
  EXPECT_TRUE(server.Eventually([&] { return server.held()[0].cancelled(); }));
}

TEST(HttpTls, NoticesThatAClientIsDone) {
  const Files files("server");
  TestServer server(WithTls(files));
  TlsClient client(server.port(), {.ca_file = files.certificate});
  ASSERT_TRUE(client.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  client.Finish();
  EXPECT_TRUE(server.Eventually([&] { return server.held()[0].cancelled(); }));
}

TEST(HttpTls, WantsACertificateOfItsClients) {
  const Files files("server");
  const Files client_files("client", "client");
  const Files stranger("stranger", "stranger");
  HttpServerOptions options = WithTls(files);
  options.tls.client_ca_file = client_files.certificate;
  TestServer server(options);
  const auto answer = [&](const Files* own) {
    TlsClientOptions as{.ca_file = files.certificate};
    if (own != nullptr) {
      as.certificate_file = own->certificate;
      as.key_file = own->key;
    }
    TlsClient client(server.port(), as);
    client.Send(kHealthCheck);  // in TLS 1.3 it is told afterwards
    return client.ReceiveUntil("ok\n");
  };
  EXPECT_THAT(answer(&client_files), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(answer(&stranger), "");
  EXPECT_EQ(answer(nullptr), "");
}

TEST(HttpTls, TiresOfAHandshakeThatDoesNotCome) {
  const Files files("server");
  HttpServerOptions options = WithTls(files);
  options.head_time = Millis{50};
  TestServer server(options);
  TestClient silent(server.port());
  EXPECT_TRUE(silent.Ended());
  TestClient half(server.port());
  ASSERT_TRUE(half.Send(std::string_view("\x16\x03\x01\x02\x00\x01", 6)));
  EXPECT_TRUE(half.Ended());
}

TEST(HttpTls, ClosesOnWhoSpeaksPlainly) {
  const Files files("server");
  TestServer server(WithTls(files));
  TestClient plain(server.port());
  ASSERT_TRUE(plain.Send(kHealthCheck));
  EXPECT_EQ(plain.Receive().status, 0);
  TlsClient proper(server.port(), {.ca_file = files.certificate});
  EXPECT_TRUE(proper.connected());
}

TEST(CliTls, ServesWithACertificateAndTakesANewOne) {
  const Files files("renewed", "localhost");
  TestProgram program({"--tls-cert", files.certificate, "--tls-key", files.key});
  EXPECT_THAT(program.first_line(), HasSubstr("https://127.0.0.1:"));
  const std::string old_certificate = WriteFile("old.pem", [&] {
    std::string text(4096, '\0');
    std::FILE* file = std::fopen(files.certificate.c_str(), "r");
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  }());
  TlsClient before(program.port(), {.ca_file = old_certificate});
  ASSERT_TRUE(before.connected());
  const Files renewed("renewed", "localhost");  // the same files
  program.Signal(SIGHUP);
  // The new one is there when it is.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!TlsClient(program.port(), {.ca_file = renewed.certificate}).connected()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  EXPECT_FALSE(TlsClient(program.port(), {.ca_file = old_certificate}).connected());
  ASSERT_TRUE(before.Send(kHealthCheck));  // goes on with the one it began with
  EXPECT_THAT(before.ReceiveUntil("\r\n"), HasSubstr("200"));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(), "mcp-session: the certificate was read again\n");
}

TEST(CliTls, SaysWhichFileCannotBeUsed) {
  const Files files("server");
  const Files other("other");
  const struct {
    std::string certificate, key, complaint;
  } rows[] = {
      {"/no/such/file", files.key, "misconfigured: TLS: cannot use the certificate"},
      {files.certificate, "/no/such/file", "misconfigured: TLS: cannot use the private key"},
      {files.certificate, other.key, "misconfigured: TLS: cannot use the private key"},
      {files.key, files.key, "misconfigured: TLS: cannot use the certificate"},
  };
  for (const auto& row : rows) {
    const Finished finished = RunToEnd({"serve", "--port", "0", "--store", "memory", "--tls-cert",
                                        row.certificate, "--tls-key", row.key});
    EXPECT_EQ(finished.code, 1) << row.complaint;
    EXPECT_EQ(finished.errors, "mcp-session: " + row.complaint + "\n");
  }
  EXPECT_EQ(RunToEnd({"serve", "--tls-cert", files.certificate}).code, 2);
}

}  // namespace
}  // namespace mcp_session
