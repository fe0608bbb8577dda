// SessionStore: where sessions and state handles live, one interface and one contract for memory,
// SQLite and Redis. tests/store/contract holds every implementation to each sentence below.
//
// A store is a queue in, a queue out. Submit starts a command and never answers; Drain collects
// the answers. A backend in memory has them ready at once, one behind a network when they come.
// Nothing in a store calls back, blocks, reads a clock or owns a thread, so the same engine code
// runs on an event loop and in a browser. Programs that only want to read and write a record use
// one of the faces built on this (docs/session-store.md).
//
// Threads: one. A store belongs to the loop that submits to it.
//
// The contract:
//  1. Every command is answered by exactly one reply, with the ticket it came with, and only by
//     Drain. Replies to commands on one key come in the order the commands were submitted.
//  2. Only Create creates. It never overwrites a live record (kExists). Put and Touch answer
//     kNotFound for a record that is not there and never bring one back.
//  3. A record has a version, which grows with each Put and is never used again for its key,
//     neither after Remove nor after expiry. A Put that names another version than the current
//     one answers kConflict with the current record and changes nothing.
//  4. A key is (owner, kind, id). Another owner's record does not exist, in every respect.
//  5. A record is alive while now < its end. The end is the sooner of (last access + idle_ttl)
//     and (creation + max_life). Get, Put and Touch are accesses; Get may be lazy: it need not
//     move the end while more than nine tenths of idle_ttl are left. No access moves the end back,
//     or past creation + max_life. Put and Touch change neither idle_ttl nor max_life.
//  6. A record that is dead, expired or removed is kNotFound for Get, Put and Touch, nothing to
//     Remove and RemoveOwned (7), free for Create, and is not listed, from that moment on, whether
//     or not its memory was freed yet.
//  7. Remove and RemoveOwned answer how many records they ended; ending none is no error.
//  8. kNotFound means the backend said so. A backend that did not answer is kUnavailable.
//  9. Over a limit: kTooLarge (one record; said before anything else is looked at), kCapacity (the
//     store, or one owner's share). No live record is ever dropped to make room for another.
// 10. Data is bytes, NULs included, and comes back as it was put.
#ifndef MCP_SESSION_STORE_STORE_H_
#define MCP_SESSION_STORE_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"

namespace mcp_session {

// Names a command to the one who submitted it. The store only repeats it.
struct StoreTicket {
  std::uint64_t number = 0;
  bool operator==(const StoreTicket&) const = default;
};

// Which record. `owner` is whoever may see it: a verified principal, a session, or empty for the
// anonymous bearer of the id (base of the rule: spec H-25, S-22). `kind` is "session" or what the
// application calls its handles ("basket"). `id` is the secret part, at least 128 random bits.
// Each at most 256 bytes, `kind` and `id` not empty: with any other key Create is kInvalidArgument,
// and to the rest such a record is not there. The views are only read during Submit.
struct RecordKey {
  std::string_view owner;
  std::string_view kind;
  std::string_view id;
};

// How long a record lives. Both may be set; at least one must be (else kInvalidArgument), and
// each that is must be positive and at most kMaxLifetime.
struct Lifetime {
  std::optional<Millis> idle_ttl;  // since the last access
  std::optional<Millis> max_life;  // since creation, whatever happens
  bool operator==(const Lifetime&) const = default;
};
inline constexpr Millis kMaxLifetime = Hours(24 * 30);

namespace store {

// Makes a record; the reply carries it. kExists if a live one has this key.
struct Create {
  RecordKey key;
  std::string data;
  Lifetime lifetime;
};

// Answers the record.
struct Get {
  RecordKey key;
};

// Replaces the data, if the record's version is `expected`; the reply carries the new record.
// With no `expected` the last writer wins; it must be written out as std::nullopt.
struct Put {
  RecordKey key;
  std::string data;
  std::optional<std::uint64_t> expected;
};

// Counts as an access, nothing more.
struct Touch {
  RecordKey key;
};

// Ends the record; a later Get is kNotFound.
struct Remove {
  RecordKey key;
};

// Ends every record of an owner, of every kind. An empty owner is kInvalidArgument.
struct RemoveOwned {
  std::string_view owner;
};

// Lists an owner's live records of one kind, at most `limit` (1 to 1000) in one reply, in an
// order that stays the same while records come and go: what is there throughout is listed exactly
// once. `cursor` is empty at first, then StoreReply::cursor. A limit or a cursor that cannot be is
// kInvalidArgument, and so is an empty owner: bearer records are nobody's to list.
struct List {
  std::string_view owner;
  std::string_view kind;
  std::string_view cursor;
  std::size_t limit = 100;
};

}  // namespace store

using StoreCommand = std::variant<store::Create, store::Get, store::Put, store::Touch,
                                  store::Remove, store::RemoveOwned, store::List>;

// A record as it was when the reply was made.
struct Record {
  std::string id;  // filled by List only: whoever gets by key has it
  std::shared_ptr<const std::string> data;
  std::uint64_t version = 0;
  Millis expires_in{};                // until its end, if nobody accesses it
  std::optional<Millis> max_life_left;  // until the end that no access moves
};

struct StoreReply {
  StoreTicket ticket;
  std::optional<ErrorCode> error;  // none: it was done
  Record record;                   // Create, Get, Put; with kConflict the current one
  std::vector<Record> listed;      // List
  std::string cursor;              // List: where to go on; empty at the end
  std::uint64_t removed = 0;       // Remove, RemoveOwned: how many records were ended
};

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  // Starts a command. `now` never goes back from call to call.
  virtual void Submit(StoreTicket ticket, StoreCommand command, Instant now) = 0;

  // Appends the replies that are ready.
  virtual void Drain(std::vector<StoreReply>* replies) = 0;

  // When Tick wants to be called next; kNever if there is nothing to do.
  virtual Instant NextDeadline() const = 0;

  // Housekeeping that is due: frees the memory of dead records, a bounded number at a time.
  virtual void Tick(Instant now) = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_STORE_H_
