// What operators and their machines ask a server: is it alive, is it ready, what does it count.
#ifndef MCP_SESSION_HEALTH_OPERATOR_PAGES_H_
#define MCP_SESSION_HEALTH_OPERATOR_PAGES_H_

#include <string>
#include <vector>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/http/server.h"
#include "mcp_session/metrics/metered_store.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// The store of a loop.
struct StoreOfLoop {
  boost::asio::io_context& loop;
  const MeteredStore& store;
  const CreatedStore& created;  // what `store` is over
};

// Three pages for HttpServerOptions::dynamic_pages:
//
//   /healthz   always 200: {"status":"ok","store":{"backend":...,"state":...,"reason":...}}. The
//              process lives; restarting it would not bring a backend back.
//   /readyz    200 while the store is connected or degraded, else 503; the same text.
//   /metrics   for Prometheus (metrics/store_metrics.h); for callers with a token only if that is
//              what `protect_metrics` says
//
// `store` and `created` must outlive the server; `store` is a MeteredStore over created.store.
std::vector<HttpDynamicPage> OperatorPages(const MeteredStore& store, const CreatedStore& created,
                                           bool protect_metrics = false);

// The same for a server with several loops: each is asked on its own thread, so an answer says that
// all of them run. The state is the worst that one of them sees, counters are sums.
std::vector<HttpDynamicPage> OperatorPages(std::vector<StoreOfLoop> stores,
                                           bool protect_metrics = false);

}  // namespace mcp_session

#endif  // MCP_SESSION_HEALTH_OPERATOR_PAGES_H_
