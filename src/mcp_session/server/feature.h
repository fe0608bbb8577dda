// A feature of the server, such as its tools: it answers some methods. mcp_server.cc knows features
// only by this interface, so a program holds the code of those it registers something with, and of
// no other. Private to this folder.
#ifndef MCP_SESSION_SERVER_FEATURE_H_
#define MCP_SESSION_SERVER_FEATURE_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "mcp_session/base/time.h"
#include "mcp_session/server/handler_call.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

class Feature {
 public:
  using Running = std::shared_ptr<HandlerCall::State>;

  enum class Name : std::uint8_t {
    kTools,
    kToolChecks,
    kSealedStates,
    kPrompts,
    kResources,
    kCompletions,
    kLogging,
    kPages,
    kChanges,
    kSubscriptions,
    kTasks
  };
  explicit Feature(Name name_in) : name(name_in) {}
  virtual ~Feature() = default;

  // Takes `call` if it is of one of its methods; false, with `call` untouched, if it is not. What
  // it takes ends with an answer of the engine, now or later.
  virtual bool HandleCall(Call& call) = 0;
  // The handler of `call` has answered.
  virtual void HandleAnswer(const Running& call) = 0;
  // A reply to a command that it submitted with State::Await(..., step). Never for a call that
  // was cancelled meanwhile; `call` is null if it was there.
  virtual void HandleReply(int step, const Running& call, StoreReply& reply);
  // What `call` asked has been answered: its handler runs again, in a call of its own, as if this
  // were the first time. Copies that the handler kept of the old call do nothing any more.
  virtual void RunAgain(const Running& call);

  // It is `deadline` or later.
  virtual void HandleDeadline() {}
  // A session opened its own stream here (spec H-50).
  virtual void HandleListening(const SessionListens&) {}
  // event::Stopping came.
  virtual void HandleStop() {}

  Instant deadline = kNever;
  const Name name;
  std::unique_ptr<Feature> next;  // the one that is asked after it

 protected:
  // What is not registered, and why.
  static tl::unexpected<Error> Refuse(const char* why) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
  }

  // For features whose handlers answer once, and that keep nothing in the store.

  // Opens `call` and runs `handler` on it, in the guard.
  using Handler = void (*)(const Running& call);
  static void RunHandler(McpServer::State& server, const Running& call, Handler handler);
  // Ends `call`: with a result that has these members, unless they are not `valid`; with an error.
  static void AnswerCall(McpServer::State& server, const Running& call, bool valid,
                         std::string_view members);
  static void FailCall(McpServer::State& server, const Running& call, const Error& error);
};

// What a handler asks of its client (rounds.h), for those that only have to know whether it did.
class Asking {
 public:
  virtual ~Asking() = default;
  // The handler has answered. False if it asked nothing, so that this is the call's answer.
  virtual bool EndRun(McpServer::State& server, const Feature::Running& call) = 0;
  // The run did not count: a conflict.
  virtual void StartOver() = 0;
  // What became of a question that EndRun asked of a session's client.
  virtual void HandleAnswer(McpServer::State& server, const Feature::Running& call,
                            ClientAnswered& answered) = 0;
};

// Tasks (tasks.h), for features that only have to know whether there are any.
class TaskServing {
 public:
  virtual ~TaskServing() = default;
  virtual void Add(std::string_view tool, const TaskUse& use) = 0;
  virtual void Remove(std::string_view tool) = 0;
  // The handler of `call` is about to be run, for the first time. True: not now.
  virtual bool Begins(const Feature::Running& call) = 0;
  // The handler has returned without an answer.
  virtual void Lasts(const Feature::Running& call) = 0;
  // False: the client of `call` does not know tasks; that is answered.
  virtual bool Admits(const Call& call) = 0;
  // Tells `listener`, a call of subscriptions/listen, of the task; nothing if it is not its
  // caller's.
  virtual void Tell(const Call& listener, std::string_view task) = 0;
};

// What the copies of a HandlerCall share. Each feature derives its own.
struct HandlerCall::State {
  State(std::weak_ptr<McpServer::State> server_in, Feature& feature_in, Call call_in);
  ~State();  // answers a call that its handler dropped

  std::weak_ptr<McpServer::State> server;  // a handler may keep a call longer than that
  Feature& feature;                        // lives as long as the server
  Call call;
  Json arguments = EmptyObject();  // of a tool or a prompt
  std::shared_ptr<Asking> asking;  // made when it asks; null: it has not
  bool running = false;            // the handler was called and has not answered
  bool cancelled = false;          // the client gave up
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_FEATURE_H_
