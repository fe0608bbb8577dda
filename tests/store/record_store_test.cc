// RecordStore keeps the contract of what it has, and refuses what it has not.
#include "mcp_session/store/record_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"
#include "tests/store/memory_backend.h"

namespace mcp_session {

// It has none.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreExtrasContract);

namespace {

StoreBackend RecordBackend() {
  return {.name = "Record",
          .make =
              [](const StoreLimits& limits) {
                return std::make_unique<InMemoryUnderTest<RecordStore>>(limits);
              },
          .has_extras = false};
}

INSTANTIATE_TEST_SUITE_P(Record, StoreContract, testing::Values(RecordBackend()), StoreBackendName);

TEST(RecordStore, RefusesWhatItHasNot) {
  InMemoryUnderTest<RecordStore> under_test({});
  const auto run = [&under_test](StoreCommand command) {
    under_test.store().Submit({1}, std::move(command), under_test.Now());
    std::vector<StoreReply> replies;
    under_test.store().Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? StoreReply{} : replies[0];
  };
  const RecordKey there{"alice", "session", "there"};
  const RecordKey absent{"alice", "session", "absent"};
  const StoreReply created = run(store::Create{there, "data", {.idle_ttl = Hours(1)}});
  ASSERT_THAT(created, Holds("data"));
  for (const RecordKey& key : {there, absent}) {
    SCOPED_TRACE(key.id);
    const std::vector<StoreCommand> commands = {
        store::Take{key},
        store::Regenerate{key, {"alice", "session", "new"}},
        store::Lock{key, 1, Seconds(1)},
        store::Extend{key, 1, Seconds(1)},
        store::Unlock{key, 1},
        store::Append{key, "event"},
        store::ReadEvents{key},
        store::ReadEvents{.key = key, .wait = Seconds(1)},
    };
    for (const StoreCommand& command : commands) {
      SCOPED_TRACE(command.index());
      EXPECT_THAT(run(command), testing::AllOf(FailsWith(ErrorCode::kInvalidArgument),
                                               HasNoRecord(), HasNoEvents()));
    }
  }
  const StoreReply got = run(store::Get{there});
  EXPECT_THAT(got, Holds("data"));
  EXPECT_EQ(got.record.version, created.record.version);
  EXPECT_THAT(run(store::Get{{"alice", "session", "new"}}), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace mcp_session
