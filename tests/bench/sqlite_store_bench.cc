// What a Put into a FileSessionStore costs when every commit waits for the disk: one caller that
// waits for each reply, beside 64 that do so at once and share the waits. Everything on one loop,
// as in a server. The last line is the ratio of the two, from one run.
#include <benchmark/benchmark.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/sqlite/file_store.h"
#include "mcp_session/system/clock.h"
#include "tests/bench/goal.h"

namespace mcp_session {
namespace {

constexpr std::size_t kDataBytes = 512;

class Bench {
 public:
  explicit Bench(int callers) {
    folder_ = (std::filesystem::temp_directory_path() / "mcps-bench-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    auto opened = FileSessionStore::Open({.path = folder_ + "/sessions.db"}, loop_.get_executor(),
                                         MonotonicNow());
    if (!opened) std::abort();
    store_ = std::move(*opened);
    store_->OnReady([] {});
    for (int i = 0; i < callers; ++i) {
      ids_.push_back("caller-" + std::to_string(i));
      Submit(i, store::Create{KeyOf(i), std::string(kDataBytes, 'x'), {.idle_ttl = Hours(1)}});
    }
    for (std::size_t done = 0; done < ids_.size();) done += Wait().size();
  }

  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Each caller puts once, and again as soon as it was answered, until there were `count` replies.
  void PutMany(std::size_t count) {
    for (std::size_t i = 0; i < ids_.size(); ++i) Put(i);
    std::size_t done = 0;
    while (done < count) {
      const std::vector<StoreReply>& replies = Wait();
      done += replies.size();
      if (done >= count) break;
      for (const StoreReply& reply : replies) Put(reply.ticket.number);
    }
    // What is still on its way belongs to nobody.
    for (std::size_t left = ids_.size() - replies_.size(); left > 0;) left -= Wait().size();
  }

  FileStoreCounters Counters() const { return store_->Counters(); }

 private:
  RecordKey KeyOf(std::size_t caller) const { return {"", "session", ids_[caller]}; }

  void Submit(std::size_t caller, StoreCommand command) {
    store_->Submit({caller}, std::move(command), MonotonicNow());
  }

  void Put(std::size_t caller) {
    Submit(caller, store::Put{KeyOf(caller), std::string(kDataBytes, 'y'), std::nullopt});
  }

  const std::vector<StoreReply>& Wait() {
    replies_.clear();
    while (replies_.empty()) {
      loop_.run_one();
      store_->Drain(&replies_);
    }
    for (const StoreReply& reply : replies_) {
      if (reply.error) std::abort();
    }
    return replies_;
  }

  std::string folder_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::unique_ptr<FileSessionStore> store_;
  std::vector<std::string> ids_;
  std::vector<StoreReply> replies_;
};

void PutWithCallers(benchmark::State& state) {
  constexpr std::size_t kPuts = 640;
  Bench bench(static_cast<int>(state.range(0)));
  const FileStoreCounters before = bench.Counters();
  for (auto _ : state) bench.PutMany(kPuts);
  const FileStoreCounters after = bench.Counters();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPuts));
  state.counters["per commit"] = static_cast<double>(after.commands - before.commands) /
                                 static_cast<double>(after.transactions - before.transactions);
}
BENCHMARK(PutWithCallers)->Name("put, callers")->Arg(1)->Arg(64)->UseRealTime();

// Prints the table as usual, and at the end how many times as many puts 64 callers get done.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median") continue;
      rates_.push_back(run.counters.at("items_per_second"));
    }
  }
  void Finalize() override {
    if (rates_.size() < 2) return;
    const double ratio = rates_.back() / rates_.front();
    std::printf("64 callers put %.1f times as fast as one: %.0f against %.0f a second", ratio,
                rates_.back(), rates_.front());
    goals_.AtLeast(ratio, 8);
  }
  int exit_code() const { return goals_.exit_code(); }

 private:
  std::vector<double> rates_;
  Goals goals_;
};

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  mcp_session::RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return reporter.exit_code();
}
