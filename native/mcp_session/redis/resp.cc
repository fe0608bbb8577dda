#include "mcp_session/redis/resp.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/base/decimal.h"

namespace mcp_session {
namespace {

// A word has its type and its length around it, and two line ends.
constexpr std::size_t kAround = 25;

void AppendNumber(char type, std::size_t number, std::string* out) {
  std::array<char, kAround> text;
  char* end = text.data();
  *end++ = type;
  end = std::to_chars(end, text.data() + text.size(), number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out->append(text.data(), end);
}

// hiredis builds replies through these, where they are to be: the root in its reader, and what is
// in an array in its parent's elements.
RedisReply* Place(const redisReadTask* task) {
  if (task->parent == nullptr) return static_cast<RedisReply*>(task->privdata);
  auto* parent = static_cast<RedisReply*>(task->parent->obj);
  return &parent->elements[static_cast<std::size_t>(task->idx)];
}

void* MakeText(const redisReadTask* task, char* text, std::size_t size) {
  RedisReply* reply = Place(task);
  reply->type = task->type == REDIS_REPLY_STATUS  ? RedisReply::Type::kStatus
                : task->type == REDIS_REPLY_ERROR ? RedisReply::Type::kError
                                                  : RedisReply::Type::kString;
  reply->text.assign(text, size);
  return reply;
}

// The type of a size is another one in newer versions of hiredis.
template <typename Size>
void* MakeArray(const redisReadTask* task, Size size) {
  RedisReply* reply = Place(task);
  reply->type = RedisReply::Type::kArray;
  reply->elements.resize(static_cast<std::size_t>(size));
  return reply;
}

void* MakeInteger(const redisReadTask* task, long long value) {
  RedisReply* reply = Place(task);
  reply->type = RedisReply::Type::kInteger;
  reply->integer = value;
  return reply;
}

void* MakeNil(const redisReadTask* task) { return Place(task); }

// Newer versions read types that no server sends to whom did not ask for them.
template <typename Functions>
Functions MakeFunctions() {
  Functions functions{};
  functions.createString = MakeText;
  functions.createArray = MakeArray;
  functions.createInteger = MakeInteger;
  functions.createNil = MakeNil;
  functions.freeObject = [](void*) {};
  if constexpr (requires { functions.createBool; }) {
    functions.createBool = [](const redisReadTask* task, int) { return MakeNil(task); };
    functions.createDouble = [](const redisReadTask* task, double, char*, std::size_t) {
      return MakeNil(task);
    };
  }
  return functions;
}

redisReplyObjectFunctions functions = MakeFunctions<redisReplyObjectFunctions>();

// hiredis moves what is left of its buffer to the front after each reply or so: with much in it,
// that would be most of the work.
constexpr std::size_t kSlice = 4096;

}  // namespace

void BeginRedisCommand(std::string* out, std::size_t words) { AppendNumber('*', words, out); }

void AppendRedisWord(std::string* out, std::string_view word) {
  AppendNumber('$', word.size(), out);
  *out += word;
  *out += "\r\n";
}

void AppendRedisCommand(std::string* out, std::span<const std::string_view> words) {
  std::size_t size = out->size() + kAround;
  for (const std::string_view word : words) size += word.size() + kAround;
  out->reserve(size);
  BeginRedisCommand(out, words.size());
  for (const std::string_view word : words) AppendRedisWord(out, word);
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

std::optional<std::int64_t> RedisMillis(const RedisReply& time) {
  if (time.elements.size() != 2) return std::nullopt;
  const std::optional<std::int64_t> seconds = ParseDecimal(time.elements[0].text);
  const std::optional<std::int64_t> micros = ParseDecimal(time.elements[1].text);
  if (!seconds || !micros) return std::nullopt;
  return *seconds * 1000 + *micros / 1000;
}

RedisReplyReader::RedisReplyReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
  MCPS_CHECK(reader_ != nullptr);
  reader_->privdata = &reply_;
}

RedisReplyReader::~RedisReplyReader() = default;

std::optional<RedisReply> RedisReplyReader::Next(std::string_view* bytes) {
  while (!broken_) {
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) break;
    if (found != nullptr) return std::exchange(reply_, RedisReply());
    if (bytes->empty()) return std::nullopt;
    const std::string_view slice = bytes->substr(0, kSlice);
    if (redisReaderFeed(reader_.get(), slice.data(), slice.size()) != REDIS_OK) break;
    bytes->remove_prefix(slice.size());
  }
  broken_ = true;
  return std::nullopt;
}

}  // namespace mcp_session
