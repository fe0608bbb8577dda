#include "mcp_session/redis/probe.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/redis/question.h"
#include "mcp_session/redis/route.h"
#include "mcp_session/redis/transport.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

// Of the time, for a closer look after a failure.
constexpr std::int64_t kPartForLook = 4;

// Whether a server that was spoken to in plain text answers to TLS.
bool SpeaksTls(const RedisAddress& address, Millis timeout) {
  boost::asio::io_context loop;
  const auto transport = MakeRedisTransport(loop, address, {.enabled = true, .insecure = true});
  std::optional<bool> speaks;
  transport->Connect([&speaks](const std::optional<RedisFailure>& failure) { speaks = !failure; });
  loop.run_for(std::chrono::milliseconds(timeout.count));
  transport->Close();
  return speaks.value_or(false);
}

// Whether a server that was spoken to over TLS answers in plain text. It is told no password.
bool SpeaksPlain(const RedisAddress& address, Millis timeout) {
  boost::asio::io_context loop;
  const RedisOptions nobody;
  std::optional<bool> speaks;
  const auto question = RedisQuestion::Ask(
      loop, nobody, RedisPurpose::kEvents, address, {"PING"}, timeout, [&speaks](auto answer) {
        speaks = answer || answer.error().code == ErrorCode::kMisconfigured;
      });
  loop.run_for(std::chrono::milliseconds(timeout.count));
  question->Close();
  return speaks.value_or(false);
}

}  // namespace

tl::expected<void, RedisFailure> ProbeRedis(RedisOptions options, Millis timeout) {
  const Millis look{timeout.count / kPartForLook + 1};
  options.connect_timeout = Millis{timeout.count - timeout.count / kPartForLook};
  options.log = nullptr;
  if (const Result<void> fine = CheckRedisOptions(options); !fine) {
    return tl::unexpected(
        RedisFailure{fine.error().code, fine.error().message, RedisCause::kSettings});
  }
  boost::asio::io_context loop;
  SystemEntropy entropy;
  RedisCounters counters;
  const Instant end = MonotonicNow() + options.connect_timeout;
  const std::unique_ptr<RedisRoute> route = MakeRedisRoute(loop, options, entropy, counters);
  while (route->state() == StoreState::kConnecting && MonotonicNow() < end) {
    loop.run_one_until(ToSteadyTime(end));
  }
  const StoreState state = route->state();
  RedisFailure failure = MakeRedisFailure(RedisCause::kTimedOut);
  if (state != StoreState::kConnecting) {
    const bool misconfigured = state == StoreState::kMisconfigured;
    failure = {misconfigured ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable, route->reason(),
               route->cause()};
  }
  route->Close();
  if (state == StoreState::kConnected) return {};
  // Both sides may be waiting for the other to speak first.
  const RedisAddress& address = options.endpoints[0];
  const bool was_silent = failure.cause == RedisCause::kTimedOut ||
                          failure.cause == RedisCause::kClosed ||
                          failure.cause == RedisCause::kNetwork;
  if (was_silent && address.path.empty() && !options.tls.enabled && SpeaksTls(address, look)) {
    failure =
        MakeRedisFailure(RedisCause::kTls, "TLS: the server wants it, and it was not asked for");
  }
  if (was_silent && address.path.empty() && options.tls.enabled && SpeaksPlain(address, look)) {
    failure = MakeRedisFailure(RedisCause::kTls, "TLS: the server has none on this port");
  }
  return tl::unexpected(std::move(failure));
}

}  // namespace mcp_session
