// Schemas as people write them, turned into the draft 7 that valijson knows. Private to this
// folder.
#ifndef MCP_SESSION_SCHEMA_DIALECT_H_
#define MCP_SESSION_SCHEMA_DIALECT_H_

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

// The same schema with only keywords that are checked, each subschema where it was, so that
// pointers of $ref still lead there. own_rules.h takes some keywords by names of its own.
// kInvalidArgument: a dialect or keyword that cannot be checked, a $ref that leads nowhere in this
// document, or to itself without a step into the value.
Result<Json> ToKnownDialect(const Json& schema);

}  // namespace mcp_session

#endif  // MCP_SESSION_SCHEMA_DIALECT_H_
