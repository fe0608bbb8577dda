#include "mcp_session/health/operator_pages.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

// The worse, the higher.
int Gravity(StoreState state) {
  switch (state) {
    case StoreState::kConnected:
      return 0;
    case StoreState::kDegraded:
      return 1;
    case StoreState::kConnecting:
      return 2;
    case StoreState::kUnavailable:
      return 3;
    case StoreState::kMisconfigured:
      break;
  }
  return 4;
}

bool IsReady(StoreState state) {
  return state == StoreState::kConnected || state == StoreState::kDegraded;
}

StoreFigures FiguresOf(const CreatedStore& created) {
  StoreFigures figures;
  figures.fallback = created.fell_back ? 1 : 0;
  if (created.memory != nullptr) {
    figures.records = created.memory->size();
    figures.bytes = created.memory->MemoryUse();
  }
  if (created.shared_memory != nullptr) {
    figures.records = created.shared_memory->size();
    figures.bytes = created.shared_memory->MemoryUse();
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

// What one loop knows, or all of them.
struct Report {
  StoreStatus status;
  StoreFigures figures;
  StoreMeasures measures;
};

Report ReportOf(const MeteredStore& store, const CreatedStore& created) {
  return {store.Status(), FiguresOf(created), store.measures()};
}

using Figure = std::optional<std::uint64_t>;
std::uint64_t Sum(std::uint64_t a, std::uint64_t b) { return a + b; }
std::uint64_t Larger(std::uint64_t a, std::uint64_t b) { return std::max(a, b); }
std::uint64_t Smaller(std::uint64_t a, std::uint64_t b) { return std::min(a, b); }

// Of what is one thing for all loops (records, the file, the server) each has seen what it has
// seen; the rest are counts. A DegradingStore is for one loop.
constexpr std::pair<Figure StoreFigures::*, std::uint64_t (*)(std::uint64_t, std::uint64_t)>
    kMerging[] = {
        {&StoreFigures::fallback, Larger},     {&StoreFigures::records, Larger},
        {&StoreFigures::bytes, Larger},        {&StoreFigures::reconnects, Sum},
        {&StoreFigures::timeouts, Sum},        {&StoreFigures::retries, Sum},
        {&StoreFigures::desyncs, Sum},         {&StoreFigures::corrupt, Sum},
        {&StoreFigures::evicted_keys, Larger}, {&StoreFigures::maxmemory_policy_ok, Smaller},
        {&StoreFigures::resets, Larger},       {&StoreFigures::file_transactions, Sum},
        {&StoreFigures::file_commands, Sum},   {&StoreFigures::file_busy_retries, Sum},
        {&StoreFigures::wal_bytes, Larger},
};

void Merge(const Report& one, Report* all) {
  if (Gravity(one.status.state) > Gravity(all->status.state)) all->status = one.status;
  for (const auto& [member, merged] : kMerging) {
    const Figure& figure = one.figures.*member;
    Figure& sum = all->figures.*member;
    if (figure) sum = sum ? merged(*sum, *figure) : *figure;
  }
  all->measures.Add(one.measures);
}

HttpAnswer Health(int status, bool good, const Report& report) {
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
  body += report.figures.fallback == 1u ? "true" : "false";
  add("backend", report.status.backend);
  add("state", StateName(report.status.state));
  if (!report.status.reason.empty()) add("reason", report.status.reason);
  body += "}}\n";
  return answer;
}

using Page = HttpAnswer (*)(const Report& report);

HttpAnswer Alive(const Report& report) { return Health(kOk, true, report); }

HttpAnswer Ready(const Report& report) {
  const bool good = IsReady(report.status.state);
  return Health(good ? kOk : kNotNow, good, report);
}

HttpAnswer Metrics(const Report& report) {
  PrometheusText text;
  AppendStoreMetrics(report.measures, report.status, report.figures, &text);
  return HttpAnswer{kOk, PrometheusText::kContentType, text.text()};
}

struct Gathering {
  std::vector<Report> reports;
  std::atomic<std::size_t> missing;
  Page page;
  HttpDynamicPage::Done done;
};

// The last loop that has reported answers.
void Gather(const std::vector<StoreOfLoop>& stores, Page page, HttpDynamicPage::Done done) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->reports.resize(stores.size());
  gathering->missing = stores.size();
  gathering->page = page;
  gathering->done = std::move(done);
  for (std::size_t i = 0; i < stores.size(); ++i) {
    boost::asio::post(stores[i].loop, [gathering, i, one = stores[i]] {
      gathering->reports[i] = ReportOf(one.store, one.created);
      if (--gathering->missing > 0) return;
      Report all = std::move(gathering->reports.front());
      for (std::size_t j = 1; j < gathering->reports.size(); ++j)
        Merge(gathering->reports[j], &all);
      gathering->done(gathering->page(all));
    });
  }
}

}  // namespace

std::vector<HttpDynamicPage> OperatorPages(const MeteredStore& store, const CreatedStore& created,
                                           bool protect_metrics) {
  const auto at = [&](const char* path, Page page, bool needs_token) {
    const auto answer = [&store, &created, page] { return page(ReportOf(store, created)); };
    return HttpDynamicPage{path, answer, needs_token, nullptr};
  };
  return {at("/healthz", Alive, false), at("/readyz", Ready, false),
          at("/metrics", Metrics, protect_metrics)};
}

std::vector<HttpDynamicPage> OperatorPages(std::vector<StoreOfLoop> stores, bool protect_metrics) {
  const auto shared = std::make_shared<const std::vector<StoreOfLoop>>(std::move(stores));
  const auto at = [&](const char* path, Page page, bool needs_token) {
    const auto answer = [shared, page](HttpDynamicPage::Done done) {
      Gather(*shared, page, std::move(done));
    };
    return HttpDynamicPage{path, nullptr, needs_token, answer};
  };
  return {at("/healthz", Alive, false), at("/readyz", Ready, false),
          at("/metrics", Metrics, protect_metrics)};
}

}  // namespace mcp_session
