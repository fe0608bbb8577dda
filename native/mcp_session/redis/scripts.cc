#include "mcp_session/redis/scripts.h"

#include <openssl/evp.h>

#include "mcp_session/base/check.h"
#include "mcp_session/redis/resp.h"
#include "mcp_session/redis/script_texts.h"

namespace mcp_session {
namespace {

constexpr std::size_t kCount = static_cast<std::size_t>(RedisScriptName::kScripts);

std::string Sha1Hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  MCPS_CHECK(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) == 1);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

std::array<RedisScript, kCount> MakeScripts() {
  // In the order of RedisScriptName.
  constexpr std::string_view kTexts[] = {script::kCreate, script::kPut,        script::kTouch,
                                         script::kEnd,    script::kRegenerate, script::kRemoveOwned,
                                         script::kList,   script::kLock,       script::kExtend,
                                         script::kUnlock, script::kAppend,     script::kImport};
  static_assert(std::size(kTexts) == kCount);
  std::array<RedisScript, kCount> scripts;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (i != static_cast<std::size_t>(RedisScriptName::kPut)) scripts[i].text = script::kPrelude;
    scripts[i].text += kTexts[i];
    scripts[i].sha = Sha1Hex(scripts[i].text);
  }
  return scripts;
}

}  // namespace

const std::array<RedisScript, kCount>& RedisScripts() {
  static const std::array<RedisScript, kCount>& scripts =
      *new std::array<RedisScript, kCount>(MakeScripts());
  return scripts;
}

void BeginRedisScript(std::string* out, RedisScriptName name, std::size_t keys,
                      std::size_t arguments) {
  BeginRedisCommand(out, 3 + keys + arguments);
  AppendRedisWord(out, "EVALSHA");
  AppendRedisWord(out, RedisScripts()[static_cast<std::size_t>(name)].sha);
  AppendRedisWord(out, std::to_string(keys));
}

void AppendRedisScript(std::string* out, RedisScriptName name,
                       std::span<const std::string_view> keys,
                       std::span<const std::string_view> arguments) {
  BeginRedisScript(out, name, keys.size(), arguments.size());
  for (const std::string_view key : keys) AppendRedisWord(out, key);
  for (const std::string_view argument : arguments) AppendRedisWord(out, argument);
}

}  // namespace mcp_session
