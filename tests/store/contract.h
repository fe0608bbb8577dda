// The contract of SessionStore (store.h) as tests that any implementation can run. A backend says
// how to make one and how time passes; then
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(MemoryBackend()),
//                            StoreBackendName);
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreExtrasContract, testing::Values(MemoryBackend()),
//                            StoreBackendName);
//
// in a test that depends on //tests/store:contract runs all of them.
#ifndef TESTS_STORE_CONTRACT_H_
#define TESTS_STORE_CONTRACT_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/store/store.h"
#include "tests/store/backend.h"

namespace mcp_session {

// The fixture: commands run to their reply, and words for points in time.
class StoreContract : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override { NewStore({}); }

  void NewStore(const StoreLimits& limits);

  SessionStore& store() { return backend_->store(); }
  Instant Now() { return backend_->Now(); }
  void Wait(Millis length);
  void Pump() { backend_->Pump(); }

  // Runs a test some of whose steps must come before a point in time. If one came too late, what
  // the test found means nothing, and it is run again: with a new store, and further from the end.
  void InTime(const std::function<void()>& test);

  // All steps from here to the next wait must come before `at`. In InTime.
  void MustBeBefore(Instant at) { due_ = at; }

  // Waits until `at` of the store's time is certainly not reached yet, and MustBeBefore it. In
  // InTime.
  void WaitUntilJustBefore(Instant at);
  // Waits until `at` is certainly reached.
  void WaitUntil(Instant at);

  // When something happened: somewhen between these.
  struct Span {
    Instant first;
    Instant last;
  };
  // Of the command that was run last: from its Submit to its reply.
  const Span& LastRun() const { return last_run_; }

  // What that command may say is left of a time that is `length` long and began in `began`.
  testing::Matcher<Millis> IsLeftOf(const Span& began, Millis length) const;

  void Submit(StoreTicket ticket, StoreCommand command);

  // Drains into `replies` until they are `count`, or none have come for long.
  std::vector<StoreReply> Replies(std::size_t count, std::vector<StoreReply> replies = {});

  // The replies that are there by now; for when there should be none, or after a wait.
  std::vector<StoreReply> RepliesSoFar();

  // Submits one command and answers its reply.
  StoreReply Run(StoreCommand command);

  StoreReply Create(const RecordKey& key, std::string data, const Lifetime& lifetime);
  StoreReply Create(const RecordKey& key, std::string data = "data");  // for longer than any test
  StoreReply Get(const RecordKey& key);
  StoreReply Put(const RecordKey& key, std::string data, std::optional<std::uint64_t> expected);
  StoreReply Touch(const RecordKey& key);
  StoreReply Remove(const RecordKey& key);
  StoreReply Remove(const RecordKey& key, std::optional<std::uint64_t> expected,
                    std::uint64_t fence = 0);
  StoreReply RemoveOwned(std::string_view owner);
  StoreReply Take(const RecordKey& key);
  StoreReply Regenerate(const RecordKey& from, const RecordKey& to, std::uint64_t write_id = 0);
  StoreReply PutUnder(const RecordKey& key, std::string data, std::uint64_t fence);
  StoreReply Lock(const RecordKey& key, std::uint64_t holder, Millis lease);
  StoreReply Lock(const RecordKey& key, std::uint64_t holder);  // for kMaxLease
  StoreReply Extend(const RecordKey& key, std::uint64_t holder, Millis lease);
  StoreReply Unlock(const RecordKey& key, std::uint64_t holder);
  StoreReply Append(const RecordKey& key, std::string data, std::size_t keep = 256);
  StoreReply ReadEvents(const RecordKey& key, std::uint64_t after = 0, std::size_t limit = 1000,
                        Millis wait = {});
  StoreReply List(std::string_view owner, std::string_view kind, std::size_t limit = 1000,
                  std::string_view cursor = {});

  // Pages through to the end and answers the ids in the order they were listed.
  std::vector<std::string> ListIds(std::string_view owner, std::string_view kind,
                                   std::size_t limit = 1000);

  // Checks that every command on `key` finds nothing, and leaves nothing.
  void ExpectAbsent(const RecordKey& key);

  // Creates records with `lifetime`, one for each command, and lets it look at its own a
  // millisecond before `end` has passed, then, and a millisecond later.
  void ExpectEndAt(const Lifetime& lifetime, Millis end);

  bool has_extras() const { return GetParam().has_extras; }
  Millis idle_ttl() const { return GetParam().idle_ttl; }
  Millis tolerance() const { return GetParam().tolerance; }
  Millis OfIdle(double part) const;
  Lifetime Idle() const { return {.idle_ttl = idle_ttl()}; }
  Lifetime Fixed(Millis max_life) const { return {.max_life = max_life}; }
  Lifetime Both(Millis max_life) const { return {.idle_ttl = idle_ttl(), .max_life = max_life}; }

 private:
  void ExpectEachCommandSeesIts(bool alive);
  void NoteIfLate();

  std::unique_ptr<StoreUnderTest> backend_;
  std::uint64_t last_ticket_ = 0;
  Span last_run_;
  Millis slowest_run_;  // of this store
  Instant due_ = kNever;
  Millis ahead_;  // how long before a point in time is just before it
  bool late_ = false;
};

// The part of the contract that is about Take, Regenerate, locks and streams.
class StoreExtrasContract : public StoreContract {};

}  // namespace mcp_session

#endif  // TESTS_STORE_CONTRACT_H_
