#include "mcp_session/metrics/store_metrics.h"

#include <map>
#include <string>
#include <string_view>

namespace mcp_session {
namespace {

constexpr StoreState kStates[] = {StoreState::kConnected, StoreState::kConnecting,
                                  StoreState::kUnavailable, StoreState::kMisconfigured,
                                  StoreState::kDegraded};

struct Row {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::optional<std::uint64_t> StoreFigures::*value;
};
constexpr Row kRows[] = {
    {"session_store_fallback", "gauge",
     "1 if records are in memory because the store that was named could not be reached.",
     &StoreFigures::fallback},
    {"session_store_sessions", "gauge", "Records held in this process.", &StoreFigures::records},
    {"session_store_size_bytes", "gauge", "Memory that records in this process take.",
     &StoreFigures::bytes},
    {"session_store_reconnects_total", "counter", "Connections made after the first.",
     &StoreFigures::reconnects},
    {"session_store_timeouts_total", "counter", "Exchanges with the backend without an answer.",
     &StoreFigures::timeouts},
    {"session_store_retries_total", "counter", "Exchanges sent again after a lost connection.",
     &StoreFigures::retries},
    {"session_store_connection_desyncs_total", "counter",
     "Replies of the backend that did not fit what was asked.", &StoreFigures::desyncs},
    {"session_store_corrupt_total", "counter", "Records that cannot be read.",
     &StoreFigures::corrupt},
    {"session_store_server_evicted_keys_total", "counter",
     "Keys that the server dropped for want of memory.", &StoreFigures::evicted_keys},
    {"session_store_maxmemory_policy_ok", "gauge",
     "0 if the server may drop live records when it is full, else 1.",
     &StoreFigures::maxmemory_policy_ok},
    {"session_store_resets_total", "counter",
     "Times that the server came back, or was found, without the records it had.",
     &StoreFigures::resets},
    {"session_store_file_transactions_total", "counter",
     "Transactions of the file, each of one or more commands.", &StoreFigures::file_transactions},
    {"session_store_file_commands_total", "counter", "Commands in these transactions.",
     &StoreFigures::file_commands},
    {"session_store_file_busy_retries_total", "counter",
     "Waits for another process that was writing to the file.", &StoreFigures::file_busy_retries},
    {"session_store_wal_size_bytes", "gauge", "The write-ahead log of the file.",
     &StoreFigures::wal_bytes},
    {"session_store_local_sessions", "gauge",
     "Records kept in this process until the backend is back.", &StoreFigures::local_records},
    {"session_store_promoted_total", "counter", "Local records that were moved to the backend.",
     &StoreFigures::moved},
    {"session_store_promotion_conflicts_total", "counter",
     "Local records that were lost, for the backend had its own or took none.",
     &StoreFigures::lost},
    {"session_store_local_refusals_total", "counter",
     "Commands on records of the backend while it was away.", &StoreFigures::refused},
};

void AppendDurations(const StoreMeasures& measures, std::string_view backend,
                     PrometheusText* text) {
  constexpr std::string_view kName = "session_store_operation_duration_seconds";
  text->Family(kName, "histogram", "Time from the command to its reply.");
  const std::string name(kName);
  for (const auto& [key, histogram] : measures.durations) {
    PrometheusLabels labels = {
        {"backend", backend}, {"operation", key.first}, {"outcome", key.second}};
    for (std::size_t i = 0; i <= DurationHistogram::kBounds.size(); ++i) {
      const bool last = i == DurationHistogram::kBounds.size();
      const std::string bound = last ? "+Inf" : PrometheusNumber(DurationHistogram::kBounds[i]);
      labels.emplace_back("le", bound);
      text->Sample(name + "_bucket", labels, histogram.CountUpTo(i));
      labels.pop_back();
    }
    text->Sample(name + "_sum", labels, histogram.seconds());
    text->Sample(name + "_count", labels, histogram.count());
  }
}

void AppendConflicts(const StoreMeasures& measures, PrometheusText* text) {
  constexpr std::string_view kName = "session_store_conflicts_total";
  text->Family(kName, "counter", "Writes that named another version than the current one.");
  std::map<std::string_view, std::uint64_t> conflicts = {{"put", 0}, {"remove", 0}};
  for (const auto& [key, histogram] : measures.durations) {
    if (key.second == OutcomeName(ErrorCode::kConflict)) conflicts[key.first] = histogram.count();
  }
  for (const auto& [operation, count] : conflicts) {
    text->Sample(kName, {{"operation", operation}}, count);
  }
}

// What came of commands, whatever they were. Every series is there from the start.
std::uint64_t CountOf(const StoreMeasures& measures, ErrorCode outcome) {
  std::uint64_t sum = 0;
  for (const auto& [key, histogram] : measures.durations) {
    if (key.second == OutcomeName(outcome)) sum += histogram.count();
  }
  return sum;
}

void AppendFlow(const StoreMeasures& measures, std::string_view backend, PrometheusText* text) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    text->Family(name, "counter", help);
    text->Sample(name, {{"backend", backend}}, value);
  };
  const auto created = measures.durations.find({"create", "ok"});
  counter("session_store_created_total", "Records that were created.",
          created == measures.durations.end() ? 0 : created->second.count());
  counter("session_store_removed_total", "Records that commands ended.", measures.removed);
  counter("session_store_lock_lost_total", "Locks that were over when their holder came back.",
          CountOf(measures, ErrorCode::kLockLost));
  counter("session_store_fenced_total", "Writes under a lock that somebody else has by now.",
          CountOf(measures, ErrorCode::kFenced));
  constexpr std::string_view kRejected = "session_store_rejected_total";
  text->Family(kRejected, "counter", "Commands that limits forbade.");
  for (const ErrorCode reason :
       {ErrorCode::kCapacity, ErrorCode::kTooLarge, ErrorCode::kInvalidArgument}) {
    text->Sample(kRejected, {{"backend", backend}, {"reason", OutcomeName(reason)}},
                 CountOf(measures, reason));
  }
}

void AppendSizes(const StoreMeasures& measures, PrometheusText* text) {
  constexpr std::string_view kName = "session_store_value_size_bytes";
  text->Family(kName, "histogram", "Data of records and events that were written or read.");
  const std::string name(kName);
  for (const auto& [operation, histogram] : measures.sizes) {
    PrometheusLabels labels = {{"operation", operation}};
    constexpr std::size_t kLast = SizeHistogram::kBounds.size();
    for (std::size_t i = 0; i <= kLast; ++i) {
      const std::string bound = i == kLast ? "+Inf" : std::to_string(SizeHistogram::kBounds[i]);
      labels.emplace_back("le", bound);
      text->Sample(name + "_bucket", labels, histogram.CountUpTo(i));
      labels.pop_back();
    }
    text->Sample(name + "_sum", labels, histogram.bytes());
    text->Sample(name + "_count", labels, histogram.CountUpTo(kLast));
  }
}

void AppendStates(const StoreMeasures& measures, const StoreStatus& status, PrometheusText* text) {
  text->Family("session_store_state", "gauge", "1 for the state the store is in, else 0.");
  for (const StoreState state : kStates) {
    text->Sample("session_store_state", {{"state", StateName(state)}},
                 std::uint64_t{state == status.state ? 1u : 0u});
  }
  text->Family("session_store_transitions_total", "counter", "Changes of state, as commands saw.");
  for (const auto& [states, count] : measures.transitions) {
    text->Sample("session_store_transitions_total",
                 {{"from", StateName(states.first)}, {"to", StateName(states.second)}}, count);
  }
}

}  // namespace

void AppendStoreMetrics(const StoreMeasures& measures, const StoreStatus& status,
                        const StoreFigures& figures, PrometheusText* text) {
  AppendDurations(measures, status.backend, text);
  AppendFlow(measures, status.backend, text);
  AppendSizes(measures, text);
  AppendConflicts(measures, text);
  AppendStates(measures, status, text);
  text->Family("session_store_pending", "gauge", "Commands that wait for their reply.");
  text->Sample("session_store_pending", {{"backend", status.backend}},
               std::uint64_t{measures.open});
  for (const Row& row : kRows) {
    const std::optional<std::uint64_t>& value = figures.*row.value;
    if (!value) continue;
    text->Family(row.name, row.type, row.help);
    text->Sample(row.name, {{"backend", status.backend}}, *value);
  }
}

}  // namespace mcp_session
