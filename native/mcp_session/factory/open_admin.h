// OpenStoreAdmin: the operator's side of the store that a URL names.
#ifndef MCP_SESSION_FACTORY_OPEN_ADMIN_H_
#define MCP_SESSION_FACTORY_OPEN_ADMIN_H_

#include <memory>
#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/factory/store_options.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session {

// `options` say what the URL does not (prefix, TLS files). `create`: a file that is not there is
// made, instead of kMisconfigured. kInvalidArgument: no such URL, or memory, which lives in the
// process that serves. Redis is not asked yet.
Result<std::unique_ptr<StoreAdmin>> OpenStoreAdmin(std::string_view url,
                                                   const StoreOptions& options, bool create);

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_OPEN_ADMIN_H_
