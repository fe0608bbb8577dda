// SessionStore: where sessions and state handles live, one interface and one contract for memory,
// SQLite and Redis. tests/store/contract holds every implementation to each sentence below.
//
// A store is a queue in, a queue out. Submit starts a command and never answers; Drain collects
// the answers. A backend in memory has them ready at once, one behind a network when they come.
// Nothing in a store calls back into the one who uses it, blocks, or reads a clock of its own
// while it serves a command in memory, so the same engine code runs on an event loop and in a
// browser. Programs that only want to read and write a record use one of the faces built on this
// (docs/session-store.md).
//
// Threads: one. A store belongs to the loop that submits to it. Several stores may share what is
// behind them.
//
// The contract:
//  1. Every command is answered by exactly one reply, with the ticket it came with, and only by
//     Drain. Replies to commands on one key come in the order the commands were submitted, but for
//     a ReadEvents that waits.
//  2. Only Create creates. It never overwrites a live record (kExists). All else answers kNotFound
//     for a record that is not there and never brings one back; Regenerate needs a live one.
//  3. A record has a version, which grows with each Put and is never used again for its key,
//     neither after Remove nor after expiry. A Put that names another version than the current
//     one answers kConflict with the current record and changes nothing. So does a Remove.
//  4. A key is (owner, kind, id). Another owner's record does not exist, in every respect.
//  5. A record is alive while now < its end. The end is the sooner of (last access + idle_ttl)
//     and (creation + max_life). Get, Put and Touch are accesses; Get may be lazy: it need not
//     move the end while more than nine tenths of idle_ttl are left. No access moves the end back,
//     or past creation + max_life. Put and Touch change neither idle_ttl nor max_life.
//  6. A record that is dead, expired or removed is kNotFound, nothing to Remove and RemoveOwned
//     (7), free for Create, and is not listed, from that moment on, whether or not its memory was
//     freed yet. For Lifetime::remember after its end by time it is kExpired instead of kNotFound,
//     unless something ended it before or replaced it since; all the rest stays as said. It may
//     be forgotten sooner: after a Remove or RemoveOwned that came too late, or to make room.
//  7. Remove and RemoveOwned answer how many records they ended; ending none is no error.
//  8. kNotFound means the backend said so. A backend that did not answer is kUnavailable; it may
//     have done what it was asked if the reply says maybe_done. One that refuses us is
//     kMisconfigured, a record that cannot be read kCorrupt.
//  9. Over a limit: kTooLarge (one record or event; said before anything else is looked at),
//     kCapacity (the store, or one owner's share). No live record is ever dropped to make room
//     for another.
// 10. Data is bytes, NULs included, and comes back as it was put.
// 11. A write that comes again is done once: a Create, Put or Regenerate whose write_id is not 0
//     and is the one of the record's last write is answered with the record, and nothing changes.
//     This is looked at before the fence, and that before the version. (A Regenerate is the last
//     write of the record under its new key.)
// 12. One holder has a lock until its lease is over. Tokens of one key grow with each Lock and are
//     never used again. From the moment a lock is granted, a Put or Remove of its record with an
//     older token (not 0) is kFenced and changes nothing; that holds for a record that is created
//     while the lock is held as well.
// 13. The stream of a record lives and ends with it. Sequences grow by one from event to event and
//     are never used again for the key. ReadEvents is complete or says kGap.
#ifndef MCP_SESSION_STORE_STORE_H_
#define MCP_SESSION_STORE_STORE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

// Whether what is behind a store answers. What each means for health, metrics and log is in
// docs/session-store.md.
enum class StoreState : std::uint8_t {
  kConnected,      // commands are carried out
  kConnecting,     // not yet, or not again; commands wait for it until their deadline
  kUnavailable,    // commands are answered kUnavailable until it is back
  kMisconfigured,  // it refuses us; a human has to look (rule 8)
  kDegraded,       // new records live in this process until the backend is back
};

struct StoreStatus {
  StoreState state = StoreState::kConnected;
  std::string backend;  // "memory", "redis", "sqlite"
  std::string reason;   // why it is not kConnected, in words; no secret and no id
};

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  // Starts a command. `now` never goes back from call to call.
  virtual void Submit(StoreTicket ticket, StoreCommand command, Instant now) = 0;

  // Appends the replies that are ready.
  virtual void Drain(std::vector<StoreReply>* replies) = 0;

  // `ready` is called when there are replies that came neither in Submit nor in Tick, once until
  // the next Drain: on the loop's thread, and never from inside a call to the store. Set it before
  // the first Submit.
  virtual void OnReady(std::function<void()> ready) = 0;

  // When Tick wants to be called next; kNever if there is nothing to do.
  virtual Instant NextDeadline() const = 0;

  // What is due: frees the memory of dead records, a bounded number at a time, and answers what
  // waited long enough.
  virtual void Tick(Instant now) = 0;

  // As far as it knows, without asking.
  virtual StoreStatus Status() const = 0;
};

// "connected", "connecting", "unavailable", "misconfigured", "degraded".
std::string_view StateName(StoreState state);

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_STORE_H_
