// RedisTalk: one connection to a Redis server that stays, for what a test says to the server while
// no new connection gets through, and for MONITOR.
#ifndef TESTS_FAULTS_REDIS_TALK_H_
#define TESTS_FAULTS_REDIS_TALK_H_

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mcp_session {

class RedisTalk {
 public:
  // To the port of 127.0.0.1.
  explicit RedisTalk(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {
    const timeval patience{20, 0};
    if (context_ != nullptr) redisSetTimeout(context_, patience);
  }
  ~RedisTalk() {
    if (context_ != nullptr) redisFree(context_);
  }
  RedisTalk(const RedisTalk&) = delete;
  RedisTalk& operator=(const RedisTalk&) = delete;

  // The reply if it is text, "-" and the text if it is an error, "(other)" or "(none)".
  std::string Command(const std::vector<std::string>& words) {
    std::vector<const char*> argv;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      argv.push_back(word.data());
      sizes.push_back(word.size());
    }
    void* reply =
        redisCommandArgv(context_, static_cast<int>(argv.size()), argv.data(), sizes.data());
    return Text(reply);
  }

  // After MONITOR: the next line.
  std::string NextLine() {
    void* reply = nullptr;
    if (redisGetReply(context_, &reply) != REDIS_OK) return "(none)";
    return Text(reply);
  }

 private:
  static std::string Text(void* raw) {
    auto* const reply = static_cast<redisReply*>(raw);
    if (reply == nullptr) return "(none)";
    std::string text = "(other)";
    if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) {
      text.assign(reply->str, reply->len);
    } else if (reply->type == REDIS_REPLY_ERROR) {
      text = "-" + std::string(reply->str, reply->len);
    }
    freeReplyObject(reply);
    return text;
  }

  redisContext* context_;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_REDIS_TALK_H_
