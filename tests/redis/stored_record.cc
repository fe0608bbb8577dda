#include "tests/redis/stored_record.h"

#include "mcp_session/redis/keys.h"

namespace mcp_session {

std::string StoredKeyOf(const RecordKey& key) {
  return RedisKeys("mcp:session:", MakeStoredKey(key)).record();
}

void SetTimeLeft(RedisServer& server, const RecordKey& key, Millis left) {
  server.Command({"EVAL",
                  "local time = redis.call('TIME') "
                  "local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1] "
                  "redis.call('SETRANGE', KEYS[1], 42, string.format('%016.0f', ends)) "
                  "local remember = redis.call('GETRANGE', KEYS[1], 86, 97) "
                  "redis.call('PEXPIREAT', KEYS[1], ends + remember - 1)",
                  "1", StoredKeyOf(key), std::to_string(left.count)});
}

}  // namespace mcp_session
