// CreateSessionStore: the store that is configured, with the rules for what to do when it is not
// there. The rules, for reading and for the tests:
//
//  * "auto" is redis_url if there is one, else a Redis at well_known_url if one answers, else
//    memory; with prefer_memory it is memory.
//  * A Redis counts as there when it answers, even if it cannot work for us yet (it is loading, it
//    is a replica): the store waits for it and is kUnavailable until then.
//  * Only a Redis that cannot be reached is replaced by memory (OnUnavailable::kFallback), with a
//    warning if somebody named it. A URL that makes no sense is kInvalidArgument; a server that
//    refuses us (password, TLS, permissions, version) is kMisconfigured: neither is ever replaced,
//    nor is a file, which is there or can be looked at.
//  * This is decided once. A store that is there at the start and fails later stays: it answers
//    kUnavailable until it is back, and has all its records then.
#ifndef MCP_SESSION_FACTORY_CREATE_STORE_H_
#define MCP_SESSION_FACTORY_CREATE_STORE_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/factory/store_options.h"
#include "mcp_session/factory/store_url.h"
#include "mcp_session/memory/shared_memory.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/store/store.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

class DegradingStore;
class FileSessionStore;
class MemorySessionStore;
class RedisSessionStore;

struct CreatedStore {
  std::unique_ptr<SessionStore> store;
  std::string backend;     // "memory", "redis", "sqlite"
  std::string why;         // which and why, in one line for people; no secret
  bool fell_back = false;  // it is memory because the one that was named could not be reached

  // What records that nobody says more of live for, and locks: StoreOptions::default_ttl and
  // lock_timeout.
  Lifetime lifetime;
  Millis lock_lease{};

  // Parts of `store` that have more to tell (metrics), where there are such parts. `memory` is null
  // if it is only the one of a DegradingStore, or the `shared_memory` of several loops.
  const MemorySessionStore* memory = nullptr;
  const SharedMemory* shared_memory = nullptr;
  const RedisSessionStore* redis = nullptr;
  const FileSessionStore* file = nullptr;
  const DegradingStore* degrading = nullptr;
};

// Looks for the store and makes it; blocks for as long as detection_timeout for Redis, and for as
// long as the disk does for a file. `loop` and `entropy` must outlive the store. kInvalidArgument,
// kMisconfigured, kUnavailable: there is none, and the message says why, without secrets. Warnings
// go to options.log.
Result<CreatedStore> CreateSessionStore(const StoreOptions& options, boost::asio::io_context& loop,
                                        Entropy& entropy);

// The same for several loops, each of which has a store of its own on the same records.
struct CreatedStores {
  std::unique_ptr<SharedMemory> memory;  // what the stores share, if that is memory; else null
  std::vector<CreatedStore> stores;      // in the order of the loops
};

// As above, with a choice for all that is made once; at least one loop. With several, degrade_local
// is kInvalidArgument: what it keeps meanwhile, the other loops would not have. `options.log` is
// called on the threads of all loops.
Result<CreatedStores> CreateSessionStores(const StoreOptions& options,
                                          std::span<boost::asio::io_context* const> loops,
                                          Entropy& entropy);

// The Redis or the file that a URL names, with what the options add.
RedisOptions ToRedisOptions(const StoreUrl& url, const StoreOptions& options);
FileSynchronous SynchronousOf(const StoreUrl& url, const StoreOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_CREATE_STORE_H_
