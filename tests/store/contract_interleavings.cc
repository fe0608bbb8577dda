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

// All commands but Create, three in a row in every order: nothing but Create creates.
enum Command {
  kGet,
  kPut,
  kPutAVersion,
  kPutAgain,
  kPutUnderALock,
  kTouch,
  kRemove,
  kRemoveOwned,
  kList,
  kTake,  // this and what follows are extras
  kRegenerate,
  kLock,
  kAppend,
  kReadEvents,
  kCommands
};
constexpr int kSequences = kCommands * kCommands * kCommands;
constexpr std::uint64_t kWrite = 77;

StoreCommand MakeCommand(int which, const RecordKey& key, std::uint64_t version) {
  switch (which) {
    case kGet:
      return store::Get{key};
    case kPut:
      return store::Put{key, "late", std::nullopt};
    case kPutAVersion:
      return store::Put{key, "late", version};
    case kPutAgain:
      return store::Put{key, "data", std::nullopt, kWrite};
    case kPutUnderALock:
      return store::Put{key, "late", std::nullopt, 0, std::uint64_t{1} << 62};
    case kTouch:
      return store::Touch{key};
    case kRemove:
      return store::Remove{key};
    case kRemoveOwned:
      return store::RemoveOwned{key.owner};
    case kList:
      return store::List{key.owner, key.kind, {}, 10};
    case kTake:
      return store::Take{key};
    case kRegenerate:
      return store::Regenerate{key, {key.owner, key.kind, "elsewhere"}};
    case kLock:
      return store::Lock{key, 1, kMaxLease};
    case kAppend:
      return store::Append{key, "late"};
    default:
      return store::ReadEvents{key};
  }
}

bool SawARecord(int which, const StoreReply& reply, bool has_extras) {
  if (which >= kTake && !has_extras) return reply.error != ErrorCode::kInvalidArgument;
  if (reply.error == ErrorCode::kNotFound) return false;
  switch (which) {
    case kRemove:
    case kRemoveOwned:
      return reply.error || reply.removed != 0;
    case kList:
      return reply.error || !reply.listed.empty();
    case kLock:
      return reply.error || reply.record.data != nullptr;
    default:
      return true;
  }
}

std::string DescribeSequence(int sequence) {
  std::string text = "sequence";
  for (int i = 0; i < 3; ++i, sequence /= kCommands)
    text += ' ' + std::to_string(sequence % kCommands);
  return text;
}

// Some at a time, so that no store has too much to answer at once.
constexpr int kBatch = 98;
static_assert(kSequences % kBatch == 0);

TEST_P(StoreContract, NoSequenceOfCommandsRevivesARecord) {
  enum { kRemoved, kRemovedOwned, kExpired, kTaken, kRegenerated, kAllEndings };
  const int endings = has_extras() ? kAllEndings : kTaken;
  const auto owner_of = [](int ending, int sequence) {
    return std::to_string(ending) + "-" + std::to_string(sequence);
  };
  std::vector<std::uint64_t> versions[kAllEndings];
  for (int ending = 0; ending < endings; ++ending) {
    for (int first = 0; first < kSequences; first += kBatch) {
      for (int sequence = first; sequence < first + kBatch; ++sequence) {
        const std::string owner = owner_of(ending, sequence);
        const RecordKey key{owner, "session", "id"};
        Submit({1}, store::Create{key, "data", Idle(), kWrite});
        if (ending == kRemoved) Submit({2}, store::Remove{key});
        if (ending == kRemovedOwned) Submit({2}, store::RemoveOwned{owner});
        if (ending == kTaken) Submit({2}, store::Take{key});
        if (ending == kRegenerated) Submit({2}, store::Regenerate{key, {"", "session", owner}});
      }
      for (const StoreReply& reply : Replies(ending == kExpired ? kBatch : 2 * kBatch)) {
        ASSERT_THAT(reply, IsDone());
        if (reply.ticket.number == 1) versions[ending].push_back(reply.record.version);
      }
    }
    ASSERT_EQ(versions[ending].size(), static_cast<std::size_t>(kSequences));
  }
  WaitUntil(Now() + idle_ttl());
  for (int ending = 0; ending < endings; ++ending) {
    for (int first = 0; first < kSequences; first += kBatch) {
      for (int sequence = first; sequence < first + kBatch; ++sequence) {
        const std::string owner = owner_of(ending, sequence);
        const RecordKey key{owner, "session", "id"};
        const auto ticket = static_cast<std::uint64_t>(sequence) * 8;
        for (int i = 0, rest = sequence; i < 3; ++i, rest /= kCommands) {
          Submit({ticket + static_cast<unsigned>(i)},
                 MakeCommand(rest % kCommands, key, versions[ending][sequence]));
        }
        Submit({ticket + 3}, store::Get{key});
        Submit({ticket + 4}, store::Get{{owner, "session", "elsewhere"}});
      }
      const std::vector<StoreReply> replies = Replies(5 * kBatch);
      ASSERT_EQ(replies.size(), 5u * kBatch);
      for (const StoreReply& reply : replies) {
        const int sequence = static_cast<int>(reply.ticket.number / 8);
        const int i = static_cast<int>(reply.ticket.number % 8);
        int which = sequence;
        for (int skipped = 0; skipped < i; ++skipped) which /= kCommands;
        ASSERT_FALSE(SawARecord(i < 3 ? which % kCommands : kGet, reply, has_extras()))
            << DescribeSequence(sequence) << " after ending " << ending << ", command " << i
            << " answered " << testing::PrintToString(reply);
      }
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
