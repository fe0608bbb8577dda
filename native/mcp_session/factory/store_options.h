// What CreateSessionStore is told.
#ifndef MCP_SESSION_FACTORY_STORE_OPTIONS_H_
#define MCP_SESSION_FACTORY_STORE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/schema.h"
#include "mcp_session/store/memory_options.h"

namespace mcp_session {

// What to do when Redis cannot be reached at the start.
enum class OnUnavailable : std::uint8_t {
  kFallback,  // for development: keep records in memory, for as long as the process lives
  kFail,      // for production: answer kUnavailable, there is no store
};

struct StoreOptions {
  // "auto", or a store as store_url.h describes them. "auto" is redis_url if there is one, else a
  // Redis at well_known_url if one answers, else memory.
  std::string url = "auto";
  std::string redis_url;  // what the environment variable REDIS_URL says; empty: it is not set
  std::string well_known_url = "redis://localhost:6379";

  OnUnavailable on_unavailable = OnUnavailable::kFallback;
  // With Redis or a file: while it is unavailable, new records are kept in memory, and moved there
  // when it is back (fallback/degrading_store.h). A Redis that was named may then be unavailable at
  // the start, whatever on_unavailable says.
  bool degrade_local = false;
  bool prefer_memory = false;             // "auto" is memory without looking any further
  Millis detection_timeout = Seconds(1);  // for Redis to answer at the start

  std::string prefix = "mcp:session:";  // of every key in Redis, unless the URL has one
  // PEM files for TLS to Redis, unless the URL names them; empty: what the system trusts, and no
  // certificate of our own.
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  // To the sentinels, if they want a login and the URL has none (?sentinel_password=). User and
  // password before the @ of the URL are for Redis itself.
  std::string sentinel_user;
  std::string sentinel_password;

  Millis connect_timeout{500};  // for a new connection to Redis to be ready
  Millis command_timeout{250};  // for Redis to answer a command, then kUnavailable

  // What an acknowledged write to a file survives, unless the URL says it.
  FileSynchronous synchronous = FileSynchronous::kFull;
  std::size_t max_file_records = 0;  // 0: as many as the disk holds

  Millis default_ttl = Hours(1);      // CreatedStore::lifetime
  Millis lock_timeout = Seconds(30);  // CreatedStore::lock_lease; at most kMaxLease

  // The limits of records in memory; those of one record and one owner hold for every store.
  MemoryStoreOptions memory;

  // Hears lines for the operator: warnings, and what a store says of itself. No secret and no id is
  // in them. May be empty. Called on the thread of the loop.
  std::function<void(std::string_view line)> log;
  bool verbose = false;  // also tell `log` what was looked at, and when states change
};

// redis_url from the environment variable REDIS_URL. `get` is
// std::getenv, or what a test says instead.
void ReadEnvironment(const std::function<const char*(const char* name)>& get,
                     StoreOptions* options);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_STORE_OPTIONS_H_
