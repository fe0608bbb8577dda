#include "mcp_session/redis/resp.h"

#include <hiredis/hiredis.h>

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/base/decimal.h"

namespace mcp_session {
namespace {

void AppendNumber(std::string* out, char type, std::size_t number) {
  *out += type;
  *out += std::to_string(number);
  *out += "\r\n";
}

RedisReply Convert(const redisReply& from) {
  RedisReply reply;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.type = RedisReply::Type::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      reply.type = from.type == REDIS_REPLY_STRING   ? RedisReply::Type::kString
                   : from.type == REDIS_REPLY_STATUS ? RedisReply::Type::kStatus
                                                     : RedisReply::Type::kError;
      reply.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_ARRAY:
      reply.type = RedisReply::Type::kArray;
      reply.elements.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) {
        reply.elements.push_back(Convert(*from.element[i]));
      }
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace

void AppendRedisCommand(std::string* out, std::span<const std::string_view> words) {
  AppendNumber(out, '*', words.size());
  for (const std::string_view word : words) {
    AppendNumber(out, '$', word.size());
    *out += word;
    *out += "\r\n";
  }
}

std::vector<std::string_view> SplitRedisCommands(std::string_view bytes) {
  std::vector<std::string_view> commands;
  std::size_t at = 0;
  const auto number = [&bytes, &at] {
    const std::size_t end = bytes.find("\r\n", at);
    MCPS_CHECK(end != std::string_view::npos);
    const std::optional<std::int64_t> value = ParseDecimal(bytes.substr(at + 1, end - at - 1));
    MCPS_CHECK(value.has_value());
    at = end + 2;
    return static_cast<std::size_t>(*value);
  };
  while (at < bytes.size()) {
    const std::size_t start = at;
    for (std::size_t words = number(); words > 0; --words) {
      const std::size_t size = number();
      at += size + 2;
    }
    commands.push_back(bytes.substr(start, at - start));
  }
  return commands;
}

void RedisReplyReader::Deleter::operator()(redisReader* reader) const { redisReaderFree(reader); }

RedisReplyReader::RedisReplyReader() : reader_(redisReaderCreate()) {
  MCPS_CHECK(reader_ != nullptr);
}

RedisReplyReader::~RedisReplyReader() = default;

void RedisReplyReader::Feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) broken_ = true;
}

std::optional<RedisReply> RedisReplyReader::Next() {
  void* found = nullptr;
  if (broken_ || redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
    broken_ = true;
    return std::nullopt;
  }
  if (found == nullptr) return std::nullopt;
  RedisReply reply = Convert(*static_cast<redisReply*>(found));
  freeReplyObject(found);
  return reply;
}

}  // namespace mcp_session
