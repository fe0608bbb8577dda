// Records as values of Redis keys: a value is refused, or is what would be written for it.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/redis/record_codec.h"

using namespace mcp_session;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const std::optional<RedisRecord> record = DecodeRedisRecord(value, {});
  if (!record) return 0;
  MCPS_CHECK(DecodeRedisHeader(value, record->header.tag).has_value());
  const std::string again = EncodeRedisRecord(record->header, record->kind, record->data);
  const std::optional<RedisRecord> twice = DecodeRedisRecord(again, record->header.tag);
  MCPS_CHECK(twice && twice->kind == record->kind && twice->data == record->data);
  MCPS_CHECK(twice->header.version == record->header.version);
  MCPS_CHECK(twice->header.end == record->header.end);
  MCPS_CHECK(twice->header.last_end == record->header.last_end);
  return 0;
}
