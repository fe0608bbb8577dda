// What Redis does in one step: Lua scripts, one for each way to change a record. Their arguments
// and answers are described above each in script_texts.h; the operations (operations.h) know them.
#ifndef MCP_SESSION_REDIS_SCRIPTS_H_
#define MCP_SESSION_REDIS_SCRIPTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mcp_session {

enum class RedisScriptName : std::uint8_t {
  kCreate,
  kPut,
  kTouch,
  kEnd,
  kRegenerate,
  kRemoveOwned,
  kList,
  kLock,
  kExtend,
  kUnlock,
  kAppend,
  kImport,
  kScripts  // how many there are
};

struct RedisScript {
  std::string text;
  std::string sha;  // SHA-1, hexadecimal, as EVALSHA wants it
};

// All of them, by RedisScriptName; made once.
const std::array<RedisScript, static_cast<std::size_t>(RedisScriptName::kScripts)>& RedisScripts();

// Appends EVALSHA.
// Begins one: the keys follow, then the arguments (AppendRedisWord).
void BeginRedisScript(std::string* out, RedisScriptName name, std::size_t keys,
                      std::size_t arguments);

void AppendRedisScript(std::string* out, RedisScriptName name,
                       std::span<const std::string_view> keys,
                       std::span<const std::string_view> arguments);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_SCRIPTS_H_
