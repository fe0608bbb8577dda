// The event streams of calls that can be resumed, where they are written.
//
// Such a stream is a record with the call's messages as its events. A message is appended first and
// goes to the client when the store has it, with its id, so that what a client knows of can be
// resumed. Messages wait in order for the store's answer; the client's connection may be gone by
// then. A store that fails ends the keeping, not the call: the record is removed, so that nobody
// resumes a stream with a hole, and the messages go out without ids.
//
// That the call still runs is said by its own record (server_call_record.cc).
#include <algorithm>
#include <array>
#include <utility>

#include "mcp_session/base/random_name.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/sse.h"
#include "mcp_session/session/event_id.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {

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
  CallStream stream;
  stream.exchange = std::get<ExchangeId>(call.target);
  stream.owner = OwnerOf({}, call.caller.session);
  stream.name = RandomName<8>(entropy);
  stream.request = call.id;
  stream.waiting.push_back({CallStream::Kind::kOpen, true, {}});
  OpenCallRecord(call);
  std::string data = "E1";
  AppendRequestId(call.id, &data);
  const RecordKey key{stream.owner, kStreamKind, stream.name};
  const std::uint64_t number = keeping->streams.Insert(stream);
  Submit(Await(WaitForStream{number}),
         store::Create{key, std::move(data), Lifetime{options.stream_time, std::nullopt}});
  return number;
}

void ServerEngine::State::Write(std::uint64_t number, CallStream::Kind kind, std::string text,
                                Effects* effects) {
  CallStream* stream = keeping->streams.Find(number);
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
  CallStream* stream = keeping->streams.Find(number);
  while (stream != nullptr && !stream->waiting.empty() && !stream->waiting.front().appended) {
    SendNext(number, 0, effects);
    stream = keeping->streams.Find(number);
  }
}

void ServerEngine::State::StreamReplied(std::uint64_t number, const StoreReply& reply, Turn& turn) {
  CallStream* stream = keeping->streams.Find(number);
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
  CallStream& stream = *keeping->streams.Find(number);
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
  keeping->streams.Take(number);
}

// The oldest make room.
void ServerEngine::State::KeepEnded(const CallStream& stream) {
  while (!keeping->kept.empty() && keeping->kept.front().until <= now) keeping->kept.pop_front();
  keeping->kept.push_back({stream.owner, stream.name, now + options.stream_time});
  auto oldest = keeping->kept.begin();
  if (keeping->kept.size() <= options.limits.max_all_kept_streams) {
    const auto is_own = [&](const KeptStream& other) { return other.owner == stream.owner; };
    const auto own = std::count_if(keeping->kept.begin(), keeping->kept.end(), is_own);
    if (static_cast<std::size_t>(own) <= options.limits.max_kept_streams) return;
    oldest = std::find_if(keeping->kept.begin(), keeping->kept.end(), is_own);
  }
  Submit(kNobody, store::Remove{RecordKey{oldest->owner, kStreamKind, oldest->name}});
  keeping->kept.erase(oldest);
}

void ServerEngine::State::Disconnect(CallStream& stream, Effects* effects) {
  if (stream.exchange.number == 0) return;
  effects->push_back(effect::HttpEnd{stream.exchange});
  stream.exchange = {};
}

bool ServerEngine::State::CloseStream(CallId id, Effects* effects) {
  OpenCall* call = keeping != nullptr ? calls.Find(id.number) : nullptr;
  if (call == nullptr || (call->stream == 0 && (call->streaming || !IsResumable(*call)))) {
    return false;
  }
  if (call->stream == 0) call->stream = OpenStream(*call);
  call->streaming = true;
  Write(call->stream, CallStream::Kind::kPause, {}, effects);
  return true;
}

}  // namespace mcp_session
