// Results that a stateless server lets its client keep: of lists and of resources/read (spec F-11,
// F-12). They are one client's own, so a cacheScope of private holds as well. Private to McpClient.
#ifndef MCP_SESSION_CLIENT_RESULT_CACHE_H_
#define MCP_SESSION_CLIENT_RESULT_CACHE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/session/client_event.h"

namespace mcp_session {

class ResultCache {
 public:
  static constexpr std::size_t kMaxEntries = 256;
  static constexpr std::size_t kMaxBytes = 8u << 20;  // of all results, as JSON text

  // Whether a result of `method`, about `uri` if it is resources/read, is stale after `notified`.
  // What is updated may be a part of the resource, or the whole that it is a part of (spec U-09).
  static bool IsStaleAfter(const client_effect::Notified& notified, std::string_view method,
                           std::string_view uri);

  // Null: there is none that is fresh.
  const Json* Find(std::string_view method, std::string_view uri, Instant now) const;
  // For its ttlMs, if it has one, in the place of an earlier one. When there is no room, what would
  // be over first goes.
  void Keep(std::string_view method, std::string_view uri, const Json& result, Instant now);
  void Forget(std::string_view method, std::string_view uri);
  void Forget(const client_effect::Notified& notified);
  void Clear();

 private:
  struct Entry {
    std::string method;
    std::string uri;
    Json result;
    Instant fresh_until;
    std::size_t bytes = 0;
  };
  void Erase(std::size_t index);

  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_RESULT_CACHE_H_
