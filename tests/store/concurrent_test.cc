// What RunConcurrentHistories and RunConcurrentCounters let pass, and what not: clients that share
// a MemorySessionStore behind a mutex, and some that break it.
#include "tests/store/concurrent.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

// What the clients share.
class Shared {
 public:
  StoreReply Run(StoreCommand command) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<StoreReply> replies;
    store_.Submit({}, std::move(command), Instant{1});
    store_.Drain(&replies);
    return std::move(replies.front());
  }

 private:
  std::mutex mutex_;
  CountingEntropy entropy_;
  MemorySessionStore store_{MemoryStoreOptions{}, entropy_};
};

// How a client runs a command on what it shares.
using RunCommand = std::function<StoreReply(Shared&, StoreCommand)>;

class SharingClient final : public StoreUnderTest, public SessionStore {
 public:
  SharingClient(Shared& shared, RunCommand run) : shared_(shared), run_(std::move(run)) {}

  SessionStore& store() override { return *this; }
  Instant Now() override { return Instant{1}; }
  void Wait(Millis) override {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant) override {
    reply_ = run_(shared_, std::move(command));
    reply_->ticket = ticket;
  }
  void Drain(std::vector<StoreReply>* replies) override {
    if (reply_) replies->push_back(std::move(*reply_));
    reply_.reset();
  }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return kNever; }
  void Tick(Instant) override {}
  StoreStatus Status() const override { return {.backend = "shared"}; }

 private:
  Shared& shared_;
  RunCommand run_;
  std::optional<StoreReply> reply_;
};

StoreReply RunAsIs(Shared& shared, StoreCommand command) { return shared.Run(std::move(command)); }

// Versions are not looked at by the backend, but by the client, before.
StoreReply CompareThenSet(Shared& shared, StoreCommand command) {
  if (auto* put = std::get_if<store::Put>(&command)) {
    StoreReply current = shared.Run(store::Get{put->key});
    if (!current.error && put->expected && *put->expected != current.record.version) {
      current.error = ErrorCode::kConflict;
      return current;
    }
    std::this_thread::yield();
    put->expected.reset();
  }
  return shared.Run(std::move(command));
}

StoreReply IgnoreFences(Shared& shared, StoreCommand command) {
  if (auto* put = std::get_if<store::Put>(&command)) put->fence = 0;
  return shared.Run(std::move(command));
}

StoreReply LockForAll(Shared& shared, StoreCommand command) {
  if (auto* lock = std::get_if<store::Lock>(&command)) lock->holder = 1;
  if (auto* unlock = std::get_if<store::Unlock>(&command)) unlock->holder = 1;
  return shared.Run(std::move(command));
}

// Brings back what is not there.
StoreReply Upsert(Shared& shared, StoreCommand command) {
  StoreReply reply = shared.Run(command);
  const auto* put = std::get_if<store::Put>(&command);
  if (put == nullptr || reply.error != ErrorCode::kNotFound) return reply;
  return shared.Run(store::Create{put->key, put->data, {.idle_ttl = Hours(1)}});
}

// A copy under the new key, and then the end of the old one.
StoreReply CopyThenRemove(Shared& shared, StoreCommand command) {
  const auto* move = std::get_if<store::Regenerate>(&command);
  if (move == nullptr) return shared.Run(std::move(command));
  StoreReply reply = shared.Run(store::Get{move->from});
  if (reply.error) return reply;
  reply = shared.Run(store::Create{move->to, *reply.record.data, {.idle_ttl = Hours(1)}});
  std::this_thread::yield();
  if (!reply.error) shared.Run(store::Remove{move->from});
  return reply;
}

// Touch makes what is not there.
StoreReply TouchCreates(Shared& shared, StoreCommand command) {
  StoreReply reply = shared.Run(command);
  const auto* touch = std::get_if<store::Touch>(&command);
  if (touch == nullptr || reply.error != ErrorCode::kNotFound) return reply;
  shared.Run(store::Create{touch->key, "touched", {.idle_ttl = Hours(1)}});
  return {};
}

// Read first, removed later: two may get it.
StoreReply ReadThenRemove(Shared& shared, StoreCommand command) {
  const auto* take = std::get_if<store::Take>(&command);
  if (take == nullptr) return shared.Run(std::move(command));
  StoreReply reply = shared.Run(store::Get{take->key});
  std::this_thread::yield();
  shared.Run(store::Remove{take->key});
  return reply;
}

// Anybody extends any lock.
StoreReply ExtendForAll(Shared& shared, StoreCommand command) {
  StoreReply reply = shared.Run(command);
  if (std::holds_alternative<store::Extend>(command)) reply.error.reset();
  return reply;
}

// Loses every seventh command or its reply.
RunCommand LoseSome() {
  return [count = 0](Shared& shared, StoreCommand command) mutable {
    const int turn = ++count % 14;
    StoreReply lost;
    lost.error = ErrorCode::kUnavailable;
    lost.maybe_done = turn == 0;
    if (turn == 0) shared.Run(std::move(command));
    if (turn == 0 || turn == 7) return lost;
    return shared.Run(std::move(command));
  };
}

MakeStoreClient Clients(Shared& shared, std::function<RunCommand()> make_run) {
  return [&shared, make_run](int) { return std::make_unique<SharingClient>(shared, make_run()); };
}

std::optional<std::string> RunHistories(const RunCommand& run, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    Shared shared;
    ConcurrentOptions options;
    options.seed = static_cast<std::uint64_t>(round) + 1;
    options.keys = 10;  // few, so that they meet
    const auto violation = RunConcurrentHistories(Clients(shared, [&] { return run; }), options);
    if (violation) return violation;
  }
  return std::nullopt;
}

TEST(Concurrent, AGoodStoreIsExplained) { EXPECT_EQ(RunHistories(RunAsIs, 10), std::nullopt); }

TEST(Concurrent, LostRepliesAreExplained) {
  Shared shared;
  EXPECT_EQ(RunConcurrentHistories(Clients(shared, LoseSome), {}), std::nullopt);
}

TEST(Concurrent, ABrokenStoreIsFound) {
  EXPECT_NE(RunHistories(CompareThenSet, 50), std::nullopt);
  EXPECT_NE(RunHistories(IgnoreFences, 50), std::nullopt);
  EXPECT_NE(RunHistories(LockForAll, 50), std::nullopt);
  EXPECT_NE(RunHistories(Upsert, 50), std::nullopt);
  EXPECT_NE(RunHistories(CopyThenRemove, 50), std::nullopt);
  EXPECT_NE(RunHistories(TouchCreates, 50), std::nullopt);
  EXPECT_NE(RunHistories(ReadThenRemove, 50), std::nullopt);
  EXPECT_NE(RunHistories(ExtendForAll, 50), std::nullopt);
}

TEST(Concurrent, CountersAreExact) {
  Shared shared;
  EXPECT_EQ(RunConcurrentCounters(Clients(shared, [] { return RunAsIs; }), 8, 500), std::nullopt);
}

TEST(Concurrent, CountersAreExactThoughRepliesAreLost) {
  Shared shared;
  EXPECT_EQ(RunConcurrentCounters(Clients(shared, LoseSome), 8, 200), std::nullopt);
}

TEST(Concurrent, ALostUpdateIsFound) {
  Shared shared;
  EXPECT_NE(RunConcurrentCounters(Clients(shared, [] { return CompareThenSet; }), 8, 200),
            std::nullopt);
}

}  // namespace
}  // namespace mcp_session
