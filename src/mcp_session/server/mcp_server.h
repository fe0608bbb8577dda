// McpServer: a Model Context Protocol server without its sockets. Register tools, hand it events,
// do its effects. The hosts (native/mcp_session/http, stdio; the JavaScript package) do the last
// two for you.
//
// All of it is for one thread: once the host runs, for that of its loop, where handlers run too.
// What is to be called once, or before something else, is checked: a program that does otherwise
// aborts.
#ifndef MCP_SESSION_SERVER_MCP_SERVER_H_
#define MCP_SESSION_SERVER_MCP_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "mcp_session/protocol/log_level.h"
#include "mcp_session/server/change_options.h"
#include "mcp_session/server/completion.h"
#include "mcp_session/server/prompt.h"
#include "mcp_session/server/resource.h"
#include "mcp_session/server/schema_validator.h"
#include "mcp_session/server/state_sealer.h"
#include "mcp_session/server/task_options.h"
#include "mcp_session/server/tool.h"
#include "mcp_session/session/server_engine.h"

namespace mcp_session {

class McpServer {
 public:
  class State;  // the inside, for the features

  // `store` and `entropy` must outlive the server, which takes the store's OnReady and is the only
  // one to submit to it and drain it.
  McpServer(ServerOptions options, SessionStore& store, Entropy& entropy);
  ~McpServer();
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  // Registers a tool; tools are listed in this order. kInvalidArgument: a bad name, a name taken, a
  // schema (input or output) that is no object schema, or one with an x-mcp-header for which
  // clients would drop the tool (spec S-38). What that marks is compared with its header before the
  // tool is called, where there are headers: in stateless requests by HTTP (S-39). The handler
  // takes a ToolCall and answers by call.Reply, or takes a ToolCall& and returns the ToolResult.
  template <typename Handler>
  Result<void> AddTool(Tool tool, Handler handler, const ToolDecoration& decoration = {}) {
    return Register(std::move(tool), Answering<ToolResult, ToolCall>(std::move(handler)),
                    decoration);
  }
  // The same without a decoration, and without a look at x-mcp-header, for programs that have to be
  // small: one that has only such tools has none of the code for these.
  template <typename Handler>
  Result<void> AddPlainTool(Tool tool, Handler handler) {
    return RegisterPlain(std::move(tool), Answering<ToolResult, ToolCall>(std::move(handler)));
  }

  // Takes a tool away; what runs of it goes on. False if there is none of this name. It and AddTool
  // are for the loop's thread once the host runs; NotifyToolsChanged tells who listens.
  bool RemoveTool(std::string_view name);

  // What AddTool registers from now on has its arguments checked before its handler is called; the
  // model is told, by a result with isError, what is wrong (ruling R-7). AddTool answers
  // kInvalidArgument for a schema that `validator` cannot compile. A result whose structured value
  // does not match the output schema, or lacks it, is a mistake of the tool (spec F-04): it becomes
  // a result with isError that does not say how, `on_bad_result` is told, for the log, and state is
  // not saved. Once, before tools are added; `validator` must outlive the server.
  using BadResult = std::function<void(std::string_view tool, std::string_view problem)>;
  void CheckArgumentsWith(const SchemaValidator& validator, BadResult on_bad_result = nullptr);

  // Registers a prompt, a resource, the resources of one form, or the completion of one argument of
  // those. A feature is offered to clients from the first that is taken on, so register all before
  // the first Handle. kInvalidArgument: a name or URI that is missing, malformed or taken, text
  // that is not UTF-8, or a completion of what is not registered. A handler takes its call and
  // answers by call.Reply, or takes a reference to it and returns the result or an Error.
  template <typename Handler>
  Result<void> AddPrompt(Prompt prompt, Handler handler) {
    return RegisterPrompt(std::move(prompt),
                          Answering<Result<PromptResult>, PromptCall>(std::move(handler)));
  }
  template <typename Handler>
  Result<void> AddResource(Resource resource, Handler handler) {
    return RegisterResource(std::move(resource),
                            Answering<Result<ResourceResult>, ResourceCall>(std::move(handler)));
  }
  template <typename Handler>
  Result<void> AddResourceTemplate(ResourceTemplate resource, Handler handler) {
    return RegisterResource(std::move(resource),
                            Answering<Result<ResourceResult>, ResourceCall>(std::move(handler)));
  }
  template <typename Handler>
  Result<void> AddCompletion(CompletionTarget target, Handler handler) {
    return RegisterCompletion(
        std::move(target), Answering<Result<CompletionResult>, CompletionCall>(std::move(handler)));
  }

  // Takes one of those away, with its completions; `uri` may be that of a template, as it was
  // written. What runs of it goes on. False if there is none. As RemoveTool; NotifyPromptsChanged
  // and NotifyResourcesChanged tell who listens.
  bool RemovePrompt(std::string_view name);
  bool RemoveResource(std::string_view uri);

  // Offers logging: what handlers say by call.Log goes to clients that want it. A session that has
  // not set its level gets messages from `until_set` on. Once.
  void ServeLogging(LogLevel until_set = LogLevel::kInfo);

  // Offers news: stateless clients listen for changes of the lists and of resources (spec section
  // 9). Once, before anything is added. On one store all nodes hear of what is told on one of them.
  void ServeChanges(ChangeOptions options = {});

  // Tells whoever listens, on any node, that a list or the contents of a resource changed. On the
  // loop's thread, in a handler or outside of Handle, which wakes the host. Without ServeChanges
  // nobody is told.
  void NotifyToolsChanged();
  void NotifyPromptsChanged();
  void NotifyResourcesChanged();
  void NotifyResourceUpdated(std::string uri);

  // What handlers ask, and keep, over several rounds of stateless calls goes to the client and back
  // sealed by this, bound to the caller, to what is called and to the arguments (spec M-07). What
  // cannot be opened is refused (kInvalidParams) before a handler sees it. `sealer` must outlive
  // the server. Once.
  void SealStatesWith(StateSealer& sealer);

  // Offers tasks (spec section 17): calls of the tools that say so (ToolDecoration::task) go on
  // after their answer, and stateless clients that know tasks ask for what became of them, on any
  // node that uses the same store. Once, before tools are added.
  void ServeTasks(TaskOptions options);

  // Lists come in pages of that many, 1 at least, instead of whole. Once.
  void PageLists(std::size_t page_size);

  // Keeps the streams of sessions by HTTP (ServerEngine::KeepStreams). HttpServer calls it.
  void KeepStreams();

  // Asks the store for what a tool's call works on together with its session (store::Get::ahead):
  // a turn less to a store that is far away. HttpServer calls it.
  void ReadAhead();

  // Something happened; appends what is to be done about it. `now` never goes back.
  void Handle(const Event& event, Instant now, Effects* effects);

  // When to send event::Woken next; kNever if nothing waits for time to pass.
  Instant NextDeadline() const;

  // ServerOptions::hosts, for hosts that answer some requests themselves.
  const HostPolicy& hosts() const;

  // Requests whose answers have not gone out yet, and tasks that run here: a host that ends may
  // wait for them.
  std::size_t open_calls() const;
  // The tasks alone.
  std::size_t running_tasks() const;

  // A handler answered, or reported progress, outside of Handle, or the store has replies: `wake`
  // is called, once until the next Handle, so that the host sends event::Woken. Without one the
  // effects wait for the next event.
  void OnWake(std::function<void()> wake);

  // Runs every handler through `guard`; the place to catch what handlers throw. False means that
  // the handler failed: unless it has answered, the server does so with an error. By default they
  // are called directly.
  using HandlerGuard = std::function<bool(HandlerRun handler)>;
  void GuardHandlers(HandlerGuard guard);

 private:
  // A handler that answers by Reply, made of one that does, or of one that returns the answer.
  template <typename Answer, typename Call, typename Handler>
  static auto Answering(Handler handler) {
    if constexpr (std::is_invocable_r_v<Answer, Handler&, Call&>) {
      return [handler = std::move(handler)](Call call) mutable { call.Reply(handler(call)); };
    } else {
      return handler;
    }
  }

  Result<void> Register(Tool tool, ToolHandler handler, const ToolDecoration& decoration);
  Result<void> RegisterPlain(Tool tool, ToolHandler handler);
  Result<void> RegisterPrompt(Prompt prompt, PromptHandler handler);
  Result<void> RegisterResource(Resource resource, ResourceHandler handler);
  Result<void> RegisterResource(ResourceTemplate resource, ResourceHandler handler);
  Result<void> RegisterCompletion(CompletionTarget target, CompletionHandler handler);

  std::shared_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_MCP_SERVER_H_
