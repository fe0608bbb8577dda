// DegradingStore: a store that goes on taking new records while the one behind it is away, for
// servers that must greet people even then. It keeps them in memory and moves them when the backend
// is back. Everybody else's records are with the backend, and wait for it.
//
//   backend                 a Create             local records       other records
//   connected               backend              are being moved     backend
//   connecting              backend              local               backend (which waits)
//   unavailable             local                local               kUnavailable
//   connecting after that   local                local               kUnavailable
//   misconfigured           kMisconfigured       local               kMisconfigured
//
// What it promises, besides the contract of SessionStore:
//  * A record of the backend is never overwritten. If there is one with the key of a local record
//    when that is moved, the backend's stays; the local one is counted as lost, and logged.
//  * What was removed does not come back. Removing a record of the backend while it is away is
//    refused (kUnavailable): nothing is remembered that might be undone.
//  * Of every acknowledged local record it is known what became of it: it is there, was removed,
//    ended by time, or is counted as lost.
// And what it cannot:
//  * Local records die with the process, and other processes do not see them.
//  * Locks and streams need the backend: on local records Lock, Append and ReadEvents are
//    kUnavailable. So is List while the backend is away, or for an owner who has local records; but
//    an owner who is a local record himself (a session that was born here) owns nothing elsewhere.
//  * For the moment of its move, and if nobody knows whether a move was done, until that is known,
//    a local record can be read but not written (kUnavailable, not done).
//  * A Create whose outcome is unknown and that comes again while the backend is away makes a local
//    record that can be written but not removed, taken or given another key (kUnavailable, not
//    done) before it was moved: the backend may have it. If the two tries went through two
//    processes nobody knows, and what is removed here may be there.
//  * Versions of local records are from a range of their own, above the backend's, and end with the
//    move: a Put with one is kConflict from then on, with the record. The move counts as an access.
//  * A move whose outcome is unknown is made again. If another process has removed the record in
//    between, it comes back: the one exception to the second promise.
#ifndef MCP_SESSION_FALLBACK_DEGRADING_STORE_H_
#define MCP_SESSION_FALLBACK_DEGRADING_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/slot_map.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

// What became of local records, since the start.
struct DegradingCounters {
  std::uint64_t created = 0;  // local records that were acknowledged
  std::uint64_t moved = 0;    // to the backend
  std::uint64_t lost = 0;     // the backend had its own, or does not take it
  std::uint64_t removed = 0;  // by their owners, before they were moved
  std::uint64_t expired = 0;
  std::uint64_t refused = 0;  // commands on other records while the backend was away
};

struct DegradingOptions {
  MemoryStoreOptions local;  // the limits of the memory
  // Hears when the state changes, and of what was lost; may be empty.
  std::function<void(std::string_view line)> log;
  // The owner that a record is itself, as a session is of what is made in it; empty: none. As long
  // as the record is nowhere but here, all that this owner has is local, so what is not there is
  // known not to be. May be empty.
  std::function<std::string(const RecordKey& key)> owner_that_is;
};

class DegradingStore final : public SessionStore {
 public:
  // `entropy` must outlive the store.
  DegradingStore(std::unique_ptr<SessionStore> backend, DegradingOptions options, Entropy& entropy);

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override { backend_->OnReady(std::move(ready)); }
  Instant NextDeadline() const override;
  void Tick(Instant now) override;
  // kDegraded from when the backend is unavailable until it is connected and all is moved.
  StoreStatus Status() const override;

  const DegradingCounters& counters() const { return counters_; }
  // Local records that are not moved yet.
  std::size_t local_records() const { return records_.size(); }

 private:
  enum class Phase : std::uint8_t { kNormal, kAway, kMoving };

  struct LocalRecord {
    std::string owner;
    std::string kind;
    std::string id;
    Lifetime lifetime;
    std::uint64_t write_id = 0;  // of the Create that moves it
    Instant ends_at{};           // at the latest
    Instant last_end = kNever;
    std::string owns;                         // the owner that it is
    bool moving = false;                      // a command that moves it is under way
    bool maybe_moved = false;                 // one was, and nobody knows what became of it
    bool maybe_there = false;                 // the same of the caller's own Create, before
    std::shared_ptr<const std::string> sent;  // the data of it

    RecordKey key() const { return {owner, kind, id}; }
    bool writable() const { return !moving && !maybe_moved; }
    bool removable() const { return writable() && !maybe_there; }
  };
  using Records = std::map<std::string, LocalRecord>;  // by PackKey

  // Of a command that the backend has.
  struct Passed {
    StoreTicket ticket;         // the caller's; or
    std::string move;           // the record that is moved by it
    std::uint64_t removed = 0;  // locally, by the same command
    std::string created;        // by PackKey, if it is a Create that may come again
    std::uint64_t write_id = 0;
  };

  // degrading_store.cc: which way a command goes.
  void UpdatePhase();
  void SetPhase(Phase phase);
  template <typename Command>
  void Route(StoreTicket ticket, Command& command);
  void Route(StoreTicket ticket, store::Create& command);
  void Route(StoreTicket ticket, store::Regenerate& command);
  void Route(StoreTicket ticket, store::RemoveOwned& command);
  void Route(StoreTicket ticket, store::Get& command);
  void Route(StoreTicket ticket, store::List& command);
  void Pass(StoreTicket ticket, StoreCommand command);
  void NoteCreate(const Passed& create, const StoreReply& reply);
  void Answer(StoreTicket ticket, StoreReply reply);
  void Fail(StoreTicket ticket, ErrorCode error, bool maybe_done = false);

  // local_records.cc: what happens to local records.
  StoreReply RunLocally(Records::iterator found, StoreCommand command);
  StoreReply Ask(StoreCommand command);
  void NoteAccess(LocalRecord& record);
  StoreReply CreateLocally(std::string packed, store::Create& command);
  StoreReply RegenerateLocally(Records::iterator found, store::Regenerate& command);
  std::uint64_t RemoveOwnedLocally(std::string_view owner, bool* all);
  bool HasLocal(std::string_view owner) const;
  bool IsLocalOwner(std::string_view owner) const;
  StoreReply RunForLocalOwner(StoreCommand command);
  void Keep(std::string packed, LocalRecord record);
  void Drop(Records::iterator found);
  void Forget(Records::iterator found, std::uint64_t DegradingCounters::*count);
  void MoveSome();
  void Move(Records::iterator found);
  void Moved(const std::string& packed, StoreReply reply);
  void Lose(Records::iterator found, ErrorCode error);
  void DropExpired();
  void Log(const std::string& line) const;

  std::unique_ptr<SessionStore> backend_;
  MemorySessionStore local_;
  Entropy& entropy_;
  const DegradingOptions options_;
  Phase phase_ = Phase::kNormal;
  Instant now_{};
  Instant look_at_ = kNever;  // when Tick looks after the backend, or moves some more
  Records records_;
  std::set<std::string, std::less<>> local_owners_;  // DegradingOptions::owner_that_is
  std::map<std::string, std::uint64_t> unheard_;     // write ids of Creates, by PackKey
  std::string move_from_;                            // where the next round of moves begins
  std::string sweep_from_;                           // and the next look for expired ones
  std::size_t moves_ = 0;                            // under way
  SlotMap<Passed> passed_;                           // by the ticket that the backend has
  std::vector<StoreReply> ready_;
  DegradingCounters counters_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_FALLBACK_DEGRADING_STORE_H_
