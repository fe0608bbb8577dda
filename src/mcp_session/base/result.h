// Result<T>: a value, or the Error that says why there is none.
#ifndef MCP_SESSION_BASE_RESULT_H_
#define MCP_SESSION_BASE_RESULT_H_

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "mcp_session/base/error.h"

namespace mcp_session {

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> Failure(ErrorCode code, Blame blame,
                                                   std::string message) {
  return tl::unexpected<Error>(Error{code, blame, std::move(message)});
}

}  // namespace mcp_session

#define MCPS_CONCAT_INNER(a, b) a##b
#define MCPS_CONCAT(a, b) MCPS_CONCAT_INNER(a, b)

// MCPS_TRY(auto value, Parse(text)): declares value, or returns the error of Parse(text).
#define MCPS_TRY(declaration, expression) \
  MCPS_TRY_INNER(MCPS_CONCAT(mcps_result_, __LINE__), declaration, expression)
#define MCPS_TRY_INNER(result, declaration, expression)                     \
  auto result = (expression);                                               \
  if (!result) return ::tl::unexpected<::mcp_session::Error>(std::move(result.error())); \
  declaration = std::move(*result)

#endif  // MCP_SESSION_BASE_RESULT_H_
