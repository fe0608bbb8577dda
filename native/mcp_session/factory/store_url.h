// Where a store is, as people write it: in REDIS_URL, after --store, in an options struct.
//
//   memory                                               records in this process
//   file:PATH, file:///PATH                              an SQLite file; after it there may be
//                                                        ?synchronous=full, normal or off
//   redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]     Redis; default port 6379
//   unix://[USER[:PASSWORD]@]/PATH                       Redis behind a Unix socket
//   redis+sentinel://[USER[:PASSWORD]@]HOST[:PORT],.../MASTER[/DATABASE]
//                                                        what sentinels say; default port 26379
//   redis+cluster://[USER[:PASSWORD]@]HOST[:PORT],...    a Redis Cluster, by some of its nodes
//   rediss://, rediss+sentinel://, rediss+cluster://     the same over TLS
//
// After any of Redis there may be ?NAME=VALUE&...: prefix (of every key), db (of unix:), with
// sentinels sentinel_user and sentinel_password (for themselves), and with TLS ca, cert and key
// (PEM files). Everything may have % escapes.
#ifndef MCP_SESSION_FACTORY_STORE_URL_H_
#define MCP_SESSION_FACTORY_STORE_URL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"

namespace mcp_session {

enum class StoreScheme : std::uint8_t {
  kMemory,
  kFile,
  kRedis,
  kRedisUnix,
  kRedisSentinel,
  kRedisCluster,
};

struct StoreHost {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const StoreHost&) const = default;
};

struct StoreUrl {
  StoreScheme scheme = StoreScheme::kMemory;
  bool tls = false;
  std::string user;              // percent-decoded, like all that follows
  std::string password;          // a secret: never to a log
  std::vector<StoreHost> hosts;  // one of kRedis; 1 to 32 of kRedisSentinel and kRedisCluster
  std::string path;              // of the socket or the file
  std::string master_name;       // of kRedisSentinel
  int database = 0;
  // What came after the '?'; empty: it did not.
  std::string prefix;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string sentinel_user;
  std::string sentinel_password;  // a secret too
  std::string synchronous;        // of kFile: "full", "normal" or "off"

  bool is_redis() const { return scheme != StoreScheme::kMemory && scheme != StoreScheme::kFile; }
  bool operator==(const StoreUrl&) const = default;
};

// kInvalidArgument says what is wrong, without repeating what could hold a password.
Result<StoreUrl> ParseStoreUrl(std::string_view text);

// The place alone, for people: "redis://localhost:6379/1", without user, password and options but
// for a file's.
std::string PlaceOf(const StoreUrl& url);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_STORE_URL_H_
