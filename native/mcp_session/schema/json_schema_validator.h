// JsonSchemaValidator: arguments and results of tools against their schemas, by valijson.
#ifndef MCP_SESSION_SCHEMA_JSON_SCHEMA_VALIDATOR_H_
#define MCP_SESSION_SCHEMA_JSON_SCHEMA_VALIDATOR_H_

#include <memory>

#include "mcp_session/server/schema_validator.h"

namespace mcp_session {

// For McpServer::CheckArgumentsWith. Knows the dialects 2020-12 (that of a schema that names none),
// 2019-09, draft 7 and draft 6; which keywords it ignores or refuses is in docs/server.md.
// `pattern` is what RE2 understands and is matched in linear time. Any thread; so is what it
// compiles.
class JsonSchemaValidator final : public SchemaValidator {
 public:
  Result<std::shared_ptr<const CompiledSchema>> Compile(const Json& schema) const override;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SCHEMA_JSON_SCHEMA_VALIDATOR_H_
