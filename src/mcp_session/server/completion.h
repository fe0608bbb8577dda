// Suggestions for what a user types as an argument of a prompt or a variable of a template.
#ifndef MCP_SESSION_SERVER_COMPLETION_H_
#define MCP_SESSION_SERVER_COMPLETION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/server/handler_call.h"

namespace mcp_session {

// What is completed: an argument of a prompt, or a variable of a template. Either must be
// registered first.
struct CompletionTarget {
  std::string prompt;        // the prompt's name; empty for a template
  std::string uri_template;  // as it was registered; empty for a prompt
  std::string argument;
};

struct CompletionResult {
  std::vector<std::string> values;    // best first; the client gets 100 of them (spec F-09)
  std::optional<std::int64_t> total;  // how many there are, if that is known
  bool has_more = false;              // there are more than `values`

  // Those of `candidates` that begin with `typed`.
  static CompletionResult StartingWith(std::string_view typed,
                                       const std::vector<std::string>& candidates);
};

// One completion/complete.
class CompletionCall : public HandlerCall {
 public:
  // What was typed so far.
  const std::string& typed() const;
  // Another argument that the user has filled in already; empty if it is not known.
  std::string Argument(std::string_view name) const;

  // Ends the call; only the first Reply counts. The client reads the message of an error.
  void Reply(Result<CompletionResult> result);

 private:
  friend class Completions;
  struct State;
  explicit CompletionCall(std::shared_ptr<HandlerCall::State> state);
  State& own() const;
};

// Answers by call.Reply, now or later.
using CompletionHandler = std::function<void(CompletionCall call)>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_COMPLETION_H_
