// Answers to a server that asks for a form (elicitation/create).
#ifndef MCP_SESSION_CLIENT_FORM_H_
#define MCP_SESSION_CLIENT_FORM_H_

#include "mcp_session/json/json.h"

namespace mcp_session {

// {"action":"accept","content":{...}}: `content`, an object or null, with the defaults of the form
// for what it leaves out (spec G-05). `params` are those of the question.
Json AcceptForm(const Json& params, Json content);
// {"action":"decline"}, and {"action":"cancel"}.
Json DeclineForm();
Json CancelForm();

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_FORM_H_
