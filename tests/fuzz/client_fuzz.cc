// A client that is told anything by its server, over HTTP and on a channel: each call has one end,
// however the bytes are cut.
//
// The first byte of an input says which transport and era, and what the answer is (see Play).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/client/mcp_client.h"
#include "mcp_session/stdio/line_reader.h"
#include "tests/session/client_script.h"

using namespace mcp_session;

namespace {

constexpr std::size_t kMaxBytes = 1024;

class Play {
 public:
  explicit Play(unsigned kind)
      : over_http_((kind & 1) == 0),
        stateless_((kind & 2) == 0),
        stream_((kind & 4) == 0),
        breaks_((kind & 8) != 0),
        client_(Options(over_http_, stateless_)) {
    client_.AnswerQuestions();
    client_.Open(now_, &effects_);
    const std::string result = R"({"jsonrpc":"2.0","id":1,"result":{)" +
                               (stateless_ ? kDiscovered : HandshakeMembers()) + "}}";
    if (over_http_) {
      Head(1, 200, "application/json");
      Tell(client_event::ResponseBytes{ExchangeId{1}, result});
      Tell(client_event::ResponseEnded{ExchangeId{1}});
      Head(2, 202, "");
      Tell(client_event::ResponseEnded{ExchangeId{2}});
    } else {
      Tell(client_event::MessageArrived{result});
    }
    MCPS_CHECK(client_.session() != nullptr);
    Await(client_.Subscribe({.tools = true, .uris = {"x://a"}}, {}, now_, &effects_));
    Await(client_.ListTools({}, now_, &effects_));
    Await(
        client_.CallTool("t", FromText(R"({"a":"b"})"), {.wants_progress = true}, now_, &effects_));
    Await(client_.ReadResource("x://a", {}, now_, &effects_));
  }

  // Gives it `bytes`, so many at once, then time, then closes it.
  void Run(std::string_view bytes, std::size_t piece) {
    if (over_http_) {
      const std::uint64_t first = stateless_ ? 2 : 3;
      for (std::uint64_t exchange = first; exchange < first + 4; ++exchange) {
        Head(exchange, stream_ ? 200 : 400, stream_ ? "text/event-stream" : "application/json");
        for (std::string_view rest = bytes; !rest.empty();
             rest.remove_prefix(std::min(piece, rest.size()))) {
          Tell(client_event::ResponseBytes{ExchangeId{exchange}, rest.substr(0, piece)});
        }
        if (breaks_) {
          Tell(client_event::ExchangeFailed{ExchangeId{exchange}, false, "broken"});
        } else {
          Tell(client_event::ResponseEnded{ExchangeId{exchange}});
        }
      }
    } else {
      LineReader lines(kMaxBytes);
      for (std::string_view rest = bytes; !rest.empty();
           rest.remove_prefix(std::min(piece, rest.size()))) {
        std::string_view unread = rest.substr(0, piece);
        while (const auto line = lines.Next(&unread)) {
          Tell(client_event::MessageArrived{line->too_long ? "too long" : line->text});
        }
      }
      if (breaks_) Tell(client_event::ChannelClosed{});
    }
    for (int i = 0; i < 8 && client_.NextDeadline() != kNever; ++i) {
      now_ = std::max(now_, client_.NextDeadline());
      Tell(client_event::Woken{});
    }
    client_.Close(now_, &effects_);
    for (const ClientEffect& effect : effects_) {
      if (const auto* answered = std::get_if<client_effect::Answered>(&effect)) {
        ++ends_[answered->call.number];
      } else if (const auto* failed = std::get_if<client_effect::Failed>(&effect)) {
        ++ends_[failed->call.number];
      }
    }
    MCPS_CHECK(ends_.size() == 4);
    for (const auto& [call, ends] : ends_) MCPS_CHECK(ends == 1);
  }

 private:
  static ClientOptions Options(bool over_http, bool stateless) {
    ClientOptions options =
        ProbeOptions(over_http ? ClientTransport::kHttp : ClientTransport::kChannel,
                     stateless ? Era::kStateless : Era::kHandshake);
    options.capabilities = FromText(R"({"roots":{},"elicitation":{}})");
    options.limits.max_message_bytes = kMaxBytes;
    options.limits.max_sse_event_bytes = kMaxBytes;
    return options;
  }
  void Await(CallId call) { ends_[call.number] = 0; }
  void Tell(ClientEvent event) { client_.Handle(std::move(event), now_, &effects_); }
  void Head(std::uint64_t exchange, int status, std::string_view type) {
    Tell(client_event::ResponseStarted{ExchangeId{exchange}, status, type, {}});
  }

  const bool over_http_;
  const bool stateless_;
  const bool stream_;
  const bool breaks_;
  Instant now_{1'000};
  ClientEffects effects_;
  McpClient client_;
  std::map<std::uint64_t, int> ends_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Play(data[0]).Run(bytes, bytes.size());
  Play(data[0]).Run(bytes, 7);
  return 0;
}
