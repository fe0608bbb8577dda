// A client among servers that say anything, at any time: what it promises holds all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/session/client_script.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kMaxCalls = 4;

class Chaos {
 public:
  Chaos(std::uint64_t seed, ClientTransport transport, std::optional<Era> era)
      : random_(seed), script_([&] {
          ClientOptions options = ProbeOptions(transport, era);
          options.limits.max_calls_per_session = kMaxCalls;
          options.limits.max_message_bytes = 4096;
          options.limits.max_sse_event_bytes = 4096;
          options.listens = seed % 2 == 0;
          return options;
        }()) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      Watch();
    }
    // The end: whatever was going on, Close ends it, and nothing is left that needs waking.
    script_.Close();
    Watch();
    for (int i = 0; i < 100 && script_.Patience() >= 0; ++i) {
      script_.Pass(Millis{script_.Patience()});
      Watch();
    }
    EXPECT_EQ(script_.Patience(), -1);
    EXPECT_THAT(waiting_, IsEmpty());
    EXPECT_THAT(exchanges_, IsEmpty());
  }

  int answered = 0;
  int opened = 0;

 private:
  std::uint64_t Any(std::uint64_t bound) { return random_.Below(bound); }

  // What a good server says to this request.
  std::string GoodAnswer(const std::string& request) {
    const std::size_t at = request.find("\"id\":");
    if (at == std::string::npos) return "";
    const std::string id = std::to_string(std::strtoull(request.c_str() + at + 5, nullptr, 10));
    if (request.find("server/discover") != std::string::npos) return ResultText(id, kDiscovered);
    if (request.find("initialize") != std::string::npos) return ResultText(id, HandshakeMembers());
    return ResultText(id, R"("a":1)");
  }

  // An id that the client used lately, mostly.
  std::string AnyId() {
    if (Any(8) == 0) return std::string(Any(2) == 0 ? "\"1\"" : "null");
    return std::to_string(last_id_ - std::min<std::uint64_t>(last_id_, Any(3)));
  }

  std::string AnyMessage() {
    const std::string id = AnyId();
    switch (Any(12)) {
      case 0:
        return RpcErrorText("\"id\":" + id + ",", -32601);
      case 1:
        return RpcErrorText("\"id\":" + id + ",", -32022, R"({"supported":["2026-07-28"]})");
      case 2:
        return RpcErrorText("", -32000);
      case 3:
        return ProgressText(id, "\"progress\":" + std::to_string(Any(9)));
      case 4:
        return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"ping"})";
      case 5:
        return R"({"jsonrpc":"2.0","method":"notifications/message"})";
      case 6:
        return "[" + ResultText(id, "") + "]";
      case 7:
        return ResultText(id, "").substr(0, Any(30));
      case 8:
        return ResultText(id, kDiscovered);
      case 9:
        return ResultText(id, HandshakeMembers(Any(4) == 0 ? "2025-03-26" : "2025-11-25"));
      default:
        return ResultText(id, R"("a":1)");
    }
  }

  std::uint64_t AnyExchange() {
    if (exchanges_.empty() || Any(8) == 0) return Any(last_exchange_ + 2);
    auto it = exchanges_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(Any(exchanges_.size())));
    return it->first;
  }

  void Step() {
    switch (Any(28)) {
      case 0:
        script_.Open();
        return;
      case 1:
      case 2:
      case 3: {
        waiting_.insert(++last_call_);
        script_.Give(client_event::Request{
            CallId{last_call_}, "tools/call", Json{{"name", "x"}}, Any(2) == 0,
            Any(4) == 0 ? std::optional<Millis>(Millis{100}) : std::nullopt});
        return;
      }
      case 4:
        script_.Cancel(last_call_ - std::min<std::uint64_t>(last_call_, Any(4)));
        return;
      case 5:
        if (Any(24) == 0) script_.Close();
        return;
      case 6:
        script_.Pass(Millis{static_cast<std::int64_t>(Any(8'000))});
        return;
      case 7:
        if (Any(24) == 0) script_.Give(client_event::ChannelClosed{});
        return;
      case 8: {
        const std::uint64_t exchange = AnyExchange();
        exchanges_.erase(exchange);
        script_.Break(exchange, Any(2) == 0);
        return;
      }
      case 9:
      case 10: {
        const std::uint64_t exchange = AnyExchange();
        constexpr int kStatuses[] = {200, 200, 200, 202, 400, 404, 500, 0};
        script_.Head(exchange, kStatuses[Any(8)],
                     Any(2) == 0 ? "text/event-stream" : "application/json",
                     Any(2) == 0 ? "s1" : "");
        return;
      }
      case 11:
        script_.Bytes(AnyExchange(), "data: " + AnyMessage() + "\n\n");
        return;
      case 12:
        script_.Bytes(AnyExchange(), AnyMessage());
        return;
      case 13: {
        const std::uint64_t exchange = AnyExchange();
        exchanges_.erase(exchange);
        script_.End(exchange);
        return;
      }
      case 14:
        script_.Bytes(AnyExchange(), std::string(Any(5000), 'x'));
        return;
      default:
        script_.Arrive(AnyMessage());
        return;
    }
  }

  // Holds the effects of the last step against what was promised, and forgets them.
  void Watch() {
    for (const ClientEffect& effect : script_.effects) {
      if (const auto* send = std::get_if<client_effect::HttpSend>(&effect)) {
        EXPECT_EQ(send->exchange.number, ++last_exchange_) << "never used twice";
        exchanges_[send->exchange.number] = send->body;
        NoteId(send->body);
      } else if (const auto* message = std::get_if<client_effect::Send>(&effect)) {
        NoteId(message->text);
        last_sent_ = message->text;
      } else if (const auto* abort = std::get_if<client_effect::HttpAbort>(&effect)) {
        EXPECT_EQ(exchanges_.erase(abort->exchange.number), 1u) << "not under way";
      } else if (const auto* done = std::get_if<client_effect::Answered>(&effect)) {
        EXPECT_EQ(waiting_.erase(done->call.number), 1u) << "not waiting";
        ++answered;
      } else if (const auto* failed = std::get_if<client_effect::Failed>(&effect)) {
        EXPECT_EQ(waiting_.erase(failed->call.number), 1u) << "not waiting";
      } else if (const auto* progress = std::get_if<client_effect::Progressed>(&effect)) {
        EXPECT_EQ(waiting_.count(progress->call.number), 1u) << "not waiting";
      } else if (std::holds_alternative<client_effect::Opened>(effect)) {
        ++opened;
      }
    }
    script_.effects.clear();
    EXPECT_LE(waiting_.size(), kMaxCalls);
    // Calls, as many messages that need no answer, the step of an opening or its DELETE, and the
    // session's stream.
    EXPECT_LE(exchanges_.size(), 2 * kMaxCalls + 4);
  }

  void NoteId(const std::string& text) {
    const std::size_t at = text.find("\"id\":");
    if (at == std::string::npos || text.find("\"method\":") == std::string::npos) return;
    last_id_ = std::strtoull(text.c_str() + at + 5, nullptr, 10);
  }

  SeededEntropy random_;
  ClientScript<ClientEngine> script_;
  std::uint64_t last_call_ = 0;
  std::uint64_t last_exchange_ = 0;
  std::uint64_t last_id_ = 0;
  std::set<std::uint64_t> waiting_;
  std::map<std::uint64_t, std::string> exchanges_;  // which the host still has, and their bodies
  std::string last_sent_;                           // on a channel
};

TEST(ClientChaos, EveryRequestEndsOnceAndNothingIsLeft) {
  int answered = 0;
  int opened = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    for (const auto transport : {ClientTransport::kHttp, ClientTransport::kChannel}) {
      for (const std::optional<Era> era :
           {std::optional<Era>(), {Era::kHandshake}, {Era::kStateless}}) {
        Chaos chaos(seed, transport, era);
        chaos.Run(200);
        answered += chaos.answered;
        opened += chaos.opened;
      }
    }
    if (HasFailure()) return;
  }
  // The play is worth something only if it gets past the opening: on average, in every run.
  EXPECT_GT(opened, 60 * 2 * 3);
  EXPECT_GT(answered, 60 * 2 * 3);
}

}  // namespace
}  // namespace mcp_session
