#include "mcp_session/server/session_changer.h"

#include <utility>

#include "mcp_session/server/server_state.h"
#include "mcp_session/session/session_record.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

RecordKey KeyOf(const Call& call, const std::string& owner) {
  return RecordKey{owner, kSessionKind, call.session};
}

}  // namespace

void SessionChanger::ChangeSession(const Running& call) {
  server_.Open(call);
  Load(call, kLoad);
}

void SessionChanger::Load(const Running& call, int step) {
  const std::string owner = OwnerOf(call->call.principal, {});
  server_.store.Submit(server_.Await(call, this, step), store::Get{KeyOf(call->call, owner)},
                       server_.now);
}

void SessionChanger::Save(const Running& call, const Record& record) {
  if (!DecodeSessionHead(*record.data)) {
    return FailCall(server_, call,
                    Error{ErrorCode::kCorrupt, Blame::kEnvironment, "the session cannot be read"});
  }
  Result<std::optional<std::string>> changed = Changed(call, *record.data);
  if (!changed) return FailCall(server_, call, changed.error());
  if (!*changed) return AnswerCall(server_, call, true, {});
  const std::string owner = OwnerOf(call->call.principal, {});
  server_.store.Submit(server_.Await(call, this, kSave),
                       store::Put{KeyOf(call->call, owner), std::move(**changed), record.version},
                       server_.now);
}

void SessionChanger::HandleReply(int step, const Running& call, StoreReply& reply) {
  if (!reply.error && step == kLoad) return Save(call, reply.record);
  if (reply.error == ErrorCode::kConflict) return Save(call, reply.record);
  if (!reply.error) {
    Saved(call);
    return AnswerCall(server_, call, true, {});
  }
  const ErrorCode code = IsAbsent(reply.error) ? ErrorCode::kSessionNotFound : *reply.error;
  FailCall(server_, call, Error{code, Blame::kPeer, "the session cannot be changed"});
}

}  // namespace mcp_session
