#include "mcp_session/memory/shared_memory.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// More do not help: two of a handful of loops rarely meet, and what a command touches of a shard
// should still be in the cache from the last time.
constexpr std::size_t kShards = 16;

struct KeyOf {
  template <typename Command>
  RecordKey operator()(const Command& command) const {
    return command.key;
  }
  // Any of its keys would do: those of one owner share a shard.
  RecordKey operator()(const store::RemoveOwned& command) const { return {command.owner, {}, {}}; }
  RecordKey operator()(const store::List& command) const { return {command.owner, {}, {}}; }
  RecordKey operator()(const store::Regenerate& command) const { return command.from; }
};

// Which shard is no secret worth a strong hash: whoever finds names that share one only makes them
// wait for each other.
std::uint64_t Spread(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = seed ^ name.size();
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  for (; name.size() >= sizeof word; name.remove_prefix(sizeof word)) {
    std::memcpy(&word, name.data(), sizeof word);
    mix(word);
  }
  word = 0;
  for (const char c : name) word = word << 8 | static_cast<std::uint8_t>(c);
  mix(word);
  return hash;
}

void LowerTo(std::atomic<std::int64_t>& value, std::int64_t bound) {
  std::int64_t seen = value.load();
  while (bound < seen && !value.compare_exchange_weak(seen, bound)) {
  }
}

}  // namespace

SharedMemory::SharedMemory(const MemoryStoreOptions& options, Entropy& entropy)
    : sip_key_(MakeSipKey(entropy)) {
  for (std::size_t i = 0; i < kShards; ++i) {
    Shard& shard = *shards_.emplace_back(std::make_unique<Shard>(options, sip_key_));
    shard.counted = shard.table.holdings();
    bytes_ += shard.counted.bytes;
  }
}

SharedMemory::Shard& SharedMemory::ShardAt(std::uint64_t hash) { return *shards_[hash % kShards]; }

SharedMemory::Shard& SharedMemory::ShardOf(const RecordKey& key) {
  if (!key.owner.empty()) return ShardAt(Spread(sip_key_.k0, key.owner));
  if (!IsStorable(key)) return ShardAt(0);  // it is in none, and each says so
  return ShardAt(PackedKey(sip_key_, key).hash());
}

Instant SharedMemory::Enter(Shard& shard, Instant now) {
  const Holdings& here = shard.counted;
  const auto elsewhere = [](const std::atomic<std::size_t>& sum, std::size_t counted) {
    return sum.load(std::memory_order_relaxed) - counted;
  };
  shard.table.SetElsewhere(
      {.records = elsewhere(records_, here.records),
       .bytes = elsewhere(bytes_, here.bytes),
       .anonymous_records = elsewhere(anonymous_records_, here.anonymous_records),
       .anonymous_bytes = elsewhere(anonymous_bytes_, here.anonymous_bytes)});
  shard.now = std::max(shard.now, now);  // the loops do not look at the clock in turn
  return shard.now;
}

void SharedMemory::Leave(Shard& shard, std::vector<AnsweredReader>* answered) {
  Count(shard);
  if (shard.table.has_answered()) shard.table.TakeAnswered(answered);
}

void SharedMemory::Count(Shard& shard) {
  const Holdings here = shard.table.holdings();
  const Holdings& before = shard.counted;
  const auto count = [](std::atomic<std::size_t>& sum, std::size_t now, std::size_t then) {
    // Unsigned arithmetic wraps, and adds what is less than nothing all the same.
    if (now != then) sum.fetch_add(now - then);
  };
  count(records_, here.records, before.records);
  count(bytes_, here.bytes, before.bytes);
  count(anonymous_records_, here.anonymous_records, before.anonymous_records);
  count(anonymous_bytes_, here.anonymous_bytes, before.anonymous_bytes);
  shard.counted = here;
  const std::int64_t deadline = shard.table.NextDeadline().millis;
  if (deadline != shard.deadline.load(std::memory_order_relaxed)) {
    shard.deadline.store(deadline);  // before deadline_, as Tick looks at them
    LowerTo(deadline_, deadline);
  }
}

void SharedMemory::Get(const store::Get& command, Instant now, StoreReply* reply) {
  if (!IsStorable(command.key)) {
    reply->error = ErrorCode::kNotFound;
    return;
  }
  const PackedKey key(sip_key_, command.key);
  Shard& shard = command.key.owner.empty() ? ShardAt(key.hash()) : ShardOf(command.key);
  const std::lock_guard lock(shard.mutex);
  shard.now = std::max(shard.now, now);
  reply->error = shard.table.Get(key, shard.now, reply->record);
  // Most of them change nothing that is counted.
  if (shard.table.size() != shard.counted.records) Count(shard);
}

bool SharedMemory::Run(StoreCommand& command, StoreTicket ticket, std::uint64_t reader, Instant now,
                       StoreReply* reply, std::vector<AnsweredReader>* answered) {
  if (const auto* regenerate = std::get_if<store::Regenerate>(&command)) {
    RunRegenerate(*regenerate, now, reply, answered);
    return true;
  }
  Shard& shard = ShardOf(std::visit(KeyOf(), command));
  const bool is_answered = RunInShard(shard, command, ticket, reader, now, reply, answered);
  // The room may be with the dead of other shards. A command that was refused is still whole.
  if (reply->error == ErrorCode::kCapacity && Reclaim(now, answered)) {
    return RunInShard(shard, command, ticket, reader, now, reply, answered);
  }
  return is_answered;
}

bool SharedMemory::RunInShard(Shard& shard, StoreCommand& command, StoreTicket ticket,
                              std::uint64_t reader, Instant now, StoreReply* reply,
                              std::vector<AnsweredReader>* answered) {
  const std::lock_guard lock(shard.mutex);
  const bool is_answered = shard.table.Run(command, ticket, reader, Enter(shard, now), reply);
  Leave(shard, answered);
  return is_answered;
}

bool SharedMemory::Reclaim(Instant now, std::vector<AnsweredReader>* answered) {
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    const bool has_freed = shard->table.Reclaim(Enter(*shard, now));
    Leave(*shard, answered);
    if (has_freed) return true;
  }
  return false;
}

void SharedMemory::RunRegenerate(const store::Regenerate& command, Instant now, StoreReply* reply,
                                 std::vector<AnsweredReader>* answered) {
  Shard& source = ShardOf(command.from);
  Shard& target = ShardOf(command.to);
  std::unique_lock first(source.mutex, std::defer_lock);
  std::unique_lock second(target.mutex, std::defer_lock);
  if (&source == &target) {
    first.lock();
  } else {
    std::lock(first, second);
  }
  now = std::max(Enter(source, now), Enter(target, now));
  source.now = target.now = now;
  reply->error = Regenerate(source.table, target.table, command, now, reply);
  Leave(source, answered);
  if (&source != &target) Leave(target, answered);
}

void SharedMemory::Tick(Instant now, std::vector<AnsweredReader>* answered) {
  // What a shard's deadline becomes after it was looked at here lowers this again.
  deadline_.store(kNever.millis);
  // One shard in a call: a million records that die at once must not hold up a loop.
  const std::size_t start = next_tick_.load(std::memory_order_relaxed);
  bool is_done = false;
  for (std::size_t i = 0; i < kShards; ++i) {
    Shard& shard = *shards_[(start + i) % kShards];
    if (!is_done && shard.deadline.load() <= now.millis) {
      const std::lock_guard lock(shard.mutex);
      shard.table.Tick(Enter(shard, now));
      Leave(shard, answered);
      next_tick_.store(start + i + 1, std::memory_order_relaxed);
      is_done = true;
    }
    LowerTo(deadline_, shard.deadline.load());
  }
}

Instant SharedMemory::NextDeadline() const {
  return Instant{deadline_.load(std::memory_order_relaxed)};
}

struct SharedMemoryStore::Inbox {
  explicit Inbox(boost::asio::any_io_executor loop) : executor(std::move(loop)) {}
  const boost::asio::any_io_executor executor;
  std::function<void()> ready;  // on the loop only
  std::mutex mutex;
  std::vector<StoreReply> replies;
  std::atomic<bool> told{false};  // there are some; until the next Drain
};

std::uint64_t SharedMemory::Register(SharedMemoryStore* store) {
  const std::lock_guard lock(stores_mutex_);
  stores_.emplace(++last_store_, store);
  return last_store_;
}

void SharedMemory::Unregister(std::uint64_t number) {
  const std::lock_guard lock(stores_mutex_);
  stores_.erase(number);
}

void SharedMemory::Deliver(std::vector<AnsweredReader> answered) {
  for (AnsweredReader& each : answered) {
    std::shared_ptr<SharedMemoryStore::Inbox> inbox;
    {
      const std::lock_guard lock(stores_mutex_);
      const auto at = stores_.find(each.reader);
      if (at == stores_.end()) continue;  // nobody waits any more
      inbox = at->second->inbox_;
    }
    const std::lock_guard lock(inbox->mutex);
    inbox->replies.push_back(std::move(each.reply));
    if (inbox->told.exchange(true)) continue;
    boost::asio::post(inbox->executor, [inbox] {
      if (inbox->ready) inbox->ready();
    });
  }
}

SharedMemoryStore::SharedMemoryStore(SharedMemory& memory, boost::asio::any_io_executor executor)
    : memory_(memory),
      inbox_(std::make_shared<Inbox>(std::move(executor))),
      number_(memory.Register(this)) {}

SharedMemoryStore::~SharedMemoryStore() {
  memory_.Unregister(number_);
  inbox_->ready = nullptr;
}

void SharedMemoryStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  StoreReply& reply = replies_.emplace_back();
  reply.ticket = ticket;
  // First what there is most of.
  if (const auto* get = std::get_if<store::Get>(&command)) return memory_.Get(*get, now, &reply);
  std::vector<AnsweredReader> answered;
  if (!memory_.Run(command, ticket, number_, now, &reply, &answered)) replies_.pop_back();
  if (!answered.empty()) Collect(std::move(answered));
}

void SharedMemoryStore::Drain(std::vector<StoreReply>* replies) {
  if (replies->empty()) {
    replies->swap(replies_);  // so that the two take turns, and neither allocates for long
  } else {
    std::move(replies_.begin(), replies_.end(), std::back_inserter(*replies));
    replies_.clear();
  }
  if (!inbox_->told) return;
  const std::lock_guard lock(inbox_->mutex);
  inbox_->told = false;
  std::move(inbox_->replies.begin(), inbox_->replies.end(), std::back_inserter(*replies));
  inbox_->replies.clear();
}

void SharedMemoryStore::OnReady(std::function<void()> ready) { inbox_->ready = std::move(ready); }

void SharedMemoryStore::Tick(Instant now) {
  std::vector<AnsweredReader> answered;
  memory_.Tick(now, &answered);
  if (!answered.empty()) Collect(std::move(answered));
}

// What this loop caused for itself is in its hands already; the rest is told.
void SharedMemoryStore::Collect(std::vector<AnsweredReader> answered) {
  std::vector<AnsweredReader> others;
  for (AnsweredReader& each : answered) {
    if (each.reader == number_) {
      replies_.push_back(std::move(each.reply));
    } else {
      others.push_back(std::move(each));
    }
  }
  memory_.Deliver(std::move(others));
}

}  // namespace mcp_session
