// A call whose handler may ask the client something before it answers: of a tool, a prompt or a
// resource (spec M-01).
#ifndef MCP_SESSION_SERVER_ASKING_CALL_H_
#define MCP_SESSION_SERVER_ASKING_CALL_H_

#include <string_view>

#include "mcp_session/json/json.h"
#include "mcp_session/server/handler_call.h"
#include "mcp_session/server/question.h"

namespace mcp_session {

// A handler that asks is run again, from its beginning, when the answers are there; it is written
// once for both eras (spec M-10):
//
//   const Json* answer = call.Ask("user", Form("Who are you?").Add(TextField{{.name = "name"}}));
//   if (answer == nullptr) return {};  // asked: the handler runs again
//
// So before its last question it does nothing that may not be done twice. What a run that asked
// answers with is ignored, and changes it made to its state (StateUse) are not saved.
//
// In the stateless era the answers, and what is kept, come back from the client, sealed if the
// server seals them (McpServer::SealStatesWith); without that there is one round of questions. In
// a session the client gets real requests and the call goes on when they are answered.
class AskingCall : public HandlerCall {
 public:
  // The answer to `question`; null if there is none yet: then the client is asked when the run
  // ends, together with whatever else this run asks. `key` names the question within the call: the
  // same in every run, and another for each question. An answer is there only if it fits the
  // question as it is put now (question.h says what it looks like), also one of an earlier round;
  // what does not fit is asked again. It lives as long as the call.
  //
  // A question that the client did not declare it can be asked ends the call with an error that
  // says so (kMissingCapability; in a session a result with isError). So does a ninth round
  // (Limits::max_rounds, kInvalidParams), and in a session a question too many of one run
  // (Limits::max_requests_per_call, kInternal).
  const Json* Ask(std::string_view key, const Question& question);

  // Whether the client declared that it can be asked that (spec M-03).
  bool CanAsk(const Question& question) const;

  // Null in the first run; what it is when a run ends is there in the next. The client cannot read
  // or change it (Limits::max_request_state_bytes).
  Json& kept();

 protected:
  using HandlerCall::HandlerCall;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_ASKING_CALL_H_
