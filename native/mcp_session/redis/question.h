// RedisQuestion: one command over a connection of its own, to a server that is not (yet) worked
// with: where is the master, which node has which slots.
#ifndef MCP_SESSION_REDIS_QUESTION_H_
#define MCP_SESSION_REDIS_QUESTION_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "mcp_session/redis/connection.h"
#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/redis/resp.h"

namespace mcp_session {

// Lives until it is answered: the wait for its timeout holds it.
class RedisQuestion {
 public:
  // Called on the loop, once: the reply, which is no error, or why there is none.
  using Answered = std::function<void(tl::expected<RedisReply, RedisFailure>)>;

  // Asks. Whoever does not want the answer any more calls Close on what is returned.
  static std::shared_ptr<RedisQuestion> Ask(boost::asio::io_context& loop,
                                            const RedisOptions& options, RedisPurpose purpose,
                                            const RedisAddress& address,
                                            std::initializer_list<std::string_view> words,
                                            Millis timeout, Answered answered);
  RedisQuestion(boost::asio::io_context& loop, const RedisOptions& options, RedisPurpose purpose);
  ~RedisQuestion();
  RedisQuestion(const RedisQuestion&) = delete;
  RedisQuestion& operator=(const RedisQuestion&) = delete;
  void Close();

 private:
  void Start(const RedisAddress& address);
  void Finish(tl::expected<RedisReply, RedisFailure> result);

  const std::shared_ptr<RedisConnection> connection_;
  boost::asio::steady_timer timer_;
  std::string command_;
  Answered answered_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_QUESTION_H_
