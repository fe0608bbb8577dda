// How the program's commands end, and the little they share.
#ifndef MCP_SESSION_CLI_EXIT_H_
#define MCP_SESSION_CLI_EXIT_H_

#include <string>

#include "mcp_session/base/error.h"
#include "mcp_session/factory/store_options.h"
#include "mcp_session/system/log.h"

namespace mcp_session {

inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsageError = 2;

// What went wrong, for a human who may have to change something.
inline std::string InWords(const Error& error) {
  return (error.code == ErrorCode::kMisconfigured ? "misconfigured: " : "") + error.message;
}

// Says what went wrong, and what to exit with.
inline int Complain(const Error& error) {
  Log(LogSeverity::kError, "failed", InWords(error));
  return error.code == ErrorCode::kInvalidArgument ? kUsageError : kFailed;
}

// For OpenStoreAdmin; an empty prefix is the usual one.
inline StoreOptions AdminOptions(const std::string& prefix) {
  StoreOptions options;
  if (!prefix.empty()) options.prefix = prefix;
  return options;
}

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_EXIT_H_
