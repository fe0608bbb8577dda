// What FileSessionStore promises beyond the contract: what is there after a restart, how many
// transactions there are, and what is not in the file.
#include "mcp_session/sqlite/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/sqlite/database.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr Instant kWall{1'750'000'000'000};

class FileStoreTest : public testing::Test {
 protected:
  // `wall` is the wall clock when the file is opened.
  FileStoreOptions Options(Instant wall = kWall) {
    return {
        .path = folder_.File(), .busy_timeout = Seconds(30), .wall_clock = [wall] { return wall; }};
  }

  // Another program that looks at the file, or keeps it locked.
  std::unique_ptr<sqlite::Database> OpenByHand() {
    return std::move(*sqlite::Database::Open(folder_.File(), Seconds(10)));
  }

  TestFolder folder_;
  ManualClock clock_;
};

TEST_F(FileStoreTest, EverythingIsThereAfterARestart) {
  StoreReply put, locked, appended;
  {
    FileClient client(Options(), clock_);
    client.Run(store::Create{kRecord, "first", {.idle_ttl = Minutes(1), .max_life = Hours(1)}});
    put = client.Run(store::Put{kRecord, "second", std::nullopt, 77});
    locked = client.Run(store::Lock{kRecord, 7, Seconds(50)});
    client.Run(store::Append{kRecord, "event 1"});
    appended = client.Run(store::Append{kRecord, "event 2"});
  }
  // The machine was restarted: its monotonic clock has begun again, and 20 s have passed.
  ManualClock restarted(Instant{5});
  FileClient client(Options(kWall + Seconds(20)), restarted);
  const StoreReply listed = client.Run(store::List{"alice", "session", {}, 10});
  ASSERT_EQ(listed.listed.size(), 1u);
  EXPECT_EQ(listed.listed[0].id, "id-1");
  EXPECT_EQ(listed.listed[0].expires_in, Seconds(40));
  EXPECT_EQ(listed.listed[0].max_life_left, Seconds(3600 - 20));
  EXPECT_EQ(client.Run(store::Put{kRecord, "again", std::nullopt, 77}).record.version,
            put.record.version)
      << "it does not know the write again";
  EXPECT_EQ(client.Run(store::Lock{kRecord, 7, Seconds(1)}).fence, locked.fence);
  EXPECT_EQ(client.Run(store::Lock{kRecord, 8, Seconds(1)}).record.expires_in, Seconds(30));
  EXPECT_THAT(client.Run(store::Put{kRecord, "x", std::nullopt, 0, locked.fence - 1}),
              FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(client.Run(store::ReadEvents{kRecord, appended.sequence - 1}),
              HasEvents(std::vector<std::string>{"event 2"}));
  EXPECT_EQ(client.Run(store::Append{kRecord, "event 3"}).sequence, appended.sequence + 1);
  const StoreReply got = client.Run(store::Get{kRecord});
  EXPECT_THAT(got, Holds("second"));
  EXPECT_EQ(got.record.version, put.record.version);
}

TEST_F(FileStoreTest, WhatEndedWhileNobodyWasThereIsOver) {
  const RecordKey forgotten{"", "basket", "id-2"};
  {
    FileClient client(Options(), clock_);
    client.Run(store::Create{kRecord, "x", {.max_life = Minutes(1), .remember = Hours(1)}});
    client.Run(store::Create{forgotten, "x", {.max_life = Minutes(1)}});
  }
  FileClient before(Options(kWall + Minutes(1) + Millis{-1}), clock_);
  EXPECT_THAT(before.Run(store::Get{kRecord}), Holds("x"));
  EXPECT_THAT(before.Run(store::Get{forgotten}), Holds("x"));
  FileClient after(Options(kWall + Minutes(1)), clock_);
  EXPECT_THAT(after.Run(store::Get{kRecord}), FailsWith(ErrorCode::kExpired));
  EXPECT_THAT(after.Run(store::Get{forgotten}), FailsWith(ErrorCode::kNotFound));
  FileClient late(Options(kWall + Minutes(61)), clock_);
  EXPECT_THAT(late.Run(store::Get{kRecord}), FailsWith(ErrorCode::kNotFound));
}

TEST_F(FileStoreTest, NoVersionComesAgainWhenTheClockWasSetBack) {
  std::uint64_t version = 0, token = 0, sequence = 0;
  for (int i = 0; i < 4; ++i) {
    FileClient client(Options(kWall + Hours(-i)), clock_);
    const StoreReply created = client.Run(store::Create{kRecord, "x", {.idle_ttl = Hours(20)}});
    ASSERT_THAT(created, Holds("x"));
    EXPECT_GT(created.record.version, version);
    version = client.Run(store::Put{kRecord, "y", std::nullopt}).record.version;
    EXPECT_GT(version, created.record.version);
    const StoreReply locked = client.Run(store::Lock{kRecord, 7, Millis{1}});
    EXPECT_GT(locked.fence, token);
    token = locked.fence;
    client.Run(store::Unlock{kRecord, 7});
    const StoreReply appended = client.Run(store::Append{kRecord, "event"});
    EXPECT_GT(appended.sequence, sequence);
    sequence = appended.sequence;
    ASSERT_THAT(client.Run(store::Remove{kRecord}), Removed(1));
  }
}

// As after a power failure, or from a backup.
TEST_F(FileStoreTest, AVersionIsNotUsedAgainInAnOlderCopyOfTheFile) {
  const auto put = [this](Instant wall) {
    return FileClient(Options(wall), clock_).Run(store::Put{kRecord, "x", std::nullopt});
  };
  {
    FileClient client(Options(), clock_);
    ASSERT_THAT(client.Run(store::Create{kRecord, "x", {.idle_ttl = Hours(1)}}), IsDone());
  }
  std::filesystem::copy_file(folder_.File(), folder_.File("older"));
  const StoreReply lost = put(kWall + Seconds(1));
  ASSERT_THAT(lost, IsDone());
  std::filesystem::rename(folder_.File("older"), folder_.File());
  const StoreReply other = put(kWall + Seconds(2));
  ASSERT_THAT(other, IsDone());
  EXPECT_GT(other.record.version, lost.record.version);
}

// Keeps the file locked until the worker of `client` waits for it.
void HoldWhileItWaits(sqlite::Database& holder, FileClient& client) {
  holder.Run("BEGIN IMMEDIATE");
  client.Submit(1, store::Create{{"", "session", "first"}, "x", {.idle_ttl = Minutes(1)}});
  ASSERT_TRUE(client.WaitFor([&] { return client.store().Counters().busy_retries > 0; }));
}

TEST_F(FileStoreTest, WhatIsSubmittedMeanwhileIsOneTransaction) {
  FileClient client(Options(), clock_);
  const auto holder = OpenByHand();
  ASSERT_NO_FATAL_FAILURE(HoldWhileItWaits(*holder, client));
  std::vector<std::string> ids;
  for (int i = 2; i <= 101; ++i) ids.push_back(std::to_string(i));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    client.Submit(i + 2, store::Create{{"", "session", ids[i]}, ids[i], {.idle_ttl = Minutes(1)}});
  }
  holder->Run("COMMIT");
  const std::vector<StoreReply> replies = client.Replies(101);
  ASSERT_EQ(replies.size(), 101u);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_THAT(replies[i], IsDone());
    EXPECT_EQ(replies[i].ticket.number, i + 1);
  }
  const FileStoreCounters counters = client.store().Counters();
  EXPECT_EQ(counters.transactions, 2u);
  EXPECT_EQ(counters.commands, 101u);
}

TEST_F(FileStoreTest, OfWaitingCommandsThereIsALimit) {
  FileClient client(Options(), clock_);
  const auto holder = OpenByHand();
  ASSERT_NO_FATAL_FAILURE(HoldWhileItWaits(*holder, client));
  const RecordKey key{"", "session", "first"};
  for (std::uint64_t i = 2; i <= 1030; ++i) {
    client.Submit(i, store::Put{key, std::to_string(i), std::nullopt});
  }
  holder->Run("COMMIT");
  const std::vector<StoreReply> replies = client.Replies(1030);
  ASSERT_EQ(replies.size(), 1030u);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].ticket.number, i + 1) << "they are all on one key";
    if (i + 1 <= 1 + 1024) {
      EXPECT_THAT(replies[i], IsDone()) << i + 1;
    } else {
      EXPECT_THAT(replies[i], FailsWith(ErrorCode::kUnavailable)) << i + 1;
      EXPECT_FALSE(replies[i].maybe_done);
    }
  }
  EXPECT_THAT(client.Run(store::Get{key}), Holds("1025"));
}

TEST_F(FileStoreTest, ReadsAloneDoNotWaitForAWriter) {
  FileClient client(Options(), clock_);
  client.Run(store::Create{kRecord, "data", {.idle_ttl = Minutes(1)}});
  const auto holder = OpenByHand();
  holder->Run("BEGIN IMMEDIATE");
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("data"));
  EXPECT_EQ(client.Run(store::List{"alice", "session"}).listed.size(), 1u);
  EXPECT_THAT(client.Run(store::ReadEvents{kRecord}), IsDone());
  EXPECT_EQ(client.store().Counters().busy_retries, 0u);
}

TEST_F(FileStoreTest, ReadyIsToldOnceUntilTheNextDrain) {
  FileClient client(Options(), clock_);
  client.Submit(1, store::Get{kRecord});
  ASSERT_TRUE(client.WaitFor([&] { return client.ready_calls() == 1; }));
  client.Submit(2, store::Get{kRecord});
  ASSERT_TRUE(client.WaitFor([&] { return client.store().Counters().commands == 2; }));
  client.Turn();
  EXPECT_EQ(client.ready_calls(), 1);
  EXPECT_EQ(client.Replies(2).size(), 2u);
  client.Submit(3, store::Get{kRecord});
  EXPECT_TRUE(client.WaitFor([&] { return client.ready_calls() == 2; }));
}

TEST_F(FileStoreTest, NobodyIsCalledOnceTheStoreIsGone) {
  FileClient client(Options(), clock_);
  client.Submit(1, store::Get{kRecord});
  client.Close();  // when it is answered, and the loop knows
  client.Turn();
  EXPECT_EQ(client.ready_calls(), 0);
}

TEST_F(FileStoreTest, WhoIsCalledMayEndTheStore) {
  FileClient client(Options(), clock_);
  bool closed = false;
  client.store().OnReady([&] {
    client.Close();
    closed = true;
  });
  client.Submit(1, store::Get{kRecord});
  EXPECT_TRUE(client.WaitFor([&] { return closed; }));
}

TEST_F(FileStoreTest, TheStoreFinishesWhatWasSubmitted) {
  {
    FileClient client(Options(), clock_);
    for (std::uint64_t i = 1; i <= 500; ++i) {
      const std::string id = std::to_string(i);
      client.Submit(i, store::Create{{"", "session", id}, id, {.idle_ttl = Minutes(1)}});
    }
    client.Submit(501, store::ReadEvents{{"", "session", "1"}, 0, 10, kMaxEventWait});
  }
  FileClient client(Options(), clock_);
  for (const char* id : {"1", "250", "500"}) {
    EXPECT_THAT(client.Run(store::Get{{"", "session", id}}), Holds(id));
  }
}

TEST_F(FileStoreTest, HousekeepingFreesWhatIsDeadAndThenForgetsIt) {
  FileClient client(Options(), clock_);
  for (int i = 0; i < 1500; ++i) {
    const std::string id = std::to_string(i);
    const Millis remember = i < 10 ? Hours(1) : Millis{0};
    client.Submit(
        1, store::Create{{"", "session", id}, id, {.max_life = Seconds(1), .remember = remember}});
    client.Submit(2, store::Append{{"", "session", id}, "event"});
    if (i % 400 == 399) client.Replies(800);
  }
  client.Replies(600);
  client.Run(store::Lock{kRecord, 7, Seconds(1)});
  client.Run(store::Create{kRecord, "live", {.max_life = Hours(9)}});
  const auto looker = OpenByHand();
  const auto count = [&](const char* sql) { return looker->ReadInt(sql); };
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1501);
  clock_.Advance(Seconds(9));
  const auto tick = [&] {
    client.store().Tick(clock_.Now());
    clock_.Advance(Seconds(9));
    // The first may come before it, the second comes after the first.
    for (int i = 0; i < 2; ++i) client.Run(store::Get{kRecord});
  };
  tick();
  EXPECT_EQ(count("SELECT count(*) FROM records WHERE held = 1"), 501) << "a bounded number";
  tick();
  EXPECT_EQ(count("SELECT count(*) FROM records WHERE held = 1"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 11);
  EXPECT_EQ(count("SELECT count(*) FROM records WHERE held = 0 AND data IS NOT NULL"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM events"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM locks"), 0);
  EXPECT_EQ(count("SELECT held FROM meta"), 1);
  EXPECT_THAT(client.Run(store::Get{{"", "session", "3"}}), FailsWith(ErrorCode::kExpired));
  clock_.Advance(Hours(1));
  tick();
  EXPECT_EQ(count("SELECT count(*) FROM records"), 1);
  EXPECT_FALSE(looker->failed());
}

TEST_F(FileStoreTest, NoMoreIsRememberedThanThereMayBeRecords) {
  FileStoreOptions options = Options();
  options.max_records = 5;
  FileClient client(options, clock_);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) {
      const std::string id = std::to_string(10 * round + i);
      ASSERT_THAT(client.Run(store::Create{
                      {"", "session", id}, "x", {.max_life = Seconds(1), .remember = Hours(100)}}),
                  IsDone());
    }
    clock_.Advance(Seconds(1));
  }
  ASSERT_THAT(client.Run(store::Create{kRecord, "x", {.max_life = Seconds(1)}}), IsDone());
  const auto looker = OpenByHand();
  EXPECT_EQ(looker->ReadInt("SELECT count(*) FROM records WHERE held = 0"), 5);
  EXPECT_EQ(looker->ReadInt("SELECT remembered FROM meta"), 5);
  EXPECT_EQ(looker->ReadInt("SELECT held FROM meta"), 1);
}

TEST_F(FileStoreTest, NoSecretIsInTheFile) {
  {
    FileClient client(Options(), clock_);
    const Lifetime lifetime{.idle_ttl = Minutes(1)};
    client.Run(store::Create{{"", "session", "the-bearers-secret"}, "x", lifetime});
    client.Run(store::Create{{"alice@example", "session", "her-own"}, "x", lifetime});
    client.Run(store::Regenerate{{"alice@example", "session", "her-own"}, {"", "basket", "moved"}});
    client.Run(store::Lock{{"", "session", "the-bearers-secret"}, 7, Seconds(1)});
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(bytes, HasSubstr("SQLite format"));
    for (const char* secret : {"the-bearers-secret", "alice@example", "moved"}) {
      EXPECT_THAT(bytes, testing::Not(HasSubstr(secret)));
    }
  }
}

TEST_F(FileStoreTest, OnlyItsOwnerCanReadTheFile) {
  const mode_t before = umask(0);
  FileClient client(Options(), clock_);
  umask(before);
  client.Run(store::Create{kRecord, "x", {.idle_ttl = Minutes(1)}});
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    struct stat found {};
    ASSERT_EQ(stat(entry.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3) << "the file, its log and the index of that";
}

}  // namespace
}  // namespace mcp_session
