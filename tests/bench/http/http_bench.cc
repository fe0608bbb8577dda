// http_bench ECHO_SERVER FLOOR_SERVER NODE SDK_SCRIPT [SECONDS [PART]]: an McpServer over HTTP,
// beside the least that Boost.Beast and nlohmann/json cost, and beside the official TypeScript SDK.
//
// Each server has core 0 to itself, the load comes from core 1, and they take turns in rounds. What
// is printed is the median over the rounds: requests per second, and CPU time of the server per
// request, which other work on the machine changes less. Two loops, at the end, share both cores
// with their load. The goals are in docs/performance.md.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/goal.h"
#include "tests/bench/http/child.h"
#include "tests/bench/http/load.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

const Cores kServerCore = {0}, kLoadCore = {1}, kBothCores = {0, 1};
constexpr int kRounds = 3;
constexpr std::size_t kLoads = 2;  // threads of load where the server has several loops

struct Measured {
  double per_second = 0;
  double cpu_micros = 0;
  double beside_micros = 0;  // CPU of the load, and of the store if it is a process
  double p50_millis = 0;
  double p99_millis = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contender {
  std::string name;
  std::vector<std::string> command;
  Millis warm_up = Millis{1000};
};

// All of them under the same load, in turns.
std::vector<Measured> Compare(const std::vector<Contender>& contenders, Load load,
                              const std::vector<pid_t>& beside = {getpid()}) {
  const auto beside_seconds = [&] {
    double seconds = 0;
    for (const pid_t id : beside) seconds += CpuSecondsOf(id);
    return seconds;
  };
  std::vector<std::unique_ptr<Child>> servers;
  for (const Contender& contender : contenders) {
    servers.push_back(std::make_unique<Child>(contender.command, kServerCore));
    Load warm_up = load;
    warm_up.length = contender.warm_up;
    RunLoad(servers.back()->port(), warm_up);
  }
  std::vector<std::vector<Measured>> rounds(contenders.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const double before = servers[i]->CpuSeconds(), beside_before = beside_seconds();
      const LoadResult result = RunLoad(servers[i]->port(), load);
      if (result.wrong != 0 || result.done == 0) {
        std::fprintf(stderr, "%s: %zu wrong answers\n", contenders[i].name.c_str(), result.wrong);
        std::exit(1);
      }
      const auto done = static_cast<double>(result.done);
      rounds[i].push_back({done / result.seconds, (servers[i]->CpuSeconds() - before) / done * 1e6,
                           (beside_seconds() - beside_before) / done * 1e6, result.p50_millis,
                           result.p99_millis});
    }
  }
  std::vector<Measured> medians;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const auto median = [&](double Measured::*member) {
      std::vector<double> values;
      for (const Measured& one : rounds[i]) values.push_back(one.*member);
      return Median(values);
    };
    medians.push_back({median(&Measured::per_second), median(&Measured::cpu_micros),
                       median(&Measured::beside_micros), median(&Measured::p50_millis),
                       median(&Measured::p99_millis)});
    const Measured& one = medians.back();
    std::printf("  %-8s %8.0f/s  %7.1f us of CPU, %5.1f beside it  p50 %6.2f ms  p99 %6.2f ms\n",
                contenders[i].name.c_str(), one.per_second, one.cpu_micros, one.beside_micros,
                one.p50_millis, one.p99_millis);
  }
  return medians;
}

class Bench {
 public:
  Bench(std::string echo, std::string floor, std::string node, std::string script, Millis length)
      : echo_(std::move(echo)),
        floor_(std::move(floor)),
        node_(std::move(node)),
        script_(std::move(script)),
        length_(length) {}

  // All parts, or the one of that name.
  int Run(const std::string& only) {
    const auto part = [&](const char* name, const char* title, auto run) {
      if (!only.empty() && only != name) return;
      std::printf("%s\n", title);
      run();
    };
    part("memory", "tools/call in a session in memory, 64 callers",
         [&] { BesideBoth(LoadKind::kCalls, "stateful", 10); });
    part("stateless", "tools/call without a session, 64 callers",
         [&] { BesideBoth(LoadKind::kStateless, "stateless", 15); });
    part("churn", "initialize, initialized, tools/call, DELETE, 64 callers",
         [&] { BesideBoth(LoadKind::kChurn, "stateful", 8); });
    part("redis", "tools/call that loads and saves the session in Redis, 64 callers",
         [&] { InRedis(); });
    part("idle", "idle sessions", [&] { Idle(); });
    part("streams", "idle sessions with a stream by GET", [&] { Streams(); });
    part("loops", "two loops beside one, tools/call in a session in memory, 64 callers",
         [&] { Loops(); });
    return goals_.exit_code();
  }

 private:
  Contender Sdk(const std::string& kind) const {
    return {"SDK", {node_, "--expose-gc", script_, kind}, Millis{4000}};
  }

  void BesideBoth(LoadKind kind, const std::string& sdk_kind, double goal) {
    const auto measured = Compare({{"ours", {echo_, "memory"}}, {"floor", {floor_}}, Sdk(sdk_kind)},
                                  {.kind = kind, .length = length_});
    TellSdk(measured[0], measured[2], goal);
    std::printf("  %.2f of the floor", measured[0].per_second / measured[1].per_second);
    goals_.AtLeast(measured[0].per_second / measured[1].per_second, 0.6);
  }

  void InRedis() {
    RedisServer redis;
    const std::string port = std::to_string(redis.port());
    Contender sdk = Sdk("stateful");
    sdk.command.push_back(port);
    const auto measured = Compare({{"ours", {echo_, "redis://127.0.0.1:" + port}}, sdk},
                                  {.kind = LoadKind::kCalls, .tool = "remember", .length = length_},
                                  {getpid(), redis.id()});
    TellSdk(measured[0], measured[1], 8);
  }

  void TellSdk(const Measured& ours, const Measured& sdk, double goal) {
    std::printf("  %.1f times the SDK", ours.per_second / sdk.per_second);
    goals_.AtLeast(ours.per_second / sdk.per_second, goal);
    std::printf("  by CPU time %.1f times; p99 is %.2f of the SDK's p50",
                sdk.cpu_micros / ours.cpu_micros, ours.p99_millis / sdk.p50_millis);
    goals_.AtMost(ours.p99_millis / sdk.p50_millis, 1);
  }

  void Idle() {
    const double ours = BytesPerSession({"ours", {echo_, "memory"}}, 10'000);
    const double sdk = BytesPerSession(Sdk("stateful"), 2'000);
    std::printf("  ours %.0f bytes each, SDK %.0f: 1/%.0f", ours, sdk, sdk / ours);
    goals_.AtLeast(sdk / ours, 10);
  }

  void Streams() {
    constexpr std::size_t kStreams = 10'000;
    const Child server({echo_, "memory"}, kServerCore);
    OpenSessions(server.port(), 200);
    const std::size_t before = server.AllocatedBytes();
    std::size_t during = 0;
    const std::size_t opened = HoldStreams(server.port(), kStreams, [&] {
      during = server.AllocatedBytes();
      const LoadResult result = RunLoad(server.port(), {.callers = 8, .length = Millis{1000}});
      std::printf("  meanwhile 8 callers got %zu answers a second, %zu wrong", result.done,
                  result.wrong);
      goals_.AtMost(static_cast<double>(result.wrong), 0);
    });
    std::printf("  %zu streams", opened);
    goals_.AtLeast(static_cast<double>(opened), kStreams);
    const double each = static_cast<double>(during - before) / kStreams;
    std::printf("  %.1f KiB each in the server, with the session; the kernel's buffers not counted",
                each / 1024);
    goals_.AtMost(each / 1024, 16);
  }

  // Two loops want two cores, and so does the load. So all of them share both, and what is compared
  // is CPU time: while the cores are never unused nothing waits for anything else, a lock for
  // instance, and two loops with a core each would do what their CPU time says.
  void Loops() {
    PinTo(kBothCores);
    const Child one({echo_, "memory", "1"}, kBothCores);
    const Child two({echo_, "memory", "2"}, kBothCores);
    std::vector<double> ratios, unused;
    for (int round = 0; round <= kRounds; ++round) {
      const Shared with_one = UnderAllLoad(one, round == 0 ? nullptr : "one loop");
      const Shared with_two = UnderAllLoad(two, round == 0 ? nullptr : "two loops");
      if (round == 0) continue;  // to warm up
      ratios.push_back(2 * with_one.server_micros / with_two.server_micros);
      unused.push_back(1 - with_two.busy);
    }
    PinTo(kLoadCore);
    std::printf("  two loops and their load left %.0f %% of the two cores unused",
                Median(unused) * 100);
    goals_.AtMost(Median(unused) * 100, 10);
    std::printf("  two loops on two cores by their CPU time: %.2f times one", Median(ratios));
    goals_.AtLeast(Median(ratios), 1.7);
  }

  struct Shared {
    double server_micros = 0;  // of CPU, for a request
    double busy = 0;           // of both cores, by the server and the load
  };

  Shared UnderAllLoad(const Child& server, const char* name) const {
    const double server_before = server.CpuSeconds(), load_before = OwnCpuSeconds();
    std::array<LoadResult, kLoads> results;
    {
      std::vector<std::jthread> loads;
      for (LoadResult& result : results) {
        loads.emplace_back(
            [&] { result = RunLoad(server.port(), {.callers = 64 / kLoads, .length = length_}); });
      }
    }
    double done = 0, seconds = 0;
    for (const LoadResult& result : results) {
      if (result.wrong != 0 || result.done == 0) {
        std::fprintf(stderr, "%zu wrong answers\n", result.wrong);
        std::exit(1);
      }
      done += static_cast<double>(result.done);
      seconds = std::max(seconds, result.seconds);
    }
    const double server_cpu = server.CpuSeconds() - server_before;
    const double load_cpu = OwnCpuSeconds() - load_before;
    const Shared shared{server_cpu / done * 1e6, (server_cpu + load_cpu) / (2 * seconds)};
    if (name != nullptr) {
      std::printf("  %-9s %8.0f/s  %5.1f us of CPU, the load %5.1f us  cores busy for %3.0f %%\n",
                  name, done / seconds, shared.server_micros, load_cpu / done * 1e6,
                  shared.busy * 100);
    }
    return shared;
  }

  static double OwnCpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  static double BytesPerSession(const Contender& contender, std::size_t count) {
    const Child server(contender.command, kServerCore);
    OpenSessions(server.port(), 200);
    const std::size_t before = Settled(server, contender);
    if (OpenSessions(server.port(), count) != count) {
      std::fprintf(stderr, "%s: sessions were refused\n", contender.name.c_str());
      std::exit(1);
    }
    const std::size_t after = Settled(server, contender);
    return static_cast<double>(after - before) / static_cast<double>(count);
  }

  static std::size_t Settled(const Child& server, const Contender& contender) {
    if (contender.name == "SDK") kill(server.id(), SIGUSR2);  // collect garbage
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return server.AllocatedBytes();
  }

  const std::string echo_, floor_, node_, script_;
  const Millis length_;
  Goals goals_;
};

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr,
                 "usage: http_bench ECHO_SERVER FLOOR_SERVER NODE SDK_SCRIPT [SECONDS [PART]]\n");
    return 2;
  }
  mcp_session::RaiseDescriptorLimit();
  mcp_session::PinTo(mcp_session::kLoadCore);
  const double seconds = argc > 5 ? std::atof(argv[5]) : 3;
  return mcp_session::Bench(argv[1], argv[2], argv[3], argv[4],
                            mcp_session::Millis{static_cast<std::int64_t>(seconds * 1000)})
      .Run(argc > 6 ? argv[6] : "");
}
