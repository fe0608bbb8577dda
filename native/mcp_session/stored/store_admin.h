// StoreAdmin: a store as its operator sees it, every record of every owner, by tag. For the
// program's check, sessions and migrate; a server has no use for it.
//
// Calls block until they are done or their deadline is over, and belong to one thread. What they
// touch may be in use by servers meanwhile.
#ifndef MCP_SESSION_STORED_STORE_ADMIN_H_
#define MCP_SESSION_STORED_STORE_ADMIN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session {

// A record with all that belongs to it, as it goes from one store to another. Lengths of time are
// from when it was read.
struct StoredRecord {
  StoredKey key;
  std::string kind;
  std::string id;           // of an owner's record, who may list it; empty for the anonymous
  std::uint64_t order = 0;  // its place in lists of the owner
  std::string data;
  std::uint64_t version = 0;
  std::uint64_t write_id = 0;
  std::uint64_t fence = 0;
  std::optional<Millis> idle_ttl;
  std::optional<Millis> max_life_left;
  Millis remember{0};
  Millis expires_in{};  // 0 or less: its time is over, and it is remembered
  std::vector<StreamEvent> events;
};

// One line of what `mcp-session check` prints.
struct CheckLine {
  enum class Verdict : std::uint8_t { kGood, kWarning, kBad };
  Verdict verdict = Verdict::kGood;
  std::string subject;  // "version", "eviction", "latency"
  std::string text;     // in words, with what to do about it
};

class StoreAdmin {
 public:
  virtual ~StoreAdmin() = default;

  // Some of the records from `cursor` on (empty: from the start), about `limit` of them; `cursor`
  // becomes where to go on, empty at the end. What is there throughout comes at least once. With
  // `whole` false data and events are left out, and `data_bytes` is all that is told of them.
  struct Page {
    std::vector<StoredRecord> records;
    std::vector<std::size_t> data_bytes;  // of each
    std::string cursor;
  };
  virtual Result<Page> Scan(std::string_view cursor, std::size_t limit, bool whole) = 0;

  // Writes records as they are, all together. Where one with the same key is there, a higher version
  // stays and a lower one is replaced. At the same version a live record replaces one that is over;
  // of two live ones the later end, the higher fence and the newer events are kept, so nothing ever
  // goes back. A failure may have written some of them; to do it again is harmless.
  struct Imported {
    bool imported = false;         // else this or a higher version was there
    std::optional<Error> refused;  // this record alone: kTooLarge, kInvalidArgument, kCorrupt
  };
  virtual Result<std::vector<Imported>> Import(const std::vector<StoredRecord>& records) = 0;

  // The record with this tag; nothing if there is none. For an owner's record both tags are needed.
  virtual Result<std::optional<StoredRecord>> Find(const StoredKey& key) = 0;

  // Ends a record. False: there was none.
  virtual Result<bool> End(const StoredKey& key) = 0;

  // Ends those that are there in this version or a lower one, all together. How many there were.
  struct Ending {
    StoredKey key;
    std::uint64_t version = 0;
  };
  virtual Result<std::uint64_t> EndUpTo(const std::vector<Ending>& endings) = 0;

  // How many live records there are, by counting all of them.
  virtual Result<std::uint64_t> Count() = 0;

  // Tries what a server needs and looks for what would hurt it later.
  virtual std::vector<CheckLine> Check() = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORED_STORE_ADMIN_H_
