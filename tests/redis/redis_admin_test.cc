// RedisAdmin against what a store wrote, and what a store makes of what it wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/redis/admin.h"
#include "mcp_session/redis/check_parts.h"
#include "mcp_session/redis/keys.h"
#include "tests/redis/redis_client.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Verdict = CheckLine::Verdict;

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr RecordKey kBearer{"", "basket", "secret-id"};

RedisOptions OptionsFor(const RedisServer& server) {
  RedisOptions options;
  options.endpoints = {{.port = server.port()}};
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

std::unique_ptr<RedisAdmin> AdminOf(const RedisOptions& options) {
  auto made = RedisAdmin::Make(options);
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

// Of one record: whether it was imported, or why it was refused.
Result<bool> ImportOne(StoreAdmin& admin, const StoredRecord& record) {
  const auto imported = admin.Import({record});
  if (!imported) return tl::unexpected(imported.error());
  EXPECT_EQ(imported->size(), 1u);
  const StoreAdmin::Imported& one = imported->front();
  if (one.refused) return tl::unexpected(*one.refused);
  return one.imported;
}

// All pages, by record tag.
std::map<std::string, StoredRecord> ScanAll(RedisAdmin& admin, std::size_t limit, bool whole) {
  std::map<std::string, StoredRecord> all;
  std::string cursor;
  do {
    auto page = admin.Scan(cursor, limit, whole);
    if (!page) {
      ADD_FAILURE() << page.error().message;
      break;
    }
    EXPECT_EQ(page->records.size(), page->data_bytes.size());
    for (StoredRecord& record : page->records) all[record.key.record_tag] = std::move(record);
    cursor = page->cursor;
  } while (!cursor.empty());
  return all;
}

class RedisAdminTest : public testing::Test {
 protected:
  RedisServer server_;
  RedisClient client_{OptionsFor(server_)};
  std::unique_ptr<RedisAdmin> admin_ = AdminOf(OptionsFor(server_));
};

TEST_F(RedisAdminTest, FindsARecordWithAllThatBelongsToIt) {
  const StoreReply created = client_.Run(store::Create{
      kRecord, "data", {.idle_ttl = Hours(1), .max_life = Hours(2), .remember = Hours(3)}, 99});
  const StoreReply locked = client_.Run(store::Lock{kRecord, 7, Seconds(30)});
  const StoreReply first = client_.Run(store::Append{kRecord, "one"});
  client_.Run(store::Append{kRecord, "two"});
  const auto found = admin_->Find(MakeStoredKey(kRecord));
  ASSERT_TRUE(found.has_value() && found->has_value());
  const StoredRecord& record = **found;
  EXPECT_EQ(record.key, MakeStoredKey(kRecord));
  EXPECT_EQ(record.kind, "session");
  EXPECT_EQ(record.id, "id-1");
  EXPECT_EQ(record.data, "data");
  EXPECT_EQ(record.version, created.record.version);
  EXPECT_EQ(record.write_id, 99u);
  EXPECT_EQ(record.fence, locked.fence);
  EXPECT_GT(record.order, 0u);
  EXPECT_EQ(record.idle_ttl, Hours(1));
  ASSERT_TRUE(record.max_life_left.has_value());
  EXPECT_THAT(*record.max_life_left, IsAbout(Hours(2), Seconds(30)));
  EXPECT_EQ(record.remember, Hours(3));
  EXPECT_THAT(record.expires_in, IsAbout(Hours(1), Seconds(30)));
  ASSERT_THAT(record.events, SizeIs(2));
  EXPECT_EQ(record.events[0].sequence, first.sequence);
  EXPECT_EQ(*record.events[1].data, "two");
}

TEST_F(RedisAdminTest, TellsNoIdOfTheAnonymous) {
  ASSERT_THAT(client_.Create(kBearer), IsDone());
  const auto found = admin_->Find(MakeStoredKey(kBearer));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((**found).id, "");
  EXPECT_EQ((**found).kind, "basket");
  EXPECT_EQ((**found).idle_ttl, Hours(1));
  EXPECT_EQ((**found).max_life_left, std::nullopt);
}

TEST_F(RedisAdminTest, ScansEveryRecordAndNothingElse) {
  for (int i = 0; i < 150; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_THAT(client_.Create({"", "basket", id}, "data"), IsDone());
    ASSERT_THAT(client_.Create({"owner-" + std::to_string(i % 7), "session", id}, "more"),
                IsDone());
  }
  server_.Command({"SET", "other:key", "x"});
  server_.Command({"SET", "mcp:session:{short}:s", "x"});
  server_.Command({"RPUSH", RedisKeys("mcp:session:", MakeStoredKey(kRecord)).record(), "list"});
  for (const std::size_t limit : {std::size_t{1}, std::size_t{50}, std::size_t{1000}}) {
    EXPECT_THAT(ScanAll(*admin_, limit, false), SizeIs(300)) << limit;
  }
  EXPECT_EQ(admin_->Count(), 300u);
  for (const auto& [tag, record] : ScanAll(*admin_, 100, true)) {
    EXPECT_EQ(record.data, record.key.owner_tag.empty() ? "data" : "more");
    EXPECT_EQ(record.id.empty(), record.key.owner_tag.empty());
  }
  const auto page = admin_->Scan("", 10, false);
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->data_bytes, testing::Each(4u));
  EXPECT_EQ(page->records[0].data, "");
}

TEST_F(RedisAdminTest, RefusesACursorThatCannotBe) {
  for (const char* cursor : {"x", "|", "|x", "nowhere:1|0"}) {
    const auto page = admin_->Scan(cursor, 10, false);
    ASSERT_FALSE(page.has_value()) << cursor;
    EXPECT_EQ(page.error().code, ErrorCode::kInvalidArgument) << cursor;
  }
}

TEST_F(RedisAdminTest, EndsARecord) {
  ASSERT_THAT(client_.Create(kRecord), IsDone());
  ASSERT_THAT(client_.Create(kBearer), IsDone());
  for (const RecordKey& key : {kRecord, kBearer}) {
    EXPECT_EQ(admin_->End(MakeStoredKey(key)), true);
    EXPECT_EQ(admin_->End(MakeStoredKey(key)), false);
    EXPECT_THAT(client_.Get(key), FailsWith(ErrorCode::kNotFound));
    const auto found = admin_->Find(MakeStoredKey(key));
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->has_value());
  }
  EXPECT_EQ(admin_->Count(), 0u);
  EXPECT_EQ(server_.Command({"KEYS", "*"}), "");
}

TEST_F(RedisAdminTest, LeavesWhatIsNotOurs) {
  const std::string key = RedisKeys("mcp:session:", MakeStoredKey(kRecord)).record();
  server_.Command({"SET", key, "something else"});
  const auto found = admin_->Find(MakeStoredKey(kRecord));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  const auto ended = admin_->End(MakeStoredKey(kRecord));
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(server_.Command({"GET", key}), "something else");
  EXPECT_EQ(admin_->Find({"", "no tag"}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(RedisAdminTest, ImportsWhatAnotherServerHad) {
  for (const char* id : {"1", "2", "3"}) {
    ASSERT_THAT(client_.Run(store::Create{{"alice", "session", id},
                                          std::string(5000, *id),
                                          {.idle_ttl = Hours(1), .max_life = Hours(2)}}),
                IsDone());
  }
  ASSERT_THAT(client_.Create(kBearer, "bearer's"), IsDone());
  const StoreReply locked = client_.Run(store::Lock{{"alice", "session", "1"}, 7, Seconds(30)});
  const std::uint64_t first = client_.Run(store::Append{kBearer, "one"}).sequence;
  client_.Run(store::Append{kBearer, "two"});
  const StoreReply put = client_.Put({"alice", "session", "2"}, "put");

  RedisServer other_server;
  RedisClient other(OptionsFor(other_server));
  const std::unique_ptr<RedisAdmin> other_admin = AdminOf(OptionsFor(other_server));
  std::vector<StoredRecord> records;
  for (auto& [tag, record] : ScanAll(*admin_, 100, true)) records.push_back(std::move(record));
  for (const StoredRecord& record : records) {
    const auto imported = ImportOne(*other_admin, record);
    ASSERT_TRUE(imported.has_value()) << imported.error().message;
    EXPECT_TRUE(*imported);
  }
  // Again: they are there.
  for (const StoredRecord& record : records) EXPECT_FALSE(*ImportOne(*other_admin, record));

  const StoreReply got = other.Get({"alice", "session", "2"});
  EXPECT_THAT(got, Holds("put"));
  EXPECT_EQ(got.record.version, put.record.version);
  ASSERT_TRUE(got.record.max_life_left.has_value());
  EXPECT_THAT(*got.record.max_life_left, IsAbout(Hours(2), Seconds(30)));
  EXPECT_THAT(other.Get({"alice", "session", "3"}), Holds(std::string(5000, '3')));
  EXPECT_THAT(
      other.Run(store::List{"alice", "session", {}, 10}).listed,
      ElementsAre(Field(&Record::id, "1"), Field(&Record::id, "2"), Field(&Record::id, "3")));
  EXPECT_THAT(
      other.Run(store::Put{{"alice", "session", "1"}, "late", std::nullopt, 0, locked.fence - 1}),
      FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(other.Run(store::ReadEvents{kBearer}).events, SizeIs(2));
  EXPECT_EQ(other.Run(store::Append{kBearer, "three"}).sequence, first + 2);
  EXPECT_THAT(other.Run(store::RemoveOwned{"alice"}), Removed(3));

  // A newer one replaces an older, and takes its place over.
  StoredRecord newer = *std::find_if(records.begin(), records.end(), [](const StoredRecord& one) {
    return one.key == MakeStoredKey(kBearer);
  });
  newer.version += 10;
  newer.data = "newer";
  newer.events.clear();
  EXPECT_TRUE(*ImportOne(*other_admin, newer));
  EXPECT_THAT(other.Get(kBearer), Holds("newer"));
  EXPECT_THAT(other.Run(store::ReadEvents{kBearer}).events, IsEmpty());
  EXPECT_EQ(other_server.Command({"EVAL",
                                  "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if "
                                  "redis.call('PTTL', k) == -1 then n = n + 1 end end return n",
                                  "0"}),
            "0");
}

TEST_F(RedisAdminTest, ImportsWhatIsOverAsOver) {
  ASSERT_THAT(
      client_.Run(store::Create{kRecord, "data", {.max_life = Hours(1), .remember = Hours(1)}}),
      IsDone());
  auto found = admin_->Find(MakeStoredKey(kRecord));
  ASSERT_TRUE(found.has_value() && found->has_value());
  StoredRecord record = **found;
  record.expires_in = Millis{-1000};
  record.max_life_left = Millis{-1000};
  RedisServer other_server;
  RedisClient other(OptionsFor(other_server));
  const std::unique_ptr<RedisAdmin> other_admin = AdminOf(OptionsFor(other_server));
  EXPECT_TRUE(ImportOne(*other_admin, record).has_value());
  EXPECT_THAT(other.Get(kRecord), FailsWith(ErrorCode::kExpired));
  EXPECT_EQ(other_admin->Count(), 0u);
}

TEST_F(RedisAdminTest, ImportedAgainItGetsWhatHappenedSinceAndNothingGoesBack) {
  ASSERT_THAT(client_.Create(kRecord), IsDone());
  StoredRecord early = **admin_->Find(MakeStoredKey(kRecord));
  early.expires_in = Minutes(1);
  RedisServer other_server;
  RedisClient other(OptionsFor(other_server));
  const std::unique_ptr<RedisAdmin> target = AdminOf(OptionsFor(other_server));
  EXPECT_TRUE(*ImportOne(*target, early));
  // None of these changes the version.
  client_.Run(store::Append{kRecord, "gone", 2});
  client_.Run(store::Append{kRecord, "one", 2});
  const std::uint64_t last = client_.Run(store::Append{kRecord, "two", 2}).sequence;
  const std::uint64_t token = client_.Run(store::Lock{kRecord, 7, Seconds(30)}).fence;
  ASSERT_THAT(client_.Run(store::Touch{kRecord}), IsDone());
  const StoredRecord later = **admin_->Find(MakeStoredKey(kRecord));
  ASSERT_EQ(later.version, early.version);
  for (const StoredRecord& record : {later, early, later}) {
    EXPECT_FALSE(*ImportOne(*target, record));
    const StoredRecord found = **target->Find(MakeStoredKey(kRecord));
    EXPECT_THAT(found.expires_in, IsAbout(Hours(1), Seconds(30)));
    EXPECT_EQ(found.fence, token);
    ASSERT_THAT(found.events, SizeIs(2));
    EXPECT_EQ(found.events[1].sequence, last);
  }
  EXPECT_THAT(other.Run(store::ReadEvents{kRecord}),
              HasEvents(std::vector<std::string>{"one", "two"}));
  // The index and the stream must not end before the record.
  const RedisKeys keys("mcp:session:", MakeStoredKey(kRecord));
  for (const std::string& key : {keys.index(), keys.stream()}) {
    EXPECT_GT(std::stoll(other_server.Command({"PTTL", key})), Minutes(50).count) << key;
  }
}

TEST_F(RedisAdminTest, ALiveRecordReplacesOneOfItsVersionThatIsRemembered) {
  ASSERT_THAT(
      client_.Run(store::Create{kRecord, "x", {.idle_ttl = Hours(1), .remember = Hours(1)}}),
      IsDone());
  const StoredRecord live = **admin_->Find(MakeStoredKey(kRecord));
  StoredRecord over = live;
  over.expires_in = Millis{-1000};
  RedisServer other_server;
  RedisClient other(OptionsFor(other_server));
  const std::unique_ptr<RedisAdmin> target = AdminOf(OptionsFor(other_server));
  EXPECT_TRUE(*ImportOne(*target, over));
  EXPECT_FALSE(*ImportOne(*target, over));
  EXPECT_THAT(other.Get(kRecord), FailsWith(ErrorCode::kExpired));
  EXPECT_TRUE(*ImportOne(*target, live));
  EXPECT_FALSE(*ImportOne(*target, over));
  EXPECT_THAT(other.Get(kRecord), Holds("x"));
}

TEST_F(RedisAdminTest, ImportsManyAndRefusesSome) {
  std::vector<StoredRecord> records;
  for (int i = 0; i < 600; ++i) {
    const std::string id = std::to_string(i);
    const std::string owner = i % 2 == 0 ? "owner-" + id : "";
    const RecordKey key{owner, "session", id};
    ASSERT_THAT(client_.Create(key, std::string(static_cast<std::size_t>(i) * 40, 'x')), IsDone());
    records.push_back(**admin_->Find(MakeStoredKey(key)));
  }
  RedisServer other_server;
  const std::unique_ptr<RedisAdmin> target = AdminOf(OptionsFor(other_server));
  const StoredRecord occupied = records[7];
  const std::string key = RedisKeys("mcp:session:", occupied.key).record();
  other_server.Command({"SET", key, "something else"});
  records[300].kind.clear();
  records[301].data.assign(OptionsFor(server_).max_record_bytes + 1, 'x');
  const auto imported = target->Import(records);
  ASSERT_TRUE(imported.has_value());
  ASSERT_THAT(*imported, SizeIs(600));
  const std::map<std::size_t, ErrorCode> refused = {
      {7, ErrorCode::kCorrupt}, {300, ErrorCode::kInvalidArgument}, {301, ErrorCode::kTooLarge}};
  for (std::size_t i = 0; i < 600; ++i) {
    const auto expected = refused.find(i);
    EXPECT_EQ((*imported)[i].imported, expected == refused.end()) << i;
    ASSERT_EQ((*imported)[i].refused.has_value(), expected != refused.end()) << i;
    if (expected == refused.end()) continue;
    EXPECT_EQ((*imported)[i].refused->code, expected->second) << i;
  }
  EXPECT_EQ(target->Count(), 597u);
  EXPECT_THAT(*target->Import({}), IsEmpty());
}

TEST_F(RedisAdminTest, EndsManyUpToAVersion) {
  const RecordKey changed{"alice", "session", "id-2"}, none{"alice", "session", "id-3"};
  const std::uint64_t version = client_.Create(kRecord).record.version;
  const std::uint64_t bearers = client_.Create(kBearer).record.version;
  const std::uint64_t before = client_.Create(changed).record.version;
  ASSERT_THAT(client_.Put(changed, "changed"), IsDone());
  EXPECT_EQ(admin_->EndUpTo({{MakeStoredKey(kRecord), version},
                             {MakeStoredKey(kBearer), bearers + 1},
                             {MakeStoredKey(changed), before},
                             {MakeStoredKey(none), version}}),
            2u);
  EXPECT_THAT(client_.Get(kRecord), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(client_.Get(kBearer), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(client_.Get(changed), Holds("changed"));
  EXPECT_EQ(server_.Command({"ZCARD", RedisKeys("mcp:session:", MakeStoredKey(kRecord)).index()}),
            "1");
  EXPECT_EQ(admin_->EndUpTo({}), 0u);
}

TEST_F(RedisAdminTest, RefusesToImportWhatCannotBe) {
  ASSERT_THAT(client_.Create(kRecord), IsDone());
  const StoredRecord good = **admin_->Find(MakeStoredKey(kRecord));
  std::vector<StoredRecord> wrong(5, good);
  wrong[0].key.record_tag = "}:s";
  wrong[1].kind.clear();
  wrong[2].id.clear();
  wrong[3].key.owner_tag.clear();  // and has an id
  wrong[4].kind = std::string(257, 'x');
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto imported = ImportOne(*admin_, wrong[i]);
    ASSERT_FALSE(imported.has_value()) << i;
    EXPECT_EQ(imported.error().code, ErrorCode::kInvalidArgument) << i;
  }
}

auto Line(Verdict verdict, const std::string& subject, const std::string& part = "") {
  return AllOf(Field(&CheckLine::verdict, verdict), Field(&CheckLine::subject, subject),
               Field(&CheckLine::text, HasSubstr(part)));
}

TEST_F(RedisAdminTest, ChecksAServer) {
  server_.Command({"CONFIG", "SET", "maxmemory", "100mb"});
  server_.Command({"CONFIG", "SET", "appendonly", "yes"});
  const std::vector<CheckLine> lines = admin_->Check();
  for (const CheckLine& line : lines) {
    EXPECT_NE(line.verdict, Verdict::kBad) << line.subject << ": " << line.text;
  }
  for (const char* subject :
       {"connection", "TLS", "version", "eviction", "role", "persistence", "permissions"}) {
    EXPECT_THAT(lines, Contains(Line(Verdict::kGood, subject))) << subject;
  }
  EXPECT_THAT(lines, Contains(Field(&CheckLine::subject, "latency")));
  EXPECT_EQ(admin_->Count(), 0u) << "it leaves something";
}

TEST_F(RedisAdminTest, WarnsOfWhatWillHurt) {
  server_.Command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  EXPECT_THAT(admin_->Check(), AllOf(Contains(Line(Verdict::kBad, "eviction", "allkeys-lru")),
                                     Contains(Line(Verdict::kWarning, "persistence"))));
}

TEST_F(RedisAdminTest, SaysWhatIsNotPermitted) {
  server_.Command(
      {"ACL", "SETUSER", "weak", "on", ">secret", "~mcp:session:*", "&*", "+@all", "-xadd"});
  RedisOptions options = OptionsFor(server_);
  options.user = "weak";
  options.password = "secret";
  EXPECT_THAT(AdminOf(options)->Check(),
              Contains(Line(Verdict::kBad, "permissions", "append is answered")));
  server_.Command({"ACL", "SETUSER", "weak", "+xadd", "-subscribe"});
  EXPECT_THAT(AdminOf(options)->Check(),
              Contains(Line(Verdict::kWarning, "permissions", "SUBSCRIBE")));
  options.password = "wrong";
  EXPECT_THAT(AdminOf(options)->Check(),
              ElementsAre(Line(Verdict::kBad, "connection", "refuses user or password")));
}

TEST(RedisAdmin, SaysThatNobodyListens) {
  const RefusingPort port;
  RedisOptions options;
  options.endpoints = {{.port = port.port()}};
  const std::unique_ptr<RedisAdmin> admin = AdminOf(options);
  EXPECT_THAT(admin->Check(), ElementsAre(Line(Verdict::kBad, "connection", "refused")));
  EXPECT_EQ(admin->Count().error().code, ErrorCode::kUnavailable);
}

TEST(RedisAdmin, SaysWhatAServerDoesNotTellOfEviction) {
  EXPECT_THAT(CheckEviction("maxmemory:0\r\n", "here: "),
              Line(Verdict::kWarning, "eviction", "here: the server does not tell its"));
  EXPECT_THAT(CheckEviction("maxmemory_policy:\r\nmaxmemory:5\r\n", ""),
              Line(Verdict::kWarning, "eviction", "does not tell"));
  EXPECT_THAT(CheckEviction("maxmemory:5\r\nmaxmemory_policy:noeviction\r\n", ""),
              Line(Verdict::kGood, "eviction", "noeviction"));
}

TEST(RedisAdmin, SaysWhichSentinelsAnswerAndThatTheyAreTooFew) {
  const RedisServer master;
  const std::string address = "127.0.0.1 " + std::to_string(master.port());
  const RefusingPort nobody;
  for (const bool enough : {false, true}) {
    const RedisServer sentinel(
        {.lines = {"sentinel monitor sessions " + address + (enough ? " 1" : " 2")},
         .sentinel = true});
    RedisOptions options = OptionsFor(sentinel);
    options.layout = RedisLayout::kSentinel;
    options.master_name = "sessions";
    options.endpoints.push_back({.port = nobody.port()});
    const std::vector<CheckLine> lines = AdminOf(options)->Check();
    EXPECT_THAT(lines, Contains(Line(Verdict::kWarning, "sentinels", "1 of 2 sentinels answer; ")));
    EXPECT_THAT(lines, Contains(Line(Verdict::kWarning, "sentinels", "refused")));
    EXPECT_THAT(lines, Contains(enough ? Line(Verdict::kGood, "quorum", "is there")
                                       : Line(Verdict::kBad, "quorum", "too few sentinels")));
    options.master_name = "others";
    EXPECT_THAT(AdminOf(options)->Check(),
                Contains(Line(Verdict::kBad, "quorum", "knows no master of this name")));
  }
}

TEST(RedisAdmin, SaysThatAClusterLacksSlots) {
  RedisServer node({.lines = {"cluster-enabled yes"}});
  ASSERT_EQ(node.Command({"CLUSTER", "ADDSLOTSRANGE", "0", "99"}), "OK");
  RedisOptions options = OptionsFor(node);
  options.layout = RedisLayout::kCluster;
  EXPECT_THAT(AdminOf(options)->Check(),
              Contains(Line(Verdict::kBad, "cluster", "100 of 16384 slots are served")));
}

TEST(RedisAdmin, WalksOverAllNodesOfACluster) {
  RedisCluster cluster;
  RedisOptions options = OptionsFor(cluster.node(1));
  options.layout = RedisLayout::kCluster;
  RedisClient client(options);
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_THAT(client.Create({i % 2 ? "" : "owner-" + id, "session", id}), IsDone());
  }
  for (RedisServer* node : cluster.nodes()) EXPECT_NE(node->Command({"DBSIZE"}), "0");
  const std::unique_ptr<RedisAdmin> admin = AdminOf(options);
  EXPECT_EQ(admin->Count(), 100u);
  EXPECT_THAT(ScanAll(*admin, 10, true), SizeIs(100));
  EXPECT_EQ(admin->End(MakeStoredKey({"owner-4", "session", "4"})), true);
  EXPECT_EQ(admin->Count(), 99u);
  EXPECT_THAT(
      admin->Check(),
      AllOf(Contains(Line(Verdict::kGood, "cluster", "all 16384 slots are served, by 3 primaries")),
            Contains(Line(Verdict::kGood, "permissions"))));
  EXPECT_EQ(admin->Count(), 99u);
}

}  // namespace
}  // namespace mcp_session
