// A client's session in a store: put there by one process, gone on with by another.
//
//   StoreResult<client_effect::Opened> kept = FindSession(*store, name);
//   ClientOptions options;
//   if (kept) options.resume = *kept;
//   ...
//   if (auto session = client->session()) KeepSession(*store, name, *session, lifetime);
//
// The record holds the session id, which is a secret of the client's (spec H-27).
#ifndef MCP_SESSION_CLIENT_HOST_KEPT_SESSION_H_
#define MCP_SESSION_CLIENT_HOST_KEPT_SESSION_H_

#include <boost/asio/awaitable.hpp>

#include "mcp_session/face/awaitable_store.h"
#include "mcp_session/face/blocking_store.h"
#include "mcp_session/session/client_event.h"

namespace mcp_session {

// Creates the record, or replaces what it holds, whoever wrote that. `lifetime` is of a new one.
// kInvalidArgument: the session has no JSON form. Else as the store fails.
StoreResult<Record> KeepSession(BlockingStore& store, const RecordName& name,
                                const client_effect::Opened& session, Lifetime lifetime);
boost::asio::awaitable<StoreResult<Record>> KeepSession(AwaitableStore& store, RecordName name,
                                                        client_effect::Opened session,
                                                        Lifetime lifetime);

// kCorrupt: the record is none of these. Else as the store fails; kNotFound is one of the ways.
StoreResult<client_effect::Opened> FindSession(BlockingStore& store, const RecordName& name);
boost::asio::awaitable<StoreResult<client_effect::Opened>> FindSession(AwaitableStore& store,
                                                                       RecordName name);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_KEPT_SESSION_H_
