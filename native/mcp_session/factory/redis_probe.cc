#include "mcp_session/factory/redis_probe.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

// What a server said itself begins with these words; what became of the connection does not.
bool IsFromServer(std::string_view reason) {
  return reason.starts_with("the server ") && !reason.starts_with("the server closed");
}

}  // namespace

// A store on a loop of its own: what it comes to is what the real one would.
RedisProbe ProbeRedis(const RedisOptions& options, Millis timeout) {
  boost::asio::io_context loop(1);
  SystemEntropy entropy;
  RedisOptions quick = options;
  quick.log = nullptr;
  quick.connect_timeout = std::min(quick.connect_timeout, timeout);
  auto made = RedisSessionStore::Make(loop, std::move(quick), entropy);
  if (!made) return {RedisProbe::Finding::kRefused, made.error().message};
  const RedisSessionStore& store = **made;
  const auto until = ToSteadyTime(MonotonicNow() + timeout);
  StoreStatus status = store.Status();
  while (std::chrono::steady_clock::now() < until) {
    loop.run_one_until(until);
    status = store.Status();
    if (status.state == StoreState::kConnected) return {RedisProbe::Finding::kReady, {}};
    if (status.state == StoreState::kMisconfigured) {
      return {RedisProbe::Finding::kRefused, status.reason};
    }
    if (status.state == StoreState::kUnavailable && !IsFromServer(status.reason)) break;
  }
  const bool there = IsFromServer(status.reason);
  if (status.reason.empty()) status.reason = "no answer in time";
  return {there ? RedisProbe::Finding::kNotReady : RedisProbe::Finding::kUnreachable,
          status.reason};
}

bool IsRedisAvailable(std::string_view url, Millis timeout) {
  const Result<StoreUrl> parsed = ParseStoreUrl(url);
  if (!parsed || !parsed->is_redis()) return false;
  return ProbeRedis(ToRedisOptions(*parsed, {}), timeout).finding == RedisProbe::Finding::kReady;
}

}  // namespace mcp_session
