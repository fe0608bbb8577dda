// SharedMemory: records in this process that several event loops use at once, each through a
// SharedMemoryStore of its own. The commands mean what they mean for a MemorySessionStore.
//
// The records are in shards, each with its lock. All records of an owner, and their locks and
// streams, are in one shard, so that shares and lists are exact; bearer records go by their id. A
// command holds the lock of its shard while it runs, for well under a microsecond; nothing waits
// for input or output under one.
#ifndef MCP_SESSION_MEMORY_SHARED_MEMORY_H_
#define MCP_SESSION_MEMORY_SHARED_MEMORY_H_

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/siphash.h"
#include "mcp_session/store/memory_options.h"
#include "mcp_session/store/memory_table.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class SharedMemoryStore;

class SharedMemory {
 public:
  // The limits are for all shards together. Several threads at once may exceed them by a record
  // each. Draws from `entropy` only here.
  SharedMemory(const MemoryStoreOptions& options, Entropy& entropy);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // From any thread. As of MemorySessionStore.
  std::size_t size() const { return records_.load(std::memory_order_relaxed); }
  std::size_t MemoryUse() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  friend class SharedMemoryStore;

  struct alignas(64) Shard {
    Shard(const MemoryStoreOptions& options, const SipKey& sip_key) : table(options, sip_key) {}
    // What a Get writes is in one line of the cache.
    std::mutex mutex;
    Instant now{std::numeric_limits<std::int64_t>::min()};  // the latest it was told
    Holdings counted;                                       // in the sums
    MemoryTable table;
    std::atomic<std::int64_t> deadline{kNever.millis};
  };

  Shard& ShardAt(std::uint64_t hash);
  Shard& ShardOf(const RecordKey& key);

  // The next three are for whoever holds the lock of the shard. Count is Leave where no reader can
  // have been answered.
  Instant Enter(Shard& shard, Instant now);
  void Count(Shard& shard);
  void Leave(Shard& shard, std::vector<AnsweredReader>* answered);

  // False: the command waits.
  bool Run(StoreCommand& command, StoreTicket ticket, std::uint64_t reader, Instant now,
           StoreReply* reply, std::vector<AnsweredReader>* answered);
  void Get(const store::Get& command, Instant now, StoreReply* reply);
  bool RunInShard(Shard& shard, StoreCommand& command, StoreTicket ticket, std::uint64_t reader,
                  Instant now, StoreReply* reply, std::vector<AnsweredReader>* answered);
  bool Reclaim(Instant now, std::vector<AnsweredReader>* answered);
  void RunRegenerate(const store::Regenerate& command, Instant now, StoreReply* reply,
                     std::vector<AnsweredReader>* answered);
  void Tick(Instant now, std::vector<AnsweredReader>* answered);
  Instant NextDeadline() const;

  // Stores by their number, for replies that one loop causes and another one waits for.
  std::uint64_t Register(SharedMemoryStore* store);
  void Unregister(std::uint64_t number);
  void Deliver(std::vector<AnsweredReader> answered);

  const SipKey sip_key_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::size_t> records_{0};  // the sums
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> anonymous_records_{0};
  std::atomic<std::size_t> anonymous_bytes_{0};
  std::atomic<std::int64_t> deadline_{kNever.millis};  // no shard has an earlier one
  std::atomic<std::size_t> next_tick_{0};              // where Tick looks first
  std::mutex stores_mutex_;
  std::unordered_map<std::uint64_t, SharedMemoryStore*> stores_;
  std::uint64_t last_store_ = 0;
};

class SharedMemoryStore final : public SessionStore {
 public:
  // `memory` must outlive this. What another loop has ready for this one is told by posting to
  // `executor`, which must outlive this too.
  SharedMemoryStore(SharedMemory& memory, boost::asio::any_io_executor executor);
  ~SharedMemoryStore() override;

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override;
  Instant NextDeadline() const override { return memory_.NextDeadline(); }
  void Tick(Instant now) override;
  StoreStatus Status() const override { return {.backend = "memory"}; }

 private:
  friend class SharedMemory;
  // What outlives the store when a post to its loop is still on its way.
  struct Inbox;

  void Collect(std::vector<AnsweredReader> answered);

  SharedMemory& memory_;
  std::shared_ptr<Inbox> inbox_;
  std::uint64_t number_;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_MEMORY_SHARED_MEMORY_H_
