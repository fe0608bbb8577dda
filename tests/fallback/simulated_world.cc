#include "tests/fallback/simulated_world.h"

#include <gtest/gtest.h>

#include <utility>

namespace mcp_session {
namespace {

constexpr int kSteps = 150;
const Lifetime kDay{.idle_ttl = Hours(24)};

std::string OwnerThatIs(const RecordKey& key) {
  return key.kind == "session" ? "session:" + std::string(key.id) : std::string();
}

}  // namespace

SimulatedWorld::SimulatedWorld(std::uint64_t seed)
    : random_(seed), store_entropy_(seed + 1'000'000) {
  auto flaky = std::make_unique<FlakyBackend>(inner_);
  flaky_ = flaky.get();
  store_ = std::make_unique<DegradingStore>(
      std::move(flaky), DegradingOptions{.owner_that_is = OwnerThatIs}, store_entropy_);
  for (const char* id : {"a", "b", "c", "d", "e"}) names_.push_back({"owner", "cart", id});
  names_.push_back({"stranger", "cart", "a"});
  names_.push_back({"", "cart", "a"});
}

void SimulatedWorld::Play() {
  for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) Step();
  if (testing::Test::HasFailure()) return;
  Heal();
  Judge();
}

void SimulatedWorld::Step() {
  clock_.Advance(Millis{static_cast<std::int64_t>(random_.Below(40))});
  switch (random_.Below(40)) {
    case 0:
    case 1:
    case 2:
      flaky_->GoAway();
      break;
    case 3:
      flaky_->SetState(StoreState::kMisconfigured);
      break;
    case 4:
      flaky_->SetState(StoreState::kConnecting);
      break;
    case 5:
    case 6:
    case 7:
    case 8:
      flaky_->ComeBack();
      break;
    case 9:
    case 10:
      flaky_->LoseNext();
      break;
    case 11:
      flaky_->Hold(true);
      break;
    case 12:
    case 13:
    case 14:
      flaky_->Hold(false);
      flaky_->Deliver();
      break;
    case 15:
      ActElsewhere();
      break;
    case 16:
    case 17:
    case 18:
    case 19:
      store_->Tick(clock_.Now());
      break;
    default:
      Ask();
  }
  Collect();
}

SimulatedWorld::Name SimulatedWorld::NewSession() {
  names_.push_back({"", "session", "s" + std::to_string(++sessions_)});
  return names_.back();
}

void SimulatedWorld::Ask() {
  Open open;
  const bool begins_session = random_.Below(20) == 0;
  open.name = begins_session ? NewSession() : names_[random_.Below(names_.size())];
  open.to = names_[random_.Below(names_.size())];
  for (const auto& [ticket, other] : open_) {
    if (other.name == open.name || other.to == open.name || other.name == open.to) return;
    if (other.name.owner == open.name.owner && other.kind == Kind::kRemoveOwned) return;
  }
  Choose(open);
  if (open.kind != Kind::kRegenerate) open.to = open.name;
  Submit(std::move(open));
}

void SimulatedWorld::Choose(Open& open) {
  const auto version = versions_.find(open.name);
  const std::vector<std::uint64_t>& tokens = tokens_[open.name];
  const bool is_owned = !open.name.owner.empty();
  const bool is_session = open.name.kind == "session";
  const auto lost = lost_creates_.find(open.name);
  const std::uint64_t dice = random_.Below(20);
  // The ids of sessions are random, so nobody creates one twice.
  const bool is_new = !is_session || used_.insert(open.name).second;
  if (is_session && is_new) {
    open.kind = Kind::kCreate;
    open.data = "s" + std::to_string(++writes_);
    open.write_id = random_.Next() | 1;
  } else if (dice < 5 && (is_new || lost != lost_creates_.end())) {
    open.kind = Kind::kCreate;
    if (lost != lost_creates_.end() && dead_.count(lost->second.data) == 0 &&
        (is_session || random_.Below(2) == 0)) {
      open.data = lost->second.data;  // once more
      open.write_id = lost->second.write_id;
    } else if (is_session) {
      open.kind = Kind::kGet;
    } else {
      open.data = "c" + std::to_string(++writes_);
      open.write_id = random_.Below(2) == 0 ? 0 : random_.Next() | 1;
    }
  } else if (dice < 9) {
    open.kind = Kind::kPut;
    open.data = "p" + std::to_string(++writes_);
    if (version != versions_.end()) open.expected = version->second;
    if (!tokens.empty() && random_.Below(2) == 0) {
      open.fence = tokens[random_.Below(tokens.size())];
    }
  } else if (dice == 9) {
    open.kind = Kind::kTouch;
  } else if (dice < 12) {
    open.kind = Kind::kRemove;
  } else if (dice == 12) {
    open.kind = Kind::kTake;
  } else if (dice == 13 && is_session) {
    open.kind = Kind::kRegenerate;
    open.to = NewSession();
    used_.insert(open.to);
  } else if (dice == 13 && open.to != open.name && open.to.kind != "session") {
    open.kind = Kind::kRegenerate;
  } else if (dice == 14 && is_owned && random_.Below(2) == 0) {
    open.kind = Kind::kRemoveOwned;
  } else if (dice == 15 && is_owned) {
    open.kind = Kind::kList;
  } else if (dice == 16) {
    open.kind = Kind::kLock;
    open.holder = random_.Next() | 1;
  } else if (dice == 17) {
    open.kind = Kind::kUnlock;
    open.holder = holders_[open.name];
  }
}

StoreCommand SimulatedWorld::CommandOf(const Open& open) {
  const RecordKey key = open.name.key();
  switch (open.kind) {
    case Kind::kGet:
      break;
    case Kind::kCreate:
      return store::Create{key, open.data, kDay, open.write_id};
    case Kind::kPut:
      return store::Put{key, open.data, open.expected, 0, open.fence};
    case Kind::kTouch:
      return store::Touch{key};
    case Kind::kRemove:
      return store::Remove{key};
    case Kind::kTake:
      return store::Take{key};
    case Kind::kRegenerate:
      return store::Regenerate{key, open.to.key()};
    case Kind::kRemoveOwned:
      return store::RemoveOwned{key.owner};
    case Kind::kList:
      return store::List{key.owner, "cart", {}, 1000};
    case Kind::kLock:
      return store::Lock{key, open.holder, kMaxLease};
    case Kind::kUnlock:
      return store::Unlock{key, open.holder};
  }
  return store::Get{key};
}

void SimulatedWorld::Submit(Open open) {
  const auto there = backend_.find(open.name);
  if (there != backend_.end()) open.backend = there->second;
  const auto here = local_.find(open.name);
  if (here != local_.end()) open.local = here->second.data;
  for (const auto& [name, seen] : backend_) {
    if (name.owner == open.name.owner && name.kind == "cart") open.listed[name.id] = seen.data;
  }
  for (const auto& [name, local] : local_) {
    if (name.owner != open.name.owner || local.maybe_removed || backend_.count(name) != 0) continue;
    open.owner_has_local |= seen_in_backend_.count(local.data) == 0;
  }
  if (!tokens_[open.name].empty()) open.highest_token = tokens_[open.name].back();
  const std::uint64_t removed_before = store_->counters().removed;
  const std::uint64_t ticket = ++tickets_;
  const Open& kept = open_.emplace(ticket, std::move(open)).first->second;
  store_->Submit({ticket}, CommandOf(kept), clock_.Now());
  Look(&kept);
  if (kept.kind == Kind::kRemoveOwned) NoteRemovedOwned(kept.name.owner, removed_before);
}

// The other process makes records and writes them, of nobody's session: one that removes may meet
// the exception that the header admits.
void SimulatedWorld::ActElsewhere() {
  const Name name = names_[random_.Below(6)];
  const std::string data = "e" + std::to_string(++writes_);
  const auto there = backend_.find(name);
  if (there != backend_.end()) overwritten_.insert(there->second.data);
  if (there != backend_.end()) dead_.insert(there->second.data);
  const StoreReply written = there != backend_.end()
                                 ? Elsewhere(store::Put{name.key(), data, std::nullopt})
                                 : Elsewhere(store::Create{name.key(), data, kDay});
  backend_[name] = Seen{data, written.record.version};
}

StoreReply SimulatedWorld::Elsewhere(StoreCommand command) {
  inner_.Submit({1}, std::move(command), clock_.Now());
  std::vector<StoreReply> replies;
  inner_.Drain(&replies);
  return std::move(replies.at(0));
}

void SimulatedWorld::Collect() {
  std::vector<StoreReply> replies;
  store_->Drain(&replies);
  Look(nullptr);
  for (const StoreReply& reply : replies) {
    const auto found = open_.find(reply.ticket.number);
    ASSERT_NE(found, open_.end()) << "answered twice, or not asked";
    const Open open = std::move(found->second);
    open_.erase(found);
    Learn(open, reply);
  }
  const StoreState state = store_->Status().state;
  EXPECT_FALSE(state == StoreState::kConnected && store_->local_records() > 0);
}

void SimulatedWorld::Heal() {
  flaky_->Hold(false);
  flaky_->Deliver();
  flaky_->ComeBack();
  for (int i = 0; i < 200; ++i) {
    clock_.Advance(Millis{50});
    store_->Tick(clock_.Now());
    Collect();
  }
}

void SimulatedWorld::Judge() {
  EXPECT_TRUE(open_.empty()) << "not answered";
  EXPECT_EQ(store_->local_records(), 0u);
  EXPECT_EQ(store_->Status().state, StoreState::kConnected);
  const DegradingCounters& counters = store_->counters();
  EXPECT_EQ(counters.created, counters.moved + counters.lost + counters.removed + counters.expired);
  EXPECT_EQ(counters.expired, 0u);
  while (!local_.empty()) EndLocal(Name(local_.begin()->first));
  EXPECT_GE(counters.lost, missing_);
  EXPECT_LE(counters.lost, missing_ + unclear_);
}

}  // namespace mcp_session
