// Keywords that valijson is not left with: what it makes of them is not bounded in time (pattern),
// ends at a NUL (lengths), or takes 2.5 for a multiple of 2. Private to this folder.
#ifndef MCP_SESSION_SCHEMA_OWN_RULES_H_
#define MCP_SESSION_SCHEMA_OWN_RULES_H_

#include <string>
#include <string_view>
#include <valijson/schema_parser.hpp>

namespace mcp_session {

// Whether `keyword` is one of them.
bool IsOwnRule(std::string_view keyword);
// What it is called in the schema that the parser gets.
std::string OwnRuleName(std::string_view keyword);

// Teaches `parser` all of them. What it parses then throws std::runtime_error for a keyword whose
// value cannot be.
void AddOwnRules(valijson::SchemaParser& parser);

}  // namespace mcp_session

#endif  // MCP_SESSION_SCHEMA_OWN_RULES_H_
