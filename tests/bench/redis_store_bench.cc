// redis_store_bench NODE IOREDIS_SCRIPT: what RedisSessionStore gets through one connection, beside
// hiredis that is told to pipeline by hand, and ioredis as most programs use it.
//
// All three talk to one redis-server of this program's own, and take turns in short rounds. A get
// of the store is GET, and TIME once for all that wait together, because a session is its data and
// how long it will live; so it is of the hiredis loop. ioredis has no record that says its end: for
// the goal it is asked for PTTL and GET; what it does with GET only is printed as well. A ratio is
// the median over the rounds. The goals are in docs/performance.md.
#include <hiredis/hiredis.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/bench/goal.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kDataBytes = 448;  // with the header a value of 576
constexpr std::size_t kCallers = 64;
constexpr std::size_t kRuns = 20'000;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

class Callers {
 public:
  explicit Callers(std::uint16_t port) {
    RedisOptions options;
    options.endpoints = {RedisAddress{.host = "127.0.0.1", .port = port}};
    options.command_timeout = Seconds(10);
    auto made = RedisSessionStore::Make(loop_, options, entropy_);
    if (!made) Fail("no store");
    store_ = std::move(*made);
    store_->OnReady([] {});
    for (std::size_t i = 0; i < kRecords; ++i) {
      ids_.push_back("record-" + std::to_string(i) + std::string(32, 'x'));
    }
    std::size_t created = 0;
    Run(1, kRecords, [this, &created] {
      return store::Create{Key(created++), std::string(kDataBytes, 'd'), {.idle_ttl = Hours(1)}};
    });
  }

  // So many commands, by so many callers that each wait for their reply; commands per second.
  double Run(std::size_t callers, std::size_t runs, const std::function<StoreCommand()>& next) {
    const auto start = std::chrono::steady_clock::now();
    std::size_t submitted = 0;
    std::size_t done = 0;
    const auto submit = [&] {
      ++submitted;
      store_->Submit({submitted}, next(), MonotonicNow());
    };
    while (submitted < std::min(callers, runs)) submit();
    std::vector<StoreReply> replies;
    while (done < runs) {
      loop_.run_one();
      replies.clear();
      store_->Drain(&replies);
      for (const StoreReply& reply : replies) {
        if (reply.error) Fail("a command failed");
        ++done;
        if (submitted < runs) submit();
      }
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return static_cast<double>(runs) / taken.count();
  }

  double Gets(std::size_t callers, std::size_t runs) {
    return Run(callers, runs, [this] { return store::Get{Key(next_++ % kRecords)}; });
  }
  double Puts(std::size_t callers, std::size_t runs) {
    return Run(callers, runs, [this] {
      return store::Put{Key(next_++ % kRecords), std::string(kDataBytes, 'p'), std::nullopt};
    });
  }

  const RedisCounters& counters() const { return store_->counters(); }

 private:
  RecordKey Key(std::size_t i) const { return {"", "session", ids_[i]}; }

  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<RedisSessionStore> store_;
  std::vector<std::string> ids_;
  std::size_t next_ = 0;
};

// The same commands, so many gets in flight; gets per second.
double HiredisGets(redisContext* redis, std::size_t depth, std::size_t runs) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < runs; done += depth) {
    redisAppendCommand(redis, "TIME");
    for (std::size_t i = 0; i < depth; ++i) {
      const std::string key = "raw:" + std::to_string((done + i) % kRecords);
      const char* words[] = {"GET", key.data()};
      const std::size_t sizes[] = {3, key.size()};
      redisAppendCommandArgv(redis, 2, words, sizes);
    }
    for (std::size_t i = 0; i <= depth; ++i) {
      void* reply = nullptr;
      if (redisGetReply(redis, &reply) != REDIS_OK) Fail("hiredis lost its connection");
      freeReplyObject(reply);
    }
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(runs) / taken.count();
}

struct IoredisRates {
  double get_only = 0;
  double pttl_and_get = 0;
};

// Gets per second as the script prints them.
IoredisRates IoredisGets(const std::string& node, const std::string& script, std::uint16_t port) {
  const std::string command = "'" + node + "' '" + script + "' " + std::to_string(port) + " " +
                              std::to_string(kCallers) + " " + std::to_string(kRuns);
  FILE* pipe = popen(command.c_str(), "r");
  IoredisRates rates;
  if (pipe == nullptr || std::fscanf(pipe, "%lf %lf", &rates.get_only, &rates.pttl_and_get) != 2) {
    Fail("ioredis did not run");
  }
  pclose(pipe);
  return rates;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Of the server, in user and system mode, since it started.
double ServerCpuSeconds(RedisServer& server) {
  const std::string info = server.Command({"INFO", "cpu"});
  double sum = 0;
  for (const char* name : {"used_cpu_user:", "used_cpu_sys:"}) {
    const std::size_t at = info.find(name);
    if (at == std::string::npos) Fail("no CPU time from INFO");
    sum += std::strtod(info.c_str() + at + std::char_traits<char>::length(name), nullptr);
  }
  return sum;
}

void Compare(const std::string& node, const std::string& script, Goals* goals) {
  RedisServer server;
  Callers store(server.port());
  redisContext* redis = redisConnect("127.0.0.1", server.port());
  if (redis == nullptr || redis->err != 0) Fail("hiredis does not connect");
  for (std::size_t i = 0; i < kRecords; ++i) {
    server.Command(
        {"SET", "raw:" + std::to_string(i), std::string(kDataBytes + 144, 'd'), "PX", "3600000"});
  }
  std::vector<double> ours, raw, ioredis, ioredis_get, to_raw, to_ioredis, to_ioredis_get;
  std::vector<double> one, raw_one, to_one;
  for (int round = 0; round < 9; ++round) {
    ours.push_back(store.Gets(kCallers, kRuns));
    raw.push_back(HiredisGets(redis, kCallers, kRuns));
    const IoredisRates rates = IoredisGets(node, script, server.port());
    ioredis.push_back(rates.pttl_and_get);
    ioredis_get.push_back(rates.get_only);
    to_raw.push_back(ours.back() / raw.back());
    to_ioredis.push_back(ours.back() / ioredis.back());
    to_ioredis_get.push_back(ours.back() / ioredis_get.back());
    one.push_back(store.Gets(1, 2000));
    raw_one.push_back(HiredisGets(redis, 1, 2000));
    to_one.push_back(raw_one.back() / one.back());
  }
  redisFree(redis);
  std::printf("get, %zu callers, one connection: %.0f/s\n", kCallers, Median(ours));
  std::printf("  hiredis, %zu deep: %.0f/s, %.2f x of it", kCallers, Median(raw), Median(to_raw));
  goals->AtLeast(Median(to_raw), 0.6);
  std::printf("  ioredis without auto-pipelining, PTTL and GET: %.0f/s, %.1f x of it",
              Median(ioredis), Median(to_ioredis));
  goals->AtLeast(Median(to_ioredis), 5);
  std::printf("  ioredis without auto-pipelining, GET only: %.0f/s, %.1f x of it\n",
              Median(ioredis_get), Median(to_ioredis_get));
  std::printf("get, 1 caller: %.0f us, %.2f x the time of hiredis", 1e6 / Median(one),
              Median(to_one));
  goals->AtMost(Median(to_one), 1.25);
  const double before = ServerCpuSeconds(server);
  const double rate = store.Puts(kCallers, 3 * kRuns);
  const double each = (ServerCpuSeconds(server) - before) * 1e6 / (3 * kRuns);
  std::printf("put, %zu callers: %.0f/s, %.1f us of the server's CPU each", kCallers, rate, each);
  goals->AtMost(each, 20);
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: redis_store_bench NODE IOREDIS_SCRIPT\n");
    return 2;
  }
  mcp_session::Goals goals;
  mcp_session::Compare(argv[1], argv[2], &goals);
  return goals.exit_code();
}
