#include "mcp_session/client_host/kept_session.h"

#include <string>
#include <utility>

#include "mcp_session/client/saved_session.h"

namespace mcp_session {
namespace {

tl::unexpected<StoreError> Unsayable() {
  StoreError error;
  error.code = ErrorCode::kInvalidArgument;
  error.message = "the session has no JSON form";
  return tl::unexpected<StoreError>(std::move(error));
}

StoreResult<client_effect::Opened> Read(const StoreResult<Record>& record) {
  if (!record) return tl::unexpected<StoreError>(record.error());
  auto session = DecodeSavedSession(*record->data);
  if (session) return std::move(*session);
  StoreError error;
  error.code = session.error().code;
  error.message = session.error().message;
  return tl::unexpected<StoreError>(std::move(error));
}

bool IsThere(const StoreResult<Record>& created) {
  return !created && created.error().code == ErrorCode::kExists;
}

}  // namespace

StoreResult<Record> KeepSession(BlockingStore& store, const RecordName& name,
                                const client_effect::Opened& session, Lifetime lifetime) {
  const std::string text = EncodeSavedSession(session);
  if (text.empty()) return Unsayable();
  StoreResult<Record> created = store.Create(name, text, lifetime);
  return IsThere(created) ? store.Put(name, text, std::nullopt) : std::move(created);
}

boost::asio::awaitable<StoreResult<Record>> KeepSession(AwaitableStore& store, RecordName name,
                                                        client_effect::Opened session,
                                                        Lifetime lifetime) {
  const std::string text = EncodeSavedSession(session);
  StoreResult<Record> kept = Unsayable();
  if (text.empty()) co_return kept;
  kept = co_await store.Create(name, text, lifetime);
  if (IsThere(kept)) kept = co_await store.Put(name, text, std::nullopt);
  co_return kept;
}

StoreResult<client_effect::Opened> FindSession(BlockingStore& store, const RecordName& name) {
  return Read(store.Get(name));
}

boost::asio::awaitable<StoreResult<client_effect::Opened>> FindSession(AwaitableStore& store,
                                                                       RecordName name) {
  StoreResult<Record> record = co_await store.Get(std::move(name));
  StoreResult<client_effect::Opened> session = Read(record);
  co_return session;
}

}  // namespace mcp_session
