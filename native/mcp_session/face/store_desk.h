// StoreDesk: what the faces of a store share. Commands go in with somebody who waits for the
// answer; the desk submits them, drains the store, lets it tick, and tells whoever waits. Also
// the waiting for locks: of all who want the same one in this process, one asks the store.
//
// It belongs to one loop, like the store; everything is called and answered on the loop's thread.
#ifndef MCP_SESSION_FACE_STORE_DESK_H_
#define MCP_SESSION_FACE_STORE_DESK_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "mcp_session/base/entropy.h"
#include "mcp_session/face/operation.h"
#include "mcp_session/face/store_result.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class StoreDesk {
 public:
  using Answer = std::function<void(StoreReply reply)>;
  using LockAnswer = std::function<void(StoreResult<LockGrant> grant)>;

  // `store` and `entropy` must outlive the desk, which takes the store's OnReady and is the only
  // one to drain it. `executor` is the loop's.
  StoreDesk(SessionStore& store, boost::asio::any_io_executor executor, Entropy& entropy);
  // Whoever still waits is answered kCancelled, maybe_done, in a later turn of the loop.
  ~StoreDesk();
  StoreDesk(const StoreDesk&) = delete;
  StoreDesk& operator=(const StoreDesk&) = delete;

  // Submits the command; `answer` is called once, in a later turn of the loop. The number is for
  // Cancel.
  std::uint64_t Run(const MakeCommand& make, Answer answer);

  // Takes a lock, if need be by asking again, 10 to 250 ms apart with jitter, for up to
  // options.wait; then kLocked. Of those that wait for one lock the first asks, and the rest
  // follow in order.
  std::uint64_t Lock(RecordName name, LockOptions options, LockAnswer answer);

  // Somebody here gave a lock back: who waits for it need not wait longer.
  void Released(const RecordName& name);

  // Whoever waits for this is answered kCancelled, maybe_done, in a later turn; what the store
  // answers is dropped. A lock that is granted all the same is given back. Nothing if it was
  // answered already.
  void Cancel(std::uint64_t number);

  Entropy& entropy() const;
  StoreStatus Status() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

// Random, and not 0: a write id, a holder.
std::uint64_t DrawNumber(Entropy& entropy);

// How long to wait before the next try of an Update: 1 to 20 ms.
Millis DrawPause(Entropy& entropy);

// When LockGrant::valid_until is, for a lease that was asked for at `asked`.
Instant ValidUntil(Instant asked, Millis lease);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_STORE_DESK_H_
