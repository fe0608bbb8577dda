// GET: streams that are read from the store, whichever node writes them.
//
// Two kinds: the stream of a call, from the event that the client saw last (H-55); and the
// session's own, for what belongs to no request (H-50). A listener has one command in the store at
// a time:
//
//   kFind    the record of the call's stream
//   kMark    an event on the session's own stream that says: this GET reads it from now on. An
//            older one that comes upon it ends, here or on another node.
//   kFirst   what is there already; only then the response begins
//   kRead    events, as they come
//   kAlive   there were none for a while: does the session, does the call still run?
//   kRest    the call does not; its last event may have come meanwhile
//
// What cannot be replayed is told, by an error for the request, or by a status if it is not known
// which request that was. A store that is away ends the stream without an answer, so the client
// comes again.
#include <algorithm>
#include <utility>

#include "mcp_session/json/parse.h"
#include "mcp_session/protocol/sse.h"
#include "mcp_session/session/event_id.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::size_t kEventsAtOnce = 100;
constexpr char kTakeover = 't';  // an event of the session's own stream

// "E1" and the request's id as JSON.
std::optional<RequestId> DecodeStreamRecord(std::string_view data) {
  if (data.substr(0, 2) != "E1") return std::nullopt;
  Limits limits;
  limits.max_message_bytes = data.size();
  const Result<Json> id = ParseJson(data.substr(2), limits);
  return id ? ReadRequestId(*id) : std::nullopt;
}

char KindOf(const StreamEvent& event) { return event.data->empty() ? '\0' : event.data->front(); }

// Whether a call's stream ends with it.
bool IsLast(const StreamEvent& event) {
  const char kind = KindOf(event);
  return kind == static_cast<char>(CallStream::Kind::kLast) ||
         kind == static_cast<char>(CallStream::Kind::kEnd);
}

}  // namespace

void ServerEngine::State::Listen(ExchangeId exchange, Caller caller,
                                 const std::optional<std::string>& last_event, Turn& turn) {
  std::size_t open = 0;
  keeping->listeners.ForEach([&](std::uint64_t, const Listener& other) {
    if (other.caller.session == caller.session) ++open;
  });
  if (open >= options.limits.max_streams_per_session) {
    return RefuseHttp(
        exchange, MakeRefusal(ErrorCode::kTooManyRequests, "too many streams are open"), {}, turn);
  }
  Listener listener;
  listener.exchange = exchange;
  listener.owner = OwnerOf({}, caller.session);
  listener.stream = kSessionStream;
  if (last_event) {
    auto id = ParseEventId(*last_event);
    if (!id) {
      return RefuseHttp(exchange, MakeRefusal(ErrorCode::kBadHeader, "unknown Last-Event-ID"), {},
                        turn);
    }
    listener.stream = std::move(id->stream);
    listener.request = std::move(id->request);
    listener.after = id->sequence;
    listener.resumes = true;
  }
  const bool of_session = listener.stream == kSessionStream;
  listener.step = of_session ? Listener::Step::kMark : Listener::Step::kFind;
  listener.caller = std::move(caller);
  const Lifetime& lifetime = options.session_lifetime;
  const std::uint64_t number = keeping->listeners.Insert(listener);
  const RecordKey key{listener.owner, kStreamKind, listener.stream};
  if (!of_session) return Submit(Await(WaitForListener{number}), store::Get{key});
  // It is there from the session's first GET on.
  Submit(kNobody, store::Create{key, "E1", Lifetime{lifetime.idle_ttl, lifetime.max_life}});
  Submit(Await(WaitForListener{number}),
         store::Append{key, std::string(1, kTakeover), options.limits.max_events_per_stream});
}

void ServerEngine::State::ListenerReplied(std::uint64_t number, StoreReply reply, Turn& turn) {
  using Step = Listener::Step;
  Listener* listener = keeping->listeners.Find(number);
  if (listener == nullptr) return;
  if (listener->exchange.number == 0) {
    keeping->listeners.Take(number);
    return;
  }
  switch (listener->step) {
    case Step::kFind:
      return StreamFound(number, *listener, reply, turn);
    case Step::kMark:
      if (reply.error) {
        // The session is there; that its stream is not says that there was no room.
        const bool full = IsAbsent(reply.error);
        return EndListening(number, full ? ErrorCode::kCapacity : *reply.error, turn);
      }
      listener->marker = reply.sequence;
      if (listener->resumes) return ReadOn(number, *listener, Step::kFirst);
      listener->after = listener->marker;
      BeginListening(*listener, turn);
      return ReadOn(number, *listener, Step::kRead);
    case Step::kAlive: {
      const bool ended = IsAbsent(reply.error);
      if (listener->of_call()) return ReadOn(number, *listener, ended ? Step::kRest : Step::kRead);
      return ended ? EndListening(number, std::nullopt, turn)
                   : ReadOn(number, *listener, Step::kRead);
    }
    default:
      return EventsRead(number, *listener, reply, turn);
  }
}

void ServerEngine::State::StreamFound(std::uint64_t number, Listener& listener,
                                      const StoreReply& reply, Turn& turn) {
  if (IsAbsent(reply.error)) return TellLost(number, "this stream is not kept any more", turn);
  if (reply.error) return EndListening(number, *reply.error, turn);
  auto request = DecodeStreamRecord(*reply.record.data);
  if (!request) return EndListening(number, ErrorCode::kCorrupt, turn);
  listener.request = std::move(request);
  // The stream goes on here (H-52).
  keeping->streams.ForEach([&](std::uint64_t, CallStream& stream) {
    if (stream.owner == listener.owner && stream.name == listener.stream) {
      Disconnect(stream, turn.effects);
    }
  });
  ReadOn(number, listener, Listener::Step::kFirst);
}

// How long to wait for events before asking whether anybody still writes them.
Millis ServerEngine::State::ListeningTime(const Listener& listener) const {
  const Millis most = listener.of_call() ? Millis{options.node_time.count / 3} : kMaxEventWait;
  const Millis idle = options.session_lifetime.idle_ttl.value_or(kMaxLifetime);
  return std::max(Millis{1}, std::min(most, Millis{idle.count / 3}));
}

void ServerEngine::State::ReadOn(std::uint64_t number, Listener& listener, Listener::Step step) {
  listener.step = step;
  const bool waits = step == Listener::Step::kRead;
  // The event that the client saw last is looked at as well: was it the end?
  const bool looks_back =
      step == Listener::Step::kFirst && listener.of_call() && listener.after > 0;
  Submit(Await(WaitForListener{number}),
         store::ReadEvents{RecordKey{listener.owner, kStreamKind, listener.stream},
                           listener.after - (looks_back ? 1 : 0), kEventsAtOnce,
                           waits ? ListeningTime(listener) : Millis{0}});
}

void ServerEngine::State::EventsRead(std::uint64_t number, Listener& listener,
                                     const StoreReply& reply, Turn& turn) {
  using Step = Listener::Step;
  if (reply.error == ErrorCode::kGap) {
    // Of what it saw nothing needs to be kept.
    const bool whole = listener.step == Step::kFirst && reply.sequence == listener.after;
    if (whole && listener.of_call()) return ReadOn(number, listener, Step::kRead);
    return TellLost(number, "some events of this stream are not kept any more", turn);
  }
  if (IsAbsent(reply.error)) return TellLost(number, "this stream has ended", turn);
  if (reply.error) return EndListening(number, *reply.error, turn);
  BeginListening(listener, turn);
  for (const StreamEvent& event : reply.events) {
    const bool seen = event.sequence <= listener.after;
    listener.after = event.sequence;
    if (seen ? IsLast(event) : Deliver(listener, event, turn))
      return EndListening(number, std::nullopt, turn);
  }
  if (!reply.events.empty() || listener.step == Step::kFirst) {
    return ReadOn(number, listener, Step::kRead);
  }
  if (listener.step == Step::kRest) {
    return TellLost(number, "the server that worked on this request is gone", turn);
  }
  listener.step = Step::kAlive;
  if (listener.of_call()) {
    const std::string name = NameOfCall(*listener.request);
    return Submit(Await(WaitForListener{number}),
                  store::ReadEvents{RecordKey{listener.owner, kCallKind, name}, 0, 1, Millis{0}});
  }
  const std::string owner = RecordOwner(listener.caller);
  Submit(kNobody, store::Touch{RecordKey{listener.owner, kStreamKind, listener.stream}});
  Submit(Await(WaitForListener{number}),
         store::Touch{RecordKey{owner, kSessionKind, listener.caller.session}});
}

// Ends what this session listens to here; other nodes find out when they ask for more.
void ServerEngine::State::EndListenersOf(const Caller& caller, Turn& turn) {
  std::vector<std::uint64_t> numbers;
  keeping->listeners.ForEach([&](std::uint64_t number, const Listener& listener) {
    const bool own =
        listener.caller.session == caller.session && listener.caller.principal == caller.principal;
    if (own && listener.exchange.number != 0 && listener.begun) numbers.push_back(number);
  });
  for (const std::uint64_t number : numbers) EndListening(number, std::nullopt, turn);
}

// True: it was the last.
bool ServerEngine::State::Deliver(const Listener& listener, const StreamEvent& event, Turn& turn) {
  const char kind = KindOf(event);
  if (kind == kTakeover) return event.sequence > listener.marker;
  if (kind != static_cast<char>(CallStream::Kind::kMessage) &&
      kind != static_cast<char>(CallStream::Kind::kLast)) {
    return IsLast(event);
  }
  std::string bytes;
  const std::string id =
      EncodeEventId({listener.stream, event.sequence,
                     listener.of_call() ? listener.request : std::optional<RequestId>()});
  AppendSseEvent(HasEventIds(listener.caller) ? id : std::string(),
                 std::string_view(*event.data).substr(1), &bytes);
  turn.effects->push_back(effect::HttpChunk{listener.exchange, std::move(bytes)});
  return IsLast(event);
}

void ServerEngine::State::BeginListening(Listener& listener, Turn& turn) {
  if (std::exchange(listener.begun, true)) return;
  if (!listener.of_call()) {
    turn.news->push_back(SessionListens{listener.caller.principal, listener.caller.session});
  }
  turn.effects->push_back(effect::HttpStream{listener.exchange, 200, EventStreamHeaders()});
  if (listener.resumes || !HasEventIds(listener.caller)) return;
  std::string bytes;
  AppendPriming(EncodeEventId({listener.stream, listener.marker, std::nullopt}), &bytes);
  turn.effects->push_back(effect::HttpChunk{listener.exchange, std::move(bytes)});
}

// Ends the response; with this error if it has not begun.
void ServerEngine::State::EndListening(std::uint64_t number, std::optional<ErrorCode> error,
                                       Turn& turn) {
  const std::optional<Listener> listener = keeping->listeners.Take(number);
  if (!listener->begun && error) {
    return StoreFailed(listener->exchange, *error, std::nullopt, turn);
  }
  turn.effects->push_back(effect::HttpEnd{listener->exchange});
}

// There is no way to go on: an error for the request, if it is known which one (H-55).
void ServerEngine::State::TellLost(std::uint64_t number, const char* why, Turn& turn) {
  Listener& listener = *keeping->listeners.Find(number);
  if (listener.request && listener.of_call()) {
    BeginListening(listener, turn);
    std::string text;
    AppendError(listener.request, RpcError{JsonRpcNumber(ErrorCode::kGap), why, std::nullopt},
                &text);
    std::string bytes;
    AppendSseEvent({}, text, &bytes);
    turn.effects->push_back(effect::HttpChunk{listener.exchange, std::move(bytes)});
  } else if (!listener.begun) {
    const ExchangeId exchange = listener.exchange;
    keeping->listeners.Take(number);
    return RefuseHttp(exchange, MakeRefusal(ErrorCode::kGap, why), std::nullopt, turn);
  }
  EndListening(number, std::nullopt, turn);
}

void ServerEngine::State::DropListener(ExchangeId exchange) {
  keeping->listeners.ForEach([&](std::uint64_t, Listener& listener) {
    if (listener.exchange == exchange) listener.exchange = {};  // until its last reply
  });
}

void ServerEngine::State::Push(std::string_view session, std::string_view method,
                               std::string_view params, Effects* effects) {
  std::string text;
  AppendNotification(method, params, &text);
  bool by_channel = false;
  channels.ForEach([&](std::uint64_t number, const Channel& channel) {
    if (channel.session != session) return;
    by_channel = true;
    effects->push_back(effect::Send{ChannelId{number}, text});
  });
  if (by_channel || keeping == nullptr) return;
  const std::string owner = OwnerOf({}, session);
  std::string data(1, static_cast<char>(CallStream::Kind::kMessage));
  data += text;
  // No record: nobody ever listened.
  Submit(kNobody, store::Append{RecordKey{owner, kStreamKind, kSessionStream}, std::move(data),
                                options.limits.max_events_per_stream});
}

}  // namespace mcp_session
