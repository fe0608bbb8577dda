// SqliteAdmin: all that is in a file, and from one file into another.
#include "mcp_session/sqlite/sqlite_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using Verdict = CheckLine::Verdict;

constexpr Instant kWall{1'750'000'000'000};
constexpr Lifetime kLong{.idle_ttl = Hours(1)};

// Of one record: whether it was imported, or why it was refused.
Result<bool> ImportOne(StoreAdmin& admin, const StoredRecord& record) {
  const auto imported = admin.Import({record});
  if (!imported) return tl::unexpected(imported.error());
  EXPECT_EQ(imported->size(), 1u);
  const StoreAdmin::Imported& one = imported->front();
  if (one.refused) return tl::unexpected(*one.refused);
  return one.imported;
}

class SqliteAdminTest : public testing::Test {
 protected:
  FileStoreOptions Options(const std::string& name = "sessions.db") {
    const Instant wall = kWall + (clock_.Now() - start_);
    return {.path = folder_.File(name), .wall_clock = [wall] { return wall; }};
  }

  std::unique_ptr<SqliteAdmin> Admin(const std::string& name = "sessions.db") {
    auto opened =
        SqliteAdmin::Open({.path = folder_.File(name), .create = true, .wall_clock = [this] {
                             return kWall + (clock_.Now() - start_);
                           }});
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }

  // All pages of a scan.
  std::vector<StoredRecord> ScanAll(SqliteAdmin& admin, std::size_t limit, bool whole) {
    std::vector<StoredRecord> all;
    std::string cursor;
    do {
      auto page = admin.Scan(cursor, limit, whole);
      if (!page) {
        ADD_FAILURE() << page.error().message;
        break;
      }
      EXPECT_EQ(page->records.size(), page->data_bytes.size());
      for (StoredRecord& record : page->records) all.push_back(std::move(record));
      cursor = page->cursor;
    } while (!cursor.empty());
    return all;
  }

  TestFolder folder_;
  ManualClock clock_;
  const Instant start_ = clock_.Now();
};

TEST_F(SqliteAdminTest, AScanFindsEveryRecordOnce) {
  FileClient client(Options(), clock_);
  std::set<std::string> tags;
  for (int i = 0; i < 25; ++i) {
    const std::string id = std::to_string(i);
    const RecordKey key{i % 2 == 0 ? "" : "alice", "session", id};
    client.Run(store::Create{key, std::string(static_cast<std::size_t>(i), 'x'), kLong});
    tags.insert(MakeStoredKey(key).record_tag);
  }
  const auto admin = Admin();
  for (const std::size_t limit : {1u, 7u, 25u, 1000u}) {
    std::set<std::string> found;
    for (const StoredRecord& record : ScanAll(*admin, limit, false)) {
      EXPECT_TRUE(found.insert(record.key.record_tag).second) << "twice";
      EXPECT_EQ(record.id.empty(), record.key.owner_tag.empty());
      EXPECT_THAT(record.data, IsEmpty());
      EXPECT_EQ(record.expires_in, Hours(1));
    }
    EXPECT_EQ(found, tags) << limit;
  }
  const auto page = admin->Scan("", 1000, false);
  std::vector<std::size_t> sizes = page->data_bytes;
  std::sort(sizes.begin(), sizes.end());
  for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(sizes[i], i);
  EXPECT_EQ(admin->Count(), 25u);
}

TEST_F(SqliteAdminTest, AScanMissesNothingWhileRecordsComeAndGo) {
  FileClient client(Options(), clock_);
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(std::to_string(i));
  for (const std::string& id : ids) client.Run(store::Create{{"alice", "session", id}, id, kLong});
  const auto admin = Admin();
  std::set<std::string> throughout(ids.begin(), ids.end()), found;
  std::string cursor;
  for (std::size_t page = 0; page == 0 || !cursor.empty(); ++page) {
    const auto scanned = admin->Scan(cursor, 4, true);
    ASSERT_TRUE(scanned.has_value());
    for (const StoredRecord& record : scanned->records) found.insert(record.id);
    cursor = scanned->cursor;
    const std::string& gone = ids[(page * 11) % 30];
    client.Run(store::Remove{{"alice", "session", gone}});
    throughout.erase(gone);
    const std::string fresh = "new " + std::to_string(page);
    client.Run(store::Create{{"alice", "session", fresh}, "x", kLong});
    client.Run(store::Put{{"alice", "session", ids[(page * 7) % 30]}, "more", std::nullopt});
  }
  for (const std::string& id : throughout) EXPECT_TRUE(found.contains(id)) << id;
}

TEST_F(SqliteAdminTest, ABadCursorIsAMistake) {
  const auto admin = Admin();
  for (const char* cursor : {"x", "-1", "1 ", "99999999999999999999999"}) {
    const auto page = admin->Scan(cursor, 10, false);
    ASSERT_FALSE(page.has_value());
    EXPECT_EQ(page.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(admin->Scan("", 0, false).has_value());
}

TEST_F(SqliteAdminTest, RecordsGoFromOneFileToAnotherAsTheyAre) {
  const RecordKey first{"alice", "session", "first"}, second{"alice", "session", "second"};
  const RecordKey bearer{"", "basket", "bearer"}, over{"alice", "session", "over"};
  StoreReply put, event, locked;
  std::vector<StoredRecord> all;
  {
    FileClient client(Options(), clock_);
    client.Run(store::Create{over, "x", {.max_life = Seconds(1), .remember = Hours(2)}});
    client.Run(store::Create{first, "1", {.idle_ttl = Minutes(10), .max_life = Hours(2)}});
    client.Run(store::Create{second, "2", kLong});
    client.Run(store::Create{bearer, "3", kLong, 55});
    put = client.Run(store::Put{first, "one", std::nullopt, 77});
    locked = client.Run(store::Lock{first, 7, Seconds(1)});
    client.Run(store::Append{second, "gone", 2});
    client.Run(store::Append{second, "a", 2});
    event = client.Run(store::Append{second, "b", 2});
    clock_.Advance(Minutes(1));
    all = ScanAll(*Admin(), 3, true);
    ASSERT_EQ(all.size(), 4u);
  }
  {
    const auto target = Admin("other.db");
    std::reverse(all.begin(), all.end());
    for (const StoredRecord& record : all) {
      const auto imported = ImportOne(*target, record);
      ASSERT_TRUE(imported.has_value()) << imported.error().message;
      EXPECT_TRUE(*imported);
      EXPECT_FALSE(*ImportOne(*target, record)) << "this version is there";
    }
    EXPECT_EQ(target->Count(), 3u);
  }
  FileClient client(Options("other.db"), clock_);
  EXPECT_THAT(client.Run(store::Get{over}), FailsWith(ErrorCode::kExpired));
  const StoreReply listed = client.Run(store::List{"alice", "session", {}, 10});
  ASSERT_EQ(listed.listed.size(), 2u);
  EXPECT_EQ(listed.listed[0].id, "first");
  EXPECT_EQ(listed.listed[1].id, "second");
  EXPECT_EQ(listed.listed[0].version, put.record.version);
  EXPECT_EQ(listed.listed[0].expires_in, Minutes(9));
  EXPECT_EQ(listed.listed[0].max_life_left, Minutes(119));
  EXPECT_EQ(client.Run(store::Put{first, "one", std::nullopt, 77}).record.version,
            put.record.version);
  EXPECT_EQ(client.Run(store::Create{bearer, "3", kLong, 55}).error, std::nullopt);
  EXPECT_THAT(client.Run(store::Put{first, "late", std::nullopt, 0, locked.fence - 1}),
              FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(client.Run(store::ReadEvents{second, event.sequence - 2}),
              HasEvents(std::vector<std::string>{"a", "b"}));
  EXPECT_THAT(client.Run(store::ReadEvents{second, event.sequence - 3}),
              FailsWith(ErrorCode::kGap));
  EXPECT_EQ(client.Run(store::Append{second, "c"}).sequence, event.sequence + 1);
  // What comes later comes later in lists too, and is a higher version.
  const StoreReply third = client.Run(store::Create{{"alice", "session", "third"}, "x", kLong});
  EXPECT_GT(third.record.version, put.record.version);
  EXPECT_EQ(client.Run(store::List{"alice", "session", {}, 10}).listed.back().id, "third");
}

// A record as another store would hand it over.
StoredRecord Foreign(std::string_view id, std::uint64_t version) {
  StoredRecord record;
  record.key = MakeStoredKey({"alice", "session", id});
  record.kind = "session";
  record.id = std::string(id);
  record.order = 1;
  record.data = "imported";
  record.version = version;
  record.idle_ttl = Hours(1);
  record.expires_in = Minutes(30);
  return record;
}

TEST_F(SqliteAdminTest, OnlyAHigherVersionTakesTheirPlace) {
  const auto admin = Admin();
  FileClient client(Options(), clock_);
  const std::uint64_t far = std::uint64_t{1} << 60;
  EXPECT_TRUE(*ImportOne(*admin, Foreign("1", far)));
  for (const std::uint64_t version : {far, far - 1, std::uint64_t{1}}) {
    StoredRecord older = Foreign("1", version);
    older.data = "older";
    EXPECT_FALSE(*ImportOne(*admin, older));
  }
  EXPECT_THAT(client.Run(store::Get{{"alice", "session", "1"}}), Holds("imported"));
  StoredRecord newer = Foreign("1", far + 1);
  newer.data = "newer";
  EXPECT_TRUE(*ImportOne(*admin, newer));
  EXPECT_THAT(client.Run(store::Get{{"alice", "session", "1"}}), Holds("newer"));
  EXPECT_GT(client.Run(store::Put{{"alice", "session", "1"}, "x", std::nullopt}).record.version,
            far + 1);
  EXPECT_EQ(admin->Count(), 1u);
}

TEST_F(SqliteAdminTest, ImportedAgainItGetsWhatHappenedSinceAndNothingGoesBack) {
  const auto admin = Admin();
  FileClient client(Options(), clock_);
  const RecordKey key{"alice", "session", "1"};
  const StoredRecord early = Foreign("1", 10);
  StoredRecord later = early;
  later.expires_in = Minutes(45);
  later.fence = 99;
  EXPECT_TRUE(*ImportOne(*admin, early));
  EXPECT_FALSE(*ImportOne(*admin, later));
  StoredRecord streamed = early;  // and the end is behind again
  for (const std::uint64_t sequence : {5u, 6u}) {
    streamed.events.push_back({sequence, std::make_shared<const std::string>("event")});
  }
  for (const StoredRecord& record : {streamed, early, streamed}) {
    EXPECT_FALSE(*ImportOne(*admin, record));
    const StoredRecord found = **admin->Find(early.key);
    EXPECT_EQ(found.expires_in, Minutes(45));
    EXPECT_EQ(found.fence, 99u);
    EXPECT_EQ(found.version, 10u);
    EXPECT_EQ(found.data, "imported");
    EXPECT_EQ(found.events.size(), 2u);
  }
  EXPECT_THAT(client.Run(store::ReadEvents{key}),
              HasEvents(std::vector<std::string>{"event", "event"}));
  EXPECT_EQ(client.Run(store::Append{key, "more"}).sequence, 7u);
  EXPECT_FALSE(*ImportOne(*admin, streamed));
  EXPECT_THAT(client.Run(store::ReadEvents{key}),
              HasEvents(std::vector<std::string>{"event", "event", "more"}));
}

TEST_F(SqliteAdminTest, ALiveRecordReplacesOneOfItsVersionThatIsRemembered) {
  const auto admin = Admin();
  FileClient client(Options(), clock_);
  StoredRecord live = Foreign("1", 10);
  live.remember = Hours(1);
  StoredRecord over = live;
  over.expires_in = Millis{-1000};
  EXPECT_TRUE(*ImportOne(*admin, over));
  EXPECT_FALSE(*ImportOne(*admin, over));
  EXPECT_THAT(client.Run(store::Get{{"alice", "session", "1"}}), FailsWith(ErrorCode::kExpired));
  EXPECT_TRUE(*ImportOne(*admin, live));
  EXPECT_FALSE(*ImportOne(*admin, over));
  EXPECT_THAT(client.Run(store::Get{{"alice", "session", "1"}}), Holds("imported"));
}

TEST_F(SqliteAdminTest, ImportsManyAndRefusesSome) {
  std::vector<StoredRecord> records;
  for (int i = 0; i < 600; ++i) records.push_back(Foreign(std::to_string(i), 10));
  records[300].kind.clear();
  const auto admin = Admin();
  const auto imported = admin->Import(records);
  ASSERT_TRUE(imported.has_value());
  ASSERT_EQ(imported->size(), 600u);
  for (std::size_t i = 0; i < 600; ++i) {
    EXPECT_EQ((*imported)[i].imported, i != 300) << i;
    EXPECT_EQ((*imported)[i].refused.has_value(), i == 300) << i;
  }
  EXPECT_EQ(admin->Count(), 599u);
}

TEST_F(SqliteAdminTest, EndsManyUpToAVersion) {
  const auto admin = Admin();
  for (const char* id : {"1", "2", "3"}) EXPECT_TRUE(*ImportOne(*admin, Foreign(id, 10)));
  EXPECT_EQ(admin->EndUpTo({{Foreign("1", 0).key, 10},
                            {Foreign("2", 0).key, 11},
                            {Foreign("3", 0).key, 9},
                            {Foreign("4", 0).key, 10}}),
            2u);
  EXPECT_EQ(admin->Count(), 1u);
  EXPECT_EQ(admin->Find(Foreign("3", 0).key)->has_value(), true);
}

TEST_F(SqliteAdminTest, PlacesInListsThatAreTakenMakeRoom) {
  const auto admin = Admin();
  for (const char* id : {"1", "2", "3"}) EXPECT_TRUE(*ImportOne(*admin, Foreign(id, 10)));
  FileClient client(Options(), clock_);
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const StoreReply page = client.Run(store::List{"alice", "session", cursor, 1});
    ASSERT_THAT(page, IsDone());
    for (const Record& record : page.listed) ids.push_back(record.id);
    cursor = page.cursor;
  } while (!cursor.empty());
  EXPECT_THAT(ids, ElementsAre("1", "2", "3"));
}

TEST_F(SqliteAdminTest, WhatCannotBeARecordIsNotImported) {
  const auto admin = Admin();
  const std::vector<std::function<void(StoredRecord&)>> mistakes = {
      [](StoredRecord& record) { record.key.record_tag = "short"; },
      [](StoredRecord& record) { record.key.owner_tag = std::string(22, '!'); },
      [](StoredRecord& record) { record.key.owner_tag.clear(); },  // and has an id
      [](StoredRecord& record) { record.id.clear(); },
      [](StoredRecord& record) { record.kind.clear(); },
      [](StoredRecord& record) { record.version = 0; },
      [](StoredRecord& record) { record.version = ~std::uint64_t{0}; },
      [](StoredRecord& record) { record.idle_ttl = Millis{-1}; },
      [](StoredRecord& record) { record.remember = Millis{-1}; },
      [](StoredRecord& record) { record.expires_in = Hours(24 * 31); },
      [](StoredRecord& record) {
        record.events = {{1, nullptr}};
      },
      [](StoredRecord& record) {
        const auto data = std::make_shared<const std::string>("x");
        record.events = {{1, data}, {3, data}};
      }};
  for (std::size_t i = 0; i < mistakes.size(); ++i) {
    StoredRecord record = Foreign("1", 10);
    mistakes[i](record);
    const auto imported = ImportOne(*admin, record);
    ASSERT_FALSE(imported.has_value()) << i;
    EXPECT_EQ(imported.error().code, ErrorCode::kInvalidArgument) << i;
  }
  EXPECT_EQ(admin->Count(), 0u);
}

TEST_F(SqliteAdminTest, ARecordIsFoundAndEndedByBothItsTags) {
  FileClient client(Options(), clock_);
  const auto admin = Admin();
  const RecordKey alices{"alice", "session", "1"}, bearer{"", "session", "2"};
  client.Run(store::Create{alices, "hers", kLong});
  client.Run(store::Create{bearer, "anyone's", kLong});
  client.Run(store::Append{alices, "event"});
  const auto found = admin->Find(MakeStoredKey(alices));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->data, "hers");
  EXPECT_EQ((*found)->id, "1");
  ASSERT_EQ((*found)->events.size(), 1u);
  EXPECT_EQ(*(*found)->events[0].data, "event");

  const std::string alices_tag = MakeStoredKey(alices).record_tag;
  for (const StoredKey& wrong : {StoredKey{"", alices_tag}, StoredKey{OwnerTag("bob"), alices_tag},
                                 StoredKey{OwnerTag("alice"), std::string(22, 'A')},
                                 StoredKey{OwnerTag("alice"), MakeStoredKey(bearer).record_tag}}) {
    EXPECT_EQ(admin->Find(wrong)->has_value(), false);
    EXPECT_EQ(admin->End(wrong), false);
  }
  EXPECT_EQ(admin->End(MakeStoredKey(alices)), true);
  EXPECT_EQ(admin->End(MakeStoredKey(alices)), false);
  EXPECT_EQ(admin->Find(MakeStoredKey(alices))->has_value(), false);
  EXPECT_THAT(client.Run(store::Get{alices}), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(admin->End(MakeStoredKey(bearer)), true);
  EXPECT_EQ(admin->Count(), 0u);
}

TEST_F(SqliteAdminTest, WhatIsOverIsShownWhileItIsRemembered) {
  FileClient client(Options(), clock_);
  const auto admin = Admin();
  const RecordKey key{"alice", "session", "1"};
  client.Run(store::Create{key, "x", {.max_life = Minutes(1), .remember = Minutes(1)}});
  clock_.Advance(Seconds(90));
  EXPECT_EQ(admin->Count(), 0u);
  const std::vector<StoredRecord> all = ScanAll(*admin, 10, true);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].expires_in, Seconds(-30));
  EXPECT_THAT(all[0].data, IsEmpty());
  clock_.Advance(Seconds(30));
  EXPECT_THAT(ScanAll(*admin, 10, true), IsEmpty());
  EXPECT_EQ(admin->Find(MakeStoredKey(key))->has_value(), false);
}

TEST_F(SqliteAdminTest, NoFileIsMadeUnlessItIsAskedFor) {
  const auto opened = SqliteAdmin::Open({.path = folder_.File("none.db")});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kMisconfigured);
  EXPECT_FALSE(std::filesystem::exists(folder_.File("none.db")));
}

std::vector<std::string> Subjects(const std::vector<CheckLine>& lines, CheckLine::Verdict verdict) {
  std::vector<std::string> subjects;
  for (const CheckLine& line : lines) {
    if (line.verdict == verdict) subjects.push_back(line.subject);
  }
  return subjects;
}

TEST_F(SqliteAdminTest, AFileThatIsFinePassesTheCheck) {
  const auto admin = Admin();
  const std::vector<CheckLine> lines = admin->Check();
  std::vector<std::string> subjects;
  for (const CheckLine& line : lines) subjects.push_back(line.subject);
  EXPECT_THAT(subjects, ElementsAre("version", "log", "integrity", "persistence", "file system",
                                    "space", "permissions", "latency"));
  EXPECT_THAT(lines.front().text, HasSubstr("SQLite 3."));
  EXPECT_THAT(lines.back().text, HasSubstr("ms"));
  for (const std::string& subject : Subjects(lines, CheckLine::Verdict::kBad)) {
    EXPECT_EQ(subject, "space") << "all else is in our hands";
  }
}

TEST_F(SqliteAdminTest, TheCheckSaysWhatSurvives) {
  const struct {
    FileSynchronous synchronous;
    Verdict verdict;
    const char* text;
  } rows[] = {
      {FileSynchronous::kFull, Verdict::kGood, "synchronous=full"},
      {FileSynchronous::kNormal, Verdict::kGood, "synchronous=normal"},
      {FileSynchronous::kOff, Verdict::kWarning, "synchronous=off"},
  };
  for (const auto& row : rows) {
    const auto admin =
        SqliteAdmin::Open({.path = folder_.File(), .create = true, .synchronous = row.synchronous});
    ASSERT_TRUE(admin.has_value());
    const std::vector<CheckLine> lines = (*admin)->Check();
    EXPECT_THAT(lines, testing::Contains(AllOf(Field(&CheckLine::subject, "persistence"),
                                               Field(&CheckLine::verdict, row.verdict),
                                               Field(&CheckLine::text, HasSubstr(row.text)))));
  }
}

TEST_F(SqliteAdminTest, TheCheckSeesWhoMayReadTheFile) {
  const auto admin = Admin();
  ASSERT_EQ(chmod(folder_.File().c_str(), 0644), 0);
  EXPECT_THAT(Subjects(admin->Check(), CheckLine::Verdict::kBad), testing::Contains("permissions"));
  ASSERT_EQ(chmod(folder_.File().c_str(), 0640), 0);
  EXPECT_THAT(Subjects(admin->Check(), CheckLine::Verdict::kWarning),
              testing::Contains("permissions"));
}

TEST_F(SqliteAdminTest, TheCheckSeesAFileThatIsBroken) {
  {
    FileClient client(Options(), clock_);
    for (int i = 0; i < 100; ++i) {
      const std::string id = std::to_string(i);
      client.Run(store::Create{{"alice", "session", id}, std::string(3000, 'x'), kLong});
    }
  }
  const auto admin = Admin();
  const auto size = std::filesystem::file_size(folder_.File());
  std::fstream file(folder_.File(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size / 2));
  const std::string garbage(size / 4, '\xa5');
  file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
  file.close();
  EXPECT_THAT(Subjects(admin->Check(), CheckLine::Verdict::kBad), testing::Contains("integrity"));
}

}  // namespace
}  // namespace mcp_session
