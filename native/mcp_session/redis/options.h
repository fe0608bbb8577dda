// What a RedisSessionStore is told: where Redis is, who we are there, and the limits.
#ifndef MCP_SESSION_REDIS_OPTIONS_H_
#define MCP_SESSION_REDIS_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"

namespace mcp_session {

struct RedisAddress {
  std::string host = "127.0.0.1";  // an address without brackets, or a name
  std::uint16_t port = 6379;
  std::string path;  // of a Unix socket; if not empty, host and port do not count

  // "host:port", "[::1]:6379" or "unix:/path".
  std::string Text() const;
  bool operator==(const RedisAddress&) const = default;
};

struct RedisTls {
  bool enabled = false;
  std::string ca_file;           // PEM; empty: what the system trusts
  std::string certificate_file;  // PEM, ours, for servers that want one; empty: none
  std::string key_file;          // PEM, its private key
  std::string server_name;       // what its certificate must be for; empty: the host
  bool insecure = false;         // accept any certificate: only for tests of one's own
};

enum class RedisLayout : std::uint8_t {
  kStandalone,  // one server: the first endpoint
  kSentinel,    // the endpoints are sentinels, which know where the master is
  kCluster,     // the endpoints are some nodes of a Redis Cluster
};

struct RedisOptions {
  RedisLayout layout = RedisLayout::kStandalone;
  std::vector<RedisAddress> endpoints = {RedisAddress{}};
  std::string master_name;  // kSentinel: what the sentinels call it

  std::string user;      // empty: "default"
  std::string password;  // empty: no AUTH is sent
  std::string sentinel_user;
  std::string sentinel_password;
  int database = 0;  // kCluster: 0
  RedisTls tls;      // of all connections, those to sentinels included

  std::string prefix = "mcp:session:";  // of every key; 1 to 64 of A-Z a-z 0-9 : . _ -

  Millis connect_timeout{500};       // until a new connection is ready for commands
  Millis command_timeout{250};       // from Submit to the reply
  std::size_t max_in_flight = 1024;  // commands of one connection; beyond: kUnavailable
  std::size_t max_record_bytes = 64u << 10;
  std::size_t max_records_per_owner = 64;  // of one non-empty owner, all kinds together

  // Called on the loop's thread with a line for the operator when the state changes, or when the
  // server may lose records. No secret and no id is in it.
  std::function<void(std::string_view)> log;
};

// kInvalidArgument says which option cannot be.
Result<void> CheckRedisOptions(const RedisOptions& options);

// What a store has counted since it was made. None of it ever goes down.
struct RedisCounters {
  std::uint64_t connects = 0;      // connections that became ready
  std::uint64_t failures = 0;      // attempts to connect that failed
  std::uint64_t lost = 0;          // ready connections that broke, or that we closed
  std::uint64_t timeouts = 0;      // exchanges without an answer in time
  std::uint64_t exchanges = 0;     // sent, repeated ones each time
  std::uint64_t writes = 0;        // to the socket: exchanges of one turn share one
  std::uint64_t repeated = 0;      // exchanges sent again after a lost connection
  std::uint64_t reloads = 0;       // of the scripts, because the server had lost them
  std::uint64_t redirections = 0;  // MOVED and ASK
  std::uint64_t desyncs = 0;       // replies that did not fit what was asked
  std::uint64_t corrupt = 0;       // values that are not a record of ours, or damaged
  std::uint64_t evicted_keys = 0;  // by all servers since they started, as they said last
  std::uint64_t resets = 0;  // servers that had lost their keys when they were looked at again
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_OPTIONS_H_
