// What one asks of a SessionStore and what it answers. The rules are in store.h.
#ifndef MCP_SESSION_STORE_COMMAND_H_
#define MCP_SESSION_STORE_COMMAND_H_

#include <cstddef>
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
// Each at most 256 bytes, `kind` and `id` not empty: with any other key Create, Lock and the new
// key of Regenerate are kInvalidArgument, and to the rest such a record is not there. The views
// are only read during Submit.
struct RecordKey {
  std::string_view owner;
  std::string_view kind;
  std::string_view id;
};

// How long a record lives. One of the first two must be set (else kInvalidArgument), and each that
// is must be positive and at most kMaxLifetime.
struct Lifetime {
  std::optional<Millis> idle_ttl;  // since the last access
  std::optional<Millis> max_life;  // since creation, whatever happens
  // For how long after its end by time the record is still known to have been there, so that its
  // owner is told kExpired. 0 to kMaxLifetime.
  Millis remember{0};
  bool operator==(const Lifetime&) const = default;
};
inline constexpr Millis kMaxLifetime = Hours(24 * 30);

// Of a lock: the longest lease, and the longest time one holder can have it by extending.
inline constexpr Millis kMaxLease = Seconds(60);
inline constexpr Millis kMaxHold = Seconds(60);

// Of ReadEvents: the longest wait, and most events in one reply.
inline constexpr Millis kMaxEventWait = Seconds(60);
inline constexpr std::size_t kMaxEventLimit = 1000;

namespace store {

// Makes a record; the reply carries it. kExists if a live one has this key.
struct Create {
  RecordKey key;
  std::string data;
  Lifetime lifetime;
  std::uint64_t write_id = 0;  // rule 11
};

// Answers the record.
struct Get {
  RecordKey key;
  // What its caller is likely to Get next. A store far away may answer that at the same time, in
  // StoreReply::ahead. It counts as no access: what has to be told of one is left out, as it is by
  // stores for which it would be no quicker.
  std::optional<RecordKey> ahead = std::nullopt;
};

// Replaces the data, if the record's version is `expected`; the reply carries the new record.
// With no `expected` the last writer wins; it must be written out as std::nullopt.
struct Put {
  RecordKey key;
  std::string data;
  std::optional<std::uint64_t> expected;
  std::uint64_t write_id = 0;  // rule 11
  std::uint64_t fence = 0;     // the token of the lock this is done under; 0: under none
};

// Counts as an access, nothing more.
struct Touch {
  RecordKey key;
};

// Ends the record and its stream; a later Get is kNotFound. `expected` and `fence` as in Put.
struct Remove {
  RecordKey key;
  std::optional<std::uint64_t> expected = std::nullopt;
  std::uint64_t fence = 0;
};

// Answers the record and ends it, and its stream, in one step: of two Takes one gets it, the other
// kNotFound.
struct Take {
  RecordKey key;
};

// Gives the record another key: same data, stream, fence and ends, a new version. The old key is
// kNotFound from then on, and keeps its lock. kNotFound if `from` is not there; else kExists if
// `to` is alive, also if it is `from`; else kCapacity if the new owner's share is used up. This,
// with another owner, is what happens to a session at login.
struct Regenerate {
  RecordKey from;
  RecordKey to;
  std::uint64_t write_id = 0;  // rule 11
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

// Takes the lock of a key, whether or not it has a record, for `lease` (1 ms to kMaxLease); that a
// record comes or ends changes nothing about its lock. The reply carries the token
// (StoreReply::fence). `holder` names who has it: random, not 0, drawn anew for every lock (else
// kInvalidArgument). kLocked, with the time left in record.expires_in, if another holder has it.
// The holder itself is answered the token it has, and nothing changes.
struct Lock {
  RecordKey key;
  std::uint64_t holder = 0;
  Millis lease{};
};

// Holds the lock for `lease` from now on, but not shorter than before, and no longer than kMaxHold
// since it was taken; the reply carries its token, and what is left in record.expires_in. kLockLost
// if `holder` does not have it.
struct Extend {
  RecordKey key;
  std::uint64_t holder = 0;
  Millis lease{};
};

// Gives the lock back. kLockLost if `holder` does not have it.
struct Unlock {
  RecordKey key;
  std::uint64_t holder = 0;
};

// Adds an event to the stream of a live record; the reply carries its sequence. Of the events the
// last `keep` (1 to kMaxEventLimit) are kept. No access: the record's end does not move.
struct Append {
  RecordKey key;
  std::string data;
  std::size_t keep = 256;
};

// Answers the events of a record's stream that came after the one with sequence `after` (0: from
// the first there was), at most `limit` (1 to kMaxEventLimit), oldest first. If some of them are
// not kept any more: kGap, and StoreReply::sequence is the `after` to go on with. A sequence the
// stream has not reached is kGap too. To go on is to read what is kept from the oldest event on. If
// there are none: after `wait` (at most kMaxEventWait) or as soon as there are some, whichever is
// sooner; if the record ends meanwhile it is kNotFound (or kExpired), then or after `wait`. No
// access.
struct ReadEvents {
  RecordKey key;
  std::uint64_t after = 0;
  std::size_t limit = 100;
  Millis wait{0};
};

}  // namespace store

using StoreCommand =
    std::variant<store::Create, store::Get, store::Put, store::Touch, store::Remove, store::Take,
                 store::Regenerate, store::RemoveOwned, store::List, store::Lock, store::Extend,
                 store::Unlock, store::Append, store::ReadEvents>;

// A record as it was when the reply was made.
struct Record {
  std::string id;  // filled by List only: whoever gets by key has it
  std::shared_ptr<const std::string> data;
  std::uint64_t version = 0;
  Millis expires_in{};                  // until its end, if nobody accesses it
  std::optional<Millis> max_life_left;  // until the end that no access moves
};

struct StreamEvent {
  std::uint64_t sequence = 0;
  std::shared_ptr<const std::string> data;
};

struct StoreReply {
  StoreTicket ticket;
  std::optional<ErrorCode> error;  // none: it was done
  bool maybe_done = false;         // with kUnavailable: it may have been done all the same
  Record record;               // Create, Get, Put, Take, Regenerate; with kConflict the current one
  std::vector<Record> listed;  // List
  std::vector<StreamEvent> events;    // ReadEvents
  std::string cursor;                 // List: where to go on; empty at the end
  std::uint64_t removed = 0;          // Remove, RemoveOwned: how many records were ended
  std::uint64_t fence = 0;            // Lock, Extend: the token
  std::uint64_t sequence = 0;         // Append: of the event; ReadEvents with kGap: where to go on
  std::shared_ptr<StoreReply> ahead;  // Get: what a Get of its `ahead` would have been answered
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_COMMAND_H_
