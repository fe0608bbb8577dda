// SharedMemory agrees with the model of the contract.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/memory/shared_memory_backend.h"
#include "tests/store/model_suite.h"

namespace mcp_session {
namespace {

// A Tick of SharedMemory is for one of its shards. This one is for all that have something to do,
// as of the loop that ticks until nothing is due.
class AllShards final : public SessionStore {
 public:
  explicit AllShards(SessionStore& inner) : inner_(inner) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    inner_.Submit(ticket, std::move(command), now);
  }
  void Drain(std::vector<StoreReply>* replies) override { inner_.Drain(replies); }
  void OnReady(std::function<void()> ready) override { inner_.OnReady(std::move(ready)); }
  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override {
    while (inner_.NextDeadline() <= now) inner_.Tick(now);
  }
  StoreStatus Status() const override { return inner_.Status(); }

 private:
  SessionStore& inner_;
};

class AllShardsUnderTest final : public StoreUnderTest {
 public:
  explicit AllShardsUnderTest(const StoreLimits& limits) : inner_(limits), store_(inner_.store()) {}

  const SharedMemory& memory() const { return inner_.memory(); }
  SessionStore& store() override { return store_; }
  Instant Now() override { return inner_.Now(); }
  void Wait(Millis length) override {
    inner_.Wait(length);
    store_.Tick(Now());
  }

 private:
  SharedMemoryUnderTest inner_;
  AllShards store_;
};

std::string FindRemains(StoreUnderTest& under_test) {
  const SharedMemory& memory = static_cast<AllShardsUnderTest&>(under_test).memory();
  if (memory.size() != 0) return "dead records are kept, or counted";
  if (memory.MemoryUse() < SharedMemoryUnderTest({}).memory().MemoryUse()) {
    return "bytes are freed that were not counted";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(SharedMemory, StoreModel,
                         testing::Values(ModelBackend{
                             .backend = {.name = "SharedMemory",
                                         .make =
                                             [](const StoreLimits& limits) {
                                               return std::make_unique<AllShardsUnderTest>(limits);
                                             }},
                             .sequences = 10'000,
                             .has_manual_clock = true,
                             .find_remains = FindRemains}),
                         ModelBackendName);

}  // namespace
}  // namespace mcp_session
