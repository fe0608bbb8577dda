// The commands of a store, as frames.
#include "wasm/abi_store.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "wasm/abi_frame.h"
#include "wasm/abi_options.h"

namespace mcp_session::abi {
namespace {

constexpr FrameRule kInput[] = {
    {MCPS_WOKEN, 0, 0},         {MCPS_STORE_CREATE, 4, 7}, {MCPS_STORE_GET, 3, 3},
    {MCPS_STORE_PUT, 4, 5},     {MCPS_STORE_TOUCH, 3, 3},  {MCPS_STORE_REMOVE, 3, 4},
    {MCPS_STORE_LIST, 3, 3},    {MCPS_STORE_SAVE, 0, 0},   {MCPS_STORE_REMOVE_OWNED, 1, 1},
    {MCPS_STORE_RESTORE, 2, 2},
};

std::optional<Millis> Time(const Frame& frame, std::size_t index) {
  const std::optional<double> time = frame.Number(index);
  if (!time) return std::nullopt;
  // What is no time becomes one that no lifetime may have.
  const bool fits = *time >= 0 && *time <= static_cast<double>(kMaxLifetime.count);
  return Millis{fits ? static_cast<std::int64_t>(*time) : -1};
}

std::optional<std::uint64_t> Version(const Frame& frame, std::size_t index) {
  const std::optional<double> version = frame.Number(index);
  if (!version) return std::nullopt;
  return *version >= 0 && *version < 9e15 ? static_cast<std::uint64_t>(*version) : 0;  // none has 0
}

RecordKey Key(const Frame& frame) { return {frame.Text(0), frame.Text(1), frame.Text(2)}; }

StoreCommand ReadCommand(const Frame& frame) {
  switch (frame.kind) {
    case MCPS_STORE_CREATE:
      return store::Create{Key(frame),
                           std::string(frame.Text(3)),
                           {.idle_ttl = Time(frame, 4),
                            .max_life = Time(frame, 5),
                            .remember = Time(frame, 6).value_or(Millis{})}};
    case MCPS_STORE_PUT:
      return store::Put{Key(frame), std::string(frame.Text(3)), Version(frame, 4)};
    case MCPS_STORE_TOUCH:
      return store::Touch{Key(frame)};
    case MCPS_STORE_REMOVE:
      return store::Remove{Key(frame), Version(frame, 3)};
    case MCPS_STORE_REMOVE_OWNED:
      return store::RemoveOwned{frame.Text(0)};
    case MCPS_STORE_LIST:
      return store::List{frame.Text(0), frame.Text(1), frame.Text(2),
                         static_cast<std::size_t>(frame.number)};
    default:
      return store::Get{Key(frame)};
  }
}

void WriteRecord(const Record& record) {
  FrameWriter frame(MCPS_STORE_RECORD);
  frame.Add(record.id).Add(*record.data);
  frame.AddNumber(static_cast<double>(record.version));
  frame.AddNumber(static_cast<double>(record.expires_in.count));
  if (record.max_life_left) frame.AddNumber(static_cast<double>(record.max_life_left->count));
}

void WriteReply(const StoreReply& reply) {
  if (reply.record.data != nullptr) WriteRecord(reply.record);
  for (const Record& record : reply.listed) WriteRecord(record);
  if (reply.error) {
    FrameWriter(MCPS_STORE_FAILED).Add(CodeName(*reply.error));
  } else {
    FrameWriter(MCPS_STORE_DONE, 0, static_cast<std::int32_t>(reply.removed)).Add(reply.cursor);
  }
}

Result<void> Handle(PageStore& store, std::string_view bytes, Instant now) {
  MCPS_TRY(const Frame frame, ReadFrame(bytes, kInput));
  now = store.Latest(now);
  switch (frame.kind) {
    case MCPS_WOKEN:
      store.Tick(now);
      return {};
    case MCPS_STORE_SAVE:
      FrameWriter(MCPS_STORE_SAVED).Add(store.records().Snapshot(now));
      return {};
    case MCPS_STORE_RESTORE:
      return store.records().Restore(frame.Text(0),
                                     std::max(Time(frame, 1).value_or(Millis{}), Millis{}), now);
    default:
      break;
  }
  store.Submit({}, ReadCommand(frame), now);
  std::vector<StoreReply> replies;
  store.Drain(&replies);
  for (const StoreReply& reply : replies) WriteReply(reply);
  return {};
}

}  // namespace
}  // namespace mcp_session::abi

using namespace mcp_session;       // NOLINT: the C names are global
using namespace mcp_session::abi;  // NOLINT

extern "C" {

mcps_store* mcps_store_new(const char* options, std::size_t size) {
  ClearOutput();
  MemoryStoreOptions read = kPageMemory;
  const Result<void> done = ReadStoreOptions({options, size}, &read);
  if (done) return new mcps_store{std::make_shared<PageStore>(read, HostEntropy())};
  WriteError(done.error());
  return nullptr;
}

int mcps_store_handle(mcps_store* store, const void* frame, std::size_t size, double now) {
  ClearOutput();
  const Result<void> done =
      Handle(*store->store, {static_cast<const char*>(frame), size}, store->clock.At(now));
  return done ? 0 : WriteError(done.error());
}

double mcps_store_deadline(const mcps_store* store) {
  return DeadlineOf(store->store->NextDeadline());
}

double mcps_store_changes(const mcps_store* store) {
  return static_cast<double>(store->store->records().changes());
}

void mcps_store_delete(mcps_store* store) { delete store; }

}  // extern "C"
