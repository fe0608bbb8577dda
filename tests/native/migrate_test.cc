// mcp-session migrate with servers at work on the source, killed on the way and run again. How many
// sessions: MIGRATE_SESSIONS, some thousands if it is not set. With 100000:
//   bazel test -c opt //tests/native:migrate_test --test_env=MIGRATE_SESSIONS=100000
//       --test_timeout=900 --test_output=all
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "mcp_session/face/blocking_store.h"
#include "mcp_session/factory/create_store.h"
#include "mcp_session/factory/open_admin.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/native/test_process.h"
#include "tests/redis/redis_server.h"
#include "tests/redis/stored_record.h"
#include "tests/sqlite/test_folder.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

SystemEntropy entropy;

int Sessions() {
  const char* wanted = std::getenv("MIGRATE_SESSIONS");
  return wanted != nullptr ? std::atoi(wanted) : 3000;
}

std::string Url(const RedisServer& server) {
  return "redis://127.0.0.1:" + std::to_string(server.port());
}

std::unique_ptr<BlockingStore> Open(const std::string& url) {
  const auto make = [&url](boost::asio::io_context& loop) -> Result<std::unique_ptr<SessionStore>> {
    StoreOptions options;
    options.url = url;
    MCPS_TRY(CreatedStore created, CreateSessionStore(options, loop, entropy));
    return std::move(created.store);
  };
  auto opened = BlockingStore::Open(make, entropy, Seconds(30));
  EXPECT_TRUE(opened.has_value());
  return std::move(*opened);
}

std::unique_ptr<StoreAdmin> Admin(const std::string& url) {
  auto opened = OpenStoreAdmin(url, {}, /*create=*/false);
  return opened ? std::move(*opened) : nullptr;
}

// Of every kind some.
RecordName NameOf(int session) {
  const std::string owner = session % 3 == 0 ? "principal:" + std::to_string(session / 60) : "";
  return {owner, "session", "session-" + std::to_string(session)};
}
Lifetime LifetimeOf(int session) {
  Lifetime lifetime{.idle_ttl = Hours(1)};
  if (session % 2 == 0) lifetime.max_life = Hours(2);
  if (session % 5 == 0) lifetime.remember = Hours(1);
  return lifetime;
}

// A server at work on its share of the sessions, and what it knows of them.
class Worker {
 public:
  static constexpr int kWorkers = 3;

  // `number` from 0 on; it has every kWorkers-th session.
  explicit Worker(int number) : number_(number), next_(number), random_(number) {}
  ~Worker() { Stop(); }

  // Makes sessions until there are `sessions` of all workers.
  void Fill(BlockingStore& store, int sessions) {
    while (next_ < sessions) Create(store);
  }

  void Start(const std::string& url) {
    stopped_ = false;
    thread_ = std::thread([this, url] {
      const std::unique_ptr<BlockingStore> store = Open(url);
      while (!stopped_) {
        const std::lock_guard lock(mutex_);
        DoSomething(*store);
      }
    });
  }
  void Stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // Ends some sessions that have these tags; answers how many.
  int RemoveSome(BlockingStore& store, const std::map<std::string, StoredRecord>& among, int most) {
    const std::lock_guard lock(mutex_);
    int removed = 0;
    for (auto at = data_.begin(); at != data_.end() && removed < most;) {
      const RecordName name = NameOf(at->first);
      if (!among.contains(MakeStoredKey(name.key()).record_tag)) {
        ++at;
        continue;
      }
      EXPECT_EQ(store.Remove(name), true);
      gone_.push_back(at->first);
      at = data_.erase(at);
      ++removed;
    }
    return removed;
  }

  void ExpectAllIn(BlockingStore& store) const {
    for (const auto& [session, data] : data_) {
      const StoreResult<Record> got = store.Get(NameOf(session));
      ASSERT_TRUE(got.has_value()) << session << ": " << got.error().message;
      ASSERT_EQ(*got->data, data) << session;
    }
    for (const int session : gone_) {
      const StoreResult<Record> got = store.Get(NameOf(session));
      ASSERT_FALSE(got.has_value()) << session << " is back";
      ASSERT_EQ(got.error().code, ErrorCode::kNotFound) << session;
    }
  }
  std::size_t size() const { return data_.size(); }

 private:
  void Create(BlockingStore& store) {
    const int session = next_;
    next_ += kWorkers;
    EXPECT_TRUE(store.Create(NameOf(session), "new", LifetimeOf(session)).has_value());
    data_[session] = "new";
    if (session % 10 != 0) return;
    EXPECT_TRUE(store.Append(NameOf(session), "event").has_value());
  }

  void DoSomething(BlockingStore& store) {
    const auto chosen = data_.lower_bound(static_cast<int>(random_() % unsigned(next_)));
    if (chosen == data_.end()) return;
    const RecordName name = NameOf(chosen->first);
    const unsigned what = random_() % 16;
    if (what == 0) {
      EXPECT_EQ(store.Remove(name), true);
      gone_.push_back(chosen->first);
      data_.erase(chosen);
    } else if (what < 3) {
      Create(store);
    } else if (what < 6) {
      EXPECT_TRUE(store.Touch(name).has_value());
    } else if (what < 9) {
      EXPECT_TRUE(store.Append(name, "event").has_value());
    } else {
      chosen->second = "data " + std::to_string(random_());
      EXPECT_TRUE(store.Put(name, chosen->second, std::nullopt).has_value());
    }
  }

  const int number_;
  int next_;
  std::mt19937 random_;
  std::mutex mutex_;
  std::map<int, std::string> data_;  // of the sessions that live
  std::vector<int> gone_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

// All that is in a store, by record tag; ends are as of MonotonicNow.
std::map<std::string, StoredRecord> Dump(const std::string& url) {
  std::map<std::string, StoredRecord> records;
  const std::unique_ptr<StoreAdmin> admin = Admin(url);
  std::string cursor;
  do {
    auto page = admin->Scan(cursor, 500, /*whole=*/true);
    if (!page) {
      ADD_FAILURE() << page.error().message;
      break;
    }
    const std::int64_t now = MonotonicNow().millis;
    for (StoredRecord& record : page->records) {
      record.expires_in.count += now;
      if (record.max_life_left) record.max_life_left->count += now;
      records[record.key.record_tag] = std::move(record);
    }
    cursor = page->cursor;
  } while (!cursor.empty());
  return records;
}

// Ends are told in whole pages, which take their time.
constexpr double kNear = 1500;

void ExpectSame(const std::map<std::string, StoredRecord>& source,
                const std::map<std::string, StoredRecord>& target) {
  ASSERT_EQ(source.size(), target.size());
  for (const auto& [tag, from] : source) {
    const auto found = target.find(tag);
    ASSERT_NE(found, target.end()) << tag << " is lost";
    const StoredRecord& to = found->second;
    ASSERT_EQ(to.key, from.key);
    ASSERT_EQ(to.kind, from.kind);
    ASSERT_EQ(to.id, from.id);
    ASSERT_EQ(to.data, from.data);
    ASSERT_EQ(to.version, from.version);
    ASSERT_EQ(to.write_id, from.write_id);
    ASSERT_EQ(to.idle_ttl, from.idle_ttl);
    ASSERT_EQ(to.remember, from.remember);
    ASSERT_NEAR(double(to.expires_in.count), double(from.expires_in.count), kNear);
    ASSERT_EQ(to.max_life_left.has_value(), from.max_life_left.has_value());
    if (from.max_life_left) {
      ASSERT_NEAR(double(to.max_life_left->count), double(from.max_life_left->count), kNear);
    }
    ASSERT_EQ(to.events.size(), from.events.size());
    for (std::size_t i = 0; i < from.events.size(); ++i) {
      ASSERT_EQ(to.events[i].sequence, from.events[i].sequence);
      ASSERT_EQ(*to.events[i].data, *from.events[i].data);
    }
  }
}

// To its end, however long that takes: it says on stderr how far it is.
Finished Migrate(const std::string& from, const std::string& to) {
  const Instant begin = MonotonicNow();
  TestProcess process({"migrate", "--from", from, "--to", to});
  Finished finished;
  const Instant end = begin + Minutes(10);
  do {
    finished.errors += process.AllErrors();
    finished.code = process.Wait();
  } while (finished.code == -1 && MonotonicNow() < end);
  finished.output = process.RestOfOutput();
  std::printf("%.2f s: %s", double((MonotonicNow() - begin).count) / 1000, finished.output.c_str());
  return finished;
}

// Runs it until something is in the target, and kills it.
void MigrateAndKill(const std::string& from, const std::string& to, int sessions) {
  TestProcess process({"migrate", "--from", from, "--to", to});
  std::unique_ptr<StoreAdmin> target;
  const Instant end = MonotonicNow() + Seconds(60);
  while (MonotonicNow() < end) {
    if (!target) target = Admin(to);
    if (target && target->Count().value_or(0) > 100) break;
  }
  process.Signal(SIGKILL);
  EXPECT_EQ(process.Wait(), 128 + SIGKILL) << "it was done before";
  ASSERT_NE(target, nullptr);
  const std::uint64_t there = target->Count().value_or(0);
  EXPECT_GT(there, 100u);
  EXPECT_LT(there, std::uint64_t(sessions) * 3 / 4);
  std::printf("killed with %d of %d in the target\n", int(there), sessions);
}

using Workers = std::array<Worker, Worker::kWorkers>;

void Move(const std::string& from, const std::string& to, Workers& workers) {
  int sessions = 0;
  for (Worker& worker : workers) {
    sessions += int(worker.size());
    worker.Start(from);
  }
  MigrateAndKill(from, to, sessions);
  // What has been copied, and is removed while nobody migrates, must not be there at the end.
  const std::map<std::string, StoredRecord> copied = Dump(to);
  const std::unique_ptr<BlockingStore> source = Open(from);
  EXPECT_GT(workers[0].RemoveSome(*source, copied, 20), 0);

  const Finished busy = Migrate(from, to);
  EXPECT_EQ(busy.code, 1);
  EXPECT_THAT(busy.errors, HasSubstr("the source is in use"));
  for (Worker& worker : workers) worker.Stop();
  const Finished last = Migrate(from, to);
  EXPECT_EQ(last.code, 0) << last.errors;
  EXPECT_THAT(last.output, HasSubstr("; failed 0; "));

  ExpectSame(Dump(from), Dump(to));
  const std::unique_ptr<BlockingStore> target = Open(to);
  for (const Worker& worker : workers) worker.ExpectAllIn(*target);
}

TEST(Migrate, LosesNothingUnderLoadAlthoughItIsKilled) {
  const RedisServer redis, other;
  const TestFolder folder;
  const std::string file = "file:" + folder.File();
  Workers workers{Worker(0), Worker(1), Worker(2)};
  {
    const std::unique_ptr<BlockingStore> store = Open(Url(redis));
    std::vector<std::thread> threads;
    for (Worker& worker : workers) {
      threads.emplace_back([&] { worker.Fill(*store, Sessions()); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  Move(Url(redis), file, workers);
  ASSERT_FALSE(HasFatalFailure());
  Move(file, Url(other), workers);
  ASSERT_FALSE(HasFatalFailure());
  // And without load or a break, for the figures.
  const RedisServer third;
  const std::string second_file = "file:" + folder.File("second.db");
  EXPECT_EQ(Migrate(Url(other), second_file).code, 0);
  EXPECT_EQ(Migrate(second_file, Url(third)).code, 0);
  ExpectSame(Dump(Url(other)), Dump(Url(third)));
}

// --- one thing at a time ---

class MigrateOneTest : public testing::Test {
 protected:
  Finished Again() { return Migrate(Url(redis_), file_); }
  RedisServer redis_;
  const TestFolder folder_;
  const std::string file_ = "file:" + folder_.File();
  const std::unique_ptr<BlockingStore> source_ = Open(Url(redis_));
  const RecordName name_ = NameOf(1);
};

TEST_F(MigrateOneTest, BringsTheEndThatAnAccessHasMoved) {
  ASSERT_TRUE(source_->Create(name_, "x", {.idle_ttl = Hours(1)}));
  const std::string tag = MakeStoredKey(name_.key()).record_tag;
  SetTimeLeft(redis_, name_.key(), Minutes(1));
  ASSERT_EQ(Again().code, 0);
  const auto left = [&] {
    return double(Dump(file_)[tag].expires_in.count - MonotonicNow().millis);
  };
  EXPECT_NEAR(left(), 60'000, 10'000);
  ASSERT_TRUE(source_->Touch(name_));
  ASSERT_EQ(Again().code, 0);
  EXPECT_NEAR(left(), 3'600'000, 10'000);
}

TEST_F(MigrateOneTest, EndsWhatIsGoneAndLeavesWhatClientsOfTheTargetWrote) {
  const RecordName changed = NameOf(2), broken = NameOf(3), made = NameOf(4);
  for (const RecordName& name : {name_, changed, broken}) {
    ASSERT_TRUE(source_->Create(name, "x", {.idle_ttl = Hours(1)}));
  }
  // Of this one the id is not known any more: it cannot be copied, so the first run is not
  // complete.
  redis_.Command({"DEL", "mcp:session:{" + OwnerTag(broken.owner) + "}:i"});
  const Finished first = Again();
  EXPECT_EQ(first.code, 1);
  EXPECT_THAT(first.output, HasSubstr("copied 2; verified 2; failed 1; ended 0\n"));
  EXPECT_THAT(first.errors,
              AllOf(HasSubstr("not a record of a store"), HasSubstr("1 could not be copied")));

  const std::unique_ptr<BlockingStore> target = Open(file_);
  ASSERT_TRUE(target->Put(changed, "target's", std::nullopt));
  ASSERT_TRUE(target->Create(made, "target's own", {.idle_ttl = Hours(1)}));
  for (const RecordName& name : {name_, changed, broken}) ASSERT_EQ(source_->Remove(name), true);
  const Finished second = Again();
  EXPECT_EQ(second.code, 0) << second.errors;
  EXPECT_THAT(second.output, HasSubstr("failed 0; ended 1\n"));
  EXPECT_FALSE(target->Get(name_));
  ASSERT_TRUE(target->Get(changed) && target->Get(made));
  EXPECT_EQ(*target->Get(changed)->data, "target's");
  EXPECT_EQ(*target->Get(made)->data, "target's own");
  EXPECT_EQ(Dump(file_).size(), 2u) << "something of the journal is left";
}

TEST_F(MigrateOneTest, DrawsABarOnATerminal) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(source_->Create(NameOf(i), "x", LifetimeOf(i)));
  const char* elsewhere = std::getenv("MCP_SESSION_PROGRAM");
  const std::string program = elsewhere != nullptr ? elsewhere : "native/mcp-session";
  const std::string from = Url(redis_);
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl(program.c_str(), program.c_str(), "migrate", "--from", from.c_str(), "--to",
          file_.c_str(), nullptr);
    _exit(127);
  }
  std::string shown;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = read(terminal, buffer.data(), buffer.size())) > 0;) {
    shown.append(buffer.data(), std::size_t(n));
  }
  close(terminal);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << shown;
  EXPECT_THAT(shown, AllOf(HasSubstr("\rpass 1 [" + std::string(40, '#') + "] 100% 20"),
                           HasSubstr("\rpass 2 ["), HasSubstr("copied 20; verified 20")));
}

}  // namespace
}  // namespace mcp_session
