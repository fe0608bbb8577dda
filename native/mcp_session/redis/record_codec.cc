#include "mcp_session/redis/record_codec.h"

#include <array>
#include <cstring>

namespace mcp_session {
namespace {

constexpr std::string_view kSpare = "   ";

// Of CRC-32C. The first table is for one byte, each next one for a byte that so many others follow.
using CrcTable = std::array<std::uint32_t, 256>;
constexpr std::array<CrcTable, 8> MakeCrcTables() {
  std::array<CrcTable, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
    tables[0][i] = value;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::uint32_t i = 0; i < 256; ++i) {
      tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
    }
  }
  return tables;
}
constexpr std::array<CrcTable, 8> kCrcTables = MakeCrcTables();

std::uint32_t UpdateByTables(std::uint32_t crc, std::string_view bytes) {
  // Eight bytes at a time, each through the table of its place.
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const auto byte = [&bytes](int i) {
      return std::uint32_t{static_cast<unsigned char>(bytes[i])};
    };
    const std::uint32_t low = crc ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24);
    crc = kCrcTables[7][low & 255] ^ kCrcTables[6][low >> 8 & 255] ^
          kCrcTables[5][low >> 16 & 255] ^ kCrcTables[4][low >> 24] ^ kCrcTables[3][byte(4)] ^
          kCrcTables[2][byte(5)] ^ kCrcTables[1][byte(6)] ^ kCrcTables[0][byte(7)];
  }
  for (const char c : bytes) {
    crc = crc >> 8 ^ kCrcTables[0][(crc ^ static_cast<unsigned char>(c)) & 255];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t UpdateByInstruction(std::uint32_t crc,
                                                                    std::string_view bytes) {
  std::uint64_t wide = crc;
  for (; bytes.size() >= sizeof(wide); bytes.remove_prefix(sizeof(wide))) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes.data(), sizeof(eight));
    wide = __builtin_ia32_crc32di(wide, eight);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (const char c : bytes) crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(c));
  return crc;
}

std::uint32_t UpdateCrc(std::uint32_t crc, std::string_view bytes) {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  return has_instruction ? UpdateByInstruction(crc, bytes) : UpdateByTables(crc, bytes);
}
#else
std::uint32_t UpdateCrc(std::uint32_t crc, std::string_view bytes) {
  return UpdateByTables(crc, bytes);
}
#endif

void AppendHex(std::uint64_t number, std::size_t digits, std::string* out) {
  out->append(digits, '0');
  for (auto digit = out->rbegin(); number > 0; number >>= 4, ++digit) {
    *digit = "0123456789abcdef"[number & 15];
  }
}

std::string Hex(std::uint64_t number, std::size_t digits) {
  std::string text;
  AppendHex(number, digits, &text);
  return text;
}

std::string Decimal(std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

// Takes fields off the front of a header, and remembers whether one was none. Numbers have no more
// than sixteen digits, and are read without a branch for each: most of a Get was that.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  std::string_view Text(std::size_t size) {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  std::uint64_t Decimal(std::size_t size) {
    std::uint64_t number = 0;
    for (const char c : Text(size)) {
      const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
      number = number * 10 + digit;
      good_ &= digit <= 9;
    }
    return number;
  }
  std::uint64_t Hexadecimal(std::size_t size) {
    std::uint64_t number = 0;
    for (const char c : Text(size)) {
      const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
      const unsigned letter = static_cast<unsigned char>(c) - unsigned{'a'};
      number = number << 4 | (digit <= 9 ? digit : letter + 10);
      good_ &= digit <= 9 || letter <= 5;
    }
    return number;
  }
  bool good() const { return good_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::uint32_t Crc32c(std::string_view first, std::string_view second) {
  return ~UpdateCrc(UpdateCrc(~std::uint32_t{0}, first), second);
}

std::uint32_t Crc32cByTables(std::string_view bytes) {
  return ~UpdateByTables(~std::uint32_t{0}, bytes);
}

std::string Hex8(std::uint32_t number) { return Hex(number, 8); }
std::string Hex16(std::uint64_t number) { return Hex(number, 16); }
void AppendHex16(std::uint64_t number, std::string* out) { AppendHex(number, 16, out); }
std::string Decimal3(std::size_t number) { return Decimal(number, 3); }

std::string EncodeRedisRecord(const RedisRecordHeader& header, std::string_view kind,
                              std::string_view data) {
  std::string value(kRecordMagic);
  value.reserve(kRecordHeaderSize + kind.size() + data.size());
  value += header.tag;
  value += Decimal(header.version, 16);
  value += Decimal(static_cast<std::uint64_t>(header.end), 16);
  value += Decimal(static_cast<std::uint64_t>(header.last_end), 16);
  value += Decimal(static_cast<std::uint64_t>(header.idle_ttl.count), 12);
  value += Decimal(static_cast<std::uint64_t>(header.remember.count), 12);
  value += Decimal(header.fence, 16);
  value += Hex16(header.write_id);
  value += Hex8(Crc32c(kind, data));
  value += Decimal3(kind.size());
  value += kSpare;
  value += kind;
  value += data;
  return value;
}

std::optional<RedisRecordHeader> DecodeRedisHeader(std::string_view value, std::string_view tag) {
  if (value.size() < kRecordHeaderSize) return std::nullopt;
  FieldReader fields(value);
  if (fields.Text(kRecordMagic.size()) != kRecordMagic) return std::nullopt;
  RedisRecordHeader header;
  header.tag = fields.Text(22);
  header.version = fields.Decimal(16);
  header.end = static_cast<std::int64_t>(fields.Decimal(16));
  header.last_end = static_cast<std::int64_t>(fields.Decimal(16));
  header.idle_ttl.count = static_cast<std::int64_t>(fields.Decimal(12));
  header.remember.count = static_cast<std::int64_t>(fields.Decimal(12));
  header.fence = fields.Decimal(16);
  header.write_id = fields.Hexadecimal(16);
  header.checksum = static_cast<std::uint32_t>(fields.Hexadecimal(8));
  header.kind_size = fields.Decimal(3);
  header.moved = fields.Text(1) == "M";
  if (!fields.good() || (!tag.empty() && header.tag != tag)) return std::nullopt;
  return header;
}

std::optional<RedisRecord> DecodeRedisRecord(std::string_view value, std::string_view tag) {
  const std::optional<RedisRecordHeader> header = DecodeRedisHeader(value, tag);
  if (!header) return std::nullopt;
  const std::string_view body = value.substr(kRecordHeaderSize);
  if (body.size() < header->kind_size || Crc32c(body) != header->checksum) return std::nullopt;
  return RedisRecord{*header, body.substr(0, header->kind_size), body.substr(header->kind_size)};
}

}  // namespace mcp_session
