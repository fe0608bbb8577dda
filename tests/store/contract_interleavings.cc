// Every order in which few commands can come, where one wrong order is a security bug: a record
// that comes back after it was ended, and a write that is lost or lands on another record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

// All commands but Create, four in a row in every order: nothing but Create creates.
constexpr int kCommands = 7;
constexpr int kSequences = kCommands * kCommands * kCommands * kCommands;

StoreCommand MakeCommand(int which, const RecordKey& key, std::uint64_t version) {
  switch (which) {
    case 0:
      return store::Get{key};
    case 1:
      return store::Put{key, "late", std::nullopt};
    case 2:
      return store::Put{key, "late", version};
    case 3:
      return store::Touch{key};
    case 4:
      return store::Remove{key};
    case 5:
      return store::RemoveOwned{key.owner};
    default:
      return store::List{key.owner, key.kind, {}, 10};
  }
}

bool SawARecord(const StoreReply& reply) {
  const bool found_nothing =
      reply.error == ErrorCode::kNotFound ||
      (!reply.error && reply.removed == 0 && reply.listed.empty() && reply.record.data == nullptr);
  return !found_nothing;
}

// A Touch of a live record has nothing in its reply either; it is told by its error.
bool SawARecord(int which, const StoreReply& reply) {
  return SawARecord(reply) || (which == 3 && !reply.error);
}

std::string DescribeSequence(int sequence) {
  std::string text = "sequence";
  for (int i = 0; i < 4; ++i, sequence /= kCommands)
    text += ' ' + std::to_string(sequence % kCommands);
  return text;
}

TEST_P(StoreContract, NoSequenceOfCommandsRevivesARecord) {
  enum { kRemoved, kRemovedOwned, kExpired, kEndings };
  const auto owner_of = [](int ending, int sequence) {
    return std::to_string(ending) + "-" + std::to_string(sequence);
  };
  std::vector<std::uint64_t> versions[kEndings];
  for (int ending = 0; ending < kEndings; ++ending) {
    for (int sequence = 0; sequence < kSequences; ++sequence) {
      const std::string owner = owner_of(ending, sequence);
      const RecordKey key{owner, "session", "id"};
      const StoreReply created = Create(key);
      ASSERT_THAT(created, IsDone());
      versions[ending].push_back(created.record.version);
      if (ending == kExpired) continue;
      ASSERT_THAT(ending == kRemoved ? Remove(key) : RemoveOwned(owner), Removed(1));
    }
  }
  WaitUntil(Now() + idle_ttl());
  for (int ending = 0; ending < kEndings; ++ending) {
    for (int sequence = 0; sequence < kSequences; ++sequence) {
      const std::string owner = owner_of(ending, sequence);
      const RecordKey key{owner, "session", "id"};
      for (int i = 0, rest = sequence; i < 4; ++i, rest /= kCommands) {
        const int which = rest % kCommands;
        const StoreReply reply = Run(MakeCommand(which, key, versions[ending][sequence]));
        ASSERT_FALSE(SawARecord(which, reply))
            << DescribeSequence(sequence) << " after ending " << ending << ", command " << i
            << " answered " << testing::PrintToString(reply);
      }
      ASSERT_THAT(Get(key), FailsWith(ErrorCode::kNotFound)) << DescribeSequence(sequence);
    }
  }
}

// Two clients read and then write what they read plus one, and a third ends the record and makes
// a new one, in every order of the six steps. No write may land on a record it did not read, and
// of two writes from one version one must fail.
TEST_P(StoreContract, NoOrderOfReadersAndWritersLosesAnUpdate) {
  enum Step { kReadA, kWriteA, kReadB, kWriteB, kEnd, kRenew };
  std::array<Step, 6> order = {kReadA, kWriteA, kReadB, kWriteB, kEnd, kRenew};
  const auto before = [&order](Step first, Step second) {
    return std::find(order.begin(), order.end(), first) <
           std::find(order.begin(), order.end(), second);
  };
  int orders = 0;
  do {
    if (!before(kReadA, kWriteA) || !before(kReadB, kWriteB) || !before(kEnd, kRenew)) continue;
    SCOPED_TRACE(testing::Message() << "order " << orders);
    const std::string id = std::to_string(orders++);
    const RecordKey key{"alice", "counter", id};
    ASSERT_THAT(Create(key, "0"), IsDone());
    StoreReply read[2];
    std::string current = "0";  // what the record must hold; empty: no record
    for (const Step step : order) {
      const int client = step == kReadA || step == kWriteA ? 0 : 1;
      if (step == kEnd) {
        EXPECT_THAT(Remove(key), Removed(1));
        current.clear();
      } else if (step == kRenew) {
        current = "100";
        EXPECT_THAT(Create(key, current), Holds(current));
      } else if (step == kReadA || step == kReadB) {
        read[client] = Get(key);
        if (current.empty()) {
          EXPECT_THAT(read[client], FailsWith(ErrorCode::kNotFound));
        } else {
          EXPECT_THAT(read[client], Holds(current));
        }
      } else if (!read[client].error) {
        const std::string& seen = *read[client].record.data;
        const std::string next = std::to_string(std::stoi(seen) + 1);
        const StoreReply put = Put(key, next, read[client].record.version);
        EXPECT_EQ(put.error, current.empty()   ? std::optional(ErrorCode::kNotFound)
                             : seen != current ? std::optional(ErrorCode::kConflict)
                                               : std::nullopt);
        if (!put.error) current = next;
      }
    }
    EXPECT_THAT(Get(key), Holds(current));
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 90);
}

}  // namespace
}  // namespace mcp_session
