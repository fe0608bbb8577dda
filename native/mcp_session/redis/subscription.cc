#include "mcp_session/redis/subscription.h"

#include <chrono>
#include <utility>

namespace mcp_session {
namespace {

constexpr Millis kRetry{500};
// A quiet connection is asked this often whether it is still there, and the empty one given up.
constexpr Millis kHeartbeat = Seconds(2);

}  // namespace

RedisSubscription::RedisSubscription(boost::asio::io_context& loop, const RedisOptions& options,
                                     RedisLocator locate, Heard heard)
    : loop_(loop),
      options_(options),
      locate_(std::move(locate)),
      heard_(std::move(heard)),
      timer_(loop) {}

bool RedisSubscription::Add(const std::string& channel) {
  if (!channels_.insert(channel).second) return false;
  if (ready_) {
    Write("SUBSCRIBE", channel);
  } else if (!connecting_) {
    Connect();
  }
  return true;
}

void RedisSubscription::Remove(const std::string& channel) {
  if (channels_.erase(channel) != 0 && ready_) Write("UNSUBSCRIBE", channel);
}

void RedisSubscription::Close() {
  closed_ = true;
  channels_.clear();
  timer_.cancel();
  if (connection_ != nullptr) connection_->Close();
  connection_ = nullptr;
}

void RedisSubscription::After(Millis length, void (RedisSubscription::*then)()) {
  timer_.expires_after(std::chrono::milliseconds(length.count));
  timer_.async_wait([self = shared_from_this(), then](const boost::system::error_code& error) {
    if (!error && !self->closed_) ((*self).*then)();
  });
}

void RedisSubscription::Connect() {
  if (channels_.empty()) {
    connecting_ = false;
    return;
  }
  connecting_ = true;
  After(options_.connect_timeout, &RedisSubscription::OnConnectTimeout);
  const auto self = shared_from_this();
  locate_([self](tl::expected<RedisAddress, RedisFailure> found) {
    if (self->closed_ || self->connection_ != nullptr || !self->connecting_ || !found) return;
    self->connection_ =
        std::make_shared<RedisConnection>(self->loop_, self->options_, RedisPurpose::kEvents);
    self->connection_->Start(*found,
                             {.ready = [self](const RedisServerInfo&) { self->OnReady(); },
                              .reply = [self](const RedisReply& reply) { self->OnReply(reply); },
                              .written =
                                  [self] {
                                    self->writing_ = false;
                                    self->Flush();
                                  },
                              .failed = [self](const RedisFailure&) { self->OnFailed(); }});
  });
}

void RedisSubscription::OnConnectTimeout() {
  if (connection_ != nullptr) connection_->Close();
  OnFailed();
}

void RedisSubscription::OnReady() {
  connecting_ = false;
  ready_ = true;
  writing_ = false;
  unsent_.clear();
  heard_since_ping_ = true;
  for (const std::string& channel : channels_) {
    AppendRedisCommand(&unsent_, {"SUBSCRIBE", channel});
  }
  Flush();
  After(kHeartbeat, &RedisSubscription::OnIdle);
}

void RedisSubscription::OnFailed() {
  if (closed_) return;
  connection_ = nullptr;
  ready_ = false;
  connecting_ = true;
  After(kRetry, &RedisSubscription::Connect);
}

void RedisSubscription::OnReply(const RedisReply& reply) {
  heard_since_ping_ = true;
  if (reply.IsError()) {
    connection_->Close();
    return OnFailed();
  }
  if (reply.elements.size() < 2) return;
  const std::string& what = reply.elements[0].text;
  if (what == "message" || what == "subscribe") heard_(reply.elements[1].text);
}

void RedisSubscription::OnIdle() {
  if (!ready_) return;
  if (!heard_since_ping_ || channels_.empty()) {
    connection_->Close();
    connection_ = nullptr;
    ready_ = false;
    return Connect();
  }
  heard_since_ping_ = false;
  AppendRedisCommand(&unsent_, {"PING"});
  Flush();
  After(kHeartbeat, &RedisSubscription::OnIdle);
}

void RedisSubscription::Write(std::string_view command, const std::string& channel) {
  AppendRedisCommand(&unsent_, {command, channel});
  Flush();
}

void RedisSubscription::Flush() {
  if (!ready_ || writing_ || unsent_.empty()) return;
  writing_ = true;
  connection_->Write(&unsent_);
}

}  // namespace mcp_session
