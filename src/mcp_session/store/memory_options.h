// How much a store in memory may hold.
#ifndef MCP_SESSION_STORE_MEMORY_OPTIONS_H_
#define MCP_SESSION_STORE_MEMORY_OPTIONS_H_

#include <cstddef>

namespace mcp_session {

struct MemoryStoreOptions {
  std::size_t max_records = 100'000;         // as many locks, and as many readers that wait
  std::size_t max_bytes = 256u << 20;        // data, keys and overhead, as MemoryUse counts them
  std::size_t max_record_bytes = 64u << 10;  // data of one record or event
  std::size_t max_records_per_owner = 64;    // of one non-empty owner, all kinds together
  // Of max_records and max_bytes, what records without an owner may take; 100 at most. Less where
  // only some callers authenticate, so that the others cannot use up the room of those.
  unsigned anonymous_percent = 100;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_OPTIONS_H_
