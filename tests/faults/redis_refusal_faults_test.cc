// Credentials, permissions and certificates that stop being right while the store is at work: it is
// kMisconfigured, says why without saying secrets, and works again once a human has put it right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "mcp_session/redis/probe.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr RecordKey kRecord{"hush-owner", "session", "hush-id"};

RedisOptions PatientOptions(std::uint16_t port) {
  RedisOptions options = FaultOptions(port);
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

// The store is set up wrongly for this server, now.
void ExpectRefused(const RedisOptions& options, const std::string& reason) {
  FaultClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Put(kRecord, "hush"), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_EQ(client.state(), StoreState::kMisconfigured);
  EXPECT_THAT(client.reason(), HasSubstr(reason));
  EXPECT_EQ(client.LogLinesWith("misconfigured"), 1u);
  const auto probed = ProbeRedis(options, Seconds(10));
  ASSERT_FALSE(probed.has_value());
  EXPECT_EQ(probed.error().code, ErrorCode::kMisconfigured);
  EXPECT_THAT(probed.error().reason, Not(HasSubstr(kSecret)));
}

// As above, of a store that worked until now. What is in flight when its connection ends may have
// been done.
void ExpectNowRefused(FaultClient& client, const std::string& reason) {
  const StoreReply first = client.Get(kRecord);
  EXPECT_THAT(first.error, AnyOf(ErrorCode::kMisconfigured, ErrorCode::kUnavailable));
  ASSERT_TRUE(client.RunUntil(StoreState::kMisconfigured));
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Put(kRecord, "hush"), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.reason(), HasSubstr(reason));
}

void ExpectWorks(const RedisOptions& options) {
  FaultClient client(options);
  EXPECT_THAT(client.Get(kRecord), Holds("hush-data"));
}

TEST(RedisRefusalFaults, APasswordIsAskedForFromNowOn) {
  RedisServer server;
  RedisOptions options = PatientOptions(server.port());
  FaultClient client(options);
  ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  // Those who are in stay in, until their connection ends. Of new ones each is refused.
  ASSERT_EQ(server.Command({"CONFIG", "SET", "requirepass", "hush-password"}), "OK");
  EXPECT_THAT(client.Get(kRecord), Holds("hush-data"));
  ExpectRefused(options, "wants a password");
  options.password = "hush-wrong-password";
  ExpectRefused(options, "refuses user or password");
  options.user = "hush-nobody";
  options.password = "hush-password";
  ExpectRefused(options, "refuses user or password");
  options.user.clear();
  ExpectWorks(options);
}

TEST(RedisRefusalFaults, AUserIsDeletedWhileItWorks) {
  RedisServer server;
  const std::vector<std::string> allow = {"ACL", "SETUSER", "hush-user", "on", ">hush-password",
                                          "~*",  "&*",      "+@all"};
  ASSERT_EQ(server.Command(allow), "OK");
  RedisOptions options = PatientOptions(server.port());
  options.user = "hush-user";
  options.password = "hush-password";
  FaultClient client(options);
  ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  ASSERT_EQ(server.Command({"ACL", "DELUSER", "hush-user"}), "1");
  ExpectNowRefused(client, "refuses user or password");
  ASSERT_EQ(server.Command(allow), "OK");
  ExpectWorks(options);
}

TEST(RedisRefusalFaults, AUserLosesWhatItNeedsWhileItWorks) {
  RedisServer server;
  RedisOptions options = PatientOptions(server.port());
  options.user = "hush-user";
  options.password = "hush-password";
  ASSERT_EQ(
      server.Command({"ACL", "SETUSER", "hush-user", "on", ">hush-password", "~*", "&*", "+@all"}),
      "OK");
  FaultClient client(options);
  const StoreReply created = client.Create(kRecord, "hush-data");
  ASSERT_THAT(created, IsDone());
  // No scripts.
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "hush-user", "-eval", "-evalsha"}), "OK");
  EXPECT_THAT(client.Get(kRecord), Holds("hush-data"));
  EXPECT_THAT(client.Put(kRecord, "hush-new"), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Create({"", "session", "hush-2"}), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Run(store::Remove{kRecord}), FailsWith(ErrorCode::kMisconfigured));
  // Scripts, but not what is in them.
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "hush-user", "+@all", "-set", "-unlink"}), "OK");
  EXPECT_THAT(client.Put(kRecord, "hush-new"), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Run(store::Remove{kRecord}), FailsWith(ErrorCode::kMisconfigured));
  // Other keys only.
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "hush-user", "+@all", "resetkeys", "~other:*"}),
            "OK");
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Run(store::Touch{kRecord}), FailsWith(ErrorCode::kMisconfigured));
  ASSERT_EQ(server.Command({"ACL", "SETUSER", "hush-user", "allkeys"}), "OK");
  const StoreReply got = client.Get(kRecord);
  EXPECT_THAT(got, Holds("hush-data"));
  EXPECT_EQ(got.record.version, created.record.version) << "something was done after all";
}

TEST(RedisRefusalFaults, CertificatesOfAnotherAuthorityOrAnotherHost) {
  RedisServer server({.tls = true});
  const TestCertificates others;
  RedisOptions options = PatientOptions(server.tls_port());
  options.tls = {.enabled = true, .ca_file = server.ca_file()};
  {
    FaultClient client(options);
    ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  }
  options.tls.ca_file = others.ca_file();
  ExpectRefused(options, "TLS: ");
  options.tls.ca_file = server.ca_file();
  options.tls.server_name = "redis.example.org";
  ExpectRefused(options, "TLS: ");
  options.tls.server_name = "localhost";
  ExpectWorks(options);
}

TEST(RedisRefusalFaults, ACertificateThatIsOver) {
  RedisServer server({.lines = {"appendonly yes", "appendfsync always"}, .tls = true});
  RedisOptions options = PatientOptions(server.tls_port());
  options.tls = {.enabled = true, .ca_file = server.ca_file()};
  FaultClient client(options);
  ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  const std::string ca = server.ca_file();
  const auto sign_for = [folder = ca.substr(0, ca.rfind('/'))](const std::string& days) {
    return std::system(("cd " + folder + " && openssl x509 -req -days " + days +
                        " -CA ca.crt -CAkey ca.key -CAcreateserial -extfile server.ext "
                        "-in server.csr -out server.crt >log 2>&1")
                           .c_str());
  };
  ASSERT_EQ(sign_for("-1"), 0);
  server.Stop();
  server.StartAgain();
  // The store that worked so far is told the same.
  ExpectNowRefused(client, "TLS: ");
  ExpectRefused(options, "TLS: ");
  ASSERT_EQ(sign_for("2"), 0);
  server.Stop();
  server.StartAgain();
  ExpectWorks(options);
}

TEST(RedisRefusalFaults, TlsToAPortThatSpeaksNone) {
  RedisServer server;
  RedisOptions options = PatientOptions(server.port());
  options.tls = {.enabled = true, .insecure = true};
  ExpectRefused(options, "TLS: ");
}

TEST(RedisRefusalFaults, NoTlsToAPortThatSpeaksNothingElse) {
  for (const bool client_certificates : {false, true}) {
    RedisServer server({.tls = true, .client_certificates = client_certificates});
    ExpectRefused(PatientOptions(server.tls_port()), "wants TLS");
  }
}

// It looks like one that wants TLS, and is not.
TEST(RedisRefusalFaults, AServerThatHangsUpAtOnceIsUnavailable) {
  RedisServer server;
  FaultProxy proxy(server.port());
  FaultClient client(PatientOptions(proxy.port()));
  ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t failures = client.counters().failures;
    proxy.EndAll(false);
    proxy.Set({Fault::Kind::kCut, Fault::Way::kDown});
    ASSERT_TRUE(client.RunUntil([&] { return client.counters().failures > failures; }));
    EXPECT_EQ(client.state(), StoreState::kUnavailable);
    EXPECT_THAT(client.reason(), HasSubstr("before it said a word"));
    ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  }
  EXPECT_THAT(client.Get(kRecord), Holds("hush-data"));
  // Of one that was there, the words would be wrong.
  server.Kill();
  ASSERT_TRUE(client.RunUntil([&] { return client.state() != StoreState::kConnected; }));
  EXPECT_EQ(client.reason(), "the server closed the connection");
}

// The same with TLS: silence is no proof that it is not spoken.
TEST(RedisRefusalFaults, ATlsServerThatIsSilentIsUnavailable) {
  RedisServer server({.tls = true});
  RedisOptions options = FaultOptions(server.tls_port());
  options.tls = {.enabled = true, .ca_file = server.ca_file()};
  options.connect_timeout = Seconds(1);
  server.Pause();
  FaultClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kUnavailable));
  ASSERT_TRUE(client.RunUntil(StoreState::kUnavailable));
  server.Resume();
  EXPECT_TRUE(client.RunUntil(StoreState::kConnected));
}

}  // namespace
}  // namespace mcp_session
