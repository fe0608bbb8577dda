// Bugs in locks, streams, write ids, lists, and in how replies come.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/store/mutants/mutant_store.h"

namespace mcp_session {
namespace {

template <typename Made>
NamedBug NewBug(std::string name) {
  return {std::move(name), [] { return std::make_unique<Made>(); }};
}

// Unlock, Extend or both by anybody.
template <typename Command>
class AnyHolder final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto* concrete = std::get_if<Command>(&command);
    if (concrete == nullptr) return;
    const auto holder = holders_.find(Own(concrete->key));
    if (holder != holders_.end()) concrete->holder = holder->second;
  }
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const auto* lock = std::get_if<store::Lock>(&command);
    if (lock != nullptr && !reply.error) holders_[Own(lock->key)] = lock->holder;
  }

 private:
  std::map<OwnedKey, std::uint64_t> holders_;
};

class LockIsShared final : public Bug {
 public:
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    if (reply.error != ErrorCode::kLocked) return;
    reply.error.reset();
    reply.fence = 1'000'000 + next_++;
  }

 private:
  std::uint64_t next_ = 0;
};

class LockOutlivesItsLease final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (auto* lock = std::get_if<store::Lock>(&command)) {
      if (lock->lease > Millis{} && lock->lease < kMaxLease) ++lock->lease.count;
    }
  }
};

class LockAgainIsANewLock final : public Bug {
 public:
  void Before(StoreCommand& command, const Run& run) override {
    if (const auto* lock = std::get_if<store::Lock>(&command)) {
      run(store::Unlock{lock->key, lock->holder});
    }
  }
};

class TokensAreUsedAgain final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (auto* put = std::get_if<store::Put>(&command)) put->fence = 0;
    if (auto* remove = std::get_if<store::Remove>(&command)) remove->fence = 0;
  }
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    if (reply.fence != 0) reply.fence = 1;
  }
};

template <typename Command>
class FenceIgnored final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (auto* concrete = std::get_if<Command>(&command)) concrete->fence = 0;
  }
};

// Grants stamp records that are there; whoever creates one does not ask for the lock.
class NewRecordsAreNotFenced final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto* put = std::get_if<store::Put>(&command);
    if (put != nullptr && new_.contains(Own(put->key))) put->fence = 0;
  }
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    if (reply.error) return;
    if (const auto* create = std::get_if<store::Create>(&command)) new_.insert(Own(create->key));
    if (const auto* lock = std::get_if<store::Lock>(&command)) new_.erase(Own(lock->key));
  }

 private:
  std::set<OwnedKey> new_;
};

class LocksWantNoOtherWriters final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    if (reply.error) return;
    if (const auto* lock = std::get_if<store::Lock>(&command)) locked_.insert(Own(lock->key));
    if (const auto* unlock = std::get_if<store::Unlock>(&command)) {
      locked_.erase(Own(unlock->key));
    }
    const auto* put = std::get_if<store::Put>(&command);
    if (put == nullptr || put->fence != 0 || !locked_.contains(Own(put->key))) return;
    reply.error = ErrorCode::kFenced;
    reply.record = {};
  }

 private:
  std::set<OwnedKey> locked_;
};

template <typename Command>
class WriteIdIgnored final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (auto* concrete = std::get_if<Command>(&command)) concrete->write_id = 0;
  }
};

// Knows every write id it ever saw.
class WriteIdsForEver final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    const auto* put = std::get_if<store::Put>(&command);
    if (put == nullptr || put->write_id == 0) return;
    const RecordKey key = put->key;
    if (!seen_.insert({Own(key), put->write_id}).second) command = store::Get{key};
  }

 private:
  std::set<std::pair<OwnedKey, std::uint64_t>> seen_;
};

class GapIsNotTold final : public Bug {
 public:
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    if (reply.error != ErrorCode::kGap) return;
    reply.error.reset();
    reply.sequence = 0;
  }
};

class GapSkipsOne final : public Bug {
 public:
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    if (reply.error == ErrorCode::kGap) ++reply.sequence;
  }
};

class KeepIgnored final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto* append = std::get_if<store::Append>(&command);
    if (append != nullptr && append->keep > 0 && append->keep < kMaxEventLimit) {
      append->keep = kMaxEventLimit;
    }
  }
};

class EventsEndAtNul final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (auto* append = std::get_if<store::Append>(&command)) append->data = append->data.c_str();
  }
};

class AppendIsAnAccess final : public Bug {
 public:
  void Before(StoreCommand& command, const Run& run) override {
    if (const auto* append = std::get_if<store::Append>(&command)) run(store::Touch{append->key});
  }
};

// Counts the events of every record from 1.
class SequencesFromOne final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto* read = std::get_if<store::ReadEvents>(&command);
    if (read != nullptr && read->after > 0 && read->after < std::uint64_t{1} << 40) {
      read->after += base_[Own(read->key)];
    }
  }
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key == nullptr || reply.error == ErrorCode::kNotFound) return;
    const OwnedKey own = Own(*key);
    if (std::holds_alternative<store::Create>(command) && !reply.error) base_.erase(own);
    if (std::holds_alternative<store::Append>(command) && !reply.error) {
      base_.emplace(own, reply.sequence - 1);
    }
    const auto base = base_.find(own);
    if (base == base_.end()) return;
    if (reply.sequence >= base->second) reply.sequence -= base->second;
    for (StreamEvent& event : reply.events) event.sequence -= base->second;
  }

 private:
  std::map<OwnedKey, std::uint64_t> base_;
};

class NobodyWaits final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto* read = std::get_if<store::ReadEvents>(&command);
    if (read != nullptr && read->wait > Millis{} && read->wait <= kMaxEventWait) read->wait = {};
  }
};

// Keeps back what comes for whoever waits, until their time is over.
class NobodyIsWoken final : public Bug {
 public:
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    answered_.insert(reply.ticket.number);
  }
  void Drain(std::vector<StoreReply>& replies) override {
    std::erase_if(replies, [this](const StoreReply& reply) {
      return !reply.events.empty() && !answered_.contains(reply.ticket.number);
    });
    answered_.clear();
  }

 private:
  std::set<std::uint64_t> answered_;
};

class ListSkipsOne final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    if (std::holds_alternative<store::List>(command) && !reply.cursor.empty() &&
        reply.listed.size() > 1) {
      reply.listed.pop_back();
    }
  }
};

class ListDoublesOne final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const auto* list = std::get_if<store::List>(&command);
    if (list == nullptr || list->limit < 2 || reply.listed.empty()) return;
    if (!list->cursor.empty()) reply.listed.back() = last_;
    last_ = reply.listed.back();
  }

 private:
  Record last_;
};

class ListSortsByVersion final : public Bug {
 public:
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    std::sort(reply.listed.begin(), reply.listed.end(),
              [](const Record& a, const Record& b) { return a.version < b.version; });
  }
};

class TooLargeComesLast final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* put = std::get_if<store::Put>(&command);
    if (put == nullptr || reply.error != ErrorCode::kTooLarge) return;
    if (run(store::Get{put->key}).error) reply.error = ErrorCode::kNotFound;
  }
};

// Every fiftieth reply is lost, doubled, or comes after the next one.
class RepliesGoWrong final : public Bug {
 public:
  enum Way { kLost, kDoubled, kReordered };
  explicit RepliesGoWrong(Way way) : way_(way) {}
  void Drain(std::vector<StoreReply>& replies) override {
    if (way_ == kReordered) {
      std::reverse(replies.begin(), replies.end());
      return;
    }
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (++count_ % 50 != 0) continue;
      if (way_ == kDoubled) replies.push_back(replies[i]);
      if (way_ == kLost) replies.erase(replies.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

 private:
  Way way_;
  int count_ = 0;
};

NamedBug WrongReplies(std::string name, RepliesGoWrong::Way way) {
  return {std::move(name), [way] { return std::make_unique<RepliesGoWrong>(way); }};
}

}  // namespace

std::vector<NamedBug> BugsInExtras() {
  return {
      NewBug<AnyHolder<store::Unlock>>("UnlockByAnybody"),
      NewBug<AnyHolder<store::Extend>>("ExtendByAnybody"),
      NewBug<LockIsShared>("LockIsShared"),
      NewBug<LockOutlivesItsLease>("LockOutlivesItsLease"),
      NewBug<LockAgainIsANewLock>("LockAgainIsANewLock"),
      NewBug<TokensAreUsedAgain>("TokensAreUsedAgain"),
      NewBug<FenceIgnored<store::Put>>("FenceIgnoredByPut"),
      NewBug<FenceIgnored<store::Remove>>("FenceIgnoredByRemove"),
      NewBug<NewRecordsAreNotFenced>("NewRecordsAreNotFenced"),
      NewBug<LocksWantNoOtherWriters>("LocksWantNoOtherWriters"),
      NewBug<WriteIdIgnored<store::Create>>("WriteIdIgnoredByCreate"),
      NewBug<WriteIdIgnored<store::Put>>("WriteIdIgnoredByPut"),
      NewBug<WriteIdIgnored<store::Regenerate>>("WriteIdIgnoredByRegenerate"),
      NewBug<WriteIdsForEver>("WriteIdsForEver"),
      NewBug<GapIsNotTold>("GapIsNotTold"),
      NewBug<GapSkipsOne>("GapSkipsOne"),
      NewBug<KeepIgnored>("KeepIgnored"),
      NewBug<EventsEndAtNul>("EventsEndAtNul"),
      NewBug<AppendIsAnAccess>("AppendIsAnAccess"),
      NewBug<SequencesFromOne>("SequencesFromOne"),
      NewBug<NobodyWaits>("NobodyWaits"),
      NewBug<NobodyIsWoken>("NobodyIsWoken"),
      NewBug<ListSkipsOne>("ListSkipsOne"),
      NewBug<ListDoublesOne>("ListDoublesOne"),
      NewBug<ListSortsByVersion>("ListSortsByVersion"),
      NewBug<TooLargeComesLast>("TooLargeComesLast"),
      WrongReplies("RepliesAreLost", RepliesGoWrong::kLost),
      WrongReplies("RepliesAreDoubled", RepliesGoWrong::kDoubled),
      WrongReplies("RepliesAreReordered", RepliesGoWrong::kReordered),
  };
}

}  // namespace mcp_session
