// A server that refuses us, or is not one we can work with: kMisconfigured, and never anything that
// a fallback would be taken for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "mcp_session/redis/probe.h"
#include "tests/redis/redis_client.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

RedisOptions OptionsFor(std::uint16_t port) {
  RedisOptions options;
  options.endpoints = {{.port = port}};
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

// Checks the store and the probe.
void ExpectRefused(const RedisOptions& options, const std::string& reason) {
  RedisClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Create(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_EQ(client.state(), StoreState::kMisconfigured);
  EXPECT_THAT(client.reason(), HasSubstr(reason));
  for (const std::string& line : client.log()) {
    EXPECT_THAT(line, testing::Not(HasSubstr("wrong-secret")));
  }
  EXPECT_EQ(client.counters().failures, 1u) << "it is tried again too soon";

  const auto probed = ProbeRedis(options, Seconds(10));
  ASSERT_FALSE(probed.has_value());
  EXPECT_EQ(probed.error().code, ErrorCode::kMisconfigured);
  EXPECT_THAT(probed.error().reason, HasSubstr(reason));
}

TEST(RedisRefusal, WrongOrMissingPassword) {
  RedisServer server({.password = "right"});
  RedisOptions options = OptionsFor(server.port());
  ExpectRefused(options, "wants a password");
  options.password = "wrong-secret";
  ExpectRefused(options, "refuses user or password");
  options.user = "nobody";
  ExpectRefused(options, "refuses user or password");
  options.user.clear();
  options.password = "right";
  EXPECT_TRUE(ProbeRedis(options, Seconds(10)).has_value());
}

TEST(RedisRefusal, APasswordForAServerWithoutOne) {
  RedisServer server;
  RedisOptions options = OptionsFor(server.port());
  options.password = "wrong-secret";
  ExpectRefused(options, "password");
}

TEST(RedisRefusal, AUserWhoMayNotDoWhatWeNeed) {
  RedisServer server;
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "weak", "on", ">secret", "~*", "+@all", "-script"}),
            "OK");
  RedisOptions options = OptionsFor(server.port());
  options.user = "weak";
  options.password = "secret";
  ExpectRefused(options, "does not permit");
}

TEST(RedisRefusal, AUserWhoMayNotTouchOurKeys) {
  RedisServer server;
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "weak", "on", ">secret", "~other:*", "+@all"}), "OK");
  RedisOptions options = OptionsFor(server.port());
  options.user = "weak";
  options.password = "secret";
  RedisClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Create(kRecord), FailsWith(ErrorCode::kMisconfigured));
}

TEST(RedisRefusal, NoSuchDatabase) {
  RedisServer server({.lines = {"databases 2"}});
  RedisOptions options = OptionsFor(server.port());
  options.database = 2;
  ExpectRefused(options, "no such database");
}

TEST(RedisRefusal, CertificatesThatDoNotFit) {
  RedisServer server({.tls = true});
  const TestCertificates others;
  RedisOptions options = OptionsFor(server.tls_port());
  options.tls = {.enabled = true, .ca_file = server.ca_file()};
  EXPECT_TRUE(ProbeRedis(options, Seconds(10)).has_value());

  options.tls.ca_file = others.ca_file();
  ExpectRefused(options, "TLS: ");
  options.tls.ca_file.clear();  // what the system trusts
  ExpectRefused(options, "TLS: ");
  options.tls.ca_file = "/nowhere/ca.crt";
  ExpectRefused(options, "cannot read the CA file");

  options.tls.ca_file = server.ca_file();
  options.tls.server_name = "redis.example.org";
  ExpectRefused(options, "TLS: ");
  options.tls.server_name = "localhost";
  EXPECT_TRUE(ProbeRedis(options, Seconds(10)).has_value());

  options.tls = {.enabled = true, .insecure = true};
  EXPECT_TRUE(ProbeRedis(options, Seconds(10)).has_value());
}

TEST(RedisRefusal, NoClientCertificateWhereOneIsNeeded) {
  RedisServer server({.tls = true, .client_certificates = true});
  RedisOptions options = OptionsFor(server.tls_port());
  options.tls = {.enabled = true, .ca_file = server.ca_file()};
  ExpectRefused(options, "TLS: ");
}

// Accepts connections one after the other and says the same to each, until it goes.
class SpeakingServer {
 public:
  explicit SpeakingServer(std::string words) : words_(std::move(words)) {
    thread_ = std::thread([this] {
      for (;;) {
        boost::asio::ip::tcp::socket socket(loop_);
        boost::system::error_code error;
        acceptor_.accept(socket, error);
        if (error || stopping_) return;
        std::array<char, 4096> buffer;
        socket.read_some(boost::asio::buffer(buffer), error);
        boost::asio::write(socket, boost::asio::buffer(words_), error);
        socket.read_some(boost::asio::buffer(buffer), error);
      }
    });
  }
  ~SpeakingServer() {
    stopping_ = true;
    boost::asio::ip::tcp::socket last(loop_);
    boost::system::error_code ignored;
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  const std::string words_;
  std::atomic<bool> stopping_ = false;
  boost::asio::io_context loop_;
  boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

TEST(RedisRefusal, AServerOfAnotherProtocol) {
  const SpeakingServer server("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  ExpectRefused(OptionsFor(server.port()), "does not speak the Redis protocol");
}

TEST(RedisRefusal, AServerWithoutTlsWhereTlsIsWanted) {
  const SpeakingServer server("-ERR Protocol error: expected '$', got ' '\r\n");
  RedisOptions options = OptionsFor(server.port());
  options.tls = {.enabled = true, .insecure = true};
  ExpectRefused(options, "TLS: ");
}

TEST(RedisRefusal, TlsAndPlainTextMixedUp) {
  RedisServer server({.tls = true});
  ExpectRefused(OptionsFor(server.tls_port()), "wants TLS");
  RedisOptions options = OptionsFor(server.port());
  options.tls = {.enabled = true, .insecure = true};
  ExpectRefused(options, "does not speak it");
}

TEST(RedisRefusal, AnOldServer) {
  const SpeakingServer server("+PONG\r\n$22\r\nredis_version:6.0.16\r\n\r\n");
  ExpectRefused(OptionsFor(server.port()), "older than 6.2");
}

TEST(RedisRefusal, TheProbeSaysWhatCannotBeReached) {
  const RefusingPort nobody;
  const auto refused = ProbeRedis(OptionsFor(nobody.port()), Seconds(10));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().reason, HasSubstr("refused"));
  EXPECT_EQ(refused.error().cause, RedisCause::kRefused);

  RedisServer server;
  server.Pause();
  const Instant start = MonotonicNow();
  const auto silent = ProbeRedis(OptionsFor(server.port()), Millis{300});
  EXPECT_GE(MonotonicNow() - start, Millis{200});
  EXPECT_LT(MonotonicNow() - start, Seconds(5));
  server.Resume();
  ASSERT_FALSE(silent.has_value());
  EXPECT_EQ(silent.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(silent.error().reason, HasSubstr("in time"));
  EXPECT_EQ(silent.error().cause, RedisCause::kTimedOut);

  RedisOptions missing = OptionsFor(server.port());
  missing.endpoints = {{.path = server.folder() + "/missing.sock"}};
  const auto no_socket = ProbeRedis(missing, Seconds(10));
  ASSERT_FALSE(no_socket.has_value());
  EXPECT_EQ(no_socket.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(CannotBeReached(no_socket.error().cause));
  EXPECT_TRUE(ProbeRedis(OptionsFor(server.port()), Seconds(10)).has_value());
}

}  // namespace
}  // namespace mcp_session
