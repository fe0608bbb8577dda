// BlockingStore: a store for plain C++ code: call, wait, have the answer.
//
//   StoreResult<Record> found = store->Get({.owner = "p", .kind = "cart", .id = id});
//
// The rules are those of store.h and of AwaitableStore, with one more: a call that is not answered
// within its deadline answers kUnavailable; maybe_done, if the store had been asked by then.
//
// Any number of threads may call it at once. The store itself lives on a thread of its own, with
// its loop, for as long as this does; whoever destroys this waits for that thread, and no call may
// be open then.
#ifndef MCP_SESSION_FACE_BLOCKING_STORE_H_
#define MCP_SESSION_FACE_BLOCKING_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/face/operation.h"
#include "mcp_session/face/store_result.h"
#include "mcp_session/store/store.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

class BlockingStore;

// A lock that is given back when this goes out of scope, if its lease is not over before: a call
// to the store, with the store's deadline. Must not outlive the store. One thread at a time.
class ScopedLock {
 public:
  ScopedLock(BlockingStore& store, RecordName name, LockGrant grant);
  ~ScopedLock();
  ScopedLock(ScopedLock&& other) noexcept;
  ScopedLock& operator=(ScopedLock&&) = delete;

  // For WriteOptions::fence.
  std::uint64_t token() const { return grant_.token; }
  // Whether nobody else can have it yet; see LockGrant::valid_until.
  bool valid() const;

  // Holds it for `lease` from now on. kLockLost: it is somebody else's, or nobody's.
  StoreResult<Done> Extend(Millis lease);
  // Gives it back now. kLockLost as above.
  StoreResult<Done> Unlock();

 private:
  BlockingStore* store_;  // null: given back, or moved from
  RecordName name_;
  LockGrant grant_;
};

class BlockingStore {
 public:
  // Makes the store that is to live on `loop`, or says why not.
  using MakeStore =
      std::function<Result<std::unique_ptr<SessionStore>>(boost::asio::io_context& loop)>;

  // Calls `make`, then starts the thread. `entropy` must outlive the store. `deadline` is what a
  // call may take.
  static Result<std::unique_ptr<BlockingStore>> Open(const MakeStore& make, Entropy& entropy,
                                                     Millis deadline = Seconds(5));
  ~BlockingStore();
  BlockingStore(const BlockingStore&) = delete;
  BlockingStore& operator=(const BlockingStore&) = delete;

  StoreResult<Record> Create(RecordName name, std::string data, Lifetime lifetime,
                             std::uint64_t write_id = 0);
  StoreResult<Record> Get(RecordName name);
  StoreResult<Record> Put(RecordName name, std::string data, std::optional<std::uint64_t> expected,
                          WriteOptions options = {});
  StoreResult<Done> Touch(RecordName name);
  // Whether there was one.
  StoreResult<bool> Remove(RecordName name, std::optional<std::uint64_t> expected = std::nullopt,
                           std::uint64_t fence = 0);
  StoreResult<Record> Take(RecordName name);
  StoreResult<Record> Regenerate(RecordName from, RecordName to, std::uint64_t write_id = 0);
  // How many there were.
  StoreResult<std::uint64_t> RemoveOwned(std::string owner);
  StoreResult<RecordPage> List(std::string owner, std::string kind, std::string cursor = {},
                               std::size_t limit = 100);
  // The sequence of the event.
  StoreResult<std::uint64_t> Append(RecordName name, std::string data, std::size_t keep = 256);
  // Its deadline is later by `wait`.
  StoreResult<std::vector<StreamEvent>> ReadEvents(RecordName name, std::uint64_t after,
                                                   std::size_t limit = 100,
                                                   Millis wait = Millis{0});

  // As AwaitableStore::Update; `change` is called on the caller's thread, and each call of the
  // store that it takes has its own deadline.
  StoreResult<Record> Update(RecordName name, const UpdateFunction& change,
                             std::uint64_t fence = 0);

  // Takes a lock. Its deadline is later by options.wait.
  StoreResult<ScopedLock> Lock(RecordName name, LockOptions options = {});

  StoreStatus Status() const;

 private:
  friend class ScopedLock;
  class State;
  explicit BlockingStore(std::unique_ptr<State> state);

  template <typename T>
  StoreResult<T> Run(Operation<T> operation, Millis extra = Millis{0});
  std::uint64_t WriteId(std::uint64_t given);

  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_BLOCKING_STORE_H_
