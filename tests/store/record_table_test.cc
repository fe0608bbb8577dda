// What the commands cannot show: keys whose hashes are equal, and sweeps in very small steps.
#include "mcp_session/store/record_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/counting_entropy.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

class RecordTableTest : public testing::Test {
 protected:
  PackedKey Pack(const RecordKey& key) const { return {table_.sip_key(), key}; }

  RecordSlot* Insert(const RecordKey& key, Millis life) {
    return table_.Insert(Pack(key), "data", {.max_life = life}, now_);
  }

  CountingEntropy entropy_;
  RecordTable table_{MakeSipKey(entropy_)};
  Instant now_{1000};
};

// The table compares keys only when their hashes are equal, which no test can bring about.
TEST_F(RecordTableTest, AnEntryHasOneKeyWhateverItsHash) {
  const std::string id = "0123456789abcdefghijklmnopqrstuvwxyz_-ABCDE";
  const RecordKey key{"alice", "session", id};
  const RecordEntry& entry = *Insert(key, Seconds(1))->entry;
  EXPECT_TRUE(entry.HasKey(Pack(key)));
  for (std::size_t i = 0; i < id.size(); ++i) {
    std::string other = id;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(entry.HasKey(Pack({"alice", "session", other}))) << "byte " << i;
  }
  EXPECT_FALSE(entry.HasKey(Pack({"alicf", "session", id})));
  EXPECT_FALSE(entry.HasKey(Pack({"alice", "sessioo", id})));
  EXPECT_FALSE(entry.HasKey(Pack({"alice", "session", id.substr(1)})));
  EXPECT_FALSE(entry.HasKey(Pack({"alic", "esession", id})));
  EXPECT_FALSE(entry.HasKey(Pack({"alice", "sessio", "n" + id})));
}

TEST_F(RecordTableTest, AnEntryKnowsThePartsOfItsKey) {
  const std::string longest(kMaxKeyPartBytes, 'x');
  for (const RecordKey& key : {RecordKey{"", "k", "i"}, RecordKey{"alice", "session", "id"},
                               RecordKey{longest, longest, longest}}) {
    const RecordEntry& entry = *Insert(key, Seconds(1))->entry;
    EXPECT_EQ(entry.owner(), key.owner);
    EXPECT_EQ(entry.kind(), key.kind);
    EXPECT_EQ(entry.id(), key.id);
  }
}

TEST_F(RecordTableTest, AnOwnersRecordsAreLinkedInTheOrderTheyWereMade) {
  std::vector<std::string> left;
  for (int i = 0; i < 20; ++i) {
    left.push_back(std::to_string(i));
    Insert({"alice", "session", left.back()}, Seconds(1));
    Insert({"bob", "session", left.back()}, Seconds(1));
  }
  for (const std::string gone : {"0", "19", "7", "8", "1", "18"}) {  // ends and neighbours
    table_.Erase(table_.FindLive(Pack({"alice", "session", gone}), now_));
    left.erase(std::find(left.begin(), left.end(), gone));
    std::vector<std::string> forward;
    const OwnerSlot* owner = table_.FindOwner("alice");
    for (const RecordEntry* at = owner->oldest; at != nullptr; at = at->newer) {
      forward.emplace_back(at->id());
    }
    std::vector<std::string> backward;
    for (const RecordEntry* at = owner->newest; at != nullptr; at = at->older) {
      backward.insert(backward.begin(), std::string(at->id()));
    }
    EXPECT_THAT(forward, testing::ElementsAreArray(left));
    EXPECT_THAT(backward, testing::ElementsAreArray(left));
    EXPECT_EQ(owner->count, left.size());
  }
}

TEST_F(RecordTableTest, ASweepLooksAtSoManySlotsAndGoesOnFromThere) {
  for (int i = 0; i < 8; ++i) Insert({"", "session", std::to_string(i)}, Seconds(1));  // of 16
  now_ = now_ + Seconds(1);
  int steps = 0;
  for (; table_.size() > 0; ++steps) {
    ASSERT_LT(steps, 24);
    const std::size_t before = table_.size();
    table_.Sweep(now_, 1);
    ASSERT_LE(before - table_.size(), 1u);
  }
  EXPECT_GE(steps, 8);
}

// Between the steps of a sweep records go and come, and those behind them move: over the place
// where the sweep stands, round the end of the table, and everywhere when the table grows. When
// the sweep is through, every record that was dead when it began is gone.
TEST_F(RecordTableTest, ASweepMissesNoRecordThatMoves) {
  constexpr std::size_t kFull = 50;  // of 58 slots: long runs, and one more makes the table grow
  SeededEntropy random(3);
  for (int trial = 0; trial < 4000; ++trial) {
    table_ = RecordTable(MakeSipKey(random));
    int next_id = 0;
    std::vector<std::string> immortal;
    const auto add_immortal = [&] {
      immortal.push_back(std::to_string(next_id++));
      Insert({"", "session", immortal.back()}, kMaxLifetime);
    };
    while (table_.size() < kFull) {
      add_immortal();
      Insert({"", "session", std::to_string(next_id++)}, Millis{1});
    }
    now_ = now_ + Millis{1};
    const Instant began = now_;
    const std::uint64_t grow_at = random.Below(2) == 0 ? random.Below(20) : 1000;
    for (std::uint64_t step = 0; table_.MayHaveDead(began); ++step) {
      table_.Sweep(now_, 1 + random.Below(6));
      std::swap(immortal[random.Below(immortal.size())], immortal.back());
      table_.Erase(table_.FindLive(Pack({"", "session", immortal.back()}), now_));
      immortal.pop_back();
      add_immortal();
      while (step == grow_at && table_.size() <= kFull) add_immortal();
    }
    ASSERT_EQ(table_.size(), immortal.size()) << "trial " << trial;
  }
}

}  // namespace
}  // namespace mcp_session
