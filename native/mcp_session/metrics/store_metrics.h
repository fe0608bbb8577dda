// The metrics of a store as text for Prometheus; docs/session-store.md lists them. No label has an
// id, an owner or a key in it, and every label is one of a few words.
#ifndef MCP_SESSION_METRICS_STORE_METRICS_H_
#define MCP_SESSION_METRICS_STORE_METRICS_H_

#include <cstdint>
#include <optional>

#include "mcp_session/metrics/metered_store.h"
#include "mcp_session/metrics/prometheus_text.h"

namespace mcp_session {

// What a store itself knows. Left out of the text where there is none.
struct StoreFigures {
  std::optional<std::uint64_t> fallback;      // 1: memory, for the store that was named was away
  std::optional<std::uint64_t> records;       // held, dead ones not yet freed included
  std::optional<std::uint64_t> bytes;         // that these take
  std::optional<std::uint64_t> reconnects;    // connections made after the first
  std::optional<std::uint64_t> timeouts;      // exchanges without an answer in time
  std::optional<std::uint64_t> retries;       // commands sent again
  std::optional<std::uint64_t> desyncs;       // replies that did not fit; more than 0 is a page
  std::optional<std::uint64_t> corrupt;       // records that cannot be read
  std::optional<std::uint64_t> evicted_keys;  // by the server, under its maxmemory-policy
  std::optional<std::uint64_t> maxmemory_policy_ok;  // 0: it may drop live records
  std::optional<std::uint64_t> resets;               // times the server had lost its records
  // Of a file (sqlite/file_store.h).
  std::optional<std::uint64_t> file_transactions;
  std::optional<std::uint64_t> file_commands;
  std::optional<std::uint64_t> file_busy_retries;
  std::optional<std::uint64_t> wal_bytes;
  // Of a store that goes on locally (fallback/degrading_store.h).
  std::optional<std::uint64_t> local_records;
  std::optional<std::uint64_t> moved;
  std::optional<std::uint64_t> lost;
  std::optional<std::uint64_t> refused;
};

void AppendStoreMetrics(const StoreMeasures& measures, const StoreStatus& status,
                        const StoreFigures& figures, PrometheusText* text);

}  // namespace mcp_session

#endif  // MCP_SESSION_METRICS_STORE_METRICS_H_
