// Streams of a session that outlive their connection.
//
// Theory of operation. A stream that breaks, or ends without the answer, after an event with an id
// is asked for again by GET with that id (H-54), as often as it brings something new, and up to
// kMaxResumes times without. Meanwhile its call has no exchange and waits for resume_at. What says
// that the rest is not to be had ends the call: it was accepted, so it is not sent again.
//
// The session's own stream is there from the opening on, if listens is set, and is asked for again
// whenever it ends, later each time it brings nothing.
#include <algorithm>
#include <utility>

#include "mcp_session/protocol/http.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

constexpr int kMaxResumes = 5;
constexpr Millis kFirstWait = Seconds(1);  // if the server does not say (H-48)
constexpr Millis kLongestWait = Seconds(60);

// Up to a tenth of `wait`, and no more than 100 ms: clients that were cut off together do not come
// back together. Different for each stream, for the ids of events are.
Millis WithJitter(Millis wait, std::string_view event_id, int tries) {
  std::uint32_t hash = 2166136261u + static_cast<std::uint32_t>(tries);
  for (const char c : event_id) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  const std::int64_t most = std::min<std::int64_t>(wait.count / 10, 100);
  return {wait.count + static_cast<std::int64_t>(hash % 101) * most / 100};
}

}  // namespace

bool ClientEngine::State::ResumeLater(const Exchange& exchange) {
  Call* call = FindCall(exchange.wire_id);
  if (call == nullptr || era_ != Era::kHandshake || step_ != Step::kOpen ||
      exchange.session != session()) {
    return false;
  }
  if (exchange.events) {
    const SseReader& events = *exchange.events;
    if (!events.last_event_id().empty() && events.last_event_id() != call->last_event_id) {
      call->last_event_id = events.last_event_id();
      call->resumes = 0;
    }
    if (events.retry()) call->retry = Millis{*events.retry()};
  } else if (!exchange.resumes) {
    return false;
  }
  if (call->last_event_id.empty() || call->resumes >= kMaxResumes) return false;
  Millis wait = std::min(call->retry.value_or(kFirstWait), kLongestWait);
  for (int i = 0; i < call->resumes; ++i) wait = std::min(Millis{wait.count * 2}, kLongestWait);
  ++call->resumes;
  call->exchange = {};
  call->resume_at = After(now_, WithJitter(wait, call->last_event_id, call->resumes));
  return true;
}

void ClientEngine::State::ResumeStream(Call& call) {
  call.resume_at = kNever;
  call.exchange = Get(call.last_event_id);
  exchanges_.back().wire_id = call.wire_id;
  exchanges_.back().resumes = true;
}

ExchangeId ClientEngine::State::Get(std::string_view last_event_id) {
  client_effect::HttpSend send;
  send.exchange = ExchangeId{++last_exchange_};
  send.method = "GET";
  send.headers.emplace_back(HeaderName(Header::kAccept), "text/event-stream");
  AppendSessionHeaders(&send);
  if (!last_event_id.empty()) {
    send.headers.emplace_back(HeaderName(Header::kLastEventId), EncodeHeaderValue(last_event_id));
  }
  exchanges_.push_back({.id = send.exchange, .session = session()});
  Tell(std::move(send));
  return exchanges_.back().id;
}

void ClientEngine::State::Listen() {
  listening_.at = kNever;
  listening_.exchange = Get(listening_.last_event_id);
  exchanges_.back().listens = true;
  exchanges_.back().deadline = After(now_, options_.request_timeout);
}

void ClientEngine::State::StopListening() {
  const Listening last = std::exchange(listening_, {});
  if (last.exchange.number != 0) Abort(last.exchange);
}

void ClientEngine::State::EndListening(const Exchange& exchange) {
  if (exchange.id != listening_.exchange) return;
  listening_.exchange = {};
  const bool refused = exchange.status >= 300 && exchange.status < 500;
  if (refused || step_ != Step::kOpen ||
      (exchange.status != 0 && exchange.status < 300 && !exchange.events)) {
    return;
  }
  if (exchange.events) {
    if (!exchange.events->last_event_id().empty()) {
      listening_.last_event_id = exchange.events->last_event_id();
    }
    if (exchange.events->retry()) listening_.retry = Millis{*exchange.events->retry()};
  }
  listening_.tries = exchange.heard ? 0 : listening_.tries + 1;
  Millis wait = std::min(listening_.retry, kLongestWait);
  for (int i = 1; i < listening_.tries && wait < kLongestWait; ++i) wait.count = wait.count * 2 + 1;
  wait = WithJitter(std::min(wait, kLongestWait), listening_.last_event_id, listening_.tries);
  listening_.at = After(now_, wait);
}

}  // namespace mcp_session
