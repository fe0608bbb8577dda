#include "mcp_session/factory/redis_available.h"

#include "mcp_session/factory/create_store.h"
#include "mcp_session/redis/probe.h"

namespace mcp_session {

bool IsRedisAvailable(std::string_view url, Millis timeout) {
  const Result<StoreUrl> parsed = ParseStoreUrl(url);
  if (!parsed || !parsed->is_redis()) return false;
  return ProbeRedis(ToRedisOptions(*parsed, {}), timeout).has_value();
}

}  // namespace mcp_session
