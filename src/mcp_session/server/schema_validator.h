// Checks values against JSON Schemas. The core has none of its own: native/mcp_session/schema does.
#ifndef MCP_SESSION_SERVER_SCHEMA_VALIDATOR_H_
#define MCP_SESSION_SERVER_SCHEMA_VALIDATOR_H_

#include <memory>
#include <string>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

// A schema that is ready for use.
class CompiledSchema {
 public:
  virtual ~CompiledSchema() = default;

  // What is wrong with `value`, a few short sentences that begin with the path of what they are
  // about; none: it conforms. Takes bounded time for any value: one that would take longer does
  // not conform. Does not copy `value`.
  virtual std::vector<std::string> Check(const Json& value) const = 0;
};

class SchemaValidator {
 public:
  virtual ~SchemaValidator() = default;

  // kInvalidArgument, with the reason: a schema that it cannot check values against. Never fetches
  // anything (spec J-15). Neither `schema` nor the validator need outlive what is made.
  virtual Result<std::shared_ptr<const CompiledSchema>> Compile(const Json& schema) const = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SCHEMA_VALIDATOR_H_
