#include "mcp_session/health/operator_pages.h"

#include <cstdint>
#include <optional>

#include "mcp_session/fallback/degrading_store.h"
#include "mcp_session/json/write.h"
#include "mcp_session/metrics/store_metrics.h"
#include "mcp_session/redis/store.h"
#include "mcp_session/sqlite/file_store.h"
#include "mcp_session/store/memory_store.h"

namespace mcp_session {
namespace {

constexpr int kOk = 200;
constexpr int kNotNow = 503;

bool IsReady(StoreState state) {
  return state == StoreState::kConnected || state == StoreState::kDegraded;
}

HttpAnswer Health(int status, bool good, const StoreStatus& store, bool fell_back) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = "application/json";
  std::string& body = answer.body;
  const auto add = [&](std::string_view name, std::string_view text) {
    body.append(",\"").append(name).append("\":");
    if (!AppendJsonString(text, &body)) body += "\"\"";
  };
  body = good ? "{\"status\":\"ok\"" : "{\"status\":\"unavailable\"";
  body += ",\"store\":{\"fallback\":";
  body += fell_back ? "true" : "false";
  add("backend", store.backend);
  add("state", StateName(store.state));
  if (!store.reason.empty()) add("reason", store.reason);
  body += "}}\n";
  return answer;
}

StoreFigures FiguresOf(const CreatedStore& created) {
  StoreFigures figures;
  figures.fallback = created.fell_back ? 1 : 0;
  if (created.memory != nullptr) {
    figures.records = created.memory->size();
    figures.bytes = created.memory->MemoryUse();
  }
  if (created.redis != nullptr) {
    const RedisCounters& redis = created.redis->counters();
    figures.reconnects = redis.connects > 0 ? redis.connects - 1 : 0;
    figures.timeouts = redis.timeouts;
    figures.retries = redis.repeated;
    figures.desyncs = redis.desyncs;
    figures.corrupt = redis.corrupt;
    figures.evicted_keys = redis.evicted_keys;
    figures.resets = redis.resets;
    if (const std::optional<bool> evicts = created.redis->MayEvict()) {
      figures.maxmemory_policy_ok = *evicts ? 0 : 1;
    }
  }
  if (created.file != nullptr) {
    const FileStoreCounters file = created.file->Counters();
    figures.file_transactions = file.transactions;
    figures.file_commands = file.commands;
    figures.file_busy_retries = file.busy_retries;
    figures.wal_bytes = file.wal_bytes;
  }
  if (created.degrading != nullptr) {
    const DegradingCounters& degrading = created.degrading->counters();
    figures.local_records = created.degrading->local_records();
    figures.moved = degrading.moved;
    figures.lost = degrading.lost;
    figures.refused = degrading.refused;
  }
  return figures;
}

}  // namespace

std::vector<HttpDynamicPage> OperatorPages(const MeteredStore& store, const CreatedStore& created,
                                           bool protect_metrics) {
  const auto alive = [&store, &created] {
    return Health(kOk, true, store.Status(), created.fell_back);
  };
  const auto ready = [&store, &created] {
    const StoreStatus status = store.Status();
    const bool good = IsReady(status.state);
    return Health(good ? kOk : kNotNow, good, status, created.fell_back);
  };
  const auto metrics = [&store, &created] {
    PrometheusText text;
    AppendStoreMetrics(store, FiguresOf(created), &text);
    return HttpAnswer{kOk, PrometheusText::kContentType, text.text()};
  };
  return {{"/healthz", alive}, {"/readyz", ready}, {"/metrics", metrics, protect_metrics}};
}

}  // namespace mcp_session
