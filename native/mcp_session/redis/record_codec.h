// A record as the value of a Redis key: a header of 144 ASCII bytes, the kind, the data
// (docs/formats.md). redis-cli shows it, and scripts read its fields by their place.
//
//   at  size
//    0    4  "MS2|"
//    4   22  record tag
//   26   16  version, decimal, as all numbers with leading zeros
//   42   16  end, in milliseconds of the server's clock: alive before it
//   58   16  last end, the same; sixteen nines: none
//   74   12  idle_ttl in milliseconds; 0: none
//   86   12  remember in milliseconds
//   98   16  fence
//  114   16  write id, hexadecimal
//  130    8  CRC-32C of kind and data, hexadecimal
//  138    3  size of the kind
//  141    1  "M": moved here from another slot, and not written since; else a space
//  142    2  spaces
//  144       kind, data
//
// The key expires when the record is not even remembered any more, `remember` after its end.
#ifndef MCP_SESSION_REDIS_RECORD_CODEC_H_
#define MCP_SESSION_REDIS_RECORD_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/time.h"

namespace mcp_session {

inline constexpr std::string_view kRecordMagic = "MS2|";
inline constexpr std::size_t kRecordHeaderSize = 144;
// The place of its last byte, as GETRANGE wants it.
inline constexpr std::string_view kRecordHeaderEnd = "143";
inline constexpr std::int64_t kNoLastEnd = 9'999'999'999'999'999;

struct RedisRecordHeader {
  std::string_view tag;  // the views are into what was decoded
  std::uint64_t version = 0;
  std::int64_t end = 0;                // milliseconds since 1970
  std::int64_t last_end = kNoLastEnd;  // the same
  Millis idle_ttl{0};                  // 0: none
  Millis remember{0};
  std::uint64_t fence = 0;
  std::uint64_t write_id = 0;
  std::uint32_t checksum = 0;
  std::size_t kind_size = 0;
  bool moved = false;
};

struct RedisRecord {
  RedisRecordHeader header;
  std::string_view kind;
  std::string_view data;
};

std::uint32_t Crc32c(std::string_view first, std::string_view second = {});
// The same, as it is done where the processor has no instruction for it.
std::uint32_t Crc32cByTables(std::string_view bytes);

// Eight or sixteen digits, lower case; three decimal digits.
std::string Hex8(std::uint32_t number);
std::string Hex16(std::uint64_t number);
void AppendHex16(std::uint64_t number, std::string* out);
std::string Decimal3(std::size_t number);

std::string EncodeRedisRecord(const RedisRecordHeader& header, std::string_view kind,
                              std::string_view data);

// The first 144 bytes or more of a value; nullopt if they are not the header of the record `tag`.
// An empty `tag` is any.
std::optional<RedisRecordHeader> DecodeRedisHeader(std::string_view value, std::string_view tag);

// A whole value; nullopt also if kind and data are not what was written.
std::optional<RedisRecord> DecodeRedisRecord(std::string_view value, std::string_view tag);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_RECORD_CODEC_H_
