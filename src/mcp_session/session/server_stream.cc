// The event streams of calls that can be resumed, where they are written.
//
// Such a stream is a record with the call's messages as its events. A message is appended first and
// goes to the client when the store has it, with its id, so that what a client knows of can be
// resumed. Messages wait in order for the store's answer; the client's connection may be gone by
// then. A store that fails ends the keeping, not the call: the record is removed, so that nobody
// resumes a stream with a hole, and the messages go out without ids.
//
// While the call runs, a second record with a short life says so: it ends with the node that runs
// the call, and whoever waits for the stream's next event elsewhere learns of it.
#include <algorithm>
#include <array>
#include <utility>

#include "mcp_session/base/base64.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/sse.h"
#include "mcp_session/session/event_id.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {

ResponseHeaders EventStreamHeaders() {
  return {{"content-type", "text/event-stream"},
          {"cache-control", "no-cache"},
          {"x-accel-buffering", "no"}};  // spec S-43
}

void ServerEngine::State::Submit(StoreTicket ticket, StoreCommand command) {
  submitted = true;
  store.Submit(ticket, std::move(command), now);
}

void ServerEngine::State::AppendPriming(const std::string& id, std::string* out) const {
  *out += "id: ";
  *out += id;
  *out += "\nretry: ";
  AppendInteger(options.retry.count, out);
  *out += "\ndata:\n\n";
}

bool ServerEngine::State::IsResumable(const OpenCall& call) const {
  return std::holds_alternative<ExchangeId>(call.target) && call.era() == Era::kHandshake &&
         HasEventIds(call.caller);
}

std::uint64_t ServerEngine::State::OpenStream(OpenCall& call) {
  std::array<std::uint8_t, 8> bytes;
  entropy.Fill(bytes);
  CallStream stream;
  stream.exchange = std::get<ExchangeId>(call.target);
  stream.owner = OwnerOf({}, call.caller.session);
  stream.name = EncodeBase64Url(bytes);
  stream.request = call.id;
  stream.waiting.push_back({CallStream::Kind::kOpen, true, {}});
  OpenCallRecord(call);
  std::string data = "E1";
  AppendRequestId(call.id, &data);
  const RecordKey key{stream.owner, kStreamKind, stream.name};
  const std::uint64_t number = streams.Insert(stream);
  Submit(Await(WaitForStream{number}),
         store::Create{key, std::move(data), Lifetime{options.stream_time, std::nullopt}});
  return number;
}

void ServerEngine::State::Write(std::uint64_t number, CallStream::Kind kind, std::string text,
                                Effects* effects) {
  CallStream* stream = streams.Find(number);
  if (stream == nullptr) return;
  const bool appended = stream->kept && kind != CallStream::Kind::kPause;
  if (appended) {
    std::string data(1, static_cast<char>(kind));
    data += text;
    Submit(Await(WaitForStream{number}),
           store::Append{RecordKey{stream->owner, kStreamKind, stream->name}, std::move(data),
                         options.limits.max_events_per_stream});
  }
  stream->waiting.push_back({kind, appended, std::move(text)});
  Flush(number, effects);
}

// What waits for no answer of the store.
void ServerEngine::State::Flush(std::uint64_t number, Effects* effects) {
  CallStream* stream = streams.Find(number);
  while (stream != nullptr && !stream->waiting.empty() && !stream->waiting.front().appended) {
    SendNext(number, 0, effects);
    stream = streams.Find(number);
  }
}

void ServerEngine::State::StreamReplied(std::uint64_t number, const StoreReply& reply, Turn& turn) {
  CallStream* stream = streams.Find(number);
  if (stream == nullptr) return;
  if (reply.error && stream->kept) {
    stream->kept = false;
    Submit(kNobody, store::Remove{RecordKey{stream->owner, kStreamKind, stream->name}});
  }
  SendNext(number, reply.sequence, turn.effects);
  Flush(number, turn.effects);
}

// The first of what waits; `sequence` is its event's.
void ServerEngine::State::SendNext(std::uint64_t number, std::uint64_t sequence, Effects* effects) {
  using Kind = CallStream::Kind;
  CallStream& stream = *streams.Find(number);
  const CallStream::Waiting next = std::move(stream.waiting.front());
  stream.waiting.pop_front();
  const auto id = [&] {
    return stream.kept ? EncodeEventId({stream.name, sequence, stream.request}) : std::string();
  };
  const bool ends = next.kind != Kind::kOpen && next.kind != Kind::kMessage;
  if (stream.exchange.number != 0) {
    std::string bytes;
    if (next.kind == Kind::kOpen) {
      effects->push_back(effect::HttpStream{stream.exchange, 200, EventStreamHeaders()});
      if (stream.kept) AppendPriming(id(), &bytes);  // H-46
    } else if (!next.text.empty()) {
      AppendSseEvent(id(), next.text, &bytes);
    }
    if (!bytes.empty()) effects->push_back(effect::HttpChunk{stream.exchange, std::move(bytes)});
    // A stream that is not kept can only go on here.
    if (ends && (next.kind != Kind::kPause || stream.kept)) Disconnect(stream, effects);
  }
  if (next.kind != Kind::kLast && next.kind != Kind::kEnd) return;
  if (stream.kept) KeepEnded(stream);
  streams.Take(number);
}

// The oldest make room.
void ServerEngine::State::KeepEnded(const CallStream& stream) {
  while (!kept.empty() && kept.front().until <= now) kept.pop_front();
  kept.push_back({stream.owner, stream.name, now + options.stream_time});
  auto oldest = kept.begin();
  if (kept.size() <= options.limits.max_all_kept_streams) {
    const auto is_own = [&](const KeptStream& other) { return other.owner == stream.owner; };
    const auto own = std::count_if(kept.begin(), kept.end(), is_own);
    if (static_cast<std::size_t>(own) <= options.limits.max_kept_streams) return;
    oldest = std::find_if(kept.begin(), kept.end(), is_own);
  }
  Submit(kNobody, store::Remove{RecordKey{oldest->owner, kStreamKind, oldest->name}});
  kept.erase(oldest);
}

void ServerEngine::State::Disconnect(CallStream& stream, Effects* effects) {
  if (stream.exchange.number == 0) return;
  effects->push_back(effect::HttpEnd{stream.exchange});
  stream.exchange = {};
}

bool ServerEngine::State::CloseStream(CallId id, Effects* effects) {
  OpenCall* call = calls.Find(id.number);
  if (call == nullptr || (call->stream == 0 && (call->streaming || !IsResumable(*call)))) {
    return false;
  }
  if (call->stream == 0) call->stream = OpenStream(*call);
  call->streaming = true;
  Write(call->stream, CallStream::Kind::kPause, {}, effects);
  return true;
}

// --- that the call runs ---

void ServerEngine::State::OpenCallRecord(OpenCall& call) {
  if (call.recorded) return;
  call.recorded = true;
  const std::string owner = OwnerOf({}, call.caller.session);
  const std::string name = NameOfCall(call.id);
  Submit(kNobody, store::Create{RecordKey{owner, kCallKind, name}, "C1",
                                Lifetime{kCallRecordTime, std::nullopt}});
}

// After the last event: who finds no record must find that.
void ServerEngine::State::RemoveCallRecord(const OpenCall& call) {
  if (!call.recorded) return;
  const std::string owner = OwnerOf({}, call.caller.session);
  const std::string name = NameOfCall(call.id);
  Submit(kNobody, store::Remove{RecordKey{owner, kCallKind, name}});
}

// Often enough for the shortest life of what is kept alive.
Millis ServerEngine::State::TouchInterval() const {
  const Millis idle = options.session_lifetime.idle_ttl.value_or(kMaxLifetime);
  const Millis shortest = std::min({idle, kCallRecordTime, options.stream_time});
  return std::max(Millis{1}, Millis{shortest.count / 3});
}

// A call that runs long keeps what it needs alive: its session, its stream, its record.
void ServerEngine::State::TouchFor(const OpenCall& call) {
  const std::string owner = OwnerOf(call.caller.principal, {});
  Submit(kNobody, store::Touch{RecordKey{owner, kSessionKind, call.caller.session}});
  const std::string own = OwnerOf({}, call.caller.session);
  if (const CallStream* stream = streams.Find(call.stream)) {
    if (stream->kept) Submit(kNobody, store::Touch{RecordKey{own, kStreamKind, stream->name}});
  }
  if (!call.recorded) return;
  const std::string name = NameOfCall(call.id);
  Submit(kNobody, store::Touch{RecordKey{own, kCallKind, name}});
}

}  // namespace mcp_session
