// AwaitableStore: a store for coroutines of Boost.Asio.
//
//   StoreResult<Record> found = co_await store.Get({.owner = "p", .kind = "cart", .id = id});
//
// The rules are those of store.h, and nothing is added to them but what is said here: a write that
// gives no write_id has one drawn for it, Update is a loop of Get and Put, and one may wait for a
// lock. How long an answer may take is up to the store.
//
// Any number of coroutines may call it at once, all of them on the thread of one loop, the one the
// store belongs to. A call that is cancelled as Asio cancels (a cancellation slot, operator ||)
// answers kCancelled, maybe_done. So does every open call when this is destroyed.
#ifndef MCP_SESSION_FACE_AWAITABLE_STORE_H_
#define MCP_SESSION_FACE_AWAITABLE_STORE_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/face/operation.h"
#include "mcp_session/face/store_desk.h"
#include "mcp_session/face/store_result.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class AwaitableStore {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<StoreResult<T>>;

  // `store` and `entropy` must outlive this, which takes the store's OnReady and is the only one
  // to submit to it and drain it. `executor` is the loop's.
  AwaitableStore(SessionStore& store, boost::asio::any_io_executor executor, Entropy& entropy);
  AwaitableStore(const AwaitableStore&) = delete;
  AwaitableStore& operator=(const AwaitableStore&) = delete;

  Awaitable<Record> Create(RecordName name, std::string data, Lifetime lifetime,
                           std::uint64_t write_id = 0);
  Awaitable<Record> Get(RecordName name);
  Awaitable<Record> Put(RecordName name, std::string data, std::optional<std::uint64_t> expected,
                        WriteOptions options = {});
  Awaitable<Done> Touch(RecordName name);
  // Whether there was one.
  Awaitable<bool> Remove(RecordName name, std::optional<std::uint64_t> expected = std::nullopt,
                         std::uint64_t fence = 0);
  Awaitable<Record> Take(RecordName name);
  Awaitable<Record> Regenerate(RecordName from, RecordName to, std::uint64_t write_id = 0);
  // How many there were.
  Awaitable<std::uint64_t> RemoveOwned(std::string owner);
  Awaitable<RecordPage> List(std::string owner, std::string kind, std::string cursor = {},
                             std::size_t limit = 100);
  // The sequence of the event.
  Awaitable<std::uint64_t> Append(RecordName name, std::string data, std::size_t keep = 256);
  Awaitable<std::vector<StreamEvent>> ReadEvents(RecordName name, std::uint64_t after,
                                                 std::size_t limit = 100, Millis wait = Millis{0});

  // Reads the record, lets `change` say what it is to be, and puts that if nobody else wrote
  // meanwhile; else again after 1 to 20 ms, up to kUpdateTries times, then kConflict. Answers the
  // record as it is then; as it was read, if `change` wants nothing changed. `change` may be called
  // several times and should have no other effect.
  Awaitable<Record> Update(RecordName name, UpdateFunction change, std::uint64_t fence = 0);

  // Takes a lock. It ends with its lease: nothing gives it back for you when a coroutine ends.
  Awaitable<LockGrant> Lock(RecordName name, LockOptions options = {});
  // Holds it for `lease` from now on; the grant with its new end.
  Awaitable<LockGrant> Extend(RecordName name, LockGrant grant, Millis lease);
  Awaitable<Done> Unlock(RecordName name, LockGrant grant);

  StoreStatus Status() const { return desk_->Status(); }

 private:
  std::uint64_t WriteId(std::uint64_t given) {
    return given != 0 ? given : DrawNumber(desk_->entropy());
  }

  boost::asio::any_io_executor executor_;
  std::shared_ptr<StoreDesk> desk_;  // whoever waits refers to it weakly
};

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_AWAITABLE_STORE_H_
