// Files that the operator names: tokens, keys, settings.
#ifndef MCP_SESSION_SYSTEM_READ_FILE_H_
#define MCP_SESSION_SYSTEM_READ_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "mcp_session/base/result.h"

namespace mcp_session {

// All of it, if it has at most `max_bytes`; else kMisconfigured, which calls it `what`.
Result<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes,
                                  std::string_view what);

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_READ_FILE_H_
