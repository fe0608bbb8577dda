// A client under test and the server's lines of its play: the test says what the transport
// reports, and reads what is to be done as text, one line for each effect.
//
//   #3 POST {...}            #3 abort
//   send {...}               opened handshake 2025-11-25 "s1" {...}      open failed TIMEOUT
//   answered 7 {...}         failed 7 CANCELLED     failed 7 PEER rpc -32002 "no"
//   progressed 7 {...}       notified notifications/message {...}
//   asked 1 for 7 elicitation/create {...}          withdrawn 1
//   session lost             closed
#ifndef TESTS_SESSION_CLIENT_SCRIPT_H_
#define TESTS_SESSION_CLIENT_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/json/json.h"
#include "mcp_session/session/client_engine.h"

namespace mcp_session {

using Lines = std::vector<std::string>;

// What the client does, as text.
std::string ToLine(const ClientEffect& effect);
Lines ToLines(const ClientEffects& effects);

// `text` as a value; the test fails if it is no JSON.
Json FromText(std::string_view text);
std::string ToText(const Json& value);

// A client over HTTP or a channel. Client is ClientEngine or McpClient: what it must have is
// Handle and NextDeadline.
template <typename Client>
class ClientScript {
 public:
  explicit ClientScript(ClientOptions options) : client_(std::move(options)) {}

  Client& client() { return client_; }
  Instant now{1'000'000};
  // What the last step brought about; a step forgets what was before.
  ClientEffects effects;

  Lines lines() const { return ToLines(effects); }

  Lines Give(ClientEvent event) {
    effects.clear();
    client_.Handle(std::move(event), now, &effects);
    return lines();
  }

  Lines Open() { return Give(client_event::Open{}); }
  Lines Close() { return Give(client_event::Close{}); }
  Lines Cancel(std::uint64_t call) { return Give(client_event::Cancel{CallId{call}}); }
  Lines Ask(std::uint64_t call, std::string_view method, Json params = {}) {
    return Give(client_event::Request{CallId{call}, method, std::move(params), false, {}});
  }

  Lines Reply(std::uint64_t question, std::variant<Json, RpcError> outcome) {
    return Give(client_event::Reply{QuestionId{question}, std::move(outcome)});
  }

  // A response, whole.
  Lines Respond(std::uint64_t exchange, int status, std::string_view body,
                std::string_view content_type = "application/json",
                std::string_view session_id = {}) {
    Lines all = Head(exchange, status, content_type, session_id);
    for (Lines more : {Bytes(exchange, body), End(exchange)}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  Lines Head(std::uint64_t exchange, int status, std::string_view content_type,
             std::string_view session_id = {}) {
    return Give(
        client_event::ResponseStarted{ExchangeId{exchange}, status, content_type, session_id});
  }
  Lines Stream(std::uint64_t exchange) { return Head(exchange, 200, "text/event-stream"); }
  Lines Bytes(std::uint64_t exchange, std::string_view bytes) {
    return Give(client_event::ResponseBytes{ExchangeId{exchange}, bytes});
  }
  Lines Event(std::uint64_t exchange, std::string_view data) {
    return Bytes(exchange, "data: " + std::string(data) + "\n\n");
  }
  Lines End(std::uint64_t exchange) {
    return Give(client_event::ResponseEnded{ExchangeId{exchange}});
  }
  Lines Break(std::uint64_t exchange, bool opaque = false) {
    return Give(client_event::ExchangeFailed{ExchangeId{exchange}, opaque});
  }

  Lines Arrive(std::string_view text) { return Give(client_event::MessageArrived{text}); }

  // Lets time pass, and wakes the client.
  Lines Pass(Millis time) {
    now = now + time;
    return Give(client_event::Woken{});
  }
  // How long the client will wait from now on; -1 for ever.
  std::int64_t Patience() const {
    const Instant deadline = client_.NextDeadline();
    return deadline == kNever ? -1 : (deadline - now).count;
  }

 private:
  Client client_;
};

using EngineScript = ClientScript<ClientEngine>;

// The headers of the request that `effects` send first, as "Name: value".
Lines HeadersOf(const ClientEffects& effects);

// --- what is said on the wire ---

std::string ResultText(std::string_view id, std::string_view members);
std::string ResultText(int id, std::string_view members);
// `id_member` is "\"id\":1," or empty.
std::string RpcErrorText(std::string_view id_member, int code, std::string_view data = {});
std::string RequestText(int id, std::string_view method, std::string_view params = {});
std::string CancelText(int id);
std::string DiscoverText(int id);
std::string InitializeText(int id, std::string_view version = "2025-11-25");
// A DiscoverResult's members, and how it opens a client.
inline const std::string kDiscovered =
    R"("resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},)"
    R"("instructions":"ask","ttlMs":60000,"cacheScope":"public",)"
    R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"ledger","version":"1.2"}})";
inline const std::string kOpenedStateless =
    R"(opened stateless 2026-07-28 "" {"capabilities":{"tools":{}},"instructions":"ask",)"
    R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"ledger","version":"1.2"}},)"
    R"("serverInfo":{"name":"ledger","version":"1.2"}})";
// An InitializeResult's members, and the server it introduces.
std::string HandshakeMembers(std::string_view version = "2025-11-25");
inline const std::string kServer =
    R"({"serverInfo":{"name":"ledger","version":"1.2"},"capabilities":{"tools":{}}})";
inline const std::string kInitialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
// -32022 with data.supported.
std::string RefusedText(int id, std::string_view supported);
// The line of a POST.
std::string Posted(int exchange, std::string_view text);
std::string ProgressText(std::string_view token, std::string_view rest);

// The client of these tests: probe 0.1, without capabilities.
ClientOptions ProbeOptions(ClientTransport transport, std::optional<Era> era = std::nullopt);
// What it has in each stateless request.
inline const std::string kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{},)"
    R"("io.modelcontextprotocol/clientInfo":{"name":"probe","version":"0.1"}})";

// --- clients that are open ---

// Stateless over HTTP; its next request has id 2 and exchange 2.
class StatelessHttp : public EngineScript {
 public:
  explicit StatelessHttp(ClientOptions options = ProbeOptions(ClientTransport::kHttp));
};

// Handshake era over HTTP; its next request has id 2 and exchange 3.
class SessionHttp : public EngineScript {
 public:
  explicit SessionHttp(std::string_view version = "2025-11-25", std::string_view session = "s1",
                       ClientOptions options = ProbeOptions(ClientTransport::kHttp));
};

// Stateless on a channel; its next request has id 2.
class StatelessChannel : public EngineScript {
 public:
  StatelessChannel();
};

// Handshake era on a channel; its next request has id 2.
class SessionChannel : public EngineScript {
 public:
  SessionChannel();
};

}  // namespace mcp_session

#endif  // TESTS_SESSION_CLIENT_SCRIPT_H_
