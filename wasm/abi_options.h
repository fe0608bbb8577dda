// The JSON options of the ABI, read strictly: a wrong type, a value out of range and an unknown
// name are kInvalidArgument, which JavaScript throws as a TypeError. Private to the ABI.
#ifndef MCP_SESSION_WASM_ABI_OPTIONS_H_
#define MCP_SESSION_WASM_ABI_OPTIONS_H_

#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/server/tool.h"
#include "mcp_session/session/client_engine.h"
#include "mcp_session/session/server_engine.h"
#include "mcp_session/store/memory_options.h"

namespace mcp_session::abi {

// A page's share of memory, not a server's.
inline constexpr MemoryStoreOptions kPageMemory{.max_records = 1'000, .max_bytes = 16u << 20};

struct ServerSetup {
  ServerOptions options;
  MemoryStoreOptions store = kPageMemory;
};

struct ClientSetup {
  ClientOptions options;
  bool asked = false;  // questions are answered
};

// What `json` does not say keeps its value.
Result<void> ReadServerOptions(std::string_view json, ServerSetup* setup);
Result<void> ReadStoreOptions(std::string_view json, MemoryStoreOptions* store);
Result<void> ReadTool(std::string_view json, Tool* tool);
Result<void> ReadClientOptions(std::string_view json, ClientSetup* setup);

}  // namespace mcp_session::abi

#endif  // MCP_SESSION_WASM_ABI_OPTIONS_H_
