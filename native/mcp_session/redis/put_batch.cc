#include "mcp_session/redis/put_batch.h"

#include "mcp_session/redis/resp.h"
#include "mcp_session/redis/scripts.h"

namespace mcp_session {

void AppendRedisPuts(std::string* out, std::span<const RedisPut* const> puts) {
  std::size_t keys = puts.size();
  for (const RedisPut* put : puts) keys += put->more_keys.size();
  BeginRedisScript(out, RedisScriptName::kPut, keys, 2 * puts.size());
  for (const RedisPut* put : puts) AppendRedisWord(out, put->key);
  for (const RedisPut* put : puts) {
    for (const std::string& key : put->more_keys) AppendRedisWord(out, key);
  }
  for (const RedisPut* put : puts) {
    AppendRedisWord(out, put->head);
    AppendRedisWord(out, put->body);
  }
}

}  // namespace mcp_session
