// Random outages against a DegradingStore, and a referee who sees both sides. Each seed is one
// world, and plays the same each time:
//
//   - commands of callers on a few keys, one at a time on each, replies late
//   - the backend goes away at any time; of what is under way nobody hears whether it was done
//   - another process creates records in the backend meanwhile
//
// The referee looks into the backend after every step, and holds the store to this:
//   - every command is answered exactly once
//   - data that was replaced or removed, and acknowledged to be, is never in the backend again
//   - a record there only changes by a Put of a caller who named its version, or by a Remove
//   - of every acknowledged local record it is known in the end what became of it: it was seen in
//     the backend, or removed, or is counted as lost; nothing else is counted as lost
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/fallback/degrading_store.h"
#include "tests/fallback/flaky_backend.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

constexpr int kKeys = 6;
constexpr int kSteps = 150;
const Lifetime kDay{.idle_ttl = Hours(24)};

struct Seen {
  std::string data;
  std::uint64_t version = 0;
  bool operator==(const Seen&) const = default;
};

bool IsLocal(std::uint64_t version) { return (version >> 52 & 1) != 0; }

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), store_entropy_(seed + 1'000'000) {
    auto flaky = std::make_unique<FlakyBackend>(inner_);
    flaky_ = flaky.get();
    store_ =
        std::make_unique<DegradingStore>(std::move(flaky), MemoryStoreOptions{}, store_entropy_);
  }

  void Play() {
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) Step();
    Heal();
    Judge();
  }
  const DegradingCounters& counters() const { return store_->counters(); }

 private:
  struct Open {
    int key = 0;
    enum class Kind { kCreate, kPut, kRemove, kRead } kind = Kind::kRead;
    std::string data;
  };
  // What the referee knows of a key.
  struct Key {
    std::optional<Seen> backend;                // as it was after the last step
    std::optional<std::string> local;           // acknowledged, and kept locally at first
    std::optional<std::uint64_t> version;       // that callers know
    std::set<std::string> dead;                 // data that must not be there any more
    std::map<std::string, std::uint64_t> puts;  // data of Puts, and the version they named
    bool removing = false;                      // a Remove is under way, or was lost there
    bool gone = false;                          // and the backend's record is gone since
  };

  RecordKey Name(int key) const { return {"owner", "cart", ids_[static_cast<std::size_t>(key)]}; }

  void Step() {
    clock_.Advance(Millis{static_cast<std::int64_t>(random_.Below(40))});
    switch (random_.Below(20)) {
      case 0:
      case 1:
        flaky_->GoAway();
        break;
      case 2:
      case 3:
      case 4:
        flaky_->ComeBack();
        break;
      case 5:
        flaky_->LoseNext();
        break;
      case 6:
        flaky_->Hold(true);
        break;
      case 7:
      case 8:
        flaky_->Hold(false);
        flaky_->Deliver();
        break;
      case 9:
        ActElsewhere();
        break;
      case 10:
      case 11:
      case 12:
        store_->Tick(clock_.Now());
        break;
      default:
        Ask(static_cast<int>(random_.Below(kKeys)));
    }
    Collect();
  }

  // One command of a caller.
  void Ask(int key) {
    for (const auto& [ticket, open] : open_) {
      if (open.key == key) return;
    }
    Open open{key, Open::Kind::kRead, {}};
    StoreCommand command = store::Get{Name(key)};
    switch (random_.Below(6)) {
      case 0:
      case 1:
        open.kind = Open::Kind::kCreate;
        open.data = "c" + std::to_string(++writes_);
        command = store::Create{Name(key), open.data, kDay,
                                random_.Below(2) == 0 ? 0 : random_.Next() | 1};
        break;
      case 2:
        if (!keys_[key].version) break;
        open.kind = Open::Kind::kPut;
        open.data = "p" + std::to_string(++writes_);
        keys_[key].puts[open.data] = *keys_[key].version;
        command = store::Put{Name(key), open.data, *keys_[key].version};
        break;
      case 3:
        open.kind = Open::Kind::kRemove;
        keys_[key].removing = true;
        keys_[key].gone = false;
        command = store::Remove{Name(key)};
        break;
      default:
        break;
    }
    const std::uint64_t ticket = ++tickets_;
    open_.emplace(ticket, open);
    store_->Submit({ticket}, std::move(command), clock_.Now());
  }

  // The other process only makes records: one that removes may meet the exception that the header
  // admits.
  void ActElsewhere() {
    const int key = static_cast<int>(random_.Below(kKeys));
    const std::string data = "e" + std::to_string(++writes_);
    const StoreReply made = Elsewhere(store::Create{Name(key), data, kDay});
    if (!made.error) keys_[key].backend = Seen{data, made.record.version};
  }

  StoreReply Elsewhere(StoreCommand command) {
    inner_.Submit({1}, std::move(command), clock_.Now());
    std::vector<StoreReply> replies;
    inner_.Drain(&replies);
    return std::move(replies.at(0));
  }

  void Collect() {
    std::vector<StoreReply> replies;
    store_->Drain(&replies);
    // First what happened in the backend, then what callers are told of it.
    for (auto& [key, known] : keys_) Look(key, known);
    for (const StoreReply& reply : replies) {
      const auto found = open_.find(reply.ticket.number);
      ASSERT_NE(found, open_.end()) << "answered twice, or not asked";
      const Open open = found->second;
      open_.erase(found);
      Learn(open, reply);
    }
  }

  void Look(int key, Key& known) {
    const StoreReply found = Elsewhere(store::Get{Name(key)});
    std::optional<Seen> now;
    if (!found.error) now = Seen{*found.record.data, found.record.version};
    if (now == known.backend) return;
    if (now) {
      EXPECT_EQ(known.dead.count(now->data), 0u) << now->data << " came back";
      seen_in_backend_.insert(now->data);
    }
    if (known.backend && now) {
      const auto put = known.puts.find(now->data);
      EXPECT_TRUE(put != known.puts.end() && put->second == known.backend->version)
          << known.backend->data << " was overwritten by " << now->data;
    } else if (known.backend) {
      EXPECT_TRUE(known.removing) << known.backend->data << " is gone";
      known.dead.insert(known.backend->data);
      known.gone = true;
    }
    known.backend = now;
  }

  void Learn(const Open& open, const StoreReply& reply) {
    Key& known = keys_[open.key];
    if (reply.record.data != nullptr) {
      known.version = reply.record.version;
      if (!IsLocal(reply.record.version)) EndLocal(known);
    }
    if (open.kind == Open::Kind::kRemove && reply.maybe_done) return;  // it may still be on its way
    known.removing = false;
    if (reply.error) return;
    switch (open.kind) {
      case Open::Kind::kCreate:
      case Open::Kind::kPut:
        if (!IsLocal(reply.record.version)) return;
        // What a Create finds gone went to the backend, or was lost there; what a Put replaces,
        // here.
        if (open.kind == Open::Kind::kCreate) EndLocal(known);
        if (known.local) known.dead.insert(*known.local);
        known.local = open.data;
        return;
      case Open::Kind::kRemove:
        known.version.reset();
        if (!known.local || reply.removed == 0) return;
        if (known.gone) return EndLocal(known);  // it was the backend's that went
        known.dead.insert(*known.local);
        known.local.reset();
        return;
      case Open::Kind::kRead:
        return;
    }
  }

  // There is no local record any more, and nobody removed it.
  void EndLocal(Key& known) {
    if (known.local && seen_in_backend_.count(*known.local) == 0) ++missing_;
    known.local.reset();
  }

  void Heal() {
    flaky_->Hold(false);
    flaky_->Deliver();
    flaky_->ComeBack();
    for (int i = 0; i < 200; ++i) {
      clock_.Advance(Millis{50});
      store_->Tick(clock_.Now());
      Collect();
    }
  }

  void Judge() {
    EXPECT_TRUE(open_.empty()) << "not answered";
    EXPECT_EQ(store_->local_records(), 0u);
    EXPECT_EQ(store_->Status().state, StoreState::kConnected);
    const DegradingCounters& counters = store_->counters();
    EXPECT_EQ(counters.created,
              counters.moved + counters.lost + counters.removed + counters.expired);
    EXPECT_EQ(counters.expired, 0u);
    for (auto& [key, known] : keys_) EndLocal(known);
    EXPECT_EQ(counters.lost, missing_);
  }

  SeededEntropy random_;
  SeededEntropy store_entropy_;
  ManualClock clock_;
  MemorySessionStore inner_{{}, store_entropy_};
  FlakyBackend* flaky_ = nullptr;
  std::unique_ptr<DegradingStore> store_;
  const std::vector<std::string> ids_ = {"a", "b", "c", "d", "e", "f"};
  std::uint64_t tickets_ = 0;
  int writes_ = 0;
  std::map<std::uint64_t, Open> open_;
  std::map<int, Key> keys_;
  std::set<std::string> seen_in_backend_;
  std::uint64_t missing_ = 0;  // acknowledged, not removed, never seen in the backend
};

TEST(DegradingSimulation, NothingIsLostOverwrittenOrRevived) {
  DegradingCounters sum;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.Play();
    if (HasFailure()) return;
    sum.moved += world.counters().moved;
    sum.lost += world.counters().lost;
    sum.removed += world.counters().removed;
    sum.refused += world.counters().refused;
  }
  // The worlds are not empty.
  EXPECT_GT(sum.moved, 1000u);
  EXPECT_GT(sum.lost, 50u);
  EXPECT_GT(sum.removed, 500u);
  EXPECT_GT(sum.refused, 1000u);
}

}  // namespace
}  // namespace mcp_session
