#include "mcp_session/redis/probe.h"

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>

#include "mcp_session/redis/route.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {

Result<void> ProbeRedis(RedisOptions options, Millis timeout) {
  options.connect_timeout = timeout;
  options.log = nullptr;
  if (Result<void> fine = CheckRedisOptions(options); !fine) return fine;
  boost::asio::io_context loop;
  SystemEntropy entropy;
  RedisCounters counters;
  const Instant end = MonotonicNow() + timeout;
  const std::unique_ptr<RedisRoute> route = MakeRedisRoute(loop, options, entropy, counters);
  while (route->state() == StoreState::kConnecting && MonotonicNow() < end) {
    loop.run_one_until(ToSteadyTime(end));
  }
  const StoreState state = route->state();
  const std::string reason =
      state == StoreState::kConnecting ? "the server did not answer in time" : route->reason();
  route->Close();
  if (state == StoreState::kConnected) return {};
  const bool misconfigured = state == StoreState::kMisconfigured;
  return Failure(misconfigured ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable,
                 Blame::kEnvironment, "redis: " + reason);
}

}  // namespace mcp_session
