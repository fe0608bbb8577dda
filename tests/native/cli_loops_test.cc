// `mcp-session serve --threads`: several event loops in one program, with every kind of store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/auth/token_maker.h"
#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/native/tls_client.h"
#include "tests/redis/redis_server.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHealthCheck = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

TestResponse Get(TestClient& client, const std::string& path) {
  return client.Exchange("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

// The sum of the samples of /metrics that begin like this.
double Sum(TestClient& client, const std::string& name) {
  std::istringstream lines(Get(client, "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) sum += std::atof(line.substr(line.rfind(' ')).c_str());
  }
  return sum;
}

// A call in a session on each of several connections, which are on all loops.
void ExpectOneStateOnAllLoops(const TestProgram& program) {
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<TestClient>(program.port()));
  const std::string session = Initialize(*clients[0]);
  ASSERT_NE(session, "");
  int count = 0;
  for (const auto& client : clients) {
    EXPECT_THAT(client->Exchange(SessionCall(session, "count")).body,
                HasSubstr("{\"count\":" + std::to_string(++count) + '}'));
  }
}

void ExpectAnEnd(TestProgram& program) {
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST(CliLoops, KeepOneStateInMemory) {
  TestProgram program({"--threads", "2"});
  ExpectOneStateOnAllLoops(program);
  ExpectAnEnd(program);
  EXPECT_EQ(program.AllErrors(), "");
}

TEST(CliLoops, KeepOneStateInAFile) {
  TestProgram program(
      {"--threads", "2", "--store", "file:" + std::string(std::getenv("TEST_TMPDIR")) + "/l.db"});
  ExpectOneStateOnAllLoops(program);
  ExpectAnEnd(program);
}

TEST(CliLoops, KeepOneStateInRedisAndSayWhenItIsAway) {
  RedisServer redis;
  TestProgram program(
      {"--threads", "2", "--store", "redis://127.0.0.1:" + std::to_string(redis.port())});
  ExpectOneStateOnAllLoops(program);
  TestClient client(program.port());
  EXPECT_EQ(Get(client, "/readyz").status, 200);
  redis.Kill();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (Get(client, "/readyz").status != 503) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(Get(client, "/healthz").status, 200);
  ExpectAnEnd(program);
}

TEST(CliLoops, ShareTheMemoryThatRedisIsReplacedBy) {
  const RefusingPort nobody;
  TestProgram program(
      {"--threads", "3", "--store", "redis://127.0.0.1:" + std::to_string(nobody.port())});
  ExpectOneStateOnAllLoops(program);
  TestClient client(program.port());
  EXPECT_THAT(Get(client, "/healthz").body, HasSubstr(R"("fallback":true)"));
  ExpectAnEnd(program);
}

TEST(CliLoops, CountTogether) {
  TestProgram program({"--threads", "3"});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(std::make_unique<TestClient>(program.port()));
    ASSERT_NE(Initialize(*clients.back()), "");
  }
  for (const auto& client : clients) {  // whichever loop is asked
    EXPECT_EQ(Sum(*client, "session_store_created_total{"), 9);
    EXPECT_EQ(Sum(*client, "session_store_sessions{"), 9);
    EXPECT_EQ(Sum(*client, "session_store_state{"), 1);
    EXPECT_EQ(Sum(*client,
                  "session_store_operation_duration_seconds_count{backend=\"memory\","
                  "operation=\"create\""),
              9);
  }
  ExpectAnEnd(program);
}

TEST(CliLoops, KnowTheSameCallers) {
  TestProgram program(
      {"--threads", "2", "--tokens", WriteFile("loops_tokens", "alice 0123456789abcdef")});
  for (int i = 0; i < 4; ++i) {
    TestClient client(program.port());
    std::string request = StatelessCall("create_basket");
    EXPECT_EQ(client.Exchange(request).status, 401);
    request.insert(request.find("\r\n") + 2, "Authorization: Bearer 0123456789abcdef\r\n");
    EXPECT_EQ(client.Exchange(request).status, 200);
  }
}

TEST(CliLoops, FinishTheirCallsAfterSigterm) {
  TestProgram program({"--threads", "2"});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(program.port()));
    ASSERT_TRUE(clients.back()->Send(
        StatelessCall("slow_count", R"({"to":3,"delay_ms":50})", R"(,"progressToken":1)")));
  }
  for (const auto& client : clients) EXPECT_EQ(client->ReceiveHead().status, 200);
  program.Signal(SIGTERM);
  for (const auto& client : clients) {
    EXPECT_THAT(client->ReceiveUntil("0\r\n\r\n"), HasSubstr(R"({"counted_to":3})"));
    EXPECT_TRUE(client->Ended());
    client->Close();
  }
  EXPECT_EQ(program.Wait(), 0);
}

TEST(CliLoops, EndAtOnceAtTheSecondSignal) {
  TestProgram program({"--threads", "2"});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(program.port()));
    ASSERT_TRUE(clients.back()->Send(StatelessCall("slow_count", R"({"to":100,"delay_ms":2000})")));
  }
  TestClient idle(program.port());
  EXPECT_EQ(idle.Exchange(kHealthCheck).status, 200);
  program.Signal(SIGTERM);
  EXPECT_TRUE(idle.Ended());
  program.Signal(SIGTERM);
  for (const auto& client : clients) EXPECT_TRUE(client->Ended());
  EXPECT_EQ(program.Wait(), 0);
}

TEST(CliLoops, TakeANewCertificateTogether) {
  const auto write = [](const TestCertificate& made) {
    return std::pair(WriteFile("loops.pem", made.certificate), WriteFile("loops.key", made.key));
  };
  const TestCertificate old = MakeTestCertificate("localhost");
  const auto [certificate, key] = write(old);
  const std::string old_file = WriteFile("loops_old.pem", old.certificate);
  TestProgram program({"--threads", "2", "--tls-cert", certificate, "--tls-key", key});
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(TlsClient(program.port(), {.ca_file = old_file}).connected());
  }
  write(MakeTestCertificate("localhost"));
  program.Signal(SIGHUP);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!TlsClient(program.port(), {.ca_file = certificate}).connected()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  std::vector<std::unique_ptr<TlsClient>> clients;  // which are on all loops
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(TlsClient(program.port(), {.ca_file = old_file}).connected());
    clients.push_back(
        std::make_unique<TlsClient>(program.port(), TlsClientOptions{.ca_file = certificate}));
    EXPECT_TRUE(clients.back()->connected());
  }
}

// The highest descriptor that a process has.
rlim_t LastDescriptor(const TestProgram& program) {
  rlim_t last = 0;
  const std::string folder = "/proc/" + std::to_string(program.id()) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    last = std::max<rlim_t>(last, std::strtoul(entry.path().filename().c_str(), nullptr, 10));
  }
  return last;
}

// Connections go to the two loops in turn, so idle are once those of the loop that accepts, and
// once those of the other.
TEST(CliLoops, CloseIdleConnectionsOfWhateverLoopWhenDescriptorsRunOut) {
  constexpr std::size_t kEach = 8;
  const std::string slow =
      StatelessCall("slow_count", R"({"to":100,"delay_ms":2000})", R"(,"progressToken":1)");
  for (const std::size_t busy : {0u, 1u}) {
    TestProgram program({"--threads", "2"});
    std::vector<std::unique_ptr<TestClient>> clients;
    for (std::size_t i = 0; i < 2 * kEach; ++i) {
      clients.push_back(std::make_unique<TestClient>(program.port()));
      ASSERT_EQ(clients.back()->Exchange(kHealthCheck).status, 200);
      if (i % 2 == busy) {
        ASSERT_TRUE(clients.back()->Send(slow));
      }
    }
    const rlim_t descriptors = LastDescriptor(program) + 1;
    const rlimit limit{descriptors, descriptors};
    ASSERT_EQ(prlimit(program.id(), RLIMIT_NOFILE, &limit, nullptr), 0);
    for (std::size_t i = 0; i < kEach; ++i) {
      clients.push_back(std::make_unique<TestClient>(program.port()));
      ASSERT_EQ(clients.back()->Exchange(kHealthCheck).status, 200) << i;
      ASSERT_TRUE(clients.back()->Send(slow));
    }
  }
}

TEST(CliLoops, AreAsManyAsIsSaid) {
  const auto threads = [](const std::vector<std::string>& arguments) {
    TestProgram program(arguments);
    TestClient client(program.port());
    EXPECT_EQ(client.Exchange(kHealthCheck).status, 200);
    std::ifstream status("/proc/" + std::to_string(program.id()) + "/status");
    for (std::string name; status >> name;) {
      int count = 0;
      if (name == "Threads:" && status >> count) return count;
    }
    return 0;
  };
  const int others = threads({"--threads", "1"}) - 1;  // of a sanitizer, for instance
  EXPECT_EQ(threads({}) - others, 1);
  EXPECT_EQ(threads({"--threads", "5"}) - others, 5);
  EXPECT_EQ(threads({"--threads", "0"}) - others,
            static_cast<int>(std::thread::hardware_concurrency()));
  setenv("MCP_SESSION_THREADS", "3", 1);
  EXPECT_EQ(threads({}) - others, 3);
  unsetenv("MCP_SESSION_THREADS");
}

TEST(CliLoops, RefuseWhatWantsOne) {
  const auto complaint = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"serve", "--store", "memory", "--threads"});
    const Finished finished = RunToEnd(arguments);
    EXPECT_EQ(finished.code, 2);
    EXPECT_EQ(finished.output, "");
    return finished.errors;
  };
  EXPECT_THAT(complaint({"65"}), HasSubstr("--threads: must be a number from 0 to 64"));
  EXPECT_THAT(complaint({"-1"}), HasSubstr("--threads"));
  EXPECT_THAT(complaint({"two"}), HasSubstr("--threads: must be a number from 0 to 64"));
  EXPECT_THAT(complaint({"2", "--stdio"}), HasSubstr("--stdio is for one thread"));
  EXPECT_THAT(complaint({"2", "--degrade", "local"}),
              HasSubstr("--degrade local is for one thread"));
}

TEST(CliLoops, EndWithoutAStore) {
  const RefusingPort nobody;
  const Finished finished =
      RunToEnd({"serve", "--port", "0", "--threads", "2", "--on-unavailable", "fail", "--store",
                "redis://127.0.0.1:" + std::to_string(nobody.port())});
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.errors, HasSubstr("cannot be reached"));
}

// --- keys ---

constexpr char kOneKey[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
constexpr char kOtherKey[] = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

// A stateless call of end_basket by a client that can be asked.
std::string EndBasket(const std::string& basket, const std::string& more = {}) {
  return Post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"end_basket",)"
      R"("arguments":{"basket":")" +
          basket + "\"}," + more +
          R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}}})",
      "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: end_basket\r\n");
}

std::string Between(const std::string& text, const std::string& before, char after) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) return {};
  return text.substr(start + before.size(),
                     text.find(after, start + before.size()) - start - before.size());
}

// What one node is answered that another one asked for, of a basket that a third request made
// (S-14).
std::string AnswerElsewhere(const std::vector<std::string>& keys_here,
                            const std::vector<std::string>& keys_there) {
  const RedisServer redis;
  const auto start = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(),
                     {"--store", "redis://127.0.0.1:" + std::to_string(redis.port())});
    return std::make_unique<TestProgram>(arguments);
  };
  const auto here = start(keys_here);
  const auto there = start(keys_there);
  TestClient at_here(here->port());
  TestClient at_there(there->port());
  const std::string basket =
      Between(at_here.Exchange(StatelessCall("create_basket")).body, R"("basket":")", '"');
  at_here.Exchange(StatelessCall("add_item", R"({"basket":")" + basket + R"(","item":"apple"})"));
  const std::string asked = at_here.Exchange(EndBasket(basket)).body;
  EXPECT_THAT(asked, HasSubstr("Throw the basket away"));
  const std::string state = Between(asked, R"("requestState":")", '"');
  EXPECT_NE(state, "");
  return at_there
      .Exchange(EndBasket(basket, R"("requestState":")" + state +
                                      R"(","inputResponses":{"sure":{"action":"accept",)"
                                      R"("content":{"sure":true}}},)"))
      .body;
}

TEST(CliStateKeys, LetEveryNodeReadWhatOneSealed) {
  EXPECT_THAT(AnswerElsewhere({"--state-keys", kOneKey},
                              {"--state-keys", std::string(kOtherKey) + "," + kOneKey}),
              HasSubstr(R"("ended":true)"));
  EXPECT_THAT(AnswerElsewhere({"--state-keys", kOneKey},
                              {"--state-keys", kOtherKey, "--state-keys", kOneKey}),
              HasSubstr(R"("ended":true)"));
  EXPECT_THAT(AnswerElsewhere({"--state-keys", kOneKey}, {"--state-keys", kOtherKey}),
              HasSubstr("-32602"));
  EXPECT_THAT(AnswerElsewhere({}, {}), HasSubstr("-32602"));
}

TEST(CliStateKeys, AreTheSameOnAllLoops) {
  TestProgram program({"--threads", "2"});
  TestClient first(program.port());
  TestClient second(program.port());
  const std::string basket =
      Between(first.Exchange(StatelessCall("create_basket")).body, R"("basket":")", '"');
  first.Exchange(StatelessCall("add_item", R"({"basket":")" + basket + R"(","item":"apple"})"));
  const std::string asked = first.Exchange(EndBasket(basket)).body;
  EXPECT_THAT(second
                  .Exchange(EndBasket(
                      basket, R"("requestState":")" + Between(asked, R"("requestState":")", '"') +
                                  R"(","inputResponses":{"sure":{"action":"accept",)"
                                  R"("content":{"sure":false}}},)"))
                  .body,
              HasSubstr(R"("ended":false)"));
}

TEST(CliStateKeys, ComeFromFilesAndTheEnvironmentToo) {
  const std::string file = WriteFile(
      "keys.toml", "state-keys = [\"" + std::string(kOtherKey) + "\", \"" + kOneKey + "\"]\n");
  EXPECT_THAT(AnswerElsewhere({"--state-keys", kOneKey}, {"--config", file}),
              HasSubstr(R"("ended":true)"));
  setenv("MCP_SESSION_STATE_KEYS", (std::string(kOneKey) + "," + kOtherKey).c_str(), 1);
  EXPECT_THAT(AnswerElsewhere({}, {}), HasSubstr(R"("ended":true)"));
  unsetenv("MCP_SESSION_STATE_KEYS");
}

TEST(CliStateKeys, AreNeverPrinted) {
  const std::string short_key(kOneKey, 63);
  const std::vector<std::vector<std::string>> wrong = {
      {"--state-keys", short_key},
      {"--state-keys", std::string(kOneKey) + "x"},
      {"--state-keys", std::string(kOneKey) + "," + kOneKey},
      {"--state-keys", ""},
      {"--state-keys", kOneKey, kOtherKey},
      {"--state-keys=" + short_key},
  };
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), {"serve", "--store", "memory", "--port", "0"});
    const Finished finished = RunToEnd(arguments);
    EXPECT_EQ(finished.code, 2);
    EXPECT_EQ(finished.output, "");
    EXPECT_THAT(finished.errors, Not(HasSubstr("44556677")));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
  }
  EXPECT_EQ(RunToEnd({"serve", "--store", "memory", "--state-keys", short_key}).errors,
            "mcp-session: --state-keys: a state key is 64 hexadecimal digits\n");
  setenv("MCP_SESSION_STATE_KEYS", "", 1);
  EXPECT_EQ(RunToEnd({"serve", "--store", "memory"}).errors,
            "mcp-session: --state-keys: there is no state key\n");
  setenv("MCP_SESSION_STATE_KEYS", kOneKey, 1);
  EXPECT_THAT(RunToEnd({"serve", "--help"}).output, Not(HasSubstr("44556677")));
  unsetenv("MCP_SESSION_STATE_KEYS");
}

}  // namespace
}  // namespace mcp_session
