#include "mcp_session/redis/put_batch.h"

#include <string_view>
#include <vector>

#include "mcp_session/redis/scripts.h"

namespace mcp_session {

void AppendRedisPuts(std::string* out, std::span<const RedisPut* const> puts) {
  std::vector<std::string_view> keys, arguments;
  keys.reserve(puts.size());
  arguments.reserve(2 * puts.size());
  for (const RedisPut* put : puts) {
    keys.push_back(put->key);
    arguments.push_back(put->head);
    arguments.push_back(put->body);
  }
  for (const RedisPut* put : puts) {
    keys.insert(keys.end(), put->more_keys.begin(), put->more_keys.end());
  }
  AppendRedisScript(out, RedisScriptName::kPut, keys, arguments);
}

}  // namespace mcp_session
