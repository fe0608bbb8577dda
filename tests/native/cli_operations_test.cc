// mcp-session check, sessions and migrate, on stores that a server has filled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Url(const RedisServer& server, const std::string& login = {}) {
  return "redis://" + login + "127.0.0.1:" + std::to_string(server.port());
}

std::string NewFile(const std::string& name) {
  return std::string("file:") + std::getenv("TEST_TMPDIR") + "/" + name + ".db";
}

std::string Count(TestClient& client, const std::string& session) {
  const TestResponse response = client.Exchange(SessionCall(session, "count"));
  if (response.status != 200) return std::to_string(response.status);
  std::smatch found;
  const std::regex pattern(R"("structuredContent":\{"count":([0-9]+)\})");
  return std::regex_search(response.body, found, pattern) ? found[1].str() : response.body;
}

// Fills a store: so many sessions, each with a counter of 1.
std::vector<std::string> Fill(const std::string& store, int sessions) {
  TestProgram program({"--store", store});
  TestClient client(program.port());
  std::vector<std::string> ids;
  for (int i = 0; i < sessions; ++i) {
    ids.push_back(Initialize(client));
    EXPECT_EQ(Count(client, ids.back()), "1");
  }
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  return ids;
}

// The tags of a store's records, and the JSON object of each.
std::map<std::string, std::string> Listed(const std::string& store) {
  const Finished list = RunToEnd({"sessions", "list", "--store", store, "--json"});
  EXPECT_EQ(list.code, 0) << list.errors;
  std::map<std::string, std::string> records;
  const std::regex object(R"re(\{"tag":"([A-Za-z0-9_-]{22})"[^}]*\})re");
  for (std::sregex_iterator at(list.output.begin(), list.output.end(), object), end; at != end;
       ++at) {
    records[(*at)[1]] = (*at)[0];
  }
  return records;
}

long long Member(const std::string& object, const std::string& name) {
  std::smatch found;
  const std::regex pattern("\"" + name + "\":(-?[0-9]+)");
  return std::regex_search(object, found, pattern) ? std::stoll(found[1]) : -1;
}

// --- check ---

TEST(CliCheck, FindsNothingBadWhereNothingIs) {
  const RedisServer redis({.lines = {"maxmemory-policy noeviction"}});
  for (const std::string& store : {Url(redis), NewFile("check")}) {
    Fill(store, 1);
    const Finished check = RunToEnd({"check", store});
    EXPECT_EQ(check.code, 0) << check.output << check.errors;
    EXPECT_THAT(check.output, StartsWith("ok "));
    EXPECT_THAT(check.output, Not(HasSubstr("\nbad ")));
  }
}

TEST(CliCheck, WarnsOfWhatWillHurt) {
  const RedisServer redis({.lines = {"maxmemory 100mb", "maxmemory-policy allkeys-lru"}});
  const Finished check = RunToEnd({"check", Url(redis)});
  EXPECT_THAT(check.output, testing::AnyOf(HasSubstr("\nwarn "), HasSubstr("\nbad ")));
  EXPECT_THAT(check.output, HasSubstr("noeviction"));
}

TEST(CliCheck, SaysWhatIsBad) {
  const RedisServer redis({.password = "right-password"});
  const RefusingPort nobody;
  const std::string refused = Url(redis, ":wrong-password@");
  const std::string away = "redis://127.0.0.1:" + std::to_string(nobody.port());
  for (const std::string& store : {refused, away}) {
    const Finished check = RunToEnd({"check", store});
    EXPECT_EQ(check.code, 1);
    EXPECT_THAT(check.output, HasSubstr("bad "));
    EXPECT_THAT(check.output + check.errors, Not(HasSubstr("wrong-password")));
  }
}

TEST(CliCheck, KnowsWhereMemoryLives) {
  const Finished check = RunToEnd({"check", "memory"});
  EXPECT_EQ(check.code, 0);
  EXPECT_THAT(check.output, HasSubstr("lives in the process that serves"));
}

TEST(CliCheck, NeedsAStore) {
  unsetenv("REDIS_URL");
  EXPECT_EQ(RunToEnd({"check"}).code, 2);
  EXPECT_EQ(RunToEnd({"check", "gopher://x"}).code, 2);
  const RedisServer redis;
  setenv("REDIS_URL", Url(redis).c_str(), 1);
  EXPECT_EQ(RunToEnd({"check"}).code, 0);
  unsetenv("REDIS_URL");
}

// --- sessions ---

class CliSessionsTest : public testing::TestWithParam<bool> {
 protected:
  CliSessionsTest() : store_(GetParam() ? Url(redis_) : NewFile("sessions")) {}
  void TearDown() override {
    if (!GetParam()) std::remove(store_.c_str() + 5);
  }
  RedisServer redis_;
  const std::string store_;
};

TEST_P(CliSessionsTest, ListsTagsAndNoIds) {
  const std::vector<std::string> ids = Fill(store_, 3);
  const Finished list = RunToEnd({"sessions", "list", "--store", store_});
  EXPECT_EQ(list.code, 0) << list.errors;
  EXPECT_THAT(list.output, HasSubstr("\n6 records\n"));  // a session and its state, each
  for (const std::string& id : ids) {
    EXPECT_THAT(list.output, Not(HasSubstr(id.substr(0, 8))));
  }
  EXPECT_EQ(Listed(store_).size(), 6u);
  const Finished some = RunToEnd({"sessions", "list", "--store", store_, "--kind", "session"});
  EXPECT_THAT(some.output, HasSubstr("\n3 records\n"));
}

TEST_P(CliSessionsTest, ShowsOneByTheBeginningOfItsTag) {
  Fill(store_, 1);
  const auto records = Listed(store_);
  ASSERT_FALSE(records.empty());
  const std::string tag = records.begin()->first;
  const Finished show = RunToEnd({"sessions", "show", tag.substr(0, 8), "--store", store_});
  EXPECT_EQ(show.code, 0) << show.errors;
  EXPECT_THAT(show.output, AllOf(HasSubstr("tag        " + tag), HasSubstr("\nends in    "),
                                 HasSubstr("\nversion    ")));
  const Finished json = RunToEnd({"sessions", "show", tag, "--store", store_, "--json"});
  EXPECT_EQ(Member(json.output, "version"), Member(records.begin()->second, "version"));
}

TEST_P(CliSessionsTest, EndsOne) {
  const std::string session = Fill(store_, 1)[0];
  TestProgram program({"--store", store_});
  TestClient client(program.port());
  EXPECT_EQ(Count(client, session), "2");
  for (const auto& [tag, object] : Listed(store_)) {
    if (object.find(R"("kind":"session")") == std::string::npos) continue;
    const Finished end = RunToEnd({"sessions", "end", tag.substr(0, 12), "--store", store_});
    EXPECT_EQ(end.code, 0) << end.errors;
    EXPECT_EQ(end.output, tag + " is ended\n");
  }
  EXPECT_EQ(Count(client, session), "404");
}

TEST_P(CliSessionsTest, SaysWhatItDoesNotFind) {
  Fill(store_, 1);
  for (const std::string tag : {"AAAAAAAA", "-AAAAAAA", "-hAAAAAA", "--AAAAAA", "__AAAAAA"}) {
    const Finished none = RunToEnd({"sessions", "show", tag, "--store", store_});
    EXPECT_EQ(none.code, 1);
    EXPECT_EQ(none.errors, "mcp-session: there is no record whose tag begins with " + tag + "\n");
  }
  const Finished brief = RunToEnd({"sessions", "end", "AAAAAAA", "--store", store_});
  EXPECT_EQ(brief.code, 2);
  EXPECT_THAT(brief.errors, HasSubstr("must be the first 8 to 22 characters of a tag"));
}

INSTANTIATE_TEST_SUITE_P(Stores, CliSessionsTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Redis" : "File"; });

TEST(CliSessions, CannotLookIntoMemory) {
  const Finished list = RunToEnd({"sessions", "list", "--store", "memory"});
  EXPECT_EQ(list.code, 2);
  EXPECT_EQ(list.errors,
            "mcp-session: memory lives in the process that serves: nobody else can look into it\n");
}

// --- migrate ---

void ExpectSameRecords(const std::string& from, const std::string& to) {
  const auto source = Listed(from);
  const auto target = Listed(to);
  EXPECT_EQ(source.size(), target.size());
  for (const auto& [tag, object] : source) {
    const auto found = target.find(tag);
    ASSERT_NE(found, target.end()) << tag;
    EXPECT_EQ(Member(found->second, "version"), Member(object, "version"));
    EXPECT_EQ(Member(found->second, "bytes"), Member(object, "bytes"));
    EXPECT_EQ(Member(found->second, "idleTtlMs"), Member(object, "idleTtlMs"));
    for (const char* time : {"expiresInMs", "maxLifeLeftMs"}) {
      EXPECT_NEAR(Member(found->second, time), Member(object, time), 30'000) << time;
    }
  }
}

TEST(CliMigrate, TakesSessionsFromStoreToStore) {
  const RedisServer redis;
  const RedisServer other;
  const std::string file = NewFile("migrate");
  const std::vector<std::string> sessions = Fill(Url(redis), 40);
  const std::vector<std::pair<std::string, std::string>> ways = {{Url(redis), file},
                                                                 {file, Url(other)}};
  for (const auto& [from, to] : ways) {
    const Finished migrate = RunToEnd({"migrate", "--from", from, "--to", to});
    EXPECT_EQ(migrate.code, 0) << migrate.errors;
    EXPECT_EQ(migrate.output,
              "copied 80; verified 80; failed 0; ended 0\n"
              "live records: 80 in the source, 80 in the target\n");
    EXPECT_THAT(migrate.errors, AllOf(HasSubstr("pass 1: 100%, 80 records\n"),
                                      HasSubstr("pass 2: 100%, 80 records\n")));
    ExpectSameRecords(from, to);
  }
  TestProgram program({"--store", Url(other)});
  TestClient client(program.port());
  for (const std::string& session : sessions) EXPECT_EQ(Count(client, session), "2");
}

TEST(CliMigrate, RunAgainItBringsWhatIsNewAndKeepsWhatIsNewer) {
  const RedisServer redis;
  const std::string file = NewFile("again");
  const std::string session = Fill(Url(redis), 1)[0];
  ASSERT_EQ(RunToEnd({"migrate", "--from", Url(redis), "--to", file}).code, 0);
  {
    TestProgram program({"--store", file});
    TestClient client(program.port());
    EXPECT_EQ(Count(client, session), "2");
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0);
  }
  Fill(Url(redis), 1);  // another one, in the source
  const Finished again = RunToEnd({"migrate", "--from", Url(redis), "--to", file});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_THAT(again.output, StartsWith("copied 2; verified 4; failed 0; ended 0\n"));
  TestProgram program({"--store", file});
  TestClient client(program.port());
  EXPECT_EQ(Count(client, session), "3");
}

TEST(CliMigrate, RefusesWhatMakesNoSense) {
  const RedisServer redis;
  const struct {
    std::vector<std::string> arguments;
    int code;
  } rows[] = {
      {{"migrate", "--from", Url(redis), "--to", Url(redis, "u:p@")}, 2},
      {{"migrate", "--from", "memory", "--to", Url(redis)}, 2},
      {{"migrate", "--from", Url(redis), "--to", "memory"}, 2},
      {{"migrate", "--from", Url(redis)}, 2},
      {{"migrate", "--from", NewFile("none"), "--to", Url(redis)}, 1},
  };
  for (const auto& row : rows) {
    const Finished finished = RunToEnd(row.arguments);
    EXPECT_EQ(finished.code, row.code) << finished.errors;
    EXPECT_NE(finished.errors, "");
    EXPECT_EQ(finished.output, "");
  }
}

}  // namespace
}  // namespace mcp_session
