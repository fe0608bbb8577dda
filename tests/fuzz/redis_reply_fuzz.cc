// Replies of a Redis, or of what poses as one: however the bytes are cut, they are the same.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/resp.h"

using namespace mcp_session;

namespace {

std::string InWords(const RedisReply& reply) {
  std::string words = std::to_string(static_cast<int>(reply.type)) + ' ' +
                      std::to_string(reply.integer) + ' ' + reply.text + '{';
  for (const RedisReply& element : reply.elements) words += InWords(element);
  if (reply.IsError()) (void)ClassifyRedisError(reply.text);  // any error has a meaning
  return words + '}';
}

std::string ReadAll(std::string_view bytes, std::size_t piece) {
  RedisReplyReader reader;
  std::string said;
  while (!bytes.empty() && !reader.broken()) {
    std::string_view arrived = bytes.substr(0, piece);
    bytes.remove_prefix(arrived.size());
    while (const std::optional<RedisReply> reply = reader.Next(&arrived)) said += InWords(*reply);
  }
  return said + (reader.broken() ? "broken" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MCPS_CHECK(ReadAll(bytes, size) == ReadAll(bytes, 1));
  return 0;
}
