// What a client remembers of the tools that a server listed. Private to McpClient.
#ifndef MCP_SESSION_CLIENT_TOOL_CATALOG_H_
#define MCP_SESSION_CLIENT_TOOL_CATALOG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/json/json.h"
#include "mcp_session/protocol/marked_argument.h"

namespace mcp_session {

// A tool that no headers can follow, and why (spec S-38).
struct DroppedTool {
  std::string name;
  std::string why;
};

class ToolCatalog {
 public:
  // Takes the place of what was learned before. With `over_http` tools that no headers can follow
  // are taken out of `tools`, an array.
  void Learn(Json* tools, bool over_http);
  void Forget();

  // Whether the tool says that it is read-only or idempotent (spec F-15).
  bool IsRepeatable(std::string_view tool) const;
  // The headers that repeat its arguments (spec S-37).
  std::vector<std::pair<std::string, std::string>> HeadersOf(std::string_view tool,
                                                             const Json& arguments) const;
  const std::vector<DroppedTool>& dropped() const { return dropped_; }

 private:
  struct Entry {
    std::string name;
    bool repeatable = false;
    std::vector<MarkedArgument> marked;
  };
  const Entry* Find(std::string_view tool) const;

  std::vector<Entry> entries_;  // of tools about which there is something to know, by name
  std::vector<DroppedTool> dropped_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_TOOL_CATALOG_H_
