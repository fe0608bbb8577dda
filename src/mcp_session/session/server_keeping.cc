// The one place that names the code of streams that are kept: whoever does not call KeepStreams has
// none of it.
#include <utility>

#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {

class ServerEngine::State::Keeping final : public StreamKeeping {
 public:
  explicit Keeping(State& state) : state_(state) {}

  void Started(OpenCall& call, Instant now) override {
    call.touch_at = now + state_.TouchInterval();
    call.record_at = now + kShortCall;
    state_.due = std::min({state_.due, call.touch_at, call.record_at});
  }

  bool Send(OpenCall& call, std::string* text, bool last, Effects* effects) override {
    if (!call.streaming && state_.IsResumable(call)) call.stream = state_.OpenStream(call);
    if (call.stream == 0) return false;
    call.streaming = true;
    const auto kind = last ? CallStream::Kind::kLast : CallStream::Kind::kMessage;
    state_.Write(call.stream, kind, std::move(*text), effects);
    return true;
  }

  bool HoldBack(OpenCall& call, std::string* text) override {
    if (call.stream != 0 || state_.IsResumable(call)) return false;
    if (call.recorded && call.held.empty()) return false;
    call.held.push_back(std::move(*text));
    state_.OpenCallRecord(call);
    return true;
  }

  bool Closed(const OpenCall& call, Effects* effects) override {
    if (call.stream != 0) state_.Write(call.stream, CallStream::Kind::kEnd, {}, effects);
    state_.RemoveCallRecord(call);
    return call.stream != 0;
  }

  void Answered(const OpenCall& call) override { state_.RemoveCallRecord(call); }

  void Tick(OpenCall& call) override { state_.TickCall(call); }

  void Drop(ExchangeId exchange) override {
    state_.DropListener(exchange);
    streams.ForEach([&](std::uint64_t, CallStream& stream) {
      if (stream.exchange == exchange) stream.exchange = {};  // its events are kept (H-49)
    });
  }

  void Find(ExchangeId exchange, Caller caller, std::optional<std::string> last_event) override {
    const std::string owner = RecordOwner(caller);
    const std::string session = caller.session;
    const auto ticket =
        state_.Await(WaitForListening{exchange, std::move(caller), std::move(last_event)});
    state_.Submit(ticket, store::Get{RecordKey{owner, kSessionKind, session}});
  }

  void Forward(ExchangeId exchange, const Caller& caller, const RequestId& cancelled) override {
    state_.ForwardCancellation(exchange, caller, cancelled);
  }
  void Forward(ExchangeId exchange, const Caller& caller, const Response& response,
               Turn& turn) override {
    state_.ForwardResponse(exchange, caller, response, turn);
  }

  void SessionEnded(const Caller& caller, Turn& turn) override {
    state_.EndListenersOf(caller, turn);
  }

  bool HandleReply(Wait& wait, StoreReply& reply, Turn& turn) override {
    if (const auto* stream = std::get_if<WaitForStream>(&wait)) {
      state_.StreamReplied(stream->stream, reply, turn);
    } else if (const auto* listener = std::get_if<WaitForListener>(&wait)) {
      state_.ListenerReplied(listener->listener, std::move(reply), turn);
    } else if (const auto* call = std::get_if<WaitForCall>(&wait)) {
      state_.CallReplied(*call, reply, turn);
    } else if (const auto* forwarded = std::get_if<WaitForForward>(&wait)) {
      Forwarded(forwarded->exchange, reply, turn);
    } else if (auto* listening = std::get_if<WaitForListening>(&wait)) {
      SessionFound(*listening, reply, turn);
    } else {
      return false;
    }
    return true;
  }

 private:
  void Forwarded(ExchangeId exchange, const StoreReply& reply, Turn& turn) {
    if (reply.error && !IsAbsent(reply.error)) {  // else nobody waits for it
      return state_.StoreFailed(exchange, *reply.error, std::nullopt, turn);
    }
    turn.effects->push_back(effect::HttpRespond{exchange, 202, {}, {}});
  }

  void SessionFound(WaitForListening& wait, const StoreReply& reply, Turn& turn) {
    if (reply.error) return state_.StoreFailed(wait.exchange, *reply.error, std::nullopt, turn);
    const auto head = DecodeSessionHead(*reply.record.data);
    if (!head) return state_.StoreFailed(wait.exchange, ErrorCode::kCorrupt, std::nullopt, turn);
    wait.caller.revision = head->revision;
    state_.Listen(wait.exchange, std::move(wait.caller), wait.last_event, turn);
  }

  State& state_;
};

void ServerEngine::KeepStreams() {
  if (state_->keeping == nullptr) state_->keeping = std::make_unique<State::Keeping>(*state_);
}

}  // namespace mcp_session
