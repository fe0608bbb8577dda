// The Redis protocol (RESP2): commands as bytes, bytes as replies. hiredis reads.
#ifndef MCP_SESSION_REDIS_RESP_H_
#define MCP_SESSION_REDIS_RESP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace mcp_session {

// Appends a command: any bytes in any word.
void AppendRedisCommand(std::string* out, std::span<const std::string_view> words);
inline void AppendRedisCommand(std::string* out, std::initializer_list<std::string_view> words) {
  AppendRedisCommand(out, std::span(words.begin(), words.size()));
}

// The same in pieces: first how many words, then each.
void BeginRedisCommand(std::string* out, std::size_t words);
void AppendRedisWord(std::string* out, std::string_view word);

// The commands that AppendRedisCommand appended, one by one.
std::vector<std::string_view> SplitRedisCommands(std::string_view bytes);

struct RedisReply {
  enum class Type : std::uint8_t { kNil, kInteger, kString, kStatus, kError, kArray };
  Type type = Type::kNil;
  std::int64_t integer = 0;
  std::string text;  // of a string, a status, an error
  std::vector<RedisReply> elements;

  bool IsError() const { return type == Type::kError; }
  bool IsText() const { return type == Type::kString || type == Type::kStatus; }
  bool IsOk() const { return type == Type::kStatus && text == "OK"; }
};

// What TIME answers, in milliseconds since 1970; nothing if it is no time.
std::optional<std::int64_t> RedisMillis(const RedisReply& time);

class RedisReplyReader {
 public:
  RedisReplyReader();
  RedisReplyReader(const RedisReplyReader&) = delete;
  RedisReplyReader& operator=(const RedisReplyReader&) = delete;
  ~RedisReplyReader();

  // The next reply, from what was read before and then from the front of `bytes`, which loses what
  // is read. Nothing if all of it was read and no reply is whole; or, with broken(), after bytes
  // that are no RESP.
  std::optional<RedisReply> Next(std::string_view* bytes);
  bool broken() const { return broken_; }

 private:
  struct Deleter {
    void operator()(redisReader* reader) const;
  };
  RedisReply reply_;  // being read
  std::unique_ptr<redisReader, Deleter> reader_;
  bool broken_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_RESP_H_
