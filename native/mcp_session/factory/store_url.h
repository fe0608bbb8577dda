// Where a store is, as people write it: in REDIS_URL, after --store, in an options struct.
//
//   memory                                  records in this process
//   redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]     TCP; default port 6379
//   rediss://...                            the same over TLS
//   unix://[USER[:PASSWORD]@]/PATH[?db=DATABASE]         Redis behind a Unix socket
//   file:PATH, file:///PATH                 an SQLite file
#ifndef MCP_SESSION_FACTORY_STORE_URL_H_
#define MCP_SESSION_FACTORY_STORE_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/result.h"

namespace mcp_session {

enum class StoreScheme : std::uint8_t { kMemory, kRedis, kRedisTls, kRedisUnix, kFile };

struct StoreUrl {
  StoreScheme scheme = StoreScheme::kMemory;
  std::string user;      // percent-decoded, like the password and the path
  std::string password;  // a secret: never to a log
  std::string host;      // without brackets
  std::uint16_t port = 0;
  std::string path;  // of the socket or the file
  int database = 0;

  bool operator==(const StoreUrl&) const = default;
};

// kInvalidArgument says what is wrong, without repeating what could hold a password.
Result<StoreUrl> ParseStoreUrl(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_STORE_URL_H_
