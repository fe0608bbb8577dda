// What the author of a tool writes, and what the tool is handed.
#ifndef MCP_SESSION_SERVER_TOOL_H_
#define MCP_SESSION_SERVER_TOOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/server/asking_call.h"
#include "mcp_session/server/task_options.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

// What a tool answers (spec F-03).
struct ToolResult {
  Json content = EmptyArray();  // content blocks, as content.h makes them
  Json structured;              // structuredContent; null for none
  bool is_error = false;        // the tool failed, and `content` tells the model why

  static ToolResult Text(std::string text);
  // The structured value, and the same as text for clients that read only that (spec F-04). In
  // sessions, whose clients take only objects, other values are text alone.
  static ToolResult Structured(Json value);
  // A failure the model can do something about.
  static ToolResult Error(std::string text);
};

// The state a tool works on, said once when it is registered. The server loads it before the
// handler runs and saves it, if it was changed, before the answer goes out, by compare-and-set:
// when somebody else changed it meanwhile, the handler runs again on the newer state. So a
// handler changes nothing but what call.state() gives, and two calls at once lose no write. A
// result that is an error saves nothing.
struct StateUse {
  enum class Kind : std::uint8_t {
    kNone,
    kSession,    // the session's own state, an empty object at first; handshake era only
    kNewHandle,  // makes a state handle (spec S-20); call.handle() is its id
    kHandle,     // the handle that the argument names
    kList,       // call.handles(): the caller's handles of this kind
  };
  Kind kind = Kind::kNone;
  std::string handle_kind;  // "basket": ids look like basket_Zk3vQe0m...
  std::string argument;     // kHandle: which argument names it; default: handle_kind
  // kNewHandle: until it ends. Without a principal or a session to own it a handle is only as
  // safe as its id: it then lives `anonymous_ttl` at most and is never listed (spec S-23).
  Lifetime lifetime{.idle_ttl = Hours(24), .max_life = Hours(24 * 7)};
  Millis anonymous_ttl = Hours(1);
};
StateUse UsesSession();
StateUse MakesHandle(std::string kind);
StateUse TakesHandle(std::string kind);
StateUse ListsHandles(std::string kind);

struct HandleInfo {
  std::string handle;
  Millis expires_in{};
};

// One call of a tool.
class ToolCall : public AskingCall {
 public:
  // The arguments, an object (empty if the client sent none). Not yet validated beyond that.
  const Json& arguments() const;
  // An argument of that type; otherwise the Error is a sentence for the model.
  Result<std::string> StringArgument(std::string_view name) const;
  Result<std::int64_t> IntegerArgument(std::string_view name) const;

  // The state of StateUse, an object; changes are saved before the answer. Only for kSession,
  // kNewHandle and kHandle.
  Json& state();
  // The handle of kNewHandle and kHandle.
  const std::string& handle() const;
  const std::vector<HandleInfo>& handles() const;
  // kHandle: instead of being saved, the state is removed.
  void EndHandle();

  // Ends the call. Only the first Reply counts. Outside of McpServer::Handle it wakes the host.
  void Reply(ToolResult result);

 private:
  friend class Tools;
  struct State;
  explicit ToolCall(std::shared_ptr<HandlerCall::State> state);
  State& own() const;
};

// Answers by call.Reply, now or later.
using ToolHandler = std::function<void(ToolCall call)>;

struct Tool {
  std::string name;  // 1 to 128 of A-Z a-z 0-9 _ . - (spec F-02)
  std::string title;
  std::string description;  // for handles, the retention rule is added (spec S-24)
  Json input_schema;        // null: any object; else of "type": "object"
  Json output_schema;       // null: none; else of "type": "object"
  Json annotations;         // null: none
  StateUse state;
};

// What only some tools have.
struct ToolDecoration {
  Json icons;  // null: none; an array of {"src":...} (spec F-14)
  Json meta;   // null: none; _meta
  // Null: none; the ClientCapabilities object that a client must have declared, or more, or its
  // calls do not reach the handler. {"sampling":{}} for instance (spec S-07). Stateless clients are
  // told by the error kMissingCapability, others by a result with isError.
  Json required_capabilities;
  TaskUse task;  // default: never one. Else ServeTasks goes first (kInvalidArgument)
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOL_H_
