// Puts that go to Redis together, in one run of their script: half of what a Put costs the server
// is to begin a script.
#ifndef MCP_SESSION_REDIS_PUT_BATCH_H_
#define MCP_SESSION_REDIS_PUT_BATCH_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcp_session {

// The head, in bytes: magic and record tag 26, write id 16, checksum 8, size of the kind 3, spare
// 3, expected version 16 ("----------------" for any), fence 16 (zeros for none), whether the body
// has room for the record's header in front 1.
struct RedisPut {
  std::string key;
  std::string head;
  std::string body;
  // What the script may change besides, which a cluster has to know: while a slot moves it looks
  // where the keys of a command are before it begins one.
  std::vector<std::string> more_keys;
};

// Appends the command. It is answered by an array: the server's clock, and an answer for each.
void AppendRedisPuts(std::string* out, std::span<const RedisPut* const> puts);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_PUT_BATCH_H_
