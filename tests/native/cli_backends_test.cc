// Every command of the program against every kind of store: what one of them can do, all can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The servers of this program, each made when it is needed first. They end with it.
RedisServer& Server() {
  static RedisServer* const server =
      new RedisServer({.lines = {"maxmemory 100mb", "appendonly yes"}, .tls = true});
  return *server;
}

RedisSentinels& Sentinels() {
  static RedisSentinels* const sentinels = new RedisSentinels;
  return *sentinels;
}

RedisCluster& Cluster() {
  static RedisCluster* const cluster = new RedisCluster;
  return *cluster;
}

std::string At(const RedisServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

constexpr const char* kPolicy = "session_store_maxmemory_policy_ok{backend=\"redis\"} 1\n";
constexpr const char* kWal = "session_store_wal_size_bytes{backend=\"sqlite\"} ";

struct Backend {
  std::string name;
  std::string place;  // how the program's word on where state is kept begins
  // The URL of a store that has no records yet.
  std::function<std::string(const std::string& unused)> url;
  std::string metric;                // in what Prometheus gets
  std::vector<std::string> checked;  // what `check` has to say, besides
};

std::vector<Backend> Backends() {
  const std::string written = "ok    persistence    changes are written to disk";
  return {
      {"Redis",
       "Redis at redis://",
       [](const std::string& name) { return "redis://" + At(Server()) + "?prefix=" + name; },
       kPolicy,
       {written, "ok    eviction       noeviction"}},
      {"UnixSocket",
       "Redis at unix://",
       [](const std::string& name) {
         return "unix://" + Server().socket_path() + "?prefix=" + name;
       },
       kPolicy,
       {written}},
      {"Tls",
       "Redis at rediss://",
       [](const std::string& name) {
         return "rediss://localhost:" + std::to_string(Server().tls_port()) +
                "?ca=" + Server().ca_file() + "&prefix=" + name;
       },
       kPolicy,
       {written, "ok    TLS            the certificate was verified"}},
      {"Sentinel",
       "Redis at redis+sentinel://",
       [](const std::string& name) {
         std::string hosts;
         for (std::size_t i = 0; i < Sentinels().size(); ++i) {
           hosts += (i == 0 ? "" : ",") + At(Sentinels().sentinel(i));
         }
         return "redis+sentinel://" + hosts + "/sessions?prefix=" + name;
       },
       kPolicy,
       {"ok    sentinels      3 of 3 sentinels answer\n", "ok    quorum         is there",
        "with 1 replicas connected"}},
      {"Cluster",
       "Redis at redis+cluster://",
       [](const std::string& name) {
         return "redis+cluster://" + At(Cluster().node(0)) + "," + At(Cluster().node(2)) +
                "?prefix=" + name;
       },
       kPolicy,
       {"ok    cluster        all 16384 slots are served, by 3 primaries"}},
      {"File",
       "file:",
       [](const std::string& name) {
         return std::string("file:") + std::getenv("TEST_TMPDIR") + "/" + name + ".db";
       },
       kWal,
       {"ok    persistence    synchronous=full"}},
      {"NormalFile",
       "file:",
       [](const std::string& name) {
         return std::string("file:") + std::getenv("TEST_TMPDIR") + "/" + name +
                ".db?synchronous=normal";
       },
       kWal,
       {"ok    persistence    synchronous=normal"}},
  };
}

class CliBackendsTest : public testing::TestWithParam<Backend> {
 protected:
  CliBackendsTest() : store_(GetParam().url("backend" + std::to_string(++made_))) {}

  static std::string Count(TestClient& client, const std::string& session) {
    const TestResponse response = client.Exchange(SessionCall(session, "count"));
    if (response.status != 200) return std::to_string(response.status);
    std::smatch found;
    const std::regex pattern(R"("structuredContent":\{"count":([0-9]+)\})");
    return std::regex_search(response.body, found, pattern) ? found[1].str() : response.body;
  }

  inline static int made_ = 0;
  const std::string store_;
};

TEST_P(CliBackendsTest, ServeKeepsItsStateThere) {
  std::string session;
  {
    TestProgram program({"--store", store_, "--on-unavailable", "fail"});
    TestClient client(program.port());
    session = Initialize(client);
    ASSERT_NE(session, "");
    EXPECT_EQ(Count(client, session), "1");
    EXPECT_THAT(client.Exchange("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").body,
                AllOf(HasSubstr("session_store_created_total{"), HasSubstr(GetParam().metric)));
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0);
    EXPECT_THAT(program.AllErrors(), HasSubstr("state is kept in " + GetParam().place));
  }
  TestProgram program({"--store", store_, "--on-unavailable", "fail"});
  TestClient client(program.port());
  EXPECT_EQ(Count(client, session), "2");
}

TEST_P(CliBackendsTest, CheckFindsNothingBad) {
  { TestProgram made({"--store", store_}); }  // a file that nobody has made is bad
  const Finished check = RunToEnd({"check", store_});
  EXPECT_EQ(check.code, 0) << check.output;
  EXPECT_EQ(check.errors, "");
  EXPECT_THAT(check.output, AllOf(HasSubstr("ok    permissions "), HasSubstr("ok    latency "),
                                  Not(HasSubstr("bad "))));
  for (const std::string& line : GetParam().checked) EXPECT_THAT(check.output, HasSubstr(line));
}

TEST_P(CliBackendsTest, SessionsAreListedShownAndEnded) {
  TestProgram program({"--store", store_});
  TestClient client(program.port());
  const std::string session = Initialize(client);
  ASSERT_NE(session, "");
  EXPECT_EQ(Count(client, session), "1");
  const Finished list = RunToEnd({"sessions", "list", "--store", store_, "--kind", "session"});
  EXPECT_EQ(list.code, 0) << list.errors;
  EXPECT_THAT(list.output, AllOf(HasSubstr("\n1 record\n"), Not(HasSubstr(session.substr(0, 8)))));
  const std::string tag = list.output.substr(list.output.find('\n') + 1, 12);
  const Finished show = RunToEnd({"sessions", "show", tag, "--store", store_});
  EXPECT_EQ(show.code, 0) << show.errors;
  EXPECT_THAT(show.output,
              AllOf(HasSubstr("tag        " + tag), HasSubstr("\nkind       session\n")));
  const Finished end = RunToEnd({"sessions", "end", tag, "--store", store_});
  EXPECT_EQ(end.code, 0) << end.errors;
  EXPECT_THAT(end.output, testing::StartsWith(tag));
  EXPECT_EQ(Count(client, session), "404");
  const Finished none = RunToEnd({"sessions", "list", "--store", store_, "--kind", "session"});
  EXPECT_THAT(none.output, HasSubstr("\n0 records\n"));
}

INSTANTIATE_TEST_SUITE_P(Stores, CliBackendsTest, testing::ValuesIn(Backends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mcp_session
