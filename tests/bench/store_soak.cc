// store_soak MINUTES URL...: stores under churn, all of them at once. Does memory grow, is anything
// lost, is anything left?
//
// Sixty-four callers for each store keep a session of their own, whose counter they increase by
// Update, and meanwhile make others that end: some by a Remove or a Take, most by their time. Every
// thousand steps the counter must be what its caller knows it to be. The goals are in
// docs/performance.md. "redis" as URL is a redis-server of this program's own.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/face/awaitable_store.h"
#include "mcp_session/factory/create_store.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/bench/goal.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr int kCallers = 64;
constexpr auto kPause = std::chrono::milliseconds(5);

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

double MebibytesOfThis() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double MebibytesOf(RedisServer& server) {
  const std::string info = server.Command({"INFO", "memory"});
  const std::string name = "used_memory:";
  return std::atof(info.c_str() + info.find(name) + name.size()) / (1 << 20);
}

struct Sample {
  double minutes, mebibytes;
};

// By least squares.
double GrowthPerMinute(const std::vector<Sample>& samples) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Sample& sample : samples) {
    n += 1;
    x += sample.minutes;
    y += sample.mebibytes;
    xx += sample.minutes * sample.minutes;
    xy += sample.minutes * sample.mebibytes;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

// One store and its callers.
class Soak {
 public:
  Soak(asio::io_context& loop, const std::string& url) : loop_(loop), url_(url) {
    StoreOptions options;
    options.url = url;
    if (url == "redis") {
      server_ = std::make_unique<RedisServer>();
      options.url = "redis://127.0.0.1:" + std::to_string(server_->port());
    }
    options.on_unavailable = OnUnavailable::kFail;
    options.command_timeout = Seconds(10);
    auto created = CreateSessionStore(options, loop, entropy_);
    if (!created) Fail(url + ": " + created.error().message);
    created_ = std::move(*created);
    store_ = std::make_unique<AwaitableStore>(*created_.store, loop.get_executor(), entropy_);
  }

  void Start(Instant end) {
    for (int i = 0; i < kCallers; ++i) {
      ++open_;
      asio::co_spawn(loop_, Call(i, end), asio::detached);
    }
  }

  bool is_done() const { return open_ == 0; }

  void TakeSample(double minutes) {
    if (server_ != nullptr) samples_.push_back({minutes, MebibytesOf(*server_)});
  }

  void Tell(Goals& goals) {
    std::printf("%s: %llu records made, %llu increments", url_.c_str(), made_, increments_);
    std::printf("; lost: %llu", lost_);
    goals.AtMost(static_cast<double>(lost_), 0);
    std::printf("  answers that were none: %llu", failed_);
    goals.AtMost(static_cast<double>(failed_), 0);
    if (created_.memory != nullptr) {
      const int left = static_cast<int>(created_.memory->size()) - kCallers;
      std::printf("  records left besides one for each caller: %d", left);
      goals.AtMost(left, 0);
    }
    if (server_ == nullptr) return;
    std::printf("  memory of redis-server: %+.3f MiB a minute", GrowthPerMinute(samples_));
    goals.AtMost(GrowthPerMinute(samples_), 1);
  }

 private:
  template <typename T>
  void Check(const StoreResult<T>& result) {
    if (result || result.error().code == ErrorCode::kNotFound) return;
    ++failed_;
    std::fprintf(stderr, "%s: %s\n", url_.c_str(), result.error().message.c_str());
  }

  asio::awaitable<void> Call(int number, Instant end) {
    const RecordName own{"caller-" + std::to_string(number), "session", "the one that stays"};
    Check(co_await store_->Create(own, "0", {.idle_ttl = Hours(1)}));
    asio::steady_timer pause(loop_);
    std::uint64_t count = 0;
    for (std::uint64_t step = 1; MonotonicNow() < end; ++step) {
      const RecordName name{own.owner, "basket", "basket-" + std::to_string(step)};
      const auto ttl = Millis{20 + static_cast<std::int64_t>(step * 7919 % 80)};
      std::string data(16 + step * 104'729 % 4000, 'd');
      auto created = co_await store_->Create(name, std::move(data), {.idle_ttl = ttl});
      Check(created);
      ++made_;
      if (step % 3 == 0) Check(co_await store_->Put(name, "changed", std::nullopt));
      if (step % 4 == 0) Check(co_await store_->Append(name, "an event", 4));
      if (step % 5 == 0) Check(co_await store_->Remove(name));
      if (step % 7 == 0) Check(co_await store_->Take(name));
      auto updated = co_await store_->Update(
          own, [](const std::string& text) { return std::to_string(std::stoull(text) + 1); });
      Check(updated);
      if (!updated && updated.error().code == ErrorCode::kNotFound) ++lost_;
      if (updated) ++count, ++increments_;
      if (step % 1000 == 0) {
        auto found = co_await store_->Get(own);
        if (!found || *found->data != std::to_string(count)) ++lost_;
      }
      pause.expires_after(kPause);
      co_await pause.async_wait(asio::use_awaitable);
    }
    auto found = co_await store_->Get(own);
    if (!found || *found->data != std::to_string(count)) ++lost_;
    // The others are at their end.
    pause.expires_after(std::chrono::seconds(2));
    co_await pause.async_wait(asio::use_awaitable);
    --open_;
  }

  asio::io_context& loop_;
  const std::string url_;
  SystemEntropy entropy_;
  std::unique_ptr<RedisServer> server_;
  CreatedStore created_;
  std::unique_ptr<AwaitableStore> store_;
  std::vector<Sample> samples_;
  unsigned long long made_ = 0, increments_ = 0, lost_ = 0, failed_ = 0;
  int open_ = 0;
};

int Main(double minutes, const std::vector<std::string>& urls) {
  asio::io_context loop;
  std::vector<std::unique_ptr<Soak>> soaks;
  for (const std::string& url : urls) soaks.push_back(std::make_unique<Soak>(loop, url));
  const Instant start = MonotonicNow();
  const auto length = Millis{static_cast<std::int64_t>(minutes * 60'000)};
  for (const auto& soak : soaks) soak->Start(start + length);
  // The first fifth warms up.
  std::vector<Sample> samples;
  Instant next = start + Millis{length.count / 5};
  while (
      !std::all_of(soaks.begin(), soaks.end(), [](const auto& soak) { return soak->is_done(); })) {
    loop.run_for(std::chrono::milliseconds(100));
    if (MonotonicNow() < next) continue;
    next = MonotonicNow() + Millis{length.count / 100};
    const double at = static_cast<double>((MonotonicNow() - start).count) / 60'000;
    samples.push_back({at, MebibytesOfThis()});
    for (const auto& soak : soaks) soak->TakeSample(at);
  }
  Goals goals;
  for (const auto& soak : soaks) soak->Tell(goals);
  std::printf("memory of this process: %.1f MiB, %+.3f MiB a minute", samples.back().mebibytes,
              GrowthPerMinute(samples));
  goals.AtMost(GrowthPerMinute(samples), 1);
  return goals.exit_code();
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  const double minutes = argc > 2 ? std::atof(argv[1]) : 0;
  if (minutes <= 0) {
    std::fprintf(stderr, "usage: store_soak MINUTES URL...\n");
    return 2;
  }
  return mcp_session::Main(minutes, {argv + 2, argv + argc});
}
