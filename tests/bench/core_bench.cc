// What the core costs per tools/call with a session, beside the least that any JSON server pays:
// parsing the request and writing the response with nlohmann/json. One thread, no sockets. The
// last line is the ratio, from both in one run.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mcp_session/server/mcp_server.h"
#include "mcp_session/store/memory_store.h"
#include "nlohmann/json.hpp"
#include "tests/bench/goal.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

constexpr char kArguments[] =
    R"({"message":"the quick brown fox jumps over the lazy dog","repeat":3,"tags":["a","b","c"]})";

std::string CallText(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"tools/call","params":{"name":"echo","arguments":)" + kArguments + "}}";
}

// A server with one tool, `sessions` sessions in its store, and requests to them.
class Server {
 public:
  explicit Server(int sessions)
      : store_({.max_records = 200'000}, entropy_), server_({}, store_, entropy_) {
    Tool echo;
    echo.name = "echo";
    const auto added = server_.AddTool(std::move(echo), [](ToolCall& call) {
      return ToolResult::Text(*call.StringArgument("message"));
    });
    if (!added) std::abort();
    for (int i = 0; i < sessions; ++i) sessions_.push_back(Initialize());
  }

  // One tools/call in a session; answers the size of the response.
  std::size_t Call() {
    const std::string& session = sessions_[(next_ * 7919u) % sessions_.size()];
    const std::string body = CallText(static_cast<int>(next_ % 100'000));
    ++next_;
    const std::vector<Effect>& effects = Post(body, session);
    const auto& respond = std::get<effect::HttpRespond>(effects.front());
    if (respond.status != 200) std::abort();
    return respond.body.size();
  }

  std::string response() { return std::get<effect::HttpRespond>(effects_.front()).body; }

 private:
  const std::vector<Effect>& Post(const std::string& body, const std::string& session) {
    HttpRequest request("POST", body);
    request.AddHeader("Host", "localhost:8808");
    request.AddHeader("Content-Type", "application/json");
    request.AddHeader("Accept", "application/json, text/event-stream");
    request.AddHeader("MCP-Protocol-Version", "2025-11-25");
    if (!session.empty()) request.AddHeader("Mcp-Session-Id", session);
    effects_.clear();
    server_.Handle(event::HttpRequested{ExchangeId{++exchange_}, request, {}},
                   Instant{static_cast<std::int64_t>(exchange_ / 1000)}, &effects_);
    return effects_;
  }

  std::string Initialize() {
    const auto& effects = Post(
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
        R"("capabilities":{},"clientInfo":{"name":"bench","version":"1"}}})",
        "");
    for (const auto& [name, value] : std::get<effect::HttpRespond>(effects.front()).headers) {
      if (name == "mcp-session-id") return value;
    }
    std::abort();
  }

  SeededEntropy entropy_{1};
  MemorySessionStore store_;
  McpServer server_;
  std::vector<std::string> sessions_;
  std::vector<Effect> effects_;
  std::uint64_t exchange_ = 0;
  std::uint64_t next_ = 0;
};

void Floor(benchmark::State& state) {
  Server server(1);
  server.Call();
  const std::string response = server.response();
  const nlohmann::json answer = nlohmann::json::parse(response);
  int id = 0;
  for (auto _ : state) {
    const nlohmann::json request = nlohmann::json::parse(CallText(id++ % 100'000));
    benchmark::DoNotOptimize(request);
    benchmark::DoNotOptimize(answer.dump());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Floor)->Name("nlohmann parse + dump");

void Core(benchmark::State& state) {
  Server server(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(server.Call());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Core)->Name("core tools/call, sessions")->Arg(1)->Arg(1'000)->Arg(100'000);

// Prints the table as usual, and at the end each figure as a multiple of the floor.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median") continue;
      times_.emplace_back(run.benchmark_name(), run.GetAdjustedCPUTime());
    }
  }
  void Finalize() override {
    for (std::size_t i = 1; i < times_.size(); ++i) {
      const double ratio = times_[i].second / times_.front().second;
      std::printf("%-40s %5.2f x the floor", times_[i].first.c_str(), ratio);
      goals_.AtMost(ratio, 2);
    }
  }
  int exit_code() const { return goals_.exit_code(); }

 private:
  std::vector<std::pair<std::string, double>> times_;
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
