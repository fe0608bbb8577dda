// Whether what a client answered is an answer to what it was asked. Private to this folder.
#ifndef MCP_SESSION_SERVER_ANSWER_CHECK_H_
#define MCP_SESSION_SERVER_ANSWER_CHECK_H_

#include <string_view>

#include "mcp_session/server/question.h"

namespace mcp_session {

// The method of the request that asks it.
std::string_view MethodOf(const Question& question);

// What the client must have declared to be asked it (spec G-01, M-03).
Json CapabilitiesFor(const Question& question);

// The answer as a handler gets it, without what was not asked for; null if it is none: of another
// shape, an accepted form without a required field, a field that its schema does not admit.
Json CheckedAnswer(const Question& question, const Json& answer);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_ANSWER_CHECK_H_
