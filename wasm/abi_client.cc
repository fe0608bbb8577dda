// A client behind the ABI: a ClientEngine.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/json/parse.h"
#include "mcp_session/session/client_engine.h"
#include "wasm/abi.h"
#include "wasm/abi_frame.h"
#include "wasm/abi_options.h"

namespace mcp_session::abi {
namespace {

constexpr FrameRule kInput[] = {
    {MCPS_WOKEN, 0, 0},          {MCPS_MESSAGE_ARRIVED, 1, 1},  {MCPS_CHANNEL_CLOSED, 0, 0},
    {MCPS_OPEN, 0, 0},           {MCPS_REQUEST, 1, kAnyNumber}, {MCPS_CANCEL, 0, 0},
    {MCPS_CLOSE, 0, 0},          {MCPS_RESPONSE_STARTED, 2, 2}, {MCPS_RESPONSE_BYTES, 1, 1},
    {MCPS_RESPONSE_ENDED, 0, 0}, {MCPS_EXCHANGE_FAILED, 0, 0},  {MCPS_REPLY, 0, 2},
    {MCPS_ROOTS_CHANGED, 0, 0},
};

Json RpcErrorJson(const RpcError& error) {
  Json json = EmptyObject();
  json["code"] = error.code;
  json["message"] = error.message;
  if (error.data) json["data"] = *error.data;
  return json;
}

struct WriteClientEffect {
  void operator()(const client_effect::HttpSend& send) const {
    FrameWriter(MCPS_HTTP_SEND, send.exchange.number)
        .Add(send.method)
        .Add(send.body)
        .AddHeaders(send.headers);
  }
  void operator()(const client_effect::HttpAbort& abort) const {
    FrameWriter(MCPS_HTTP_ABORT, abort.exchange.number);
  }
  void operator()(const client_effect::Send& send) const { FrameWriter(MCPS_SEND).Add(send.text); }
  void operator()(const client_effect::Opened& opened) const {
    FrameWriter(MCPS_OPENED, 0, opened.era == Era::kStateless ? 1 : 0)
        .Add(RevisionName(opened.revision))
        .Add(opened.session_id)
        .AddJson(opened.server);
  }
  void operator()(const client_effect::OpenFailed& failed) const {
    FrameWriter(MCPS_OPEN_FAILED).Add(CodeName(failed.error.code)).Add(failed.error.message);
  }
  void operator()(const client_effect::Answered& answered) const {
    FrameWriter(MCPS_ANSWERED, answered.call.number).AddJson(answered.result);
  }
  void operator()(const client_effect::Failed& failed) const {
    FrameWriter frame(MCPS_FAILED, failed.call.number);
    frame.Add(CodeName(failed.error.code)).Add(failed.error.message);
    if (failed.rpc) frame.AddJson(RpcErrorJson(*failed.rpc));
  }
  void operator()(const client_effect::Progressed& progressed) const {
    FrameWriter(MCPS_PROGRESSED, progressed.call.number).AddJson(progressed.params);
  }
  void operator()(const client_effect::Notified& notified) const {
    FrameWriter(MCPS_NOTIFIED).Add(notified.method).AddJson(notified.params);
  }
  void operator()(const client_effect::Asked& asked) const {
    FrameWriter(MCPS_ASKED, asked.question.number).Add(asked.method).AddJson(asked.params);
  }
  void operator()(const client_effect::Withdrawn& withdrawn) const {
    FrameWriter(MCPS_WITHDRAWN, withdrawn.question.number);
  }
  void operator()(const client_effect::SessionLost&) const { FrameWriter{MCPS_SESSION_LOST}; }
  void operator()(const client_effect::Closed&) const { FrameWriter{MCPS_CLOSED}; }
};

}  // namespace
}  // namespace mcp_session::abi

using namespace mcp_session;       // NOLINT: the C names are global
using namespace mcp_session::abi;  // NOLINT

struct mcps_client {
 public:
  explicit mcps_client(ClientSetup setup)
      : limits_(setup.options.limits), engine_(std::move(setup.options)) {
    if (setup.asked) engine_.AnswerQuestions();
  }
  mcps_client(const mcps_client&) = delete;
  mcps_client& operator=(const mcps_client&) = delete;

  Result<void> Handle(std::string_view bytes, double now) {
    MCPS_TRY(const Frame frame, ReadFrame(bytes, kInput));
    MCPS_TRY(ClientEvent event, ReadEvent(frame));
    ClientEffects effects;
    engine_.Handle(std::move(event), clock_.At(now), &effects);
    if (frame.kind == MCPS_REQUEST && frame.number < 0) engine_.KeepOpen(CallId{frame.id});
    for (const ClientEffect& effect : effects) std::visit(WriteClientEffect{}, effect);
    return {};
  }

  Instant deadline() const { return engine_.NextDeadline(); }

 private:
  Result<ClientEvent> ReadEvent(const Frame& frame) const {
    const ExchangeId exchange{frame.id};
    switch (frame.kind) {
      case MCPS_MESSAGE_ARRIVED:
        return client_event::MessageArrived{frame.Text(0)};
      case MCPS_CHANNEL_CLOSED:
        return client_event::ChannelClosed{};
      case MCPS_OPEN:
        return client_event::Open{};
      case MCPS_REQUEST:
        return ReadRequest(frame);
      case MCPS_REPLY:
        return ReadReply(frame);
      case MCPS_CANCEL:
        return client_event::Cancel{CallId{frame.id}};
      case MCPS_ROOTS_CHANGED:
        return client_event::RootsChanged{};
      case MCPS_CLOSE:
        return client_event::Close{};
      case MCPS_RESPONSE_STARTED:
        return client_event::ResponseStarted{exchange, frame.number, frame.Text(0), frame.Text(1)};
      case MCPS_RESPONSE_BYTES:
        return client_event::ResponseBytes{exchange, frame.Text(0)};
      case MCPS_RESPONSE_ENDED:
        return client_event::ResponseEnded{exchange};
      case MCPS_EXCHANGE_FAILED:
        return client_event::ExchangeFailed{exchange, frame.number == 1};
      default:
        return client_event::Woken{};
    }
  }

  Result<ClientEvent> ReadRequest(const Frame& frame) const {
    client_event::Request request{CallId{frame.id}, frame.Text(0)};
    if (frame.Has(1)) {
      MCPS_TRY(request.params, ParseJson(frame.Text(1), limits_));
    }
    request.wants_progress = frame.Has(2);
    request.repeatable = frame.Has(3);
    for (std::size_t i = 4; i + 1 < frame.fields.size(); i += 2) {
      request.headers.emplace_back(frame.Text(i), frame.Text(i + 1));
    }
    if (frame.number > 0) request.timeout = Millis{frame.number};
    return request;
  }

  Result<ClientEvent> ReadReply(const Frame& frame) const {
    const QuestionId question{frame.id};
    if (!frame.Has(0)) {
      return client_event::Reply{
          question, RpcError{JsonRpcNumber(ErrorCode::kInternal), std::string(frame.Text(1)), {}}};
    }
    MCPS_TRY(Json result, ParseJson(frame.Text(0), limits_));
    return client_event::Reply{question, std::move(result)};
  }

  const Limits limits_;
  ClientEngine engine_;
  Clock clock_;
};

extern "C" {

mcps_client* mcps_client_new(const char* options, std::size_t size) {
  ClearOutput();
  ClientSetup read;
  const Result<void> done = ReadClientOptions({options, size}, &read);
  if (done) return new mcps_client(std::move(read));
  WriteError(done.error());
  return nullptr;
}

int mcps_client_handle(mcps_client* client, const void* frame, std::size_t size, double now) {
  ClearOutput();
  const Result<void> done = client->Handle({static_cast<const char*>(frame), size}, now);
  return done ? 0 : WriteError(done.error());
}

double mcps_client_deadline(const mcps_client* client) { return DeadlineOf(client->deadline()); }

void mcps_client_delete(mcps_client* client) { delete client; }

}  // extern "C"
