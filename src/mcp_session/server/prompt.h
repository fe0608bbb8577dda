// What the author of a prompt writes, and what its handler is handed.
#ifndef MCP_SESSION_SERVER_PROMPT_H_
#define MCP_SESSION_SERVER_PROMPT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"
#include "mcp_session/server/asking_call.h"

namespace mcp_session {

struct PromptArgument {
  std::string name;
  std::string title;
  std::string description;
  bool required = false;  // the server refuses a prompt without it (spec F-08)
};

// A prompt has a name, and so have its arguments; all else is optional.
struct Prompt {
  std::string name;
  std::string title;
  std::string description;
  std::vector<PromptArgument> arguments;
  Json icons;  // null: none; an array of {"src":...} (spec F-14)
  Json meta;   // null: none; _meta
};

struct PromptResult {
  std::string description;       // optional
  Json messages = EmptyArray();  // as AddUser and AddAssistant append them

  // `content` is one block of content.h.
  void AddUser(Json content);
  void AddAssistant(Json content);

  // One message of the user.
  static PromptResult Text(std::string text);
};

// One prompts/get.
class PromptCall : public AskingCall {
 public:
  // The argument, or empty text if the client sent none of that name.
  std::string Argument(std::string_view name) const;

  // Ends the call; only the first Reply counts. The client reads the message of an error, and its
  // number by its code: kInvalidParams for a value that cannot be used.
  void Reply(Result<PromptResult> result);

 private:
  friend class Prompts;
  struct State;
  explicit PromptCall(std::shared_ptr<HandlerCall::State> state);
  State& own() const;
};

// Answers by call.Reply, now or later.
using PromptHandler = std::function<void(PromptCall call)>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_PROMPT_H_
