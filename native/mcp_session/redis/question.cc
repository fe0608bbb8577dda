#include "mcp_session/redis/question.h"

#include <chrono>
#include <span>
#include <utility>

namespace mcp_session {

RedisQuestion::RedisQuestion(boost::asio::io_context& loop, const RedisOptions& options,
                             RedisPurpose purpose)
    : connection_(std::make_shared<RedisConnection>(loop, options, purpose)), timer_(loop) {}

std::shared_ptr<RedisQuestion> RedisQuestion::Ask(boost::asio::io_context& loop,
                                                  const RedisOptions& options, RedisPurpose purpose,
                                                  const RedisAddress& address,
                                                  std::initializer_list<std::string_view> words,
                                                  Millis timeout, Answered answered) {
  const auto self = std::make_shared<RedisQuestion>(loop, options, purpose);
  AppendRedisCommand(&self->command_, words);
  self->answered_ = std::move(answered);
  self->timer_.expires_after(std::chrono::milliseconds(timeout.count));
  self->timer_.async_wait([self](const boost::system::error_code& error) {
    if (error) return;
    self->Finish(tl::unexpected(MakeRedisFailure(RedisCause::kTimedOut)));
  });
  self->Start(address);
  return self;
}

RedisQuestion::~RedisQuestion() { Close(); }

// The connection must not hold what holds it.
void RedisQuestion::Start(const RedisAddress& address) {
  connection_->Start(
      address,
      {.ready = [this](const RedisServerInfo&) { connection_->Write(&command_); },
       .reply =
           [this](RedisReply reply) {
             if (reply.IsError()) return Finish(tl::unexpected(RedisFailureOf(reply)));
             Finish(std::move(reply));
           },
       .written = [] {},
       .failed = [this](RedisFailure failure) { Finish(tl::unexpected(std::move(failure))); }});
}

void RedisQuestion::Finish(tl::expected<RedisReply, RedisFailure> result) {
  const Answered answered = std::move(answered_);
  Close();
  if (answered) answered(std::move(result));
}

void RedisQuestion::Close() {
  answered_ = nullptr;
  timer_.cancel();
  connection_->Close();
}

}  // namespace mcp_session
